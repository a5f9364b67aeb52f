"""The choices of the user, as the command line has them, and the checks between options."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from slabtui.cli.arguments import Destination, Way
from slabtui.cli.parser import INSPECTIONS, INTERVAL, parser
from slabtui.columns import text
from slabtui.errors import SlabtuiError, Status
from slabtui.model.inspection import InspectionKind
from slabtui.model.request import InspectionRequest, Request
from slabtui.recording.limits import Limits
from slabtui.recording.moments import Moment

STANDARD_INPUT = Path("-")  # of --replay
DEMO = resources.files("slabtui") / "demo.jsonl.gz"  # slabtui may be a zip file that contains it


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of the user.

    Attributes:
        sort: id of the column of text that rows are sorted by.
        columns: ids of the columns of text to print; None: not given.
        filter: which names are shown.
        pids: count the allocations of these processes only; empty: of all processes.
        cgroup: count the allocations of this control group only; None: of all groups.
        request: what to count in addition to allocations.
        all: whether idle caches are shown.
        noclear: whether text is printed, one interval below the other.
        once: whether one interval is printed.
        maxrows: print at most this number of rows; None: the default of the format.
        output: the format to print in; None: not given.
        record: where to record to; None: nothing is recorded.
        limits: of a recording in a directory.
        addresses: whether kernel addresses are written.
        replay: the recordings that are shown; empty: none is.
        begin: where the recording is shown from; None: from its beginning.
        end: where it ends; None: at its end.
        remote: the host that is shown, and the options for slabtui there; empty: none is.
        mouse: whether the screen uses the mouse.
        interval: seconds between snapshots.
        sums: whether the user has given the interval: those of a recording are added up to it.
        count: after how many snapshots to end; None: when the user ends it.
    """

    sort: str
    columns: tuple[str, ...] | None
    filter: str
    pids: tuple[int, ...]
    cgroup: Path | None
    request: Request
    all: bool
    noclear: bool
    once: bool
    maxrows: int | None
    output: str | None
    record: Destination | None
    limits: Limits
    addresses: bool
    replay: tuple[Path | Traversable, ...]
    begin: Moment | None
    end: Moment | None
    remote: tuple[str, ...]
    mouse: bool
    interval: float
    sums: bool
    count: int | None

    @property
    def demo(self) -> bool:
        """Whether the recording is the one that comes with slabtui."""
        return self.replay == (DEMO,)

    @property
    def is_live(self) -> bool:
        """Whether the running kernel is shown."""
        return not (self.replay or self.remote)

    @property
    def is_streamed(self) -> bool:
        """Whether snapshots come from another process: from another host, or on standard input."""
        return bool(self.remote) or self.replay == (STANDARD_INPUT,)


def parse(argv: Sequence[str] | None, name: str = "slabtui") -> Options:
    """Parse the command line of the command with this name.

    Raises:
        SlabtuiError: a value is wrong, or options exclude each other.
        SystemExit: --help or a similar option was given; its output is printed.
    """
    found = parser(name).parse_args(_join_moments(sys.argv[1:] if argv is None else argv))
    named = ((kind, getattr(found, kind)) for kind in INSPECTIONS)
    inspection = next((InspectionRequest(cache, (kind,)) for kind, cache in named if cache is not None), None)
    _demand_one_way(found)
    options = Options(
        sort=found.sort,
        columns=found.columns,
        filter=found.filter,
        pids=tuple(found.pid),
        cgroup=found.cgroup,
        request=Request(found.frees or text.counts_frees((found.sort, *(found.columns or ()))), inspection),
        all=found.all,
        noclear=found.noclear,
        once=found.once,
        maxrows=found.maxrows,
        output="none" if found.output is None and _is_standard_output(found.record) else found.output,
        record=found.record,
        limits=_limits(found),
        addresses=found.addresses,
        replay=(DEMO,) if found.demo else tuple(found.replay),
        begin=found.begin,
        end=found.end,
        remote=_remote(found.ssh),
        mouse=found.mouse,
        interval=found.every or found.interval or INTERVAL,
        sums=bool(found.every or found.interval),
        count=1 if found.once else found.number or found.count,
    )
    _demand_what_goes_together(options)
    return options


def _join_moments(argv: Sequence[str]) -> list[str]:
    """Return the arguments with each moment such as -6h joined to its option: argparse takes it for an option."""
    joined: list[str] = []
    for position, argument in enumerate(argv):
        if joined and joined[-1] in ("--from", "--to") and argument[:1] == "-" and argument[1:2].isdigit():
            joined[-1] = f"{joined[-1]}={argument}"
        elif argument == "--ssh":  # what follows is for another host
            return [*joined, *argv[position:]]
        else:
            joined.append(argument)
    return joined


def _is_standard_output(record: Destination | None) -> bool:
    return record is not None and record.way is Way.STANDARD_OUTPUT


def _limits(found: argparse.Namespace) -> Limits:
    usual = Limits()
    given = [found.segment, found.keep, found.keep_size]
    if any(given) and (found.record is None or found.record.way is not Way.DIRECTORY):
        remedy = "add --record DIR/"
        raise SlabtuiError("--segment, --keep and --keep-size apply to a directory", remedy, Status.USAGE)
    return Limits(found.segment or usual.segment, found.keep or usual.keep, found.keep_size or usual.size)


def _remote(given: list[str] | None) -> tuple[str, ...]:
    if given == []:
        raise SlabtuiError("--ssh needs a host", "name one, as in slabtui --ssh web1", Status.USAGE)
    return tuple(given or ())


def _demand_one_way(found: argparse.Namespace) -> None:
    """Demand that the interval and the count are given once."""
    for what, option, given, argument in (
        ("interval", "-d", found.every, found.interval),
        ("count", "-n", found.number, found.count),
    ):
        if given is not None and argument is not None:
            raise SlabtuiError(f"the {what} is given twice, with {option} and without", "leave out one", Status.USAGE)
    if found.once and (found.number or found.count):
        raise SlabtuiError("-b prints one interval", "leave out -b or the count", Status.USAGE)


def _demand_what_goes_together(options: Options) -> None:
    kind = options.request.inspection and options.request.inspection.kinds[0]
    if not options.is_live and (options.pids or options.cgroup or options.record):
        raise SlabtuiError("-p, --cgroup and --record do not apply to a recording", "leave them out", Status.USAGE)
    if len(options.replay) > 1 and STANDARD_INPUT in options.replay:
        raise SlabtuiError("--replay - reads one stream", "leave out the other recordings", Status.USAGE)
    if (options.begin or options.end) and (options.is_live or options.is_streamed):
        raise SlabtuiError("--from and --to apply to a recording", "add --replay FILE", Status.USAGE)
    if options.output == "none" and options.record is None:
        raise SlabtuiError("--output none only records", "add --record", Status.USAGE)
    if _is_standard_output(options.record) and options.output != "none":
        remedy = "record to a file, or leave out --output"
        raise SlabtuiError("--record - has standard output to itself", remedy, Status.USAGE)
    if options.noclear and options.output not in (None, "text"):
        raise SlabtuiError(f"-C prints text, not {options.output}", "leave out -C or --output", Status.USAGE)
    if options.columns and options.output not in (None, "text"):
        raise SlabtuiError(f"-o chooses columns of text, not of {options.output}", "leave out -o", Status.USAGE)
    if options.columns and kind is not None:
        raise SlabtuiError(f"-o chooses columns of the table, not of --{kind}", "leave out -o", Status.USAGE)
    if options.output == "folded" and kind not in (InspectionKind.STACKS, InspectionKind.HELD):
        raise SlabtuiError("--output folded prints stacks", "add --stacks or --held CACHE", Status.USAGE)
    if options.output == "csv" and kind is not None:
        raise SlabtuiError(f"--{kind} prints text or JSON", "use --output json", Status.USAGE)
