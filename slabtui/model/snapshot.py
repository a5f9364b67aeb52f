"""The messages between rooms: totals, as a source counts them, and the snapshot of one interval, made from two."""

from dataclasses import dataclass, field, replace

from slabtui.model.inspection import Inspection, interval


@dataclass(frozen=True, slots=True)
class CacheRow:
    """One slab cache, with what was allocated from it: in one interval, or in all since the source began to count.

    Attributes:
        cache: identity: the address of its struct kmem_cache, or a small number where there is no such cache
            (kmalloc beyond the largest cache; a kmalloc size class whose cache could not be told).
        name: its name, harmless to print. Two caches may share a name.
        size: bytes that one object takes in its slab, metadata and padding included, as in /proc/slabinfo and slabtop;
            None where the objects of the row differ in size.
        object_size: bytes of that which the cache's creator asked for; None as for `size`.
        allocs: objects allocated.
        bytes: bytes allocated: `allocs` x `size`, or the sum where sizes differ.
        approximate: the row is not exact: it stands for a kmalloc size class, whose caches could not be told apart; or
            for kmalloc beyond the largest cache, of which some kernels tell many allocations twice.
        frees: objects freed; None where nobody counts them, or did not for the whole interval.
        live: objects in use at the end, as in /proc/slabinfo; None where unknown.
        live_delta: how many more that are than at the beginning of the interval; None where unknown.
        mem: bytes of memory that the cache holds, used and free objects; None where unknown.
        disagrees: whether allocs - frees do not explain how `live` changed since frees are counted: the tracepoints do
            not see everything; None where that is unknown.
        aliases: names of the other caches that were merged into it.
    """

    cache: int
    name: str
    size: int | None
    object_size: int | None
    allocs: int
    bytes: int
    approximate: bool = False
    frees: int | None = None
    live: int | None = None
    live_delta: int | None = None
    mem: int | None = None
    disagrees: bool | None = None
    aliases: tuple[str, ...] = ()

    @property
    def active(self) -> bool:
        """Whether anything happened in the cache."""
        return bool(self.allocs or self.frees or self.live_delta)


@dataclass(frozen=True, slots=True)
class Totals:
    """What a source has counted since it began.

    Attributes:
        rows: every cache seen so far.
        lost: allocations and frees that could not be counted, None where the kernel does not tell.
        events: how many events the probe has seen; None where it passes some over unseen.
        nanoseconds: what an event costs, as measured last; None where unknown.
        bulk: whether what is allocated and freed in bulk is counted too; None where that is not known yet.
        detail: the close look at one cache, if there is one.
        frees_begun: how often the counting of frees has begun; those of two readings compare if it is the same.
    """

    rows: tuple[CacheRow, ...]
    lost: int | None
    events: int | None = None
    nanoseconds: float | None = None
    bulk: bool | None = None
    detail: Inspection | None = None
    frees_begun: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """Where snapshots come from.

    Attributes:
        source: `live`: the running kernel; `replay`: a recording.
        host: the name of the machine that was measured.
        kernel: its kernel's release, as `uname -r` prints it.
    """

    source: str = "live"
    host: str = ""
    kernel: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One interval.

    Attributes:
        time: when it ended, in seconds since the epoch.
        elapsed: its real length in seconds, which may differ from the one that was asked for.
        loadavg: the line of /proc/loadavg, as it stood then.
        rows: every cache seen so far, with what was allocated in this interval; 0 for the idle ones.
        lost: allocations and frees of this interval that could not be counted, None where unknown.
        events: events that the probe saw in this interval, None where unknown.
        nanoseconds: what an event costs, as measured last; None where unknown.
        bulk: whether what is allocated and freed in bulk is counted too; None where unknown.
        detail: the close look at one cache, if there was one.
        error: why the source could not be read, where it could not; the rows are empty then, and the next good
            snapshot covers this interval too.
        notes: what the source cannot do on this kernel, in words for the user.
        origin: the machine that was measured.
    """

    time: float
    elapsed: float
    loadavg: str
    rows: tuple[CacheRow, ...] = ()
    lost: int | None = None
    events: int | None = None
    nanoseconds: float | None = None
    bulk: bool | None = None
    detail: Inspection | None = None
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

    def row(self, cache: int) -> CacheRow | None:
        """Return the row of a cache."""
        return next((row for row in self.rows if row.cache == cache), None)

    @property
    def cpu_share(self) -> float | None:
        """Share of one CPU that the probe takes from those who allocate and free; None where unknown."""
        if self.events is None or self.nanoseconds is None:
            return None
        return self.per_second(self.events) * self.nanoseconds / 1e9

    def per_second(self, amount: int) -> float:
        """Turn an amount of this interval into a rate."""
        return amount / self.elapsed if self.elapsed > 0 else 0.0


def difference(before: Totals, after: Totals) -> Totals:
    """Return what was counted, and what was lost, between two readings of one source.

    Names, sizes, live objects and the like are those of the later reading. A cache that only the earlier one has is
    left out: a source never forgets a cache that it counts.
    """
    earlier = {row.cache: row for row in before.rows}
    later = {row.cache for row in after.rows}
    gone = {row.name: row for row in before.rows if row.cache not in later}  # of which only the name was known
    frees = before.frees_begun == after.frees_begun
    return replace(
        after,
        rows=tuple(_since(earlier.get(row.cache) or gone.get(row.name), row, frees=frees) for row in after.rows),
        lost=_less(after.lost, before.lost),
        events=_less(after.events, before.events),
        detail=interval(before.detail, after.detail),
    )


def _since(known: CacheRow | None, row: CacheRow, *, frees: bool) -> CacheRow:
    if known is None:
        return row if frees else replace(row, frees=None)
    allocs = row.allocs - known.allocs
    return CacheRow(  # dataclasses.replace() takes twice as long, and this is done for every cache in every interval
        cache=row.cache,
        name=row.name,
        size=row.size,
        object_size=row.object_size,
        allocs=allocs,
        # An address may by now belong to a cache of another size: what was allocated since is of the new one.
        bytes=row.bytes - known.bytes if row.size is None else allocs * row.size,
        approximate=row.approximate,
        frees=_less(row.frees, known.frees) if frees else None,
        live=row.live,
        live_delta=_less(row.live, known.live),
        mem=row.mem,
        disagrees=row.disagrees,
        aliases=row.aliases,
    )


def _less(after: int | None, before: int | None) -> int | None:
    return None if after is None or before is None else after - before
