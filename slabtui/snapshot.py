"""The messages between rooms: totals, as a source counts them, and the snapshot of one interval, made from two."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
        approximate: the row stands for a size class, not for a cache that is known exactly.
    """

    cache: int
    name: str
    size: int | None
    object_size: int | None
    allocs: int
    bytes: int
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """What a source has counted since it began.

    Attributes:
        rows: every cache seen so far.
        lost: allocations that could not be counted, None where the kernel does not tell.
    """

    rows: tuple[CacheRow, ...]
    lost: int | None


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
        lost: allocations of this interval that could not be counted, None where unknown.
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

    def per_second(self, amount: int) -> float:
        """Turn an amount of this interval into a rate."""
        return amount / self.elapsed if self.elapsed > 0 else 0.0


def difference(before: Totals, after: Totals) -> tuple[tuple[CacheRow, ...], int | None]:
    """Return what was counted, and what was lost, between two readings of one source.

    Names and sizes are those of the later reading. A cache that only the earlier one has is left out: a source never
    forgets a cache that it counts.
    """
    earlier = {row.cache: row for row in before.rows}
    lost = None if before.lost is None or after.lost is None else after.lost - before.lost
    return tuple(_since(earlier, row) for row in after.rows), lost


def _since(earlier: Mapping[int, CacheRow], row: CacheRow) -> CacheRow:
    known = earlier.get(row.cache)
    if known is None:
        return row
    allocs = row.allocs - known.allocs
    # An address may by now belong to a cache of another size: what was allocated since is of the new one.
    grown = row.bytes - known.bytes if row.size is None else allocs * row.size
    return CacheRow(row.cache, row.name, row.size, row.object_size, allocs, grown, row.approximate)
