"""One run of the program: connects a producer (the running kernel or a recording) to its consumers."""

import errno
import importlib
import os
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from slabtui.cli.options import DEMO, Options
from slabtui.cli.parser import SEE_HELP
from slabtui.collector import Collector, Source
from slabtui.columns import query, text
from slabtui.columns.query import Order
from slabtui.errors import SlabtuiError, Status
from slabtui.outputs import formats
from slabtui.outputs.output import Output, UnreadError
from slabtui.outputs.stream import Selection, stream
from slabtui.producer import Producer
from slabtui.recording.addresses import AddressHider, Concealer, show_all
from slabtui.system import garbage, streams
from slabtui.system.ending import PATIENCE, Ending

SLABRATETOP = "slabratetop"  # the name under which the program prints text, and clears the screen between intervals

Notes = Callable[[], tuple[str, ...]]


def run(options: Options, name: str, ending: Ending, complain: Callable[[str], None]) -> None:
    """Count or replay, and show or print, until the user or the producer ends it.

    Args:
        options: what the user asks for.
        name: of the command.
        ending: limits the time of the cleanup.
        complain: prints a line on standard error.

    Raises:
        SlabtuiError: something that the user can remedy.
        OSError: standard output cannot be written, or the system refuses something.
    """
    prints = options.noclear or options.once or options.request.inspection is not None or name == SLABRATETOP
    is_screen = options.output is None and not prints and sys.stdout.isatty()
    if is_screen:
        for option, given in (("-r", options.maxrows), ("-o", options.columns)):
            if given:
                raise SlabtuiError(f"{option} applies to printed output only", "add -C, -b or --output", Status.USAGE)
        _demand_terminal()
    conceal = show_all if options.addresses else AddressHider()
    with _producer(options, is_screen) as producer:
        producer.request(options.request)
        with _recording(options, is_screen, producer, conceal, ending) as notes:
            if is_screen:
                _show(options, producer, conceal, ending, notes)
            else:
                clears = name == SLABRATETOP and not (options.noclear or options.once) and sys.stdout.isatty()
                _print(options, producer, conceal, complain, notes, clears=clears)


@contextmanager
def _producer(options: Options, is_screen: bool) -> Iterator[Producer]:
    """Yield the player of a recording or the collector of the running kernel; stop it at the end."""
    producer: Producer
    if options.replay:
        from slabtui.recording.player import Player

        producer = Player(options.replay, paced=is_screen, repeats=is_screen and options.demo)
    else:
        producer = Collector(open_kernel(options, is_screen), options.interval, settles=not is_screen)
    try:
        yield producer
    finally:
        producer.stop()


@contextmanager
def _recording(
    options: Options, is_screen: bool, producer: Producer, conceal: Concealer, ending: Ending
) -> Iterator[Notes]:
    """Record what the producer publishes if `--record` is given; yield a function that returns the recorder's notes."""
    if not options.record:
        yield lambda: ()
        return
    from slabtui.kernel import capabilities
    from slabtui.recording.recorder import Recorder

    kept = capabilities.SCREEN if is_screen else capabilities.COUNTING
    recorder = Recorder(options.record, conceal, created=partial(capabilities.keep, kept))
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


def open_kernel(options: Options, is_screen: bool) -> Source:
    """Return the running kernel as a source, and drop the privileges that it does not need.

    Raises:
        SlabtuiError: the probe cannot start, or no cache has the requested name.
    """
    from slabtui.kernel import capabilities  # imported here, because a recording needs none of these
    from slabtui.kernel.bpf.compiler import Compiler
    from slabtui.kernel.procfs import mounts, slabinfo

    mounts.demand()
    if options.request.inspection:
        slabinfo.demand(str(options.request.inspection.cache))
    capabilities.demand()
    capabilities.unlimit_locked_memory()
    capabilities.raise_open_files()
    kept = capabilities.SCREEN if is_screen else capabilities.COUNTING
    capabilities.keep(kept, alone=capabilities.FILES if options.record else ())
    compiler = Compiler(meanwhile=partial(importlib.import_module, "slabtui.views.app") if is_screen else lambda: None)
    try:
        compiler.prepare()  # as early as possible: its child imports bcc in the meantime
        from slabtui.kernel.abi import offsets
        from slabtui.kernel.probe import Probe
        from slabtui.kernel.scope import Scope

        return Probe(offsets.read(), Scope(list(options.pids), options.cgroup), compiler)
    except BaseException:
        compiler.close()
        raise


def _show(options: Options, producer: Producer, conceal: Concealer, ending: Ending, notes: Notes) -> None:
    """Open the screen."""
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


def _print(
    options: Options,
    producer: Producer,
    conceal: Concealer,
    complain: Callable[[str], None],
    notes: Notes,
    *,
    clears: bool,
) -> None:
    """Print on standard output."""
    form = _format(options, clears)
    order = Order(options.sort, text.BY_ID[options.sort].descending)
    most = options.maxrows or form.most
    selection = Selection(order, options.filter, most, text.sort_value(options.sort))
    output = Output(1, sys.stdout.encoding, PATIENCE)
    try:
        stream(
            producer,
            output,
            form,
            selection,
            count=options.count,
            complain=complain,
            conceal=conceal,
            interrupted=output.interrupt,
            notes=notes,
        )
    except BrokenPipeError:
        raise
    except query.BadFilterError as error:
        raise SlabtuiError(f"the filter {options.filter} {error}", SEE_HELP, Status.USAGE) from error
    except UnreadError as error:
        raise SystemExit(128 + signal.SIGINT) from error
    except OSError as error:
        raise streams.unwritable(error) from error


def _format(options: Options, clears: bool) -> formats.Format:
    """Return the requested format."""
    inspection = options.request.inspection
    if options.output == "json":
        form = formats.JSON
    elif options.output == "csv":
        form = formats.CSV
    elif options.output == "folded":
        form = formats.FOLDED
    elif inspection:
        form = formats.inspection(inspection, options.maxrows)
    else:
        alias = partial(query.alias, matches=query.matcher(options.filter))
        interval = None if options.replay else options.interval
        columns = formats.text_columns(options.columns, options.sort, options.request.frees)
        form = formats.slabratetop(interval, clears, alias, sort=options.sort, columns=columns)
    if options.once and options.output in (None, "text"):
        form = formats.once(form)
    return formats.with_idle(form) if options.all else form


def _demand_terminal() -> None:
    if not sys.stdin.isatty():
        raise SlabtuiError("standard input is not a terminal", "run slabtui in one (over ssh: ssh -t), or use -C")
    if os.environ.get("TERM") in (None, "", "dumb"):
        raise SlabtuiError("TERM does not name a terminal with a screen", "set it, as in TERM=xterm slabtui, or use -C")
