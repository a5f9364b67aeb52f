"""One run that looks for leaks: judges what grows, chooses what is tracked, and reports who keeps it. Pure."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from operator import itemgetter

from slabtui.analysis import known
from slabtui.analysis.cache import find_least
from slabtui.analysis.growth import Growth
from slabtui.analysis.memory import MemoryRun
from slabtui.analysis.series import BIN
from slabtui.analysis.steady import Stack, SteadyStacks
from slabtui.model.holders import By, join
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow
from slabtui.model.leaks import GrowingCache, Keeper, Leak, LeakReport
from slabtui.model.request import MOST_SUSPECTS
from slabtui.model.snapshot import CacheRow, Snapshot

_BINS = 12  # of a run: with eight growth is known, two more confirm it, and one may begin late
_SHORTEST_INTERVAL = 0.2  # seconds: reading what five caches hold takes up to 50 ms
_FIRST = 1 / 3  # of the run: four bins, after which slopes are known. Objects are held from then on, so no longer.
_SECOND = 1 / 2  # of the run: after two bins more, of which slopes are better known. What is held has six bins left.
_LONGEST_FIRST = 300.0  # seconds: the longest of the shorter stretches in which growth is judged
_SAME = 0.1  # of a slope: caches whose slopes differ by less may grow together
_MOST_KEEPERS = 3
_LEAST_EXPLAINED = 0.05  # of the growth: less than that does not help who looks for the leak
_MAIN = 0.5  # of the growth: stacks that explain this much are its main cause
_MORE = 1.1  # times the change of LIVE: the limit from which a page says no more how much is explained
_ERRORS = 2  # standard errors that an estimate must exceed, as on the screen


def find_width(seconds: float) -> float:
    """Return the seconds of a bin in a run of this length."""
    return min(BIN, seconds / _BINS)


def find_first(seconds: float) -> float:
    """Return for how long a run only watches, before it tracks what is held."""
    return min(seconds * _FIRST, _LONGEST_FIRST)


def find_second(seconds: float) -> float:
    """Return after how long a run chooses again what it tracks, once."""
    return seconds * _SECOND


def find_interval(seconds: float) -> float:
    """Return the seconds between the snapshots of a run: a bin has at least four, the lowest of which counts."""
    return max(_SHORTEST_INTERVAL, min(1.0, find_width(seconds) / 5))


class LeakWatch:
    """Follows one run, snapshot by snapshot, with a judgement of its own: its bins follow from the length of the run.

    Args:
        seconds: length of the run; infinite: not known.

    Attributes:
        elapsed: seconds since its begin.
    """

    def __init__(self, seconds: float) -> None:
        self.elapsed = 0.0
        self._intervals = 0
        self._width = find_width(seconds)
        self._growth = Growth(self._width)
        self._memory = MemoryRun()
        self._last: Snapshot | None = None
        self._before: dict[CacheKey, int] = {}  # live objects of each cache when it was seen first
        self._tracked_after: float | None = None
        self._stacks: dict[CacheKey, SteadyStacks] = {}
        self._held: dict[CacheKey, tuple[Inspection, float]] = {}  # what was held of each cache last, and when
        self._reclaimable: set[str] = set()  # names

    def add(self, snapshot: Snapshot) -> None:
        """Add an interval; one that covers no time changes nothing."""
        if not snapshot.elapsed:
            return
        for row in snapshot.rows:
            if row.live is not None:
                self._before.setdefault(row.cache, row.live - (row.live_delta or 0))
        for found in snapshot.inspections:
            if found.tracking is not None:
                self._add_held(found, snapshot)
        self.elapsed += snapshot.elapsed
        self._intervals += 1
        self._memory.add(self.elapsed, snapshot.memory)
        self._last = self._growth.judge(replace(snapshot, growth=None))

    def choose(self) -> tuple[CacheKey, ...]:
        """Return the caches that are worth tracking, MOST_SUSPECTS at most; none while no growth is known.

        Those of which the lower limit of the growth is highest, in bytes: what only fluctuates has a limit below 0.
        Reclaimable caches come last. Of caches that grow at the same rate, which may be one leak, one comes first and
        the others last: one with a name of its own, because its stacks say more than those of a shared size of kmalloc.
        """
        self._growth.examine_all()
        growing = sorted((one for one in self._find_growing() if one.slope > 0), key=_rank)
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

    def choose_again(self, tracked: Sequence[CacheKey]) -> tuple[CacheKey, ...]:
        """Return these caches, in their places, with others in place of those that do not certainly grow any more."""
        certain = {one.row.cache for one in self._find_growing() if one.low > 0}
        better = iter([cache for cache in self.choose() if cache in certain and cache not in tracked])
        kept = [cache if cache in certain else next(better, cache) for cache in tracked]
        return (*kept, *better)[:MOST_SUSPECTS]

    def report(self) -> LeakReport | None:
        """Return what is known now; None: no growth is known yet.

        What is held confirms a growth that is too small beside the noise, if a stack holds steadily more of the cache.
        In a short run it must do so: many caches grow for some seconds.
        """
        if self._last is None:
            return None
        last = self._last = self._growth.judge_at_once(self._last)
        self._reclaimable = {row.name for row in last.rows if row.reclaimable}
        watched = [row for row in last.rows if row.growing is not None]
        if not watched:
            return None
        growing = sorted(self._find_growing(), key=lambda one: -(one.row.growth_bytes_h or 0))
        leaks = [leak for leak in self._find_leaks(growing) if self._is_sure(leak)]
        names = {name for leak in leaks for name in leak.grows_with}
        names |= {one.row.name for leak in leaks for one in leak.caches}
        others = [self._add_keeper(one) for one in growing if one.slope > 0 and one.row.name not in names]
        others = [one for one in others if one.low > 0 or (one.keeper is not None and not one.row.reclaimable)]
        explained = {one.row.cache for one in others if not one.row.growing and self._is_explained(one.row)}
        return LeakReport(
            last=last,
            seconds=self.elapsed,
            tracked_after=self._tracked_after,
            watched=len(watched),
            slowest_objects_s=find_least(None) / self.elapsed,
            leaks=tuple(leaks),
            tracked=tuple(self._stacks),
            uncertain=tuple(one for one in others if one.row.cache not in explained),
            explained=tuple(one for one in others if one.row.cache in explained),
            is_short=self._is_short,
            memory=self._memory.report(),
        )

    def find_shortest(self) -> float:
        """Return the seconds of the shortest run that has enough bins, with intervals as long as those so far.

        Where the kernel reads its lists of slabs slowly, as on a busy machine, an interval may be longer than a bin.
        """
        return self.elapsed / self._intervals * _BINS if self._intervals else 0.0

    @property
    def knows_live(self) -> bool:
        """Whether the live objects of any cache are known."""
        return bool(self._before)

    @property
    def _is_short(self) -> bool:
        return self._width < BIN

    def _add_held(self, found: Inspection, snapshot: Snapshot) -> None:
        if self._tracked_after is None:
            self._tracked_after = self.elapsed
        if found.cache not in self._stacks:
            row = snapshot.row(found.cache)
            self._stacks[found.cache] = SteadyStacks(self._width / 2, find_least(row.size if row else None))
        self._stacks[found.cache].add(snapshot.elapsed, found)
        self._held[found.cache] = found, snapshot.time

    def _find_growing(self) -> Iterable[GrowingCache]:
        """Yield each cache with a known trend."""
        for row in self._last.rows if self._last else ():
            trend = self._growth.find_trend(row.cache)
            if trend is not None and row.live is not None:
                yield GrowingCache(row, trend.slope, trend.low, trend.high, row.live - self._before[row.cache])

    def _find_leaks(self, growing: Sequence[GrowingCache]) -> Iterable[Leak]:
        """Yield the caches that grow as a leak does in groups, what grows by most bytes first."""
        left = [one for one in growing if one.row.growing or self._is_confirmed(one)]
        while left:
            first = left[0]
            together = [first, *(one for one in left[1:] if one.row.name in first.row.grows_with)]
            left = [one for one in left if one not in together]
            names = {one.row.name for one in together}
            others = tuple(name for name in first.row.grows_with if name not in names)
            yield self._find_keepers(Leak(tuple(together), others, about=self._find_about(together)))

    def _is_confirmed(self, one: GrowingCache) -> bool:
        """Return whether a cache certainly grows, though not by enough, and stacks hold steadily as much more of it.

        They do if the rates agree over the run, or the numbers since tracking began: a leak may get faster. If they
        hold much more than it grows by, older objects are freed meanwhile: the cache turns over slowly.

        Open files keep dentries and inodes, which can grow at the same rate, and do not follow them.
        """
        held, names = self._find_held(one.row.cache), (one.row.name, *one.row.aliases)
        if one.low <= 0 or held is None or (held.tracking and held.tracking.doubt):
            return False
        if self._is_explained(one.row) and not known.pins(names):
            return False
        steady = self._stacks[one.row.cache].find()
        rates = (*steady.values(), sum(steady.values()))
        as_fast = any(_MAIN * one.slope <= rate <= one.high for rate in rates)
        objects = sum(row.rank for row in held.rows if row.frames in steady)
        change = _find_change(held) or 0
        as_much = change > 0 and _MAIN * change <= objects <= _MORE * change
        return bool(steady) and (as_fast or as_much)

    def _is_explained(self, row: CacheRow) -> bool:
        """Return whether the growth of a cache comes back, or follows from that of one of which it does."""
        first = row.grows_with[:1]  # a reclaimable one is the first
        follows = not self._reclaimable.isdisjoint(first) or bool(known.lifetime(first))
        return bool(row.reclaimable) or follows or bool(known.lifetime((row.name, *row.aliases)))

    def _is_sure(self, leak: Leak) -> bool:
        """Return whether a leak may be reported: in a short run only with a stack that keeps more and more objects."""
        return not self._is_short or not self._stacks or any(keeper.steady for keeper in leak.keepers)

    def _find_held(self, cache: CacheKey) -> Inspection | None:
        """Return what is held of a cache, if it is tracked."""
        found = self._last.inspection(InspectionKind.HELD, cache) if self._last else None
        return found if found is not None and found.rows and cache in self._stacks else None

    def _find_about(self, caches: Iterable[GrowingCache]) -> Inspection | None:
        """Return what the kernel says about the first of some caches beside which it counts or knows something."""
        for one in caches:
            found = self._last.inspection(InspectionKind.ABOUT, one.row.cache) if self._last else None
            if found is not None and found.about is not None and (found.about.counts or found.about.sites):
                return found
        return None

    def _find_keepers(self, leak: Leak) -> Leak:
        """Return a leak with who keeps the objects of one of its caches, of one with a steady stack if there is any.

        If none is tracked at the end of the run, of the one that was tracked last.
        """
        tracked: list[Leak] = []
        for one in leak.caches:
            held = self._find_held(one.row.cache)
            if held is not None:
                tracked.append(replace(leak, held=held, keepers=self._list_keepers(one, held)))
        sure = (one for one in tracked if any(keeper.steady for keeper in one.keepers))
        return next(sure, tracked[0] if tracked else self._find_former_keepers(leak))

    def _find_former_keepers(self, leak: Leak) -> Leak:
        """Return a leak with who kept the objects of one of its caches when that was tracked last, if it ever was.

        How much of the growth that explains is not known: it may have changed since.
        """
        former = [self._held[one.row.cache] for one in leak.caches if one.row.cache in self._held]
        known = [(held, until) for held, until in former if held.rows]
        if not known:
            return leak
        held, until = max(known, key=itemgetter(1))
        keepers = find_keepers(held, leak.caches[0].row.growth_objects_s)
        return replace(leak, held=held, keepers=tuple(replace(one, explains=None) for one in keepers), held_until=until)

    def _list_keepers(self, one: GrowingCache, held: Inspection) -> tuple[Keeper, ...]:
        return find_keepers(held, one.row.growth_objects_s, self._stacks[held.cache].find())

    def _add_keeper(self, one: GrowingCache) -> GrowingCache:
        """Return a cache with the stack that keeps most of it, if one holds steadily more."""
        held = self._find_held(one.row.cache)
        keepers = self._list_keepers(one, held) if held is not None else ()
        return replace(one, keeper=keepers[0]) if keepers and keepers[0].steady else one


def _rank(one: GrowingCache) -> tuple[bool, float, float, str]:
    size = one.row.size or 0
    return bool(one.row.reclaimable), -one.low * size, -one.slope * size, one.row.name


def _may_be_one(one: GrowingCache, other: GrowingCache) -> bool:
    """Return whether two caches grow at nearly the same rate, and either both or none of them can be reclaimed."""
    first, second = one.slope, other.slope
    same_kind = bool(one.row.reclaimable) is bool(other.row.reclaimable)
    return same_kind and abs(first - second) <= _SAME * max(first, second)


def _is_shared(row: CacheRow) -> bool:
    return row.name.startswith("kmalloc-")


def find_keepers(held: Inspection, growth: float | None, steady: Container[Stack] = ()) -> tuple[Keeper, ...]:
    """Return the stacks that keep the objects of a cache: those that keep more and more, what explains most first.

    Args:
        held: what is held of it.
        growth: of its live objects, per second.
        steady: the stacks that certainly hold more and more.
    """
    joined = [one for one in join(held.rows, By.STACK) if one.row.held is not None]
    by_rate = any(_rate(one.row) is not None for one in joined)
    keepers = [
        Keeper(one.row, one.parts, _explain(one.row, held, growth, by_rate=by_rate), one.row.frames in steady)
        for one in joined
        if _is_known(one.row)
    ]
    keepers.sort(key=lambda one: (not one.steady, -(one.explains or 0)))
    return tuple(
        one for place, one in enumerate(keepers[:_MOST_KEEPERS]) if not place or (one.explains or 0) >= _LEAST_EXPLAINED
    )


def _rate(row: InspectionRow) -> float | None:
    return row.held.growth_objects_s if row.held is not None else None


def _is_known(row: InspectionRow) -> bool:
    """Return whether an estimate is larger than twice its standard error."""
    return row.held is not None and row.held.objects > _ERRORS * row.held.standard_error


def _explain(row: InspectionRow, held: Inspection, growth: float | None, *, by_rate: bool) -> float | None:
    """Return the share of a stack in the growth of its cache: by their rates, else by the change since tracking began.

    The rate of what is held leaves out what a stack held already at the beginning, and what it holds for a moment.
    """
    rate, change = _rate(row), _find_change(held)
    if by_rate:
        return max(0.0, min(1.0, rate / growth)) if rate is not None and growth else None
    return min(1.0, row.rank / change) if change is not None and change > 0 else None


def _find_change(held: Inspection) -> int | None:
    """Return by how much the live objects have changed since tracking began; None: unknown."""
    tracking = held.tracking
    if tracking is None or tracking.live is None or tracking.live_began is None:
        return None
    return tracking.live - tracking.live_began
