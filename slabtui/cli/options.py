"""The choices of the user, as the command line has them, and the checks between options."""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from slabtui.cli.parser import DEFAULT_RUN, INSPECTIONS, INTERVAL, RUN, parser
from slabtui.columns import text
from slabtui.errors import SlabtuiError, Status
from slabtui.model.inspection import InspectionKind
from slabtui.model.request import InspectionRequest, Request

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
        leaks: seconds for which to look for leaks, infinite: all of a recording; None: neither a page about leaks nor a
            report is asked for.
        report: the file that gets a report on the run; None: not given.
        all: whether idle caches are shown.
        noclear: whether text is printed, one interval below the other.
        once: whether one interval is printed.
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
    columns: tuple[str, ...] | None
    filter: str
    pids: tuple[int, ...]
    cgroup: Path | None
    request: Request
    leaks: float | None
    report: Path | None
    all: bool
    noclear: bool
    once: bool
    maxrows: int | None
    output: str | None
    record: Path | None
    addresses: bool
    replay: Path | Traversable | None
    mouse: bool
    interval: float
    count: int | None

    @property
    def prints_one_thing(self) -> bool:
        """Whether something else than the table is asked for, which the screen does not show."""
        return self.request.inspection is not None or self.leaks is not None

    @property
    def demo(self) -> bool:
        """Whether the recording is the one that comes with slabtui."""
        return self.replay is DEMO


def parse(argv: Sequence[str] | None, name: str = "slabtui") -> Options:
    """Parse the command line of the command with this name.

    Raises:
        SlabtuiError: a value is wrong, or options exclude each other.
        SystemExit: --help or a similar option was given; its output is printed.
    """
    found = parser(name).parse_args(argv)
    named = ((kind, getattr(found, kind)) for kind in INSPECTIONS)
    inspection = next((InspectionRequest(cache, (kind,)) for kind, cache in named if cache is not None), None)
    _demand_one_way(found)
    run = _find_run(found)
    if run is not None:
        _demand_whole_run(found)
    options = Options(
        sort=found.sort,
        columns=found.columns,
        filter=found.filter,
        pids=tuple(found.pid),
        cgroup=found.cgroup,
        request=Request(
            found.frees or text.counts_frees((found.sort, *(found.columns or ()))),
            inspection,
            suspects=None if run is None else (),
        ),
        leaks=run,
        report=found.report,
        all=found.all,
        noclear=found.noclear,
        once=found.once,
        maxrows=found.maxrows,
        output=found.output,
        record=found.record,
        addresses=found.addresses,
        replay=DEMO if found.demo else found.replay,
        mouse=found.mouse,
        interval=found.every or found.interval or INTERVAL,
        count=1 if found.once else found.number or found.count,
    )
    _demand_what_goes_together(options)
    return options


def _find_run(found: argparse.Namespace) -> float | None:
    """Return for how long to look for leaks."""
    if found.seconds is not None and not found.report:
        raise SlabtuiError("--seconds is the length of the run of --report", "add --report FILE", Status.USAGE)
    given = found.seconds if found.report else found.leaks
    if found.report and given is None:
        given = DEFAULT_RUN
    if given is None or given != DEFAULT_RUN:
        return given  # type: ignore[no-any-return]
    return math.inf if found.replay or found.demo else RUN


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


def _demand_whole_run(found: argparse.Namespace) -> None:
    """Demand that nothing is given that --leaks or --report has no use for."""
    name = "--report" if found.report else "--leaks"
    if found.pid or found.cgroup:
        what = f"{name} compares what is held with the live objects, which the kernel counts for all processes together"
        raise SlabtuiError(what, "leave out -p and --cgroup, or use --held CACHE with them", Status.USAGE)
    of_intervals = {"an interval": found.every or found.interval, "a count": found.number or found.count}
    of_table = {"-b": found.once, "-f": found.filter, "-o": found.columns, "-r": found.maxrows, "--all": found.all}
    for what, given in (of_intervals | of_table).items():
        if given:
            raise SlabtuiError(f"{name} makes one page, without {what}", f"leave out {what}", Status.USAGE)
    if found.report and found.output:
        raise SlabtuiError(
            "--report writes the format that its file's name ends in", "leave out --output", Status.USAGE
        )
    if found.output in ("csv", "folded"):
        raise SlabtuiError("--leaks prints text or JSON", "use --output json", Status.USAGE)


def _demand_what_goes_together(options: Options) -> None:
    kind = options.request.inspection and options.request.inspection.kinds[0]
    if options.replay and (options.pids or options.cgroup or options.record):
        raise SlabtuiError("-p, --cgroup and --record do not apply to a recording", "leave them out", Status.USAGE)
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
