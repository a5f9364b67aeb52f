"""The columns of a close look at one cache, for the page on the screen and for text: one record each."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from slabtui import text
from slabtui.model.inspection import Context, Inspection, InspectionRow, Kind

_LEAST = 26  # columns for the last one, which takes what is left
_INNERMOST_FIRST = " < "
_MOST_ERROR = 99.9  # percent that are shown; of a share, more says no more


@dataclass(frozen=True, slots=True)
class Field:
    """One column.

    Attributes:
        title: its heading.
        width: columns of the terminal that it takes; 0: what is left.
        align: where its text stands.
        write: its text for an entry, in at most the given width.
        priority: the higher, the longer it stays when the terminal is narrow; 0 never goes.
    """

    title: str
    width: int
    align: Literal["left", "right"]
    write: Callable[[InspectionRow, Inspection, int], str]
    priority: int = 0


def share(entry: InspectionRow, detail: Inspection) -> float:
    """Return an entry's part of all allocations since the look began, in percent."""
    return 100 * entry.total_allocs / detail.total_allocs if detail.total_allocs else 0.0


def share_error(entry: InspectionRow, detail: Inspection) -> float | None:
    """Return the standard error of an entry's share, in percentage points; None where unknown.

    Stacks are sampled independently of each other. So the variance of the share p = X / T, to first order, is that of
    (1 - p) X - p (T - X), divided by the square of T.
    """
    if entry.standard_error is None or detail.variance is None:
        return None
    if not detail.total_allocs:
        return 0.0
    part, own = share(entry, detail) / 100, entry.standard_error**2
    others = max(0.0, detail.variance - own)  # less than 0 by rounding
    return 100 * math.sqrt((1 - part) ** 2 * own + part**2 * others) / detail.total_allocs


def who(entry: InspectionRow) -> str:
    """Return the name of a process as ps(1) writes it: a kernel thread in brackets."""
    if entry.context is Context.INTERRUPT:
        return "(interrupts)"
    return f"[{entry.comm}]" if entry.context is Context.KERNEL_THREAD else entry.comm


def _marked(write: Callable[[int, int], str], number: int, detail: Inspection, width: int) -> str:
    """Return a number, marked where it is an estimate."""
    return f"~{write(number, width - 1)}" if detail.one_in > 1 else write(number, width)


def _error(entry: InspectionRow, detail: Inspection) -> str:
    error = share_error(entry, detail)
    return "?" if error is None else f"{min(error, _MOST_ERROR):.1f}%"


def _callers(entry: InspectionRow) -> str:
    """Return a stack on one line, from the function that asks for the object; the allocator's own tells nothing."""
    return _INNERMOST_FIRST.join(entry.frames[1:] or entry.frames)


_SHARE = Field("SHARE", 6, "right", lambda entry, detail, width: f"{share(entry, detail):.1f}%", 7)
_ERROR = Field("S.E.", 5, "right", lambda entry, detail, width: _error(entry, detail), 3)
_ALLOCS = Field("ALLOCS", 9, "right", lambda entry, detail, width: _marked(text.count, entry.allocs, detail, width), 6)
_BYTES = Field("BYTES", 8, "right", lambda entry, detail, width: _marked(text.size, entry.bytes, detail, width), 2)
_TOTAL = Field(
    "SINCE", 9, "right", lambda entry, detail, width: _marked(text.count, entry.total_allocs, detail, width), 5
)
_TOTAL_BYTES = Field(
    "BYTES", 8, "right", lambda entry, detail, width: _marked(text.size, entry.total_bytes, detail, width), 1
)
_AMOUNTS = (_SHARE, _ALLOCS, _BYTES, _TOTAL, _TOTAL_BYTES)

FIELDS = {
    Kind.CALLERS: (*_AMOUNTS, Field("CALL SITE", 0, "left", lambda entry, detail, width: "".join(entry.frames[:1]))),
    Kind.STACKS: (
        _SHARE,
        _ERROR,
        *_AMOUNTS[1:],
        Field("STACK", 0, "left", lambda entry, detail, width: _callers(entry)),
    ),
    Kind.PROCESSES: (
        *_AMOUNTS,
        Field("PID", 7, "right", lambda entry, detail, width: str(entry.pid) if entry.pid else "-", 4),
        Field("COMM", 17, "left", lambda entry, detail, width: who(entry)),
        Field("CGROUP", 0, "left", lambda entry, detail, width: entry.cgroup, 3),
    ),
}


def fitting(kind: Kind, width: int) -> tuple[tuple[Field, int], ...]:
    """Return the columns of a look that fit a terminal, with the width of each; the least important go first."""
    kept = list(FIELDS[kind])
    while _needed(kept) > width and any(field.priority for field in kept):
        kept.remove(min((field for field in kept if field.priority), key=lambda field: field.priority))
    spare = max(1, width - sum(field.width + 1 for field in kept if field.width))
    return tuple((field, min(width, field.width or spare)) for field in kept)


def _needed(fields: list[Field]) -> int:
    return sum((field.width or _LEAST) + 1 for field in fields) - 1
