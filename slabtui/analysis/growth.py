"""Judges, snapshot by snapshot, how the caches and the slab memory of the machine grow."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from slabtui.analysis.cache import HOUR, JudgedCache
from slabtui.analysis.host import JudgedHost
from slabtui.analysis.series import BIN, RECENT, Bins
from slabtui.analysis.trend import Trend
from slabtui.analysis.verdict import NONE, judge_together
from slabtui.model.identity import CacheKey
from slabtui.model.snapshot import UNJUDGED, CacheRow, Snapshot, judge_row, unjudged_values

_PER_BIN = 80  # caches that are examined: about 5 ms
_AT_ONCE = 48  # caches that are examined in one interval: about 3 ms


class Growth:
    """Follows the live objects of every cache since the baseline: when counting began, or the last mark.

    The judgement of a recording is kept until a mark. The work is spread over the intervals: each one examines some of
    the caches that change, so a judgement may be one bin old.

    Args:
        width: seconds of a bin, of which a judgement needs eight.
    """

    def __init__(self, width: float = BIN) -> None:
        self._bins = Bins(width)
        self._caches: dict[CacheKey, JudgedCache] = {}
        self._host = JudgedHost()
        self._due: deque[JudgedCache] = deque()
        self._is_due = False  # whether all caches are examined, and can be judged
        self._since: float | None = None
        self._time = 0.0
        self._leaks = 0.0  # bytes per second by which the marked caches grow
        self._is_marked = self._was_marked = False

    def judge(self, snapshot: Snapshot) -> Snapshot:
        """Return a snapshot with its judgement; one that covers no time is returned as it is."""
        if not snapshot.elapsed:
            return snapshot
        if self._is_marked:
            self._is_marked = False
            self._begin_baseline()
        if self._since is None:
            self._since = max(0.0, snapshot.time - snapshot.elapsed)
        self._time = snapshot.time
        ends = self._bins.advance(snapshot.elapsed)
        caches = self._add_rows(snapshot.rows)
        self._host.add(snapshot.memory)
        takes_time = ends and self._end_bin()
        if not takes_time or snapshot.elapsed >= self._bins.width:  # longer intervals all end a bin
            self._examine_some(max(1, round(min(_AT_ONCE, snapshot.elapsed / self._bins.width * _PER_BIN))))
        if snapshot.growth is not None and not self._was_marked:
            return snapshot
        return self._put_judgement(snapshot, caches)

    def mark(self) -> None:
        """Begin a new baseline with the end of the last snapshot; may be called in any thread."""
        self._is_marked = True

    def judge_at_once(self, snapshot: Snapshot) -> Snapshot:
        """Return the snapshot that was judged last with the judgement at the end of the last bin, which takes time."""
        self.examine_all()
        if self._is_due:
            self._judge_caches()
        return self._put_judgement(snapshot, [self._caches.get(row.cache) for row in snapshot.rows])

    def examine_all(self) -> None:
        """Find the trends at the end of the last bin of all caches, which takes time."""
        while self._due:
            self._due.popleft().examine(self._bins)
            self._is_due = True

    def find_trend(self, cache: CacheKey) -> Trend | None:
        """Return the trend that the growth of a cache rests on; None: not known yet."""
        found = self._caches.get(cache)
        return None if found is None else found.trend

    def _begin_baseline(self) -> None:
        if self._since is None:  # it begins with the first snapshot
            return
        self._was_marked = True
        self._since = self._time
        self._bins.mark()
        self._leaks = 0.0
        self._host.mark()
        for cache in self._caches.values():
            cache.mark()

    def _put_judgement(self, snapshot: Snapshot, caches: Iterable[JudgedCache | None]) -> Snapshot:
        assert self._since is not None
        rows = tuple(map(_judge_row, caches, snapshot.rows))
        return replace(snapshot, rows=rows, growth=self._host.judge(self._since, snapshot.memory, self._leaks))

    def _add_rows(self, rows: Iterable[CacheRow]) -> list[JudgedCache | None]:
        """Add the live objects of each row to its cache, and return these caches; None: they are not known."""
        found: list[JudgedCache | None] = []
        for row in rows:
            live, cache = row.live, None
            if live is not None:
                cache = self._caches.get(row.cache)
                if cache is None:
                    cache = self._caches[row.cache] = JudgedCache(row, live)
                else:
                    cache.add(live)
            found.append(cache)
        return found

    def _end_bin(self) -> bool:
        """End a bin; return whether all caches were judged with it, which takes time."""
        ends = self._bins.close()
        is_late = bool(self._due)
        waiting = set(map(id, self._due))
        for cache in tuple(self._caches.values()):
            cache.close(ends)
            if cache.missing > RECENT:  # destroyed, or left out of a recording
                del self._caches[cache.key]
            elif (cache.varies or not cache.is_known) and id(cache) not in waiting:  # most caches never change
                self._due.append(cache)
        self._host.end_bin(ends, self._bins)
        if is_late:  # there is more to examine than there are intervals for it: judge by what is known
            self._judge_caches()
        return is_late

    def _examine_some(self, most: int) -> None:
        """Examine up to `most` caches; judge all of them once each is examined, if enough of `most` is left."""
        left = most
        while self._due and left:
            left -= self._due.popleft().examine(self._bins)
            self._is_due = True
        if self._is_due and not self._due and left * 2 >= most:
            self._judge_caches()

    def _judge_caches(self) -> None:
        self._is_due = False
        verdicts = judge_together(self._caches.values(), self._bins)
        for key, cache in self._caches.items():
            if key in verdicts or cache.has_verdict:
                cache.put_verdict(*verdicts.get(key, NONE))
        marked = (cache for cache in self._caches.values() if cache.is_marked)
        self._leaks = sum(max(0.0, cache.bytes_per_hour or 0.0) for cache in marked) / HOUR


def _judge_row(cache: JudgedCache | None, row: CacheRow) -> CacheRow:
    if cache is not None:
        return cache.judge(row)
    return row if row.growing is None else judge_row(unjudged_values(row), UNJUDGED)
