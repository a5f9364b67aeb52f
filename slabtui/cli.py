"""The command line: options to a feed and a front end; every error that a user sees ends here, as one line."""

import argparse
import errno
import importlib
import io
import os
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stdout, suppress
from dataclasses import replace
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from slabtui.collector import Collector, Source
from slabtui.columns import caches, query
from slabtui.columns.query import Order
from slabtui.errors import SlabtuiError, Status, explain
from slabtui.feed import FeedDiedError, Snapshots
from slabtui.model.inspection import Kind, Request
from slabtui.options import LOOKS, SEE_HELP, parser
from slabtui.outputs import formats
from slabtui.outputs.output import Output, UnreadError
from slabtui.outputs.stream import Selection, stream
from slabtui.recording.addresses import AddressHider, Concealer, show_all
from slabtui.system import streams
from slabtui.system.ending import PATIENCE, Ending
from slabtui.text import visible

DEMO = resources.files("slabtui") / "demo.jsonl.gz"  # slabtui may be one file, and this inside of it

FeedMaker = Callable[[Callable[[], None]], Snapshots]  # given what to call when there is something to take


def main(argv: list[str] | None = None, name: str = "slabtui") -> int:
    """Run the program and return its exit status.

    SIGTERM and SIGHUP end it with 128 and the signal's number; SIGINT ends it like the key q, unless something blocks.
    """
    ending = Ending()
    stdout_closed = sys.stdout is None
    streams.open_closed()
    try:
        ending.install()
        if stdout_closed:
            raise SlabtuiError("standard output is closed", "give it somewhere to go, as in > /dev/null")
        _run(_parsed(argv, name), name, ending)
    except (SlabtuiError, FeedDiedError) as error:
        status = error.status if isinstance(error, SlabtuiError) else Status.FAILED
        ending.begin(status)
        died = ": please report this, with `uname -r`" if isinstance(error, FeedDiedError) else ""
        _complain(f"{error}{died}")
        return status
    except MemoryError:
        ending.begin(Status.FAILED)
        _complain("out of memory: free some, or raise `ulimit -v`")
        return Status.FAILED
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:  # whoever read has had enough
        streams.discard(1)
        return 128 + signal.SIGPIPE
    except OSError as error:
        explained = explain(error)
        if explained is None:
            raise
        ending.begin(Status.FAILED)
        _complain(explained)
        return Status.FAILED
    finally:
        ending.begin(Status.OK)
        try:
            streams.flush()
        finally:
            ending.end()
    return Status.OK


def slabratetop() -> int:
    """Run the program under the name of the one it succeeds: text, with the screen cleared between intervals."""
    return main(name="slabratetop")


def _parsed(argv: list[str] | None, name: str) -> argparse.Namespace:
    """Read the command line, and write what --help and the like print before they end the program.

    argparse itself ignores that it cannot be written, since Python 3.12: ArgumentParser._print_message().
    """
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            return parser(name).parse_args(argv)
    finally:
        if text := printed.getvalue():
            _print_whole(text)


def _print_whole(text: str) -> None:
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unwritable(error) from error


def _run(options: argparse.Namespace, name: str, ending: Ending) -> None:
    replay: Path | Traversable | None = DEMO if options.demo else options.replay
    look = _look(options)
    options.frees = options.frees or options.sort == caches.FREES.id
    _demand_what_goes_together(options, replay, look)
    if options.output is None and (options.noclear or look or name == "slabratetop" or not sys.stdout.isatty()):
        options.output = "text"
    screen = options.output is None
    if screen:
        if options.maxrows:
            raise SlabtuiError("-r limits what is printed", "add -C or --output", Status.USAGE)
        _demand_terminal()
    conceal = show_all if options.addresses else AddressHider()
    with _feed(options, replay, screen, conceal) as feed_for:
        if screen:
            _show(options, feed_for, bool(replay), conceal, ending)
        else:
            clear = name == "slabratetop" and not options.noclear
            _print(options, feed_for, bool(replay), look, clear=clear, conceal=conceal)


def _look(options: argparse.Namespace) -> Request | None:
    """Return what is to be looked at closely."""
    asked = ((kind, getattr(options, kind)) for kind in LOOKS)
    return next((Request(cache=cache, kind=kind) for kind, cache in asked if cache is not None), None)


def _demand_what_goes_together(
    options: argparse.Namespace, replay: Path | Traversable | None, look: Request | None
) -> None:
    if replay and (options.pid or options.cgroup or options.record):
        raise SlabtuiError("-p, --cgroup and --record do not go with a recording", "leave them out", Status.USAGE)
    if options.noclear and options.output not in (None, "text"):
        raise SlabtuiError("-C prints text", "leave it out", Status.USAGE)
    if options.output == "folded" and (look is None or look.kind is not Kind.STACKS):
        raise SlabtuiError("--output folded prints stacks", "add --stacks CACHE", Status.USAGE)
    if options.output == "csv" and look is not None:
        raise SlabtuiError(f"--{look.kind} prints text or JSON", "use --output json", Status.USAGE)


@contextmanager
def _feed(
    options: argparse.Namespace, replay: Path | Traversable | None, screen: bool, conceal: Concealer
) -> Iterator[FeedMaker]:
    """Yield what makes the feed: of a recording, or of the running kernel, recorded if that is asked for."""
    from slabtui.recording.recording import Player, Recorded, Recorder

    if replay:
        yield lambda notify: Player(replay, paced=screen, notify=notify)
        return
    with closing(open_kernel(options, screen)) as source:
        if not options.record:
            yield partial(Collector, source, options.interval, settles=not screen)
            return
        from slabtui.kernel import capabilities

        kept = capabilities.SCREEN if screen else capabilities.COUNTING
        recorder = Recorder(options.record, conceal, created=partial(capabilities.keep, kept))
        try:
            yield lambda notify: Recorded(
                Collector(source, options.interval, notify, settles=not screen), recorder, options.count
            )
        finally:
            recorder.close()
        if recorder.failure:
            raise SlabtuiError(f"recording stopped: {recorder.failure}", f"what {options.record} has can be replayed")


def open_kernel(options: argparse.Namespace, screen: bool) -> Source:
    """Return the running kernel as a source, with no privileges left but those that it will need.

    Raises:
        SlabtuiError: see Probe; or there is no such cache.
    """
    from slabtui.kernel import capabilities  # only here: a recording needs none of them
    from slabtui.kernel.bpf.compiler import Compiler
    from slabtui.kernel.procfs import mounts, slabinfo  # only here: a recording needs none of them

    mounts.demand()
    look = _look(options)
    if look:
        slabinfo.demand(str(look.cache))
    capabilities.demand()
    capabilities.unlimit_locked_memory()
    capabilities.raise_open_files()
    kept = capabilities.SCREEN if screen else capabilities.COUNTING
    capabilities.keep(kept, alone=capabilities.FILES if options.record else ())
    compiler = Compiler(meanwhile=partial(importlib.import_module, "slabtui.views.app") if screen else lambda: None)
    try:
        compiler.prepare()  # as early as can be: its child imports bcc during all that follows
        from slabtui.kernel.abi import offsets
        from slabtui.kernel.probe import Probe
        from slabtui.kernel.scope import Scope

        return Probe(offsets.read(), Scope(options.pid, options.cgroup), compiler)
    except BaseException:
        compiler.close()
        raise


def _show(options: argparse.Namespace, feed_for: FeedMaker, replay: bool, conceal: Concealer, ending: Ending) -> None:
    """Open the screen."""
    from slabtui.views.app import App
    from slabtui.views.state import State

    state = State(
        options.interval, Order.by(options.sort), options.filter, idle=options.all, replay=replay, frees=options.frees
    )
    try:
        with ending.screen():
            App(state, options.count, conceal, leaving=lambda: ending.begin(Status.OK)).run(feed_for)
    except (OSError, termios.error) as error:
        if error.args[0] != errno.EIO:
            raise
        streams.discard(1)  # the terminal is gone, and whether its signal or this comes first is chance
        raise SystemExit(128 + signal.SIGHUP) from error
    finally:
        ending.next_step()


def _print(
    options: argparse.Namespace,
    feed_for: FeedMaker,
    replay: bool,
    look: Request | None,
    *,
    clear: bool,
    conceal: Concealer,
) -> None:
    """Print on standard output."""
    alias = partial(query.alias, matches=query.matcher(options.filter))
    table = formats.slabratetop(
        None if replay else options.interval,
        clear and sys.stdout.isatty(),
        alias,
        sort=options.sort,
        frees=options.frees,
    )
    forms = {
        "text": formats.look_at(look, options.maxrows) if look else table,
        "json": formats.JSON,
        "csv": formats.CSV,
        "folded": formats.FOLDED,
    }
    form = formats.with_idle(forms[options.output]) if options.all else forms[options.output]
    selection = Selection(Order.by(options.sort), options.filter, options.maxrows or form.most)
    output = Output(1, sys.stdout.encoding, PATIENCE)
    feed = feed_for(lambda: None)
    if look or options.frees:
        feed.watch(replace(look or Request(), frees=options.frees))
    try:
        stream(
            feed,
            output,
            form,
            selection,
            count=options.count,
            complain=_complain,
            conceal=conceal,
            interrupted=output.interrupt,
        )
    except BrokenPipeError:
        raise
    except query.BadFilterError as error:
        raise SlabtuiError(f"the filter {options.filter} {error}", SEE_HELP, Status.USAGE) from error
    except UnreadError as error:
        raise SystemExit(128 + signal.SIGINT) from error
    except OSError as error:
        raise _unwritable(error) from error
    finally:
        feed.stop()


def _unwritable(error: OSError) -> SlabtuiError:
    streams.discard(1)
    return SlabtuiError(f"cannot write to standard output ({error.strerror})", "see where it goes")


def _complain(text: str) -> None:
    with suppress(OSError):  # the exit status tells too
        print(f"slabtui: {visible(text)}", file=sys.stderr)


def _demand_terminal() -> None:
    if not sys.stdin.isatty():
        raise SlabtuiError("standard input is not a terminal", "run slabtui in one, over ssh with ssh -t, or with -C")
    if os.environ.get("TERM") in (None, "", "dumb"):
        raise SlabtuiError("TERM names no terminal with a screen", "set it, as in TERM=xterm slabtui, or use -C")
