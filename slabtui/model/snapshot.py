"""Readings, which hold totals since counting began, and snapshots, which hold one interval: the difference of two."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import NamedTuple, TypeVar, dataclass_transform

from slabtui.model.host import HostGrowth, Origin
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import (
    Inspection,
    InspectionKind,
    InspectionReading,
    difference_of_inspections,
    merge_inspections,
)
from slabtui.model.memory import CgroupMemory, HostMemory

_Row = TypeVar("_Row")


@dataclass_transform(frozen_default=True)
def _row(cls: type[_Row]) -> type[_Row]:
    """Make a class a dataclass whose fields only the type checker keeps from being changed.

    Up to three rows are made of each cache that changes, in each interval. Where dataclass() is given `frozen`, it sets
    each field by a call of object.__setattr__(), and a row takes ten times as long to make.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


@_row
class CacheTotals:
    """One slab cache at one moment, and what was counted of it since counting began.

    Attributes:
        cache: its key.
        name: its name, harmless to print. Two caches may share a name.
        size: bytes that one object takes in its slab, metadata and padding included, as in /proc/slabinfo and slabtop;
            None where the objects of the row differ in size.
        object_size: bytes that the creator of the cache asked for; None as for `size`.
        address: of its struct kmem_cache; None where unknown, or hidden from the reader.
        approximate: the row is not exact: it is a kmalloc size class, whose caches could not be distinguished; or
            kmalloc beyond the largest cache, of which some kernels report many allocations twice.
        aliases: names of the other caches that were merged into it.
        reclaimable: whether the kernel can free objects of the cache when memory is short (SLAB_RECLAIM_ACCOUNT), as
            those of inodes and dentries; None where unknown.
        live: objects in use, as in /proc/slabinfo; None where unknown.
        mem: bytes of memory that the cache holds, used and free objects; None where unknown.
        disagrees: whether allocations - frees do not explain how `live` changed since frees are counted: the
            tracepoints do not see everything; None where that is unknown.
        total_allocs: objects allocated since counting began.
        total_bytes: bytes allocated since then: `total_allocs` x `size`, or the sum where sizes differ.
        total_frees: objects freed while frees were counted; None where they never were.
    """

    cache: CacheKey
    name: str
    size: int | None = None
    object_size: int | None = None
    address: int | None = None
    approximate: bool = False
    aliases: tuple[str, ...] = ()
    reclaimable: bool | None = None
    live: int | None = None
    mem: int | None = None
    disagrees: bool | None = None
    total_allocs: int = 0
    total_bytes: int = 0
    total_frees: int | None = None


@_row
class CacheRow(CacheTotals):
    """One slab cache in one interval: the totals at its end, what was counted in it, and how the cache grows.

    Growth is judged by slabtui.analysis, since the baseline (when counting began, or the last mark) and lately.

    Attributes:
        allocs: objects allocated in the interval.
        bytes: bytes allocated in the interval.
        frees: objects freed in the interval; None where frees are not counted, or were not for the whole interval.
        live_delta: change of `live` since the beginning of the interval; None where unknown.
        growth_objects_s: how fast `live` grows, in objects per second: a robust slope over the time since the
            baseline. If `growing`, over the time on which that rests: a leak that begins late, or gets faster, has the
            slope of the last minutes. If most of the growth is gone, the change since the baseline divided by the time.
            None: not known yet.
        recent_objects_s: the slope over the last minute.
        growth_bytes_h: `growth_objects_s` in bytes per hour; None also where `size` is unknown.
        growing: whether the cache grows as a leak does: by more than its noise, it is not reclaimable, and nothing
            explains it, such as a reclaimable cache in its group (unless the objects of that one are held); None: not
            known yet.
        grows_with: names of the other caches that grow at the same rate, or that explain why it grows, a reclaimable
            one first.
    """

    allocs: int = 0
    bytes: int = 0
    frees: int | None = None
    live_delta: int | None = None
    growth_objects_s: float | None = None
    recent_objects_s: float | None = None
    growth_bytes_h: float | None = None
    growing: bool | None = None
    grows_with: tuple[str, ...] = ()

    @property
    def active(self) -> bool:
        """Whether anything happened in the cache."""
        return bool(self.allocs or self.frees or self.live_delta)


class Judgement(NamedTuple):
    """The fields of a row that say how its cache grows; see CacheRow."""

    growth_objects_s: float | None
    recent_objects_s: float | None
    growth_bytes_h: float | None
    growing: bool | None
    grows_with: tuple[str, ...]


RATE_DIGITS = 3  # of a judgement, after the point: a leak of one object in a quarter of an hour shows


def round_rate(rate: float | None) -> float | None:
    """Return a rate as recordings have it, so that a replay shows the same."""
    return None if rate is None else round(rate, RATE_DIGITS) + 0.0  # -0.0 becomes 0.0


UNJUDGED = Judgement(None, None, None, None, ())

# A row is made of the values of its totals, in their order, and those of the interval: dataclasses.replace() and
# keyword arguments take far longer.
_get_totals = attrgetter(*(field.name for field in fields(CacheTotals)))
_get_judgement = attrgetter(*Judgement._fields)
# The values of a row without its judgement, for `judge_row`.
unjudged_values: Callable[[CacheRow], tuple[object, ...]] = attrgetter(
    *(field.name for field in fields(CacheRow) if field.name not in Judgement._fields)
)
_make_row: Callable[..., CacheRow] = CacheRow


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source has counted since it began.

    Attributes:
        rows: every cache seen so far; one that was seen is in every later reading of the source.
        lost: allocations and frees that could not be counted; None where the kernel does not say.
        events: number of events that the probe has seen; None where it skips some without counting them.
        nanoseconds: what an event costs, as measured last; None where unknown.
        bulk: whether allocations and frees in bulk are counted; None where that is not known yet.
        inspections: the inspection of one cache, each kind of it that was requested, and what is held of each suspect;
            empty: none.
        memory: of the machine; None: not read.
        cgroup_memory: of the control group that is counted; None: there is none, or it is not known.
        frees_begun: how often the counting of frees has begun; those of two readings compare if it is the same. None:
            frees are not counted now.
    """

    rows: tuple[CacheTotals, ...] = ()
    lost: int | None = 0
    events: int | None = None
    nanoseconds: float | None = None
    bulk: bool | None = None
    inspections: tuple[InspectionReading, ...] = ()
    memory: HostMemory | None = None
    cgroup_memory: CgroupMemory | None = None
    frees_begun: int | None = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One interval.

    Attributes:
        time: when it ended, in seconds since the epoch.
        elapsed: its real length in seconds, which may differ from the one that was asked for; 0: it covers no time, and
            only says that the source could not be read.
        loadavg: the line of /proc/loadavg at its end.
        rows: every cache seen so far; a cache that was idle has 0 allocations.
        lost: allocations and frees of this interval that could not be counted; None where unknown.
        events: events that the probe saw in this interval; None where unknown.
        nanoseconds: what an event costs, as measured last; None where unknown.
        bulk: whether allocations and frees in bulk are counted; None where unknown.
        inspections: the inspection of one cache, each kind of it that was requested, and what is held of each suspect;
            empty: none.
        memory: of the machine at the end of the interval; None where unknown, as in older recordings.
        cgroup_memory: of the control group that is counted; None: there is none, or it is not known.
        growth: how the slab memory of the machine grows; None: not judged.
        error: why the source could not be read when the interval ended; None: it could. The next snapshot covers the
            time that passed.
        notes: what the source cannot do on this kernel, in words for the user.
        origin: the machine that was measured.
    """

    time: float
    elapsed: float
    loadavg: str
    rows: tuple[CacheRow, ...] = ()
    lost: int | None = 0
    events: int | None = None
    nanoseconds: float | None = None
    bulk: bool | None = None
    inspections: tuple[Inspection, ...] = ()
    memory: HostMemory | None = None
    cgroup_memory: CgroupMemory | None = None
    growth: HostGrowth | None = None
    error: str | None = None
    notes: tuple[str, ...] = ()
    origin: Origin = field(default_factory=Origin)

    @property
    def allocs(self) -> int:
        """Objects allocated in the interval, from all caches."""
        return sum(row.allocs for row in self.rows)

    @property
    def bytes(self) -> int:
        """Bytes allocated in the interval, from all caches."""
        return sum(row.bytes for row in self.rows)

    def row(self, cache: CacheKey) -> CacheRow | None:
        """Return the row of a cache; None if the snapshot has none."""
        return next((row for row in self.rows if row.cache == cache), None)

    def inspection(self, kind: InspectionKind, cache: CacheKey | None = None) -> Inspection | None:
        """Return the inspection of a kind, of this cache (None: the first one of any cache); None if there is none."""
        of_kind = (found for found in self.inspections if found.kind is kind)
        return next((found for found in of_kind if cache in (None, found.cache)), None)

    @property
    def cpu_share(self) -> float | None:
        """Share of one CPU that the probe takes from those who allocate and free; None where unknown."""
        if self.events is None or self.nanoseconds is None:
            return None
        return self.per_second(self.events) * self.nanoseconds / 1e9

    def per_second(self, amount: int) -> float:
        """Turn an amount of this interval into a rate per second; 0 if it covers no time."""
        return amount / self.elapsed if self.elapsed > 0 else 0.0


class Differences:
    """The snapshots between the readings of one source.

    The rows of a cache in which nothing happened are one object in successive snapshots: most caches are idle, and who
    takes the snapshots need not look at their rows again.
    """

    def __init__(self) -> None:
        self._idle: dict[CacheKey, tuple[CacheTotals, bool, CacheRow]] = {}  # a row, and what it is made from

    def between(self, before: Reading, after: Reading, moment: Snapshot) -> Snapshot:
        """Return the snapshot of the interval between two readings.

        Args:
            before: the reading at its beginning.
            after: the reading at its end; a cache that did not change may have the same object in both.
            moment: the rest of the snapshot: its time, length, notes and origin.
        """
        earlier = {row.cache: row for row in before.rows}
        frees = after.frees_begun is not None and before.frees_begun == after.frees_begun
        return replace(
            moment,
            rows=tuple(self._since(earlier.get(row.cache), row, frees) for row in after.rows),
            lost=_subtract(after.lost, before.lost),
            events=_subtract(after.events, before.events),
            nanoseconds=after.nanoseconds,
            bulk=after.bulk,
            inspections=difference_of_inspections(before.inspections, after.inspections),
            memory=after.memory,
            cgroup_memory=after.cgroup_memory,
        )

    def _since(self, known: CacheTotals | None, row: CacheTotals, frees: bool) -> CacheRow:
        if known is not row:
            return _since(known, row, frees)
        idle = self._idle.get(row.cache)
        if idle is None or idle[0] is not row or idle[1] is not frees:
            idle = self._idle[row.cache] = row, frees, _since(row, row, frees)
        return idle[2]


def _since(known: CacheTotals | None, row: CacheTotals, frees: bool) -> CacheRow:
    if known is None:
        return _make_row(*_get_totals(row), row.total_allocs, row.total_bytes, row.total_frees if frees else None)
    return _make_row(
        *_get_totals(row),
        row.total_allocs - known.total_allocs,
        row.total_bytes - known.total_bytes,
        _subtract(row.total_frees, known.total_frees) if frees else None,
        _subtract(row.live, known.live),
    )


def judge_row(values: tuple[object, ...], judgement: Judgement) -> CacheRow:
    """Return the row of these values with this judgement."""
    return _make_row(*values, *judgement)


def merge(earlier: Snapshot, later: Snapshot) -> Snapshot:
    """Return the snapshot of two adjacent intervals as one longer interval.

    Nothing is lost: what was counted is added up, and state is that of the later one. The function is associative, so
    it does not matter which of many snapshots are merged first. A snapshot that covers no time adds its error only.
    """
    if not later.elapsed:
        return replace(earlier, time=later.time, error=later.error, notes=later.notes)
    if not earlier.elapsed:
        return later
    before = {row.cache: row for row in earlier.rows}
    rows = [_join(before.pop(row.cache, None), row) for row in later.rows]
    return replace(
        later,
        elapsed=earlier.elapsed + later.elapsed,
        rows=(*rows, *before.values()),
        lost=_add(earlier.lost, later.lost),
        events=_add(earlier.events, later.events),
        inspections=merge_inspections(earlier.inspections, later.inspections),
    )


def _join(earlier: CacheRow | None, later: CacheRow) -> CacheRow:
    """Return the row of two adjacent intervals; None: the cache was not known in the earlier one."""
    if earlier is None:
        return later
    return _make_row(
        *_get_totals(later),
        earlier.allocs + later.allocs,
        earlier.bytes + later.bytes,
        _add(earlier.frees, later.frees),
        _add(earlier.live_delta, later.live_delta),
        *_get_judgement(later),
    )


def _subtract(after: int | None, before: int | None) -> int | None:
    return None if after is None or before is None else after - before


def _add(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
