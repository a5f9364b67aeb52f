"""Judges from snapshot to snapshot how the caches and the slab memory of the machine grow."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

from slabtui.analysis import known
from slabtui.analysis.groups import group
from slabtui.analysis.judged import CERTAIN, ENOUGH, LIKELY, JudgedSeries
from slabtui.analysis.series import RECENT, Timeline
from slabtui.analysis.trend import find_trend
from slabtui.model.host import HostGrowth, HostMemory
from slabtui.model.identity import CacheKey
from slabtui.model.snapshot import UNJUDGED, CacheRow, Judgement, Snapshot, judge_row, unjudged_values

_AT_ONCE = 24  # caches that are examined in one interval: about 3 ms
_MOST_GROUPED = 64  # caches, those that grow by most bytes: comparing them takes 3 ms
_LIFETIMES = 3  # of objects that a timer frees, until a cache of them is judged: growth has ended then
_HOUR = 3600


class _Cache(JudgedSeries):
    """The live objects of one cache, with what is known of it and its judgement."""

    __slots__ = ("_row", "_used", "_values", "judgement", "key", "name", "names", "size")

    def __init__(self, row: CacheRow, live: int) -> None:
        super().__init__(live)
        self.key = row.cache
        self.name = row.name
        self.names = (row.name, *row.aliases)
        self.size = row.size
        self.reclaimable = known.is_reclaimable(row.name) if row.reclaimable is None else row.reclaimable
        self.judgement = UNJUDGED
        self._row = row
        self._values: tuple[object, ...] = ()
        self._used = self.judgement

    def judge(self, row: CacheRow) -> CacheRow:
        """Return a row of this cache with its judgement: the same as before where nothing has changed.

        Most caches of a kernel are idle most of the time, and to make a row takes longer than to compare it.
        """
        values = unjudged_values(row)
        if values != self._values or self._used is not self.judgement:
            self._values, self._used = values, self.judgement
            self._row = judge_row(values, self.judgement)
            if row.reclaimable != self.reclaimable:
                self._row = replace(self._row, reclaimable=self.reclaimable)
        return self._row

    @property
    def bytes_per_hour(self) -> float | None:
        """How fast it grows since the baseline; None: not known yet."""
        return None if self.trend is None or self.size is None else self.trend.slope * self.size * _HOUR

    def put_judgement(self, growing: bool | None, grows_with: tuple[str, ...]) -> None:
        """Make the judgement of its row, from now on."""
        judgement = Judgement(
            growth_objects_s=_rounded(self.trend.slope if self.trend else None),
            recent_objects_s=_rounded(self.minute.slope if self.minute else None),
            growth_bytes_h=_rounded(self.bytes_per_hour),
            growing=growing,
            grows_with=grows_with,
        )
        if judgement != self.judgement:
            self.judgement = judgement


class Growth:
    """Follows the live objects of every cache since the baseline: when counting began, or the last mark.

    The judgement of a recording is kept, until a mark. The work is spread over the intervals: each examines some of the
    caches that change, so a judgement may be as old as a bin.
    """

    def __init__(self) -> None:
        self._timeline = Timeline()
        self._caches: dict[CacheKey, _Cache] = {}
        self._memory: dict[str, JudgedSeries] = {}
        self._due: deque[_Cache] = deque()
        self._since: float | None = None
        self._time = 0.0
        self._is_marked = self._was_marked = False

    def judge(self, snapshot: Snapshot) -> Snapshot:
        """Return a snapshot with its judgement; one that covers no time is returned as it is."""
        if not snapshot.elapsed:
            return snapshot
        if self._is_marked:
            self._is_marked = False
            self._begin_baseline()
        if self._since is None:
            self._since = snapshot.time - snapshot.elapsed
        self._time = snapshot.time
        ends = self._timeline.advance(snapshot.elapsed)
        self._add_rows(snapshot.rows)
        self._add_memory(snapshot.memory)
        if ends:
            self._end_bin()
        self._examine()
        if snapshot.growth is not None and not self._was_marked:
            return snapshot
        caches = self._caches
        rows = []
        for row in snapshot.rows:
            cache = caches.get(row.cache)
            if cache is None or row.live is None:
                rows.append(row if row.growing is None else judge_row(unjudged_values(row), UNJUDGED))
            else:
                rows.append(cache.judge(row))
        return replace(snapshot, rows=tuple(rows), growth=self._judge_host(snapshot.memory, self._since))

    def mark(self) -> None:
        """Begin a new baseline with the end of the last snapshot; may be called in any thread."""
        self._is_marked = True

    def _begin_baseline(self) -> None:
        if self._since is None:
            return
        self._was_marked = True
        self._since = self._time
        self._timeline.mark()
        for series in (*self._caches.values(), *self._memory.values()):
            series.mark()
        for cache in self._caches.values():
            cache.put_judgement(None, ())

    def _add_rows(self, rows: Iterable[CacheRow]) -> None:
        caches = self._caches
        for row in rows:
            live = row.live
            if live is None:
                continue
            cache = caches.get(row.cache)
            if cache is None:
                caches[row.cache] = _Cache(row, live)
            elif live != cache.value:
                cache.add(live)
            elif live < cache.low:
                cache.low = live

    def _add_memory(self, memory: HostMemory | None) -> None:
        if memory is None:
            return
        for name, size in (("slab", memory.slab), ("unreclaimable", memory.unreclaimable)):
            if size is not None:
                if name not in self._memory:
                    self._memory[name] = JudgedSeries(size)
                self._memory[name].add(size)

    def _end_bin(self) -> None:
        is_long, halves = self._timeline.close()
        waiting = set(map(id, self._due))
        for cache in list(self._caches.values()):
            cache.close(is_long, halves)
            if cache.missing > RECENT:
                del self._caches[cache.key]
            elif id(cache) not in waiting:
                self._due.append(cache)
        for series in self._memory.values():
            series.close(is_long, halves)
            series.examine(self._timeline)
        if waiting:  # there is more to examine than there is time: judge by what is known
            self._settle()

    def _examine(self) -> None:
        """Examine the next caches; when all have been, settle which of them grow."""
        if not self._due:
            return
        left = _AT_ONCE
        while self._due and left:
            cache = self._due.popleft()
            left -= cache.examine(self._timeline)
        if not self._due:
            self._settle()

    def _settle(self) -> None:
        """Judge every cache by the trends that are known."""
        rising = [cache for cache in self._caches.values() if cache.varies and cache.exceeds_noise(LIKELY)]
        rising.sort(key=lambda cache: -(cache.bytes_per_hour or 0.0))
        growing: dict[CacheKey, bool] = {}
        grows_with: dict[CacheKey, tuple[str, ...]] = {}
        for together in group(rising[:_MOST_GROUPED], self._timeline):
            leaks = self._leaks(together)
            for cache in together:
                growing[cache.key] = leaks and not cache.reclaimable and cache.goes_on
                grows_with[cache.key] = _names_beside(cache, together)
        for cache, inodes in self._with_inodes():
            if not known.pins(grows_with.get(cache.key, ())) and not self._exceeds(cache, inodes):
                growing[cache.key] = False
                grows_with[cache.key] = _names_beside(cache, inodes)
        for cache in self._caches.values():
            if cache.varies or cache.judgement.growing is None:
                is_known = len(cache.long) >= ENOUGH
                cache.put_judgement(growing.get(cache.key, False) if is_known else None, grows_with.get(cache.key, ()))

    def _leaks(self, together: Sequence[_Cache]) -> bool:
        """Return whether a group grows as a leak does."""
        if not any(cache.exceeds_noise(CERTAIN) for cache in together):
            return False
        names = [name for cache in together for name in cache.names]
        if self._timeline.now - self._timeline.baseline < _LIFETIMES * known.lifetime(names):
            return False
        return known.pins(names) or not any(cache.reclaimable for cache in together)

    def _with_inodes(self) -> list[tuple[_Cache, list[_Cache]]]:
        """Return the caches that grow with inodes, each with the reclaimable caches of inodes that grow."""
        rising = [cache for cache in self._caches.values() if cache.trend and cache.trend.slope > 0]
        inodes = [cache for cache in rising if cache.reclaimable and known.is_of_inodes(cache.name)]
        return [(cache, inodes) for cache in rising if inodes and known.is_per_inode(cache.names)]

    def _exceeds(self, cache: _Cache, others: Iterable[_Cache]) -> bool:
        """Return whether a cache grows by more than these other ones do together."""
        rest = list(cache.long)
        for other in others:
            values = other.long[-len(rest) :]
            values = [values[0]] * (len(rest) - len(values)) + values
            rest = [value - other_value for value, other_value in zip(rest, values, strict=True)]
        return find_trend(self._timeline.long[-len(rest) :], rest).exceeds_noise(CERTAIN)

    def _judge_host(self, memory: HostMemory | None, since: float) -> HostGrowth:
        slab, unreclaimable = self._memory.get("slab"), self._memory.get("unreclaimable")
        rate = unreclaimable.trend.slope if unreclaimable and unreclaimable.trend else None
        growing = None
        if unreclaimable and len(unreclaimable.long) >= ENOUGH:
            growing = unreclaimable.exceeds_noise(CERTAIN) and unreclaimable.goes_on
        available = memory.available if memory else None
        return HostGrowth(
            since=since,
            slab_bytes_s=slab.trend.slope if slab and slab.trend else None,
            unreclaimable_bytes_s=rate,
            growing=growing,
            full_in_s=available / rate if growing and rate and available is not None else None,
        )


def _names_beside(cache: _Cache, together: Iterable[_Cache]) -> tuple[str, ...]:
    """Return the names of the others: reclaimable ones first, and those that grow by more bytes first."""
    others = [other for other in together if other is not cache]
    others.sort(key=lambda other: (not other.reclaimable, -(other.bytes_per_hour or 0.0), other.name))
    return tuple(other.name for other in others)


def _rounded(rate: float | None) -> float | None:
    """Return a rate as recordings have it, so that replay shows the same."""
    return None if rate is None else round(rate, 3)
