"""The inspection of one cache: which callers, stacks or processes allocate from it, or what the kernel says of it."""

import enum
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from operator import attrgetter

from slabtui.model.beside import KernelSite, SideCount
from slabtui.model.held import Held, Tracking
from slabtui.model.identity import CacheKey


class InspectionKind(enum.StrEnum):
    """What is inspected."""

    STACKS = "stacks"
    PROCESSES = "processes"
    CALLERS = "callers"
    ABOUT = "about"
    HELD = "held"


# The tabs of a page, in their order. Callers are late in it: most call sites are in a wrapper.
ON_PAGE = (
    InspectionKind.HELD,
    InspectionKind.STACKS,
    InspectionKind.PROCESSES,
    InspectionKind.CALLERS,
    InspectionKind.ABOUT,
)


class Context(enum.StrEnum):
    """On whose behalf the kernel ran when it allocated."""

    PROCESS = "process"
    KERNEL_THREAD = "kernel thread"
    INTERRUPT = "interrupt"


@dataclass(frozen=True, slots=True)
class InspectionTotals:
    """One caller, one process, or one stack of one process, and what it allocated since the inspection began.

    Attributes:
        frames: the call site as symbol+offset, or the functions of a stack, the innermost first; empty for a process.
        pid: process ID; 0 in an interrupt; None for a call site, and where unknown, as of stacks in older recordings.
        comm: its name, harmless to print.
        cmdline: its arguments with spaces between them, harmless to print; empty where unknown, as of a process that
            ended before it was seen.
        ended: whether the process has ended; None where unknown.
        cgroup: path of its control group in the unified hierarchy; empty where unknown.
        removed: whether that control group has been removed since; None where unknown.
        context: what kind of process it is.
        total_allocs: objects allocated since the inspection began.
        total_bytes: their size in bytes.
        standard_error: of `total_allocs`, in allocations; 0: exact; None: unknown, as in older recordings.
        held: what is held, in an inspection of that kind: there only this is counted, no allocations.
    """

    frames: tuple[str, ...] = ()
    pid: int | None = None
    comm: str = ""
    cmdline: str = ""
    ended: bool | None = None
    cgroup: str = ""
    removed: bool | None = None
    context: Context = Context.PROCESS
    total_allocs: int = 0
    total_bytes: int = 0
    standard_error: float | None = 0.0
    held: Held | None = None

    @property
    def rank(self) -> int:
        """What rows are sorted by, the largest first."""
        return self.total_allocs if self.held is None else self.held.objects

    @property
    def key(self) -> tuple[object, ...]:
        """What distinguishes the row from the others of its inspection, except of what is held.

        A process that was moved while it allocated what is held has a row for each of its control groups.
        """
        return self.frames, self.context, self.pid


@dataclass(frozen=True, slots=True)
class InspectionRow(InspectionTotals):
    """One caller, process, or stack of a process: its totals, and what it allocated in one interval.

    Attributes:
        allocs: objects allocated in the interval.
        bytes: their size in bytes.
    """

    allocs: int = 0
    bytes: int = 0


# A row is made of the values of its totals, in their order, and those of the interval: dataclasses.replace() and
# keyword arguments take far longer.
_get_totals = attrgetter(*(field.name for field in fields(InspectionTotals)))
_make_row: Callable[..., InspectionRow] = InspectionRow


@dataclass(frozen=True, slots=True)
class About:
    """What the kernel says about one cache; None or empty where it says nothing.

    Attributes:
        aliases: names of the other caches that were merged into it.
        object_size: bytes per object that its creator asked for.
        size: bytes that an object takes in its slab.
        objects_per_slab: objects that a slab holds.
        slab_bytes: bytes of a slab.
        flags: in words.
        nodes: NUMA nodes, each with the number of slabs on it.
        live: objects in use.
        mem: bytes of memory held.
        counts: what the kernel counts beside its objects.
        sites: the code that allocated them, if the kernel itself knows it; what holds most first.
    """

    aliases: tuple[str, ...] = ()
    object_size: int | None = None
    size: int | None = None
    objects_per_slab: int | None = None
    slab_bytes: int | None = None
    flags: tuple[str, ...] = ()
    nodes: tuple[tuple[int, int], ...] = ()
    live: int | None = None
    mem: int | None = None
    counts: tuple[SideCount, ...] = ()
    sites: tuple[KernelSite, ...] = ()


@dataclass(frozen=True, slots=True)
class InspectionReading:
    """What an inspection has found since it began; the attributes are those of Inspection.

    Attributes:
        rows: who allocated.
    """

    cache: CacheKey
    kind: InspectionKind
    number: int = 1
    one_in: int = 1
    lost: int = 0
    rows: tuple[InspectionTotals, ...] = ()
    about: About | None = None
    trouble: str = ""
    tracking: Tracking | None = None


@dataclass(frozen=True)
class Inspection:
    """The inspection of one cache, over one interval.

    Attributes:
        cache: key of the inspected cache.
        kind: what is inspected.
        number: counts the inspections of a session, from 1; a new one counts from 0. All kinds that were requested
            together have the same one.
        one_in: for stacks: one allocation in this many was sampled; for what is held: one address. The totals are
            estimates if it is more than 1.
        lost: allocations that are in no row.
        rows: who allocated, or who holds; those with the most since the inspection began first.
        about: for the kind of that name.
        trouble: why nothing is counted, in words for the user; empty while it is counted, or soon will be.
        tracking: for what is held: what is known of all objects of the cache.
    """

    cache: CacheKey
    kind: InspectionKind
    number: int = 1
    one_in: int = 1
    lost: int = 0
    rows: tuple[InspectionRow, ...] = ()
    about: About | None = None
    trouble: str = ""
    tracking: Tracking | None = None

    @cached_property  # every row asks for it
    def total_allocs(self) -> int:
        """Allocations of all rows since the inspection began."""
        return sum(row.total_allocs for row in self.rows)

    @cached_property
    def held_objects(self) -> int:
        """Objects that all rows together hold."""
        return sum(row.held.objects for row in self.rows if row.held is not None)

    @cached_property
    def variance(self) -> float | None:
        """The square of the standard error of `total_allocs`; None where unknown."""
        errors = [row.standard_error for row in self.rows]
        return None if None in errors else sum(error * error for error in errors if error is not None)


def difference_of_inspections(
    before: Sequence[InspectionReading], after: Sequence[InspectionReading]
) -> tuple[Inspection, ...]:
    """Return the inspections over the interval between two readings."""
    earlier = {(reading.cache, reading.kind): reading for reading in before}
    return tuple(difference(earlier.get((reading.cache, reading.kind)), reading) for reading in after)


def difference(before: InspectionReading | None, after: InspectionReading) -> Inspection:
    """Return the inspection of a kind over the interval between two readings."""
    earlier: dict[tuple[object, ...], InspectionTotals] = {}
    if before is not None and before.number == after.number:
        earlier = {row.key: row for row in before.rows}
    rows = sorted((_since(earlier.get(row.key), row) for row in after.rows), key=lambda row: -row.rank)
    return Inspection(
        after.cache,
        after.kind,
        after.number,
        after.one_in,
        after.lost,
        tuple(rows),
        after.about,
        after.trouble,
        after.tracking,
    )


def _since(known: InspectionTotals | None, row: InspectionTotals) -> InspectionRow:
    allocs, bytes_ = (known.total_allocs, known.total_bytes) if known else (0, 0)
    return _make_row(*_get_totals(row), row.total_allocs - allocs, row.total_bytes - bytes_)


def merge_inspections(earlier: Sequence[Inspection], later: Sequence[Inspection]) -> tuple[Inspection, ...]:
    """Return the inspections over two adjacent intervals."""
    before = {(found.cache, found.kind): found for found in earlier}
    return tuple(merge(before.get((found.cache, found.kind)), found) for found in later)


def merge(earlier: Inspection | None, later: Inspection) -> Inspection:
    """Return the inspection over two adjacent intervals.

    That of the later one if they are not the same inspection; or if it is of what is held, which has no intervals.
    """
    if earlier is None or earlier.number != later.number or later.kind is InspectionKind.HELD:
        return later
    before = {row.key: row for row in earlier.rows}
    rows = [_join(before.pop(row.key, None), row) for row in later.rows]
    return replace(later, rows=(*rows, *before.values()))


def _join(earlier: InspectionRow | None, later: InspectionRow) -> InspectionRow:
    if earlier is None:
        return later
    return replace(later, allocs=earlier.allocs + later.allocs, bytes=earlier.bytes + later.bytes)


def merge_stacks(rows: Iterable[InspectionRow]) -> tuple[InspectionRow, ...]:
    """Return one row for each stack, of all its processes; those with the most allocations first."""
    stacks: dict[tuple[str, ...], list[InspectionRow]] = {}
    for row in rows:
        stacks.setdefault(row.frames, []).append(row)
    merged = (_sum_stack(frames, parts) for frames, parts in stacks.items())
    return tuple(sorted(merged, key=lambda row: -row.total_allocs))


def _sum_stack(frames: tuple[str, ...], parts: Sequence[InspectionRow]) -> InspectionRow:
    errors = [row.standard_error for row in parts if row.standard_error is not None]
    return InspectionRow(
        frames=frames,
        total_allocs=sum(row.total_allocs for row in parts),
        total_bytes=sum(row.total_bytes for row in parts),
        standard_error=math.hypot(*errors) if len(errors) == len(parts) else None,
        allocs=sum(row.allocs for row in parts),
        bytes=sum(row.bytes for row in parts),
    )


def fold_stacks(rows: Sequence[InspectionRow]) -> str:
    """Return stacks in the format of flame graph tools: functions from the outermost in, a space, the count.

    The count is that of the objects held where the rows have it, else of allocations.
    """
    counts: dict[tuple[str, ...], int] = {}
    for row in rows:
        counts[row.frames] = counts.get(row.frames, 0) + row.rank
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return "".join(f"{';'.join(reversed(frames))} {count}\n" for frames, count in ordered if frames)
