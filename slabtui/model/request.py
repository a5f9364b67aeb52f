"""What a consumer asks for: the length of intervals, and what is counted beside allocations."""

from dataclasses import dataclass

from slabtui.model.identity import CacheKey
from slabtui.model.inspection import Inspection, InspectionKind
from slabtui.model.snapshot import Snapshot

INTERVAL = 1.0  # seconds from one snapshot to the next, unless a user asks for another number
SHORTEST, LONGEST = 0.1, 3600.0  # seconds that a user may ask for
MOST_SUSPECTS = 5  # each costs every event of the allocator some nanoseconds, and memory in the kernel


@dataclass(frozen=True, slots=True)
class InspectionRequest:
    """The inspection of one cache.

    Attributes:
        cache: its key, as a snapshot has it; or a name, or an alias, as a user types it.
        kinds: what is inspected; all of them count from the same moment.
    """

    cache: CacheKey | str
    kinds: tuple[InspectionKind, ...]

    def find(self, snapshot: Snapshot) -> Inspection | None:
        """Return the inspection of the first kind; None: the interval does not have it, as in a recording."""
        of_kind = (found for found in snapshot.inspections if found.kind is self.kinds[0])
        return next((found for found in of_kind if self._means(found.cache, snapshot)), None)

    def _means(self, cache: CacheKey, snapshot: Snapshot) -> bool:
        """Return whether a cache is the one that was asked for: by its key, or by its name or an alias."""
        if isinstance(self.cache, CacheKey):
            return self.cache == cache
        if self.cache in (cache.name, str(cache)):
            return True
        row = snapshot.row(cache)
        return row is not None and self.cache in (row.name, *row.aliases)


@dataclass(frozen=True, slots=True)
class Request:
    """What is counted only on request, because it costs more.

    Attributes:
        frees: whether frees are counted.
        inspection: the inspection; None: no cache is inspected.
        suspects: caches of which what is held is tracked at the same time, MOST_SUSPECTS at most; empty: none yet, but
            what tracks them is made ready; None: there will be none. A run that looks for leaks also needs
            HostMemory.cpu_free.
    """

    frees: bool = False
    inspection: InspectionRequest | None = None
    suspects: tuple[CacheKey, ...] | None = None
