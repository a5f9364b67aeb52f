"""The choices of the user."""

from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from slabtui.cli.arguments import Destination
from slabtui.metrics.address import Address
from slabtui.model.request import Request
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
        leaks: seconds for which to look for leaks, infinite: all of a recording; None: neither a page about leaks nor a
            report is asked for.
        report: the file that gets a report on the run; None: not given.
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
        metrics: where metrics go, instead of a screen: the address of a server, or a file; None: not given.
        metrics_include: which names always have series of their own; None: not given.
        metrics_exclude: which names never have; None: not given.
        metrics_held: whether metrics say who keeps the objects of caches that leak.
        web_config: who may read from the server, and its certificate; None: not given.
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
    leaks: float | None
    report: Path | None
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
    metrics: Address | Path | None
    metrics_include: str | None
    metrics_exclude: str | None
    metrics_held: bool
    web_config: Path | None
    mouse: bool
    interval: float
    sums: bool
    count: int | None

    @property
    def scoped(self) -> bool:
        """Whether not all processes are counted."""
        return bool(self.pids) or self.cgroup is not None

    @property
    def prints_one_thing(self) -> bool:
        """Whether something else than the table is asked for, which the screen does not show."""
        return self.request.inspection is not None or self.leaks is not None

    @property
    def writes_late(self) -> bool:
        """Whether a file is written after the start, beside a recording: a report, or metrics."""
        return self.report is not None or isinstance(self.metrics, Path)

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
