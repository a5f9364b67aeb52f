"""Connects a producer, which is the running kernel or a recording, to the screen, the printer and the recorder."""

import errno
import signal
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from slabtui.cli.options import DEMO, Options
from slabtui.collector import Collector, Source
from slabtui.columns import text
from slabtui.columns.query import Order
from slabtui.errors import SlabtuiError, Status
from slabtui.producer import Producer
from slabtui.recording.addresses import AddressHider, Concealer, show_all
from slabtui.system import garbage, streams
from slabtui.system.ending import Ending

Notes = Callable[[], tuple[str, ...]]


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
    """Print on standard output, and record if that is asked for.

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
        with _recording(options, producer, conceal, ending, is_screen=False) as notes:
            print_snapshots(options, producer, conceal, complain, notes, clears=clears)


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
            return report(options, producer, conceal, complain, notes)


@contextmanager
def _producing(
    options: Options, source: Source | None, *, is_screen: bool, interval: float | None = None
) -> Iterator[Producer]:
    """Yield the player of a recording or the collector of the running kernel; stop it at the end."""
    producer: Producer
    if source is not None:
        producer = Collector(source, interval or options.interval, settles=not is_screen)
    else:
        from slabtui.recording.player import Player

        assert options.replay is not None
        producer = Player(options.replay, paced=is_screen, repeats=is_screen and options.demo)
    try:
        producer.request(options.request)
        yield producer
    finally:
        producer.stop()


def _concealer(options: Options) -> Concealer:
    return show_all if options.addresses else AddressHider()


@contextmanager
def _recording(
    options: Options, producer: Producer, conceal: Concealer, ending: Ending, *, is_screen: bool
) -> Iterator[Notes]:
    """Record what the producer publishes if `--record` is given; yield a function that returns the recorder's notes."""
    if not options.record:
        yield lambda: ()
        return
    from slabtui.kernel import capabilities
    from slabtui.recording.recorder import Recorder

    kept = capabilities.SCREEN if is_screen else capabilities.COUNTING
    alone = capabilities.FILES if options.report else ()  # its file is written when the run has ended
    recorder = Recorder(options.record, conceal, created=partial(capabilities.keep, kept, alone))
    producer.subscribe(recorder.queue)
    try:
        yield recorder.notes
    finally:
        ending.begin(Status.OK)
        producer.finish()  # if a signal or an error ended the other consumer, record the interval so far
        producer.stop()
        ending.next_step()
        recorder.close()
    if recorder.failure:
        raise SlabtuiError(
            f"recording stopped: {recorder.failure}", f"the intervals in {options.record} can be replayed"
        )


def _open_screen(options: Options, producer: Producer, conceal: Concealer, ending: Ending, notes: Notes) -> None:
    from slabtui.views.app import App
    from slabtui.views.state import State

    opens_leaks = text.is_of_leaks(options.sort)
    state = State(
        options.interval,
        Order() if opens_leaks else Order.by(text.ON_SCREEN.get(options.sort, options.sort)),
        options.filter,
        idle=options.all,
        replay=options.replay is not None,
        frees=options.request.frees,
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
