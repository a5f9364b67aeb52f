"""The command line: its options with their values and help, and the checks between options."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NoReturn

from slabtui import __version__
from slabtui.cli import arguments
from slabtui.columns import caches
from slabtui.errors import SlabtuiError, Status
from slabtui.model.inspection import InspectionKind
from slabtui.model.request import InspectionRequest, Request
from slabtui.outputs import formats

SEE_HELP = "see slabtui --help"
DEMO = resources.files("slabtui") / "demo.jsonl.gz"  # slabtui may be a zip file that contains it
_INSPECTIONS = {  # kind -> its rows, in the help
    InspectionKind.CALLERS: "call sites",
    InspectionKind.STACKS: "kernel stacks",
    InspectionKind.PROCESSES: "processes",
}


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of the user.

    Attributes:
        sort: id of the column that rows are sorted by.
        filter: which names are shown.
        pids: count the allocations of these processes only; empty: of all processes.
        cgroup: count the allocations of this control group only; None: of all groups.
        request: what to count in addition to allocations.
        all: whether idle caches are shown.
        noclear: whether text is printed, one interval below the other.
        maxrows: print at most this number of rows; None: the default of the format.
        output: the format to print in; None: not given.
        record: the file to record to.
        addresses: whether kernel addresses are written.
        replay: the recording that is shown; None: the running kernel is.
        mouse: whether the screen uses the mouse.
        interval: seconds between snapshots.
        count: after how many snapshots to end; None: when the user ends it.
    """

    sort: str
    filter: str
    pids: tuple[int, ...]
    cgroup: Path | None
    request: Request
    all: bool
    noclear: bool
    maxrows: int | None
    output: str | None
    record: Path | None
    addresses: bool
    replay: Path | Traversable | None
    mouse: bool
    interval: float
    count: int | None


def parse(argv: Sequence[str] | None, name: str = "slabtui") -> Options:
    """Parse the command line of the command with this name.

    Raises:
        SlabtuiError: a value is wrong, or options exclude each other.
        SystemExit: --help or a similar option was given; its output is printed.
    """
    found = parser(name).parse_args(argv)
    named = ((kind, getattr(found, kind)) for kind in _INSPECTIONS)
    inspection = next((InspectionRequest(cache, (kind,)) for kind, cache in named if cache is not None), None)
    options = Options(
        sort=found.sort,
        filter=found.filter,
        pids=tuple(found.pid),
        cgroup=found.cgroup,
        request=Request(found.frees or found.sort == caches.FREES.id, inspection),
        all=found.all,
        noclear=found.noclear,
        maxrows=found.maxrows,
        output=found.output,
        record=found.record,
        addresses=found.addresses,
        replay=DEMO if found.demo else found.replay,
        mouse=found.mouse,
        interval=found.interval,
        count=found.count,
    )
    _demand_what_goes_together(options)
    return options


def _demand_what_goes_together(options: Options) -> None:
    kind = options.request.inspection and options.request.inspection.kinds[0]
    if options.replay and (options.pids or options.cgroup or options.record):
        raise SlabtuiError("-p, --cgroup and --record do not apply to a recording", "leave them out", Status.USAGE)
    if options.noclear and options.output not in (None, "text"):
        raise SlabtuiError(f"-C prints text, not {options.output}", "leave out -C or --output", Status.USAGE)
    if options.output == "folded" and kind is not InspectionKind.STACKS:
        raise SlabtuiError("--output folded prints stacks", "add --stacks CACHE", Status.USAGE)
    if options.output == "csv" and kind is not None:
        raise SlabtuiError(f"--{kind} prints text or JSON", "use --output json", Status.USAGE)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Report wrong usage in one line, without the usage text of argparse."""
        raise SlabtuiError(message, SEE_HELP, Status.USAGE)


class _PrintCompletion(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        """Print the completion script for a shell, and end the program."""
        from slabtui.cli import completion  # imported here, because it takes longer than the rest of the command line

        try:
            print(completion.script(parser, str(values)))
        except NotImplementedError:
            parser.error(f"no completion script for {values}")
        parser.exit()


def parser(name: str = "slabtui") -> argparse.ArgumentParser:
    """Return the definition of the command line of the command with this name."""
    options = _Parser(
        prog=name,
        description="Show the rate of allocations from the kernel's slab caches, live.",
        epilog="Press ? to see all keys. Needs root, and bcc from the distribution, except with --replay and --demo.",
    )
    add = options.add_argument
    add("-V", "--version", action="version", version=f"slabtui {__version__}")
    add(
        "-s",
        "--sort",
        metavar="COLUMN",
        type=arguments.column,
        default=caches.DEFAULT_SORT,
        help=f"sort by {', '.join(caches.SORTS)} (default: {caches.DEFAULT_SORT})",
    )
    add(
        "-f",
        "--filter",
        metavar="FILTER",
        type=arguments.pattern,
        default="",
        help="show only caches whose name or alias contains FILTER; ~ before FILTER makes it a regular expression",
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
        type=arguments.path,
        help="count only what this control group and those below it allocate; as in /proc/PID/cgroup, or its directory",
    )
    add("--frees", action="store_true", help="count frees too, as the key f does; implied by -s frees")
    add(
        "--all",
        action="store_true",
        help="include idle caches, as the key z does; text then has all rows, unless -r limits them",
    )
    inspection = options.add_mutually_exclusive_group()
    for kind, what in _INSPECTIONS.items():
        inspection.add_argument(
            f"--{kind}", metavar="CACHE", help=f"print the {what} that allocate from CACHE, instead of the table"
        )
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
        help=f"print at most MAXROWS rows (default: {formats.MAXROWS} as text without --all, else all)",
    )
    add(
        "--output",
        choices=("text", "json", "csv", "folded"),
        help="print in this format instead of opening the screen; folded: the stacks, once, for flame graph tools",
    )
    add(
        "--record", metavar="FILE", type=Path, help="also write every snapshot to a new file, compressed if .gz or .zst"
    )
    add(
        "--addresses",
        action="store_true",
        help="write the kernel addresses of caches and of call sites without a name, which are hidden otherwise: "
        "they show where the kernel is in memory, which KASLR hides from attackers",
    )
    origin = options.add_mutually_exclusive_group()
    origin.add_argument(
        "--replay", metavar="FILE", type=Path, help="show a recording instead of the running kernel; needs no root"
    )
    origin.add_argument("--demo", action="store_true", help="show the recording that comes with slabtui")
    add("--no-mouse", action="store_false", dest="mouse", help="leave the mouse to the terminal")
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
    add("count", nargs="?", type=partial(arguments.positive, what="count"), help="end after this many snapshots")
    return options
