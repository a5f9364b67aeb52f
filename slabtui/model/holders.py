"""Joins the rows of what is held: by stack, by call site, by process or by place. Pure."""

import enum
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from slabtui.model.containers import cut_to_place
from slabtui.model.held import AGES, Held
from slabtui.model.inspection import Context, InspectionRow, InspectionTotals


class By(enum.StrEnum):
    """What a row of the tab of what is held stands for, in the order in which a key turns them."""

    STACK = "stack"
    SITE = "call site"
    PROCESS = "process"
    PLACE = "place"


@dataclass(frozen=True, slots=True)
class Joined:
    """One row, and those that it joins.

    Attributes:
        row: what all of them hold together.
        parts: each stack of each process of it, what holds most first.
    """

    row: InspectionRow
    parts: tuple[InspectionRow, ...]


def name_site(row: InspectionTotals) -> str:
    """Return the function that called the allocator; the innermost frame is the allocator's own, if there are more."""
    frame = (row.frames[1:] or row.frames or ("",))[0]
    return frame.partition("+")[0]


def name_place(row: InspectionRow) -> str:
    """Return the path of the container or systemd unit that allocated, else of its control group.

    Where the path is unknown: `(interrupts)`, `(removed)` or `-`.
    """
    if row.cgroup:
        return cut_to_place(row.cgroup)
    if row.context is Context.INTERRUPT:
        return "(interrupts)"
    return "(removed)" if row.removed else "-"


def identify(row: InspectionRow, by: By) -> tuple[object, ...]:
    """Return what the rows that are joined have in common."""
    match by:
        case By.STACK:
            return row.frames
        case By.SITE:
            return (name_site(row),)
        case By.PROCESS:
            return (row.context, row.pid, "" if row.pid else row.comm)
        case By.PLACE:
            return (name_place(row),)


def join(rows: Iterable[InspectionRow], by: By) -> tuple[Joined, ...]:
    """Return the joined rows, those that hold most first; equal ones are always in the same order."""
    groups: dict[tuple[object, ...], list[InspectionRow]] = {}
    for row in rows:
        groups.setdefault(identify(row, by), []).append(row)
    joined = [_join(parts, by) for parts in groups.values()]
    return tuple(sorted(joined, key=lambda one: _order(one.row)))


def _join(parts: Sequence[InspectionRow], by: By) -> Joined:
    ordered = tuple(sorted(parts, key=_order))
    first, held = ordered[0], join_held([row.held for row in ordered if row.held is not None])
    match by:
        case By.STACK:
            row = InspectionRow(frames=first.frames, held=held)
        case By.SITE:
            row = InspectionRow(frames=(name_site(first),), held=held)
        case By.PROCESS:
            row = replace(first, frames=(), held=held)
        case By.PLACE:
            states = {row.removed for row in ordered}
            removed = states.pop() if len(states) == 1 else False
            place = name_place(first)
            cgroup = place if first.cgroup else ""
            row = InspectionRow(frames=(place,), cgroup=cgroup, removed=removed, context=_where(first), held=held)
    return Joined(row, ordered)


def _where(row: InspectionRow) -> Context:
    """Return the context of a place: that of interrupts is none, and else it does not matter which task it was."""
    return Context.INTERRUPT if row.context is Context.INTERRUPT and not row.cgroup else Context.PROCESS


def _order(row: InspectionRow) -> tuple[object, ...]:
    return -row.rank, -((row.held and row.held.oldest) or 0.0), row.frames, row.pid or 0, row.comm


def join_held(parts: Sequence[Held]) -> Held:
    """Return what several rows hold together.

    `median` is exact for one row. For several it is the middle of their medians, moved into the limits of AGES between
    which the median of all is. `growth_objects_s` is the sum of slopes, which is too small where many rows came one
    after another. Lifetimes are those of the stack; rows of several stacks have none.
    """
    if len(parts) < 2:
        return parts[0] if parts else Held()
    ages = tuple(map(sum, zip(*(part.ages for part in parts), strict=True)))
    slopes = [part.growth_objects_s for part in parts if part.growth_objects_s is not None]
    lived = {(part.lifetime_median, part.lifetime_p99) for part in parts}
    median, p99 = lived.pop() if len(lived) == 1 else (None, None)
    return Held(
        objects=sum(part.objects for part in parts),
        bytes=sum(part.bytes for part in parts),
        standard_error=math.hypot(*(part.standard_error for part in parts)),
        oldest=max((part.oldest for part in parts if part.oldest is not None), default=None),
        median=_find_median(parts, ages),
        ages=ages,
        growth_objects_s=sum(slopes) if slopes else None,
        lifetime_median=median,
        lifetime_p99=p99,
    )


def _find_median(parts: Sequence[Held], ages: Sequence[int]) -> float | None:
    medians = sorted((part.median, part.objects) for part in parts if part.median is not None and part.objects)
    if not medians:
        return None
    middle = _find_half([number for _, number in medians])
    place = _find_half(ages)
    least = AGES[place - 1] if place else 0
    most = AGES[place] if place < len(AGES) else math.inf
    return min(max(medians[middle][0], least), most)


def _find_half(numbers: Sequence[int]) -> int:
    """Return the place at which half of the sum is reached."""
    half, below = sum(numbers) / 2, 0
    for place, number in enumerate(numbers):
        below += number
        if number and below >= half:
            return place
    return 0
