"""The columns of an inspection, by its kind: their definitions."""

import math
from collections.abc import Callable
from functools import lru_cache

from slabtui.columns import column, numbers
from slabtui.columns.column import UNLIMITED, Column, Fitted
from slabtui.columns.numbers import Unit
from slabtui.model.inspection import Context, Inspection, InspectionKind, InspectionRow

_LEAST = 26  # columns for the last one, which takes what is left
_INNERMOST_FIRST = " < "
_MOST_ERROR = 99.9  # percent: a larger error of a share means the same

InspectionColumn = Column[InspectionRow, Inspection]


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


def _error(row: InspectionRow, width: int, inspection: Inspection) -> str:
    error = share_error(row, inspection)
    return "?" if error is None else f"{min(error, _MOST_ERROR):.1f}%"


def _stack(row: InspectionRow, width: int, inspection: Inspection) -> str:
    """Return a stack on one line, without its innermost function: that is always the allocator's own."""
    return _INNERMOST_FIRST.join(row.frames[1:] or row.frames)


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

    def write(row: InspectionRow, width: int, inspection: Inspection) -> str:
        mark = "~" if inspection.one_in > 1 else ""
        return mark + numbers.amount(get(row), unit, width - len(mark))

    return InspectionColumn(
        name,
        title,
        width,
        "right",
        write,
        meaning,
        priority,
        value=get,
        unit=unit,
        fields=(name,),
    )


def _who(
    name: str,
    title: str,
    write: Callable[[InspectionRow, int, Inspection], str],
    *,
    meaning: str,
    priority: int = 0,
    fields: tuple[str, ...] = ("frames",),
) -> InspectionColumn:
    """Return the last column, which takes what is left."""
    return InspectionColumn(
        name,
        title,
        _LEAST,
        "left",
        write,
        meaning,
        priority,
        most=UNLIMITED,
        fields=fields,
    )


_SHARE = InspectionColumn(
    id="share",
    title="SHARE",
    width=6,
    align="right",
    write=lambda row, width, inspection: f"{share(row, inspection):.1f}%",
    help="Share of this row in all allocations from the cache since the inspection began",
    priority=7,
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
    priority=3,
    unit=Unit.PERCENT,
    fields=("standard_error",),
)
_AMOUNTS = (
    _amount(
        "allocs",
        "ALLOCS",
        9,
        lambda row: row.allocs,
        Unit.OBJECTS,
        meaning="Objects allocated in the interval; ~: an estimate, from the allocations that were sampled",
        priority=6,
    ),
    _amount(
        "bytes",
        "BYTES",
        8,
        lambda row: row.bytes,
        Unit.BYTES,
        meaning="Bytes allocated in the interval",
        priority=2,
    ),
    _amount(
        "total_allocs",
        "SINCE",
        9,
        lambda row: row.total_allocs,
        Unit.OBJECTS,
        meaning="Objects allocated since the inspection began",
        priority=5,
    ),
    _amount(
        "total_bytes",
        "BYTES",
        8,
        lambda row: row.total_bytes,
        Unit.BYTES,
        meaning="Bytes allocated since the inspection began",
        priority=1,
    ),
)
_PID = InspectionColumn(
    id="pid",
    title="PID",
    width=7,
    align="right",
    write=lambda row, width, inspection: str(row.pid) if row.pid else numbers.UNKNOWN,
    help="Process ID; -: an interrupt, or processes that have none here",
    priority=4,
    fields=("pid",),
)
_COMM = InspectionColumn(
    id="comm",
    title="COMM",
    width=17,
    align="left",
    write=lambda row, width, inspection: who(row),
    help="Name of the process, as in ps: kernel threads in brackets",
    priority=0,
    fields=("comm", "context"),
)

COLUMNS: dict[InspectionKind, tuple[InspectionColumn, ...]] = {
    InspectionKind.CALLERS: (
        _SHARE,
        *_AMOUNTS,
        _who(
            "caller",
            "CALL SITE",
            lambda row, width, inspection: "".join(row.frames[:1]),
            meaning="Kernel function that allocated, and the offset in it",
        ),
    ),
    InspectionKind.STACKS: (
        _SHARE,
        _ERROR,
        *_AMOUNTS,
        _who(
            "stack",
            "STACK",
            _stack,
            meaning="Kernel functions that led to the allocation: each was called by the one to its right",
        ),
    ),
    InspectionKind.PROCESSES: (
        _SHARE,
        *_AMOUNTS,
        _PID,
        _COMM,
        _who(
            "cgroup",
            "CGROUP",
            lambda row, width, inspection: row.cgroup,
            meaning="Control group of the process: its path below /sys/fs/cgroup",
            priority=3,
            fields=("cgroup",),
        ),
    ),
}


@lru_cache(maxsize=16)  # every row on the screen asks the same
def fit(kind: InspectionKind, width: int) -> Fitted[InspectionRow, Inspection]:
    """Return the columns of an inspection that fit a terminal, with the width of each, in their order."""
    return column.fit(COLUMNS[kind], width)
