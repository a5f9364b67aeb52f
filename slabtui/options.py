"""The command line: every option, its value and its help, and what they come to."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NoReturn

from slabtui import __version__, arguments
from slabtui.columns import caches
from slabtui.errors import SlabtuiError, Status
from slabtui.model.inspection import InspectionKind
from slabtui.model.request import InspectionRequest, Request
from slabtui.outputs import formats

SEE_HELP = "see slabtui --help"
DEMO = resources.files("slabtui") / "demo.jsonl.gz"  # slabtui may be one file, and this inside of it
_INSPECTIONS = {  # what is printed of one cache -> in words
    InspectionKind.CALLERS: "the call sites that allocate, and how much,",
    InspectionKind.STACKS: "the kernel stacks that led to the allocations",
    InspectionKind.PROCESSES: "the processes that allocate, and how much,",
}


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asks for.

    Attributes:
        sort: id of the column that rows are sorted by.
        filter: which names are shown.
        pids: processes whose allocations are counted; empty: those of all.
        cgroup: the control group whose allocations are counted; None: those of all.
        request: what is counted beside allocations.
        all: whether idle caches are shown.
        noclear: whether text is printed, one interval below the other.
        maxrows: how many rows are printed; None: as many as the format prints.
        output: the format to print in; None: not given.
        record: the file to record to.
        addresses: whether kernel addresses are written.
        replay: the recording that is shown; None: the running kernel is.
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
    interval: float
    count: int | None


def parse(argv: Sequence[str] | None, name: str = "slabtui") -> Options:
    """Read the command line of the command of that name.

    Raises:
        SlabtuiError: it is wrong, by itself or as a whole.
        SystemExit: it asked for help or the like, which is printed.
    """
    found = parser(name).parse_args(argv)
    named = ((kind, getattr(found, kind)) for kind in _INSPECTIONS)
    inspection = next((InspectionRequest(cache, kind) for kind, cache in named if cache is not None), None)
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
        interval=found.interval,
        count=found.count,
    )
    _demand_what_goes_together(options)
    return options


def _demand_what_goes_together(options: Options) -> None:
    kind = options.request.inspection and options.request.inspection.kind
    if options.replay and (options.pids or options.cgroup or options.record):
        raise SlabtuiError("-p, --cgroup and --record do not go with a recording", "leave them out", Status.USAGE)
    if options.noclear and options.output not in (None, "text"):
        raise SlabtuiError("-C prints text", "leave it out", Status.USAGE)
    if options.output == "folded" and kind is not InspectionKind.STACKS:
        raise SlabtuiError("--output folded prints stacks", "add --stacks CACHE", Status.USAGE)
    if options.output == "csv" and kind is not None:
        raise SlabtuiError(f"--{kind} prints text or JSON", "use --output json", Status.USAGE)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Report wrong usage in one line, instead of the usage text and a line."""
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
        from slabtui import completion  # here, because it takes longer to import than the rest of the command line

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
        default=caches.DEFAULT_SORT,
        help=f"sort by {', '.join(caches.SORTS)} (default: {caches.DEFAULT_SORT})",
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
        type=arguments.path,
        help="count only what this control group and those below it allocate; as in /proc/PID/cgroup, or its directory",
    )
    add("--frees", action="store_true", help="count frees too, as the key f does; implied by -s frees")
    add(
        "--all",
        action="store_true",
        help="include the caches in which nothing happened, as the key z does; as text all rows, unless -r limits them",
    )
    inspection = options.add_mutually_exclusive_group()
    for kind, what in _INSPECTIONS.items():
        inspection.add_argument(f"--{kind}", metavar="CACHE", help=f"print {what} of this cache instead of the table")
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
    add("--record", metavar="FILE", type=Path, help="write every snapshot to a new file too; compressed if .gz or .zst")
    add(
        "--addresses",
        action="store_true",
        help="write kernel addresses, of caches and of call sites without a name, which are hidden otherwise: "
        "they show where the kernel is in memory, which KASLR hides from attackers",
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
    add("count", nargs="?", type=partial(arguments.positive, what="count"), help="end after this many snapshots")
    return options
