"""The command line: options to a feed and a front end; every error that a user sees ends here, as one line."""

import argparse
import errno
import importlib
import io
import os
import signal
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, redirect_stdout, suppress
from dataclasses import replace
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NoReturn

from slabtui import __version__, arguments, columns, query, streams
from slabtui.addresses import AddressHider, Concealer, show_all
from slabtui.collector import Collector, Source
from slabtui.detail import Kind, Watch
from slabtui.ending import PATIENCE, Ending
from slabtui.errors import SlabtuiError, Status, explain
from slabtui.feed import FeedDiedError, Snapshots
from slabtui.outputs import formats
from slabtui.outputs.output import Output, UnreadError
from slabtui.outputs.stream import Selection, stream
from slabtui.query import Order
from slabtui.text import visible

_LOOKS = {  # what is printed of one cache -> in words
    Kind.CALLERS: "the call sites that allocate, and how much,",
    Kind.STACKS: "the kernel stacks that led to the allocations",
    Kind.PROCESSES: "the processes that allocate, and how much,",
}
DEMO = resources.files("slabtui") / "demo.jsonl.gz"  # slabtui may be one file, and this inside of it

_SEE_HELP = "see slabtui --help"

FeedMaker = Callable[[Callable[[], None]], Snapshots]  # given what to call when there is something to take


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Report wrong usage in one line, instead of the usage text and a line."""
        raise SlabtuiError(message, _SEE_HELP, Status.USAGE)


class _PrintCompletion(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        """Print the completion script for a shell, and end the program."""
        from slabtui import completion  # only here: it takes longer to import than all the rest of the command line

        try:
            print(completion.script(parser, str(values)))
        except NotImplementedError:
            parser.error(f"no completion script for {values}")
        parser.exit()


def parser(name: str = "slabtui") -> argparse.ArgumentParser:
    """Return the definition of the command line, for the command of that name."""
    options = _Parser(
        prog=name,
        description="Show the rate of allocations from the kernel's slab caches, live.",
        epilog="Keys: ? shows them all. Needs root, and bcc from the distribution, except with --replay and --demo.",
    )
    add = options.add_argument
    add("-V", "--version", action="version", version=f"slabtui {__version__}")
    add(
        "-s",
        "--sort",
        metavar="COLUMN",
        type=arguments.column,
        default=columns.DEFAULT_SORT,
        help=f"sort by {', '.join(columns.SORTS)} (default: {columns.DEFAULT_SORT})",
    )
    add(
        "-f",
        "--filter",
        metavar="FILTER",
        type=arguments.pattern,
        default="",
        help="show only caches whose name contains FILTER, or matches the regular expression after a leading ~",
    )
    add(
        "-p",
        "--pid",
        metavar="PID",
        type=arguments.pid,
        action="append",
        default=[],
        help="count only what this process allocates; may be given more than once",
    )
    add(
        "--cgroup",
        metavar="PATH",
        type=Path,
        help="count only what this control group and those below it allocate; as in /proc/PID/cgroup, or its directory",
    )
    add("--frees", action="store_true", help="count frees too, as the key f does; implied by -s frees")
    add(
        "--all",
        action="store_true",
        help="include the caches in which nothing happened, as the key z does; as text all rows, unless -r limits them",
    )
    look = options.add_mutually_exclusive_group()
    for kind, what in _LOOKS.items():
        look.add_argument(f"--{kind}", metavar="CACHE", help=f"print {what} of this cache instead of the table")
    add(
        "-C",
        "--noclear",
        action="store_true",
        help="print text as slabratetop does, one interval below the other; the default without a terminal",
    )
    add(
        "-r",
        "--maxrows",
        metavar="MAXROWS",
        type=partial(arguments.positive, what="number of rows"),
        help=f"print at most so many rows (default: {formats.MAXROWS} as text without --all, else all)",
    )
    add(
        "--output",
        choices=("text", "json", "csv", "folded"),
        help="print in this format instead of opening the screen; folded: the stacks, once, for flame graph tools",
    )
    add("--record", metavar="FILE", type=Path, help="write every snapshot to a new file too; compressed if .gz or .zst")
    add(
        "--addresses",
        action="store_true",
        help="write the kernel addresses of caches and of call sites without a name, not numbers in their place: "
        "they give away where the kernel lies in memory, which KASLR hides from attackers",
    )
    origin = options.add_mutually_exclusive_group()
    origin.add_argument(
        "--replay", metavar="FILE", type=Path, help="show a recording instead of the running kernel; needs no root"
    )
    origin.add_argument("--demo", action="store_true", help="show the recording that comes with slabtui")
    add(
        "--print-completion",
        metavar="SHELL",
        action=_PrintCompletion,
        help="print a completion script for this shell, such as bash or zsh",
    )
    add(
        "interval",
        nargs="?",
        type=arguments.interval,
        default=1.0,
        help=f"seconds between snapshots, {arguments.SHORTEST:g} to {arguments.LONGEST:g} (default: 1)",
    )
    add("count", nargs="?", type=partial(arguments.positive, what="count"), help="end after so many snapshots")
    return options


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
    options.frees = options.frees or options.sort == columns.FREES.id
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


def _look(options: argparse.Namespace) -> Watch | None:
    """Return what is to be looked at closely."""
    asked = ((kind, getattr(options, kind)) for kind in _LOOKS)
    return next((Watch(cache=cache, kind=kind) for kind, cache in asked if cache is not None), None)


def _demand_what_goes_together(
    options: argparse.Namespace, replay: Path | Traversable | None, look: Watch | None
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
    from slabtui.recording import Player, Recorded, Recorder

    if replay:
        yield lambda notify: Player(replay, paced=screen, notify=notify)
        return
    with closing(open_kernel(options, screen)) as source:
        if not options.record:
            yield partial(Collector, source, options.interval, settles=not screen)
            return
        recorder = Recorder(options.record, conceal)
        if not screen:
            from slabtui.kernel import capabilities

            capabilities.keep(capabilities.COUNTING)  # what creating the file needed is given up too
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
    from slabtui.kernel import capabilities, mounts, slabinfo  # only here: a recording needs none of them
    from slabtui.kernel.bpf.compiler import Compiler

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
        from slabtui.kernel import layout
        from slabtui.kernel.probe import Probe
        from slabtui.kernel.whose import Whose

        return Probe(layout.read(), Whose(options.pid, options.cgroup), compiler)
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
    look: Watch | None,
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
        feed.watch(replace(look or Watch(), frees=options.frees))
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
        raise SlabtuiError(f"the filter {options.filter} {error}", _SEE_HELP, Status.USAGE) from error
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
