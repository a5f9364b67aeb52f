"""The columns of an inspection, by its kind: their definitions."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from slabtui.columns import column, numbers, stacks
from slabtui.columns.column import UNLIMITED, Column, Fitted
from slabtui.columns.numbers import Style, Unit
from slabtui.model.containers import write_place
from slabtui.model.inspection import Context, Inspection, InspectionKind, InspectionRow

_LEAST = 26  # columns for the text, which takes the rest of the width
_WIDE, _LONGEST_PLACE = 160, {"cgroup": 53}  # on a wide terminal the whole uid of a pod fits beside a container's id
_LEAST_COMMAND = 22  # beside it a container and its pod still fit 80 columns
_LONGEST_SYMBOL = 60  # columns: with more, the numbers of a wide terminal are too far from it
_OF_INTERVAL = {"allocs", "bytes"}  # columns
_MOST_ERROR = 99.9  # percent: a larger error of a share means the same

# Columns that all numbers of a row take at most: the text after them distinguishes rows. A wide terminal has more.
NUMBERS_WIDTH, _NUMBERS_SHARE = 24, 0.3


@dataclass(frozen=True, slots=True)
class Scene:
    """What the columns need beside the row.

    Attributes:
        inspection: the inspection that the row is of.
        style: how numbers are written.
        elapsed: seconds of the interval: what was allocated in it is written per second; None: it is not.
        holders: of what is held, by the key of a row: the rows that it joins, what holds most first.
    """

    inspection: Inspection
    style: Style = Style.RAW
    elapsed: float | None = None
    holders: Mapping[tuple[object, ...], Sequence[InspectionRow]] = field(default_factory=dict)


InspectionColumn = Column[InspectionRow, Scene]

ENDED = "X"  # as in the column S of ps(1): dead


def share(row: InspectionRow, inspection: Inspection) -> float:
    """Return the share of a row in all allocations since the inspection began, in percent."""
    return 100 * row.total_allocs / inspection.total_allocs if inspection.total_allocs else 0.0


def share_error(row: InspectionRow, inspection: Inspection) -> float | None:
    """Return the standard error of a row's share, in percentage points; None where unknown.

    Stacks are sampled independently of each other. So the variance of the share p = X / T, to first order, is that of
    (1 - p) X - p (T - X), divided by the square of T.
    """
    if row.standard_error is None or inspection.variance is None:
        return None
    if not inspection.total_allocs:
        return 0.0
    part, own = share(row, inspection) / 100, row.standard_error**2
    others = max(0.0, inspection.variance - own)  # less than 0 by rounding
    return 100 * math.sqrt((1 - part) ** 2 * own + part**2 * others) / inspection.total_allocs


def who(row: InspectionRow) -> str:
    """Return the name of a process as ps(1) writes it: a kernel thread in brackets."""
    if row.context is Context.INTERRUPT:
        return "(interrupts)"
    return f"[{row.comm}]" if row.context is Context.KERNEL_THREAD else row.comm


def describe(kind: InspectionKind, row: InspectionRow) -> str:
    """Return in full what a row is: its call site, its stack, or the command line of its process."""
    if kind is InspectionKind.STACKS:
        return stacks.write_stack(row.frames)
    if kind is InspectionKind.CALLERS:
        return "".join(row.frames[:1])
    return row.cmdline or who(row)


def rate_title(column: InspectionColumn) -> str:
    """Return the heading of a column where what was allocated in the interval is written per second."""
    return f"{column.title}/s" if column.id in _OF_INTERVAL else column.title


def _error(row: InspectionRow, width: int, scene: Scene) -> str:
    error = share_error(row, scene.inspection)
    return "?" if error is None else f"{min(error, _MOST_ERROR):.1f}%"


def _amount(
    name: str,
    title: str,
    width: int,
    get: Callable[[InspectionRow], int],
    unit: Unit,
    *,
    meaning: str,
    priority: int,
) -> InspectionColumn:
    """Return a column of the amounts in the field of that name, each marked with ~ where it is an estimate."""

    def write(row: InspectionRow, width: int, scene: Scene) -> str:
        estimated = scene.inspection.one_in > 1
        number = get(row) / scene.elapsed if name in _OF_INTERVAL and scene.elapsed else get(row)
        return "~" * estimated + numbers.write(number, unit, scene.style, width - estimated)

    return InspectionColumn(
        id=name,
        title=title,
        width=width,
        align="right",
        write=write,
        help=meaning,
        priority=priority,
        value=get,
        unit=unit,
        fields=(name,),
    )


def _text(
    name: str,
    title: str,
    write: Callable[[InspectionRow, int, Scene], str],
    *,
    meaning: str,
    least: int = _LEAST,
    most: int = UNLIMITED,
    fields: tuple[str, ...] = ("frames",),
) -> InspectionColumn:
    """Return the column of text, which takes the rest of the width and is never left out."""
    return InspectionColumn(
        id=name,
        title=title,
        width=least,
        align="left",
        write=write,
        help=meaning,
        priority=0,
        most=most,
        fields=fields,
    )


_SHARE = InspectionColumn(
    id="share",
    title="SHARE",
    width=6,
    align="right",
    write=lambda row, width, scene: f"{share(row, scene.inspection):.1f}%",
    help="Share of this row in all allocations from the cache since the inspection began",
    priority=9,
    value=lambda row: row.total_allocs,
    unit=Unit.PERCENT,
)
_ERROR = InspectionColumn(
    id="error",
    title="S.E.",
    width=5,
    align="right",
    write=_error,
    help="Standard error of SHARE, in percentage points: two times out of three the true share is within SHARE ± S.E.;"
    " 0.0%: it is exact; ?: unknown",
    priority=6,
    unit=Unit.PERCENT,
    fields=("standard_error",),
)
_AMOUNTS = (
    _amount(
        "allocs",
        "ALLOCS",
        8,
        lambda row: row.allocs,
        Unit.OBJECTS,
        meaning="Objects allocated in the interval; ~: an estimate, from the allocations that were sampled",
        priority=5,
    ),
    _amount(
        "bytes",
        "BYTES",
        7,
        lambda row: row.bytes,
        Unit.BYTES,
        meaning="Bytes allocated in the interval",
        priority=1,
    ),
    _amount(
        "total_allocs",
        "SINCE",
        8,
        lambda row: row.total_allocs,
        Unit.OBJECTS,
        meaning="Objects allocated since the inspection began",
        priority=8,
    ),
    _amount(
        "total_bytes",
        "BYTES",
        7,
        lambda row: row.total_bytes,
        Unit.BYTES,
        meaning="Bytes allocated since the inspection began",
        priority=7,
    ),
)
_PID = InspectionColumn(
    id="pid",
    title="PID",
    width=7,
    align="right",
    write=lambda row, width, scene: str(row.pid) if row.pid else numbers.UNKNOWN,
    help="Process ID; - for interrupts, and for processes that have none in this PID namespace",
    priority=4,
    fields=("pid", "comm", "context"),  # in CSV these come before the fields that were added later
)
_STATE = InspectionColumn(
    id="state",
    title="S",
    width=1,
    align="left",
    write=lambda row, width, scene: ENDED if row.ended else "",
    help="X: the process has ended; of a command: all of its processes",
    priority=3,
)
_PLACE = InspectionColumn(
    id="cgroup",
    title="CGROUP",
    width=21,
    align="left",
    write=lambda row, width, scene: write_place(row.cgroup, width),
    help="Control group of the process: its container and Kubernetes pod, or its systemd unit, else its path below"
    " /sys/fs/cgroup",
    priority=2,
    fields=("cgroup", "removed"),
)
_COMMAND = _text(
    "command",
    "COMMAND",
    lambda row, width, scene: describe(InspectionKind.PROCESSES, row),
    meaning="Command line of the process, else its name as in ps: kernel threads in brackets; NAME x 12: all processes"
    " of one name",
    least=_LEAST_COMMAND,
    fields=("cmdline", "ended"),
)

COLUMNS: dict[InspectionKind, tuple[InspectionColumn, ...]] = {
    InspectionKind.STACKS: (
        _SHARE,
        _ERROR,
        *_AMOUNTS,
        _text(
            "stack",
            "STACK",
            lambda row, width, scene: describe(InspectionKind.STACKS, row),
            meaning="Kernel functions that led to the allocation: each was called by the one to its right; functions"
            " that all stacks have are left out, .. stands for others",
            fields=("frames", "pid", "comm", "cmdline", "ended", "cgroup", "removed", "context"),
        ),
    ),
    InspectionKind.PROCESSES: (_SHARE, *_AMOUNTS, _PID, _STATE, _PLACE, _COMMAND),
    InspectionKind.CALLERS: (
        _text(
            "caller",
            "CALL SITE",
            lambda row, width, scene: describe(InspectionKind.CALLERS, row),
            meaning="Kernel function that allocated, and the offset in it",
            most=_LONGEST_SYMBOL,
        ),
        _SHARE,
        *_AMOUNTS,
    ),
}


@lru_cache(maxsize=16)  # every row on the screen asks the same
def fit(kind: InspectionKind, width: int) -> Fitted[InspectionRow, Scene]:
    """Return the columns of an inspection that fit a terminal, with the width of each, in their order."""
    kept = list(COLUMNS[kind])
    amounts = [column for column in kept if column.unit is not None]
    most = max(NUMBERS_WIDTH, int(width * _NUMBERS_SHARE))
    while sum(column.width + 1 for column in amounts) - 1 > most:
        least = min(amounts, key=lambda column: column.priority)
        amounts.remove(least)
        kept.remove(least)
    return column.fit(kept, width, _LONGEST_PLACE if width >= _WIDE else {})
