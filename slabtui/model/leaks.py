"""The report on leaks: which caches grow over a run, and which stacks and processes keep their objects."""

import math
from dataclasses import dataclass

from slabtui.model.holders import By, join
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import Inspection, InspectionRow
from slabtui.model.memory import MemoryReport
from slabtui.model.snapshot import CacheRow, Snapshot


@dataclass(frozen=True, slots=True)
class Keeper:
    """A stack that keeps objects, with its processes.

    Attributes:
        row: the stack, and what its processes hold together.
        processes: each process of it, what holds most first.
        explains: how much of the growth of the cache it explains, from 0 to 1; None: not known.
        steady: whether it certainly holds more and more, by more than its noise.
    """

    row: InspectionRow
    processes: tuple[InspectionRow, ...]
    explains: float | None = None
    steady: bool = False

    @property
    def places(self) -> tuple[InspectionRow, ...]:
        """What each place holds of it, what holds most first."""
        return tuple(one.row for one in join(self.processes, By.PLACE))


@dataclass(frozen=True, slots=True)
class GrowingCache:
    """A cache that grew in the run.

    Attributes:
        row: its last row, with the judgement of the run.
        slope: its growth, in objects per second.
        low: the lower limit of that with 99.9 % confidence.
        high: the upper limit.
        change: of its live objects in the run.
        keeper: the stack that explains most of the growth; None: none holds steadily more, or it was not tracked.
    """

    row: CacheRow
    slope: float
    low: float
    high: float
    change: int
    keeper: Keeper | None = None


@dataclass(frozen=True, slots=True)
class Leak:
    """Caches that grow together as a leak does.

    Attributes:
        caches: what grows by most bytes first.
        grows_with: names of other caches that grow at the same rate, a reclaimable one first.
        held: what is held of one of the caches; None: none of them was tracked.
        keepers: who keeps it, what explains most first.
        about: what the kernel says about one of the caches; None: it counts and knows nothing, or none was tracked.
        held_until: when `held` was tracked last, in seconds since the epoch, if that was before the end of the run:
            what was freed later is still in it. None: it was tracked to the end.
    """

    caches: tuple[GrowingCache, ...]
    grows_with: tuple[str, ...] = ()
    held: Inspection | None = None
    keepers: tuple[Keeper, ...] = ()
    about: Inspection | None = None
    held_until: float | None = None


@dataclass(frozen=True, slots=True)
class LeakReport:
    """What is known at the end of a run.

    Attributes:
        last: the last interval, with the judgement of the run.
        seconds: length of the run.
        tracked_after: seconds after its begin from which what is held was tracked; None: it was not.
        tracked: the caches of which it was.
        watched: number of caches that were judged.
        slowest_objects_s: growth that is too slow to be seen in this time, in objects per second; of objects of more
            than 1 KiB less can be seen.
        leaks: those that grow as a leak does, by most bytes first.
        uncertain: caches that certainly grow, but by too little beside their noise; those of which a stack holds
            steadily more, but which do not certainly grow; in a short run also those of which no stack does.
        explained: caches that grow because of what the kernel can reclaim: they are reclaimable, or others explain it.
        is_short: whether the run is so short that a load that begins looks the same.
        memory: where the memory of the host is; None where unknown, as in older recordings.
    """

    last: Snapshot
    seconds: float
    tracked_after: float | None
    watched: int
    slowest_objects_s: float
    leaks: tuple[Leak, ...] = ()
    uncertain: tuple[GrowingCache, ...] = ()
    explained: tuple[GrowingCache, ...] = ()
    tracked: tuple[CacheKey, ...] = ()
    is_short: bool = False
    memory: MemoryReport | None = None

    @property
    def growth_bytes_h(self) -> float:
        """Bytes per hour by which all leaks grow."""
        return math.fsum(max(0.0, one.row.growth_bytes_h or 0.0) for leak in self.leaks for one in leak.caches)

    @property
    def full_in_s(self) -> float | None:
        """Seconds until the leaks have used up the available memory; None: there are none, or it is not known."""
        available = self.last.memory.available if self.last.memory else None
        return available / self.growth_bytes_h * 3600 if self.growth_bytes_h and available is not None else None
