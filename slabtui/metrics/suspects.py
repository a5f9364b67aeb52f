"""Which caches are tracked for metrics of what is held: those that grow as leaks do. Pure."""

from collections.abc import Callable, Iterator, Sequence

from slabtui.metrics.listing import nothing
from slabtui.model.identity import CacheKey
from slabtui.model.request import MOST_SUSPECTS
from slabtui.model.snapshot import CacheRow, Snapshot

# Seconds. A mark may go for a while where a leak pauses, and what is held is only known since tracking began.
STAYS = 300.0


class SuspectListing:
    """Chooses the suspects, interval by interval: marked caches, MOST_SUSPECTS at most.

    A cache stays one until it has not been marked for STAYS seconds, or a cache that is marked needs its place.

    Args:
        excluded: matches names and aliases of caches that are never chosen.
    """

    def __init__(self, excluded: Callable[[str], bool] = nothing) -> None:
        self._excluded = excluded
        self._now = 0.0  # the sum of all intervals
        self._marked: dict[CacheKey, float] = {}  # each suspect, with the time at which it was marked last

    def choose(self, snapshot: Snapshot) -> tuple[CacheKey, ...]:
        """Return the suspects after one more interval.

        Raises:
            BadFilterError: a pattern takes too long.
        """
        self._now += snapshot.elapsed
        marked = [row for row in snapshot.rows if row.growing and not self._is_excluded(row)]
        self._marked |= {row.cache: self._now for row in marked if row.cache in self._marked}
        self._marked = {cache: time for cache, time in self._marked.items() if self._now - time < STAYS}
        for cache in _rank(marked):
            if cache not in self._marked and self._has_room():
                self._marked[cache] = self._now
        return tuple(self._marked)

    def _is_excluded(self, row: CacheRow) -> bool:
        return any(map(self._excluded, (row.name, *row.aliases)))

    def _has_room(self) -> bool:
        """Return whether one more can be tracked; a suspect that is not marked now makes room."""
        if len(self._marked) < MOST_SUSPECTS:
            return True
        oldest = min(self._marked, key=self._marked.__getitem__)
        if self._marked[oldest] == self._now:
            return False
        del self._marked[oldest]
        return True


def _rank(rows: Sequence[CacheRow]) -> Iterator[CacheKey]:
    """Yield the caches, those that grow by most bytes first; but of each group one before the others of any group."""
    others = []
    seen: set[str] = set()
    for row in sorted(rows, key=lambda row: -(row.growth_bytes_h or 0)):
        if row.name in seen:
            others.append(row.cache)
        else:
            yield row.cache
        seen.update(row.grows_with)
    yield from others
