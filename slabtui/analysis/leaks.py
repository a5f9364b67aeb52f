"""One run that looks for leaks: judges what grows, chooses what is tracked, and reports who keeps it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from slabtui.analysis import known
from slabtui.analysis.growth import Growth
from slabtui.analysis.memory import MemoryRun
from slabtui.analysis.series import BIN
from slabtui.model.holders import By, Joined, join
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import Inspection, InspectionKind
from slabtui.model.leaks import GrowingCache, Keeper, Leak, LeakReport
from slabtui.model.request import MOST_SUSPECTS
from slabtui.model.snapshot import CacheRow, Snapshot

SHORTEST = 10.0  # seconds of a run: its bins have 0.8 s then, which is longer than most grace periods of RCU
_BINS = 12  # of a run: with eight growth is known, two more confirm it, and one may begin late
_SHORTEST_INTERVAL = 0.2  # seconds: reading what five caches hold takes up to 50 ms
_FIRST = 1 / 3  # of the run: four bins, after which slopes are known. Objects are held from then on, so no longer.
_LONGEST_FIRST = 300.0  # seconds: the longest of the shorter stretches in which growth is judged
_SAME = 0.1  # of a slope: caches whose slopes differ by less may grow together
_MOST_KEEPERS = 3
_LEAST_EXPLAINED = 0.05  # of the growth: less than that does not help who looks for the leak
_SHORT = 40.0  # seconds: eight bins of five seconds, which the judgement of a cache needs anywhere else


def find_width(seconds: float) -> float:
    """Return the seconds of a bin in a run of this length."""
    return min(BIN, seconds / _BINS)


def find_first(seconds: float) -> float:
    """Return for how long a run only watches, before it tracks what is held."""
    return min(seconds * _FIRST, _LONGEST_FIRST)


def find_interval(seconds: float) -> float:
    """Return the seconds between the snapshots of a run: a bin has at least four, the lowest of which counts."""
    return max(_SHORTEST_INTERVAL, min(1.0, find_width(seconds) / 5))


class LeakWatch:
    """Follows one run, snapshot by snapshot.

    Args:
        seconds: length of the run; its bins follow from it.

    Attributes:
        elapsed: seconds since its begin.
    """

    def __init__(self, seconds: float) -> None:
        self.elapsed = 0.0
        self._width = find_width(seconds)
        self._growth = Growth(self._width)
        self._memory = MemoryRun()
        self._last: Snapshot | None = None
        self._before: dict[CacheKey, int] = {}  # live objects of each cache when it was seen first
        self._tracked_after: float | None = None

    def add(self, snapshot: Snapshot) -> None:
        """Add an interval; one that covers no time changes nothing."""
        if not snapshot.elapsed:
            return
        for row in snapshot.rows:
            if row.live is not None:
                self._before.setdefault(row.cache, row.live - (row.live_delta or 0))
        held = any(found.kind is InspectionKind.HELD for found in snapshot.inspections)
        if held and self._tracked_after is None:
            self._tracked_after = self.elapsed
        self.elapsed += snapshot.elapsed
        self._memory.add(self.elapsed, snapshot.memory)
        self._last = self._growth.judge(replace(snapshot, growth=None))

    def choose(self) -> tuple[CacheKey, ...]:
        """Return the caches that are worth tracking, MOST_SUSPECTS at most.

        Those of which the lower limit of the growth is highest, in bytes: what only fluctuates has a limit below 0.
        Reclaimable caches come last. Of caches that grow at the same rate, which may be one leak, one comes first and
        the others last: one with a name of its own, because its stacks say more than those of a shared size of kmalloc.
        """
        growing = [one for one in self._find_growing() if (one.row.growth_objects_s or 0) > 0]
        growing.sort(key=_rank)
        leaders: list[GrowingCache] = []
        others: list[GrowingCache] = []
        for one in growing:
            place = next((place for place, leader in enumerate(leaders) if _may_be_one(leader, one)), None)
            if place is None:
                leaders.append(one)
            elif _is_shared(leaders[place].row) and not _is_shared(one.row):
                others.append(leaders[place])
                leaders[place] = one
            else:
                others.append(one)
        return tuple(one.row.cache for one in (*leaders, *sorted(others, key=_rank)))[:MOST_SUSPECTS]

    def report(self) -> LeakReport | None:
        """Return what is known now; None: no growth is known yet."""
        if self._last is None:
            return None
        last = self._last = self._growth.judge_at_once(self._last)
        watched = [row for row in last.rows if row.growing is not None]
        if not watched:
            return None
        growing = sorted(self._find_growing(), key=lambda one: -(one.row.growth_bytes_h or 0))
        marked = [one for one in growing if one.row.growing]
        certain = [one for one in growing if not one.row.growing and one.low > 0]
        return LeakReport(
            last=last,
            seconds=self.elapsed,
            tracked_after=self._tracked_after,
            watched=len(watched),
            leaks=tuple(_find_leaks(marked, last)),
            uncertain=tuple(one for one in certain if not _is_explained(one.row, last)),
            explained=tuple(one for one in certain if _is_explained(one.row, last)),
            is_short=self.elapsed < _SHORT,
            memory=self._memory.report(),
        )

    @property
    def knows_live(self) -> bool:
        """Whether the live objects of any cache are known."""
        return bool(self._before)

    def _find_growing(self) -> Iterable[GrowingCache]:
        """Yield each cache with a known trend."""
        for row in self._last.rows if self._last else ():
            trend = self._growth.find_trend(row.cache)
            if trend is not None and row.live is not None:
                yield GrowingCache(row, trend.low, trend.high, row.live - self._before[row.cache])


def _rank(one: GrowingCache) -> tuple[bool, float, float, str]:
    size = one.row.size or 0
    return bool(one.row.reclaimable), -one.low * size, -(one.row.growth_bytes_h or 0), one.row.name


def _may_be_one(one: GrowingCache, other: GrowingCache) -> bool:
    """Return whether two caches grow at nearly the same rate, and either both or none of them can be reclaimed."""
    first, second = one.row.growth_objects_s or 0, other.row.growth_objects_s or 0
    same_kind = bool(one.row.reclaimable) is bool(other.row.reclaimable)
    return same_kind and abs(first - second) <= _SAME * max(first, second)


def _is_shared(row: CacheRow) -> bool:
    return row.name.startswith("kmalloc-")


def _is_explained(row: CacheRow, snapshot: Snapshot) -> bool:
    """Return whether the growth of a cache that is not marked comes back, or follows from something else."""
    return bool(row.reclaimable) or bool(row.grows_with) or bool(known.lifetime((row.name, *row.aliases)))


def _find_leaks(marked: Sequence[GrowingCache], last: Snapshot) -> Iterable[Leak]:
    """Yield the marked caches in groups, what grows by most bytes first."""
    left = list(marked)
    while left:
        first = left[0]
        together = [first, *(one for one in left[1:] if one.row.name in first.row.grows_with)]
        left = [one for one in left if one not in together]
        names = {one.row.name for one in together}
        others = tuple(name for name in first.row.grows_with if name not in names)
        yield _find_keepers(Leak(tuple(together), others), last)


def _find_keepers(leak: Leak, last: Snapshot) -> Leak:
    """Return a leak with who keeps the objects of one of its caches: the first one that was tracked."""
    for one in leak.caches:
        held = last.inspection(InspectionKind.HELD, one.row.cache)
        if held is not None and held.rows:
            about = last.inspection(InspectionKind.ABOUT, one.row.cache)
            return replace(
                leak,
                held=held,
                keepers=find_keepers(held, one.row.growth_objects_s),
                about=about.about if about else None,
            )
    return leak


def find_keepers(held: Inspection, growth: float | None) -> tuple[Keeper, ...]:
    """Return the stacks that keep the objects of a cache, those that explain most of its growth first.

    Args:
        held: what is held of it.
        growth: of its live objects, per second.
    """
    keepers = [Keeper(one.row, one.parts, _explain(one, held, growth)) for one in join(held.rows, By.STACK)]
    keepers.sort(key=lambda one: -(one.explains or 0))
    return tuple(
        one for place, one in enumerate(keepers[:_MOST_KEEPERS]) if not place or (one.explains or 0) >= _LEAST_EXPLAINED
    )


def _explain(one: Joined, held: Inspection, growth: float | None) -> float | None:
    """Return the share of a stack in the growth of its cache: by their rates, else by the change since tracking began.

    The rate of what is held leaves out what a stack held already at the beginning, and what it holds for a moment.
    """
    if one.row.held is None:
        return None
    rate, tracking = one.row.held.growth_objects_s, held.tracking
    if rate is not None and growth:
        return max(0.0, min(1.0, rate / growth))
    if tracking is None or tracking.live is None or tracking.live_began is None:
        return None
    change = tracking.live - tracking.live_began
    return min(1.0, one.row.held.objects / change) if change > 0 else None
