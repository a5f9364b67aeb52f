"""Whether what the tracepoints tell explains how many objects are live; if not, they do not see everything."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from slabtui.kernel.procfs.slabinfo import Slab
from slabtui.model.snapshot import CacheRow

_SLABS_AT_HAND = 5  # of each CPU: the one it allocates from and its partial ones, set_cpu_partial() in mm/slub.c
_SHARE = 0.01  # of all traffic; the two sides are not read at the same moment


@dataclass(frozen=True, slots=True)
class _Start:
    """A cache when it was first compared: net allocations and all events counted, objects live, what may hide."""

    net: int
    traffic: int
    live: int
    hidden: int


class Consistency:
    """Compares, from the first look at each cache on: allocs - frees with the change of live objects.

    The sums are compared, not the intervals: what is not seen adds up, however little it is at a time, and what only
    lies free for a while in a CPU's own slabs does not.
    """

    def __init__(self) -> None:
        self._starts: dict[int, _Start] = {}

    def knows(self, cache: int) -> bool:
        """Tell whether there has been a first look at a cache."""
        return cache in self._starts

    def begin(self, row: CacheRow, objects_per_slab: int, hidden: int) -> None:
        """Take the first look.

        Args:
            row: totals of the cache, with frees and live objects.
            objects_per_slab: objects that a slab of it holds.
            hidden: further free objects that may count as live.
        """
        assert row.frees is not None
        assert row.live is not None
        at_hand = _SLABS_AT_HAND * objects_per_slab * (os.cpu_count() or 1)
        self._starts[row.cache] = _Start(row.allocs - row.frees, row.allocs + row.frees, row.live, at_hand + hidden)

    def disagrees(self, row: CacheRow) -> bool:
        """Tell whether more objects came or went since than were counted."""
        assert row.frees is not None
        assert row.live is not None
        start = self._starts[row.cache]
        unseen = abs((row.allocs - row.frees - start.net) - (row.live - start.live))
        return unseen > start.hidden + _SHARE * (row.allocs + row.frees - start.traffic)

    def mark(self, rows: dict[int, CacheRow], slabs: Mapping[str, Slab], hidden: Callable[[str], int]) -> None:
        """Mark the rows whose allocations and frees do not explain how many of their objects are live.

        Args:
            rows: totals, by cache; those of which that is known are replaced.
            slabs: what /proc/slabinfo says, by name.
            hidden: returns how many free objects of the cache of a name may count as live.
        """
        for cache, row in rows.items():
            if row.frees is not None and row.live is not None:
                if not self.knows(cache):
                    self.begin(row, slabs[row.name].objects_per_slab, hidden(row.name))
                rows[cache] = replace(row, disagrees=self.disagrees(row))
