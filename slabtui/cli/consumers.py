"""Connects a producer, which is the running kernel or a recording, to the screen, the printer and the recorder."""

import errno
import signal
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from slabtui.cli.arguments import Destination, Way
from slabtui.cli.job import Job
from slabtui.cli.options import DEMO, Options
from slabtui.collector import Collector, Source
from slabtui.columns import text
from slabtui.columns.query import Order
from slabtui.errors import SlabtuiError, Status
from slabtui.model.snapshot import Snapshot
from slabtui.producer import Producer
from slabtui.recording.addresses import AddressHider, Concealer, show_all
from slabtui.system import garbage, streams
from slabtui.system.ending import Ending

if TYPE_CHECKING:
    from slabtui.cli.exporting import Exporter  # it imports an optional library
    from slabtui.recording.recorder import Recorder
    from slabtui.recording.sink import Sink

Notes = Callable[[], tuple[str, ...]]


class _RecordingEndedError(Exception):
    """Nothing more is recorded, and that is all that was asked for."""


def show(options: Options, source: Source | None, ending: Ending) -> None:
    """Open the screen, and record if that is asked for.

    Args:
        options: what the user asks for.
        source: the running kernel; None: a recording is replayed.
        ending: limits the time of the cleanup.

    Raises:
        SlabtuiError: something that the user can remedy.
        OSError: the system refuses something.
    """
    with _producing(options, source, is_screen=True) as producer:
        conceal = _concealer(options)
        with _recording(options, producer, conceal, ending, is_screen=True) as notes:
            _open_screen(options, producer, conceal, ending, notes)


def print_out(
    options: Options, source: Source | None, ending: Ending, complain: Callable[[str], None], *, clears: bool
) -> None:
    """Print on standard output, or nothing, and record if that is asked for.

    Args:
        options: what the user asks for.
        source: the running kernel; None: a recording is replayed.
        ending: limits the time of the cleanup.
        complain: prints a line on standard error.
        clears: whether the terminal is cleared between intervals.

    Raises:
        SlabtuiError: something that the user can remedy.
        OSError: standard output cannot be written, or the system refuses something.
    """
    from slabtui.cli.printing import print_snapshots

    with _producing(options, source, is_screen=False) as producer:
        conceal = _concealer(options)
        with _recording(options, producer, conceal, ending, is_screen=False) as notes, suppress(_RecordingEndedError):
            print_snapshots(Job(options, producer, conceal, complain, notes), clears=clears)


def report_leaks(options: Options, source: Source | None, ending: Ending, complain: Callable[[str], None]) -> Status:
    """Look for leaks, print a page or write a report about them, and record; return the exit status.

    Args:
        options: what the user asks for.
        source: the running kernel; None: a recording is read.
        ending: limits the time of the cleanup.
        complain: prints a line on standard error.

    Raises:
        SlabtuiError: something that the user can remedy.
        OSError: standard output cannot be written, or the system refuses something.
    """
    from slabtui.analysis.leaks import find_interval

    if options.report:
        from slabtui.cli.report import write_report as report
    else:
        from slabtui.cli.leaks import print_report as report
    assert options.leaks is not None
    with _producing(options, source, is_screen=False, interval=find_interval(options.leaks)) as producer:
        conceal = _concealer(options)
        with _recording(options, producer, conceal, ending, is_screen=False) as notes:
            return report(Job(options, producer, conceal, complain, notes))


def export(
    options: Options, source: Source, ending: Ending, complain: Callable[[str], None], exporter: "Exporter"
) -> None:
    """Serve or write metrics, and record if that is asked for.

    Args:
        options: what the user asks for.
        source: the running kernel.
        ending: limits the time of the cleanup.
        complain: prints a line on standard error.
        exporter: where metrics go.

    Raises:
        SlabtuiError: something that the user can remedy.
        OSError: the system refuses something.
    """
    with (
        _producing(options, source, is_screen=False) as producer,
        _recording(options, producer, _concealer(options), ending, is_screen=False) as notes,
    ):
        exporter.run(producer, options.count, complain, notes)


@contextmanager
def _producing(
    options: Options, source: Source | None, *, is_screen: bool, interval: float | None = None
) -> Iterator[Producer]:
    """Yield the player of a recording or the collector of the running kernel; stop it at the end."""
    if source is not None:
        producer: Producer = Collector(source, interval or options.interval, settles=not is_screen)
    elif options.is_streamed:
        producer = _relay(options, is_screen=is_screen)
    else:
        producer = _player(options, is_screen=is_screen)
    try:
        producer.request(options.request)
        yield producer
    finally:
        producer.stop()


def _relay(options: Options, *, is_screen: bool) -> Producer:
    """Return what relays the snapshots of another host, or those of standard input."""
    from slabtui.recording.relay import Relay

    if not options.remote:
        from slabtui.recording.reader import follow

        stream = follow(streams.take_standard_input(needs_keys=is_screen), "standard input")
        return Relay(_add_up(options, stream))
    from slabtui.recording.remote import Remote

    remote = Remote(options.remote[0], options.remote[1:])
    try:
        return Relay(_add_up(options, remote.read()), remote.close)
    except BaseException:
        remote.close()
        raise


def _player(options: Options, *, is_screen: bool) -> Producer:
    from slabtui.recording.player import Player
    from slabtui.recording.seeker import Seeker
    from slabtui.recording.survey import Survey
    from slabtui.recording.tape import Tape

    tape = Tape(options.replay)

    def read() -> Iterator[Snapshot]:
        return _add_up(options, tape.read(options.begin, options.end))

    if not is_screen or options.demo:
        return Player(read, paced=is_screen, repeats=is_screen)
    seeker = Seeker(tape, options.begin, options.end, options.interval if options.sums else 0.0)
    survey = Survey(tape.lines, *tape.limits(options.begin, options.end))
    return Player(read, paced=True, seeker=seeker, survey=survey)


def _add_up(options: Options, recorded: Iterator[Snapshot]) -> Iterator[Snapshot]:
    """Add intervals up to those that the user has asked for."""
    from slabtui.recording.intervals import add_up

    return add_up(recorded, options.interval) if options.sums else recorded


def _concealer(options: Options) -> Concealer:
    return show_all if options.addresses else AddressHider()


@contextmanager
def _recording(
    options: Options, producer: Producer, conceal: Concealer, ending: Ending, *, is_screen: bool
) -> Iterator[Notes]:
    """Record what the producer publishes if `--record` is given; yield a function that returns the recorder's notes.

    If nothing is shown or printed beside, that function raises _RecordingEndedError once nothing more is recorded.
    """
    if not options.record:
        yield lambda: ()
        return
    from slabtui.kernel import capabilities
    from slabtui.recording.recorder import Recorder

    is_alone = options.output == "none"
    kept = capabilities.SCREEN if is_screen else capabilities.COUNTING
    alone = capabilities.FILES if options.writes_late else ()
    opened = partial(capabilities.keep, kept, alone)
    recorder = Recorder(_sink(options, renews=is_alone), conceal, opened=opened)
    producer.subscribe(recorder.queue)

    def notes() -> tuple[str, ...]:
        if is_alone and recorder.failure is not None:
            raise _RecordingEndedError
        return recorder.notes()

    try:
        yield notes
    finally:
        ending.begin(Status.OK)
        producer.finish()  # if a signal or an error ended the other consumer, record the interval so far
        producer.stop()
        ending.next_step()
        recorder.close()
    if recorder.is_unread:
        raise BrokenPipeError
    if recorder.failure:
        raise SlabtuiError(f"recording stopped: {recorder.failure}", _advise(options.record, recorder))


def _advise(record: Destination, recorder: "Recorder") -> str:
    """Return what the user can do after a recording that failed."""
    if record.way is Way.STANDARD_OUTPUT:
        return "write it to a file or a pipe with room" if recorder.is_disk_full else "write it to a file or a pipe"
    if not recorder.is_empty:
        return f"the intervals in {record.path} can be replayed"
    return "free some space, or record elsewhere" if recorder.is_disk_full else "record elsewhere"


def _sink(options: Options, *, renews: bool) -> "Sink":
    """Return where to record to.

    Args:
        options: what the user asks for.
        renews: whether SIGHUP begins a new segment, if there is no terminal that hangs up.
    """
    from slabtui.recording import sink

    assert options.record is not None
    if options.record.way is Way.STANDARD_OUTPUT:
        return sink.standard_output()
    if options.record.way is Way.FILE:
        return sink.create(options.record.path)
    from slabtui.recording.flight import DirectorySink

    flight = DirectorySink(options.record.path, options.limits)
    if renews and not streams.has_terminal() and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda number, frame: flight.renew())
    return flight


def _open_screen(options: Options, producer: Producer, conceal: Concealer, ending: Ending, notes: Notes) -> None:
    from slabtui.views.app import App
    from slabtui.views.state import State

    opens_leaks = text.is_of_leaks(options.sort)
    state = State(
        options.interval,
        Order() if opens_leaks else Order.by(text.ON_SCREEN.get(options.sort, options.sort)),
        options.filter,
        idle=options.all,
        replay=not options.is_live,
        streamed=options.is_streamed,
        repeats=options.demo,
        frees=options.request.frees or options.scoped,
        inspected_caches=_inspected_caches() if options.demo else (),
    )
    if opens_leaks:
        state.toggle_leaks()
    garbage.shorten_pauses()
    try:
        with ending.screen():
            leaving = partial(ending.begin, Status.OK)
            App(state, options.count, conceal, leaving, notes, mouse=options.mouse).run(producer)
    except (OSError, termios.error) as error:
        if error.args[0] != errno.EIO:
            raise
        streams.discard(1)  # the terminal is gone; SIGHUP may arrive before or after this
        raise SystemExit(128 + signal.SIGHUP) from error
    finally:
        ending.next_step()


def _inspected_caches() -> tuple[str, ...]:
    """Return the names of the caches that the demo has inspections of: a small file, which takes little time."""
    from slabtui.recording.reader import inspected_caches  # imported here, because it imports cattrs

    return inspected_caches(DEMO)
