"""Whether the events counted explain how many objects are live; if not, the tracepoints do not see everything."""

import os
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace

from slabtui.kernel.frees import Owner
from slabtui.kernel.procfs.slabinfo import Slab
from slabtui.model.identity import CacheKey
from slabtui.model.snapshot import CacheTotals

SLABS_AT_HAND = 5  # of each CPU: the one it allocates from and its partial ones, set_cpu_partial() in mm/slub.c
_SHARE = 0.01  # of all traffic; the two sides are not read at the same moment
_FEW = 16  # objects, likewise
_NO_OWNER = Owner(0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Start:
    """A cache when it was first compared: net allocations and all events counted, objects live, what may hide."""

    net: int
    traffic: int
    live: int
    hidden: int


class Consistency:
    """Compares allocs - frees of each cache with the change of its live objects, since frees are counted.

    The sums are compared, not the intervals: untraced events add up, however few they are at a time, and objects that
    are only free for a while in a CPU's own slabs do not.
    """

    def __init__(self) -> None:
        self._begun: int | None = None
        self._starts: dict[CacheKey, _Start] = {}

    def mark(
        self,
        rows: dict[CacheKey, CacheTotals],
        begun: int | None,
        slabs: Mapping[str, Slab],
        count_hidden: Callable[[str], int],
    ) -> None:
        """Mark the rows whose allocations and frees do not explain how many of their objects are live.

        Args:
            rows: those of all caches, as marked the last time or not yet; the ones whose mark changes are replaced.
            begun: how often the counting of frees has begun; None: frees are not counted now.
            slabs: what /proc/slabinfo says, by name.
            count_hidden: returns how many free objects of the cache of a name may count as live.
        """
        if begun != self._begun:
            self._begun = begun
            self._starts.clear()
        for key, row in rows.items():
            disagrees = None
            if begun is not None and row.total_frees is not None and row.live is not None:
                if not self.knows(key):
                    self.begin(row, slabs[row.name].objects_per_slab, count_hidden(row.name))
                disagrees = self.disagrees(row)
            if row.disagrees is not disagrees:
                rows[key] = replace(row, disagrees=disagrees)

    def knows(self, cache: CacheKey) -> bool:
        """Return whether a cache was compared before."""
        return cache in self._starts

    def begin(self, row: CacheTotals, objects_per_slab: int, hidden: int) -> None:
        """Compare a cache with this moment from now on.

        Args:
            row: the cache, with frees and live objects.
            objects_per_slab: objects that a slab of it holds.
            hidden: further free objects that may count as live.
        """
        assert row.total_frees is not None
        assert row.live is not None
        at_hand = SLABS_AT_HAND * objects_per_slab * (os.cpu_count() or 1)
        net, traffic = row.total_allocs - row.total_frees, row.total_allocs + row.total_frees
        self._starts[row.cache] = _Start(net, traffic, row.live, at_hand + hidden)

    def disagrees(self, row: CacheTotals) -> bool:
        """Return whether more objects came or went since `begin` than were counted."""
        assert row.total_frees is not None
        assert row.live is not None
        start = self._starts[row.cache]
        untraced = abs((row.total_allocs - row.total_frees - start.net) - (row.live - start.live))
        return untraced > start.hidden + _SHARE * (row.total_allocs + row.total_frees - start.traffic)


def mark_scoped(
    rows: dict[CacheKey, CacheTotals],
    owners: Mapping[CacheKey, Owner],
    slabs: Mapping[str, Slab],
    *,
    counted: bool,
    bulk: Container[CacheKey],
) -> None:
    """Mark the rows whose allocations - frees are not what the processes of a scope hold.

    Args:
        rows: those of all caches; the ones whose mark changes are replaced.
        owners: what is known of owned objects, by the key of the cache.
        slabs: what /proc/slabinfo says of the objects of all processes, by name.
        counted: whether frees are counted now.
        bulk: the caches of which the scope has allocated in bulk: who frees these objects is not known.
    """
    for key, row in rows.items():
        disagrees = None
        if counted and row.total_frees is not None and not row.approximate:
            slab = slabs.get(row.name)
            owner = owners.get(key, _NO_OWNER)
            disagrees = key in bulk or _is_wrong(owner, row.total_frees, slab.live if slab else None)
        if row.disagrees is not disagrees:
            rows[key] = replace(row, disagrees=disagrees)


def _is_wrong(owner: Owner, frees: int, live: int | None) -> bool:
    """Return whether objects had no room, or were freed without an event.

    No more objects than the live ones of all processes can be owned.
    """
    beyond = 0 if live is None else owner.number - live
    return owner.left_out > 0 or max(owner.late, beyond) > _FEW + _SHARE * (owner.number + frees)
