"""The last intervals of every cache, kept from the start: for the sparklines and for stepping back in time."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from slabtui.snapshot import CacheRow, Snapshot

LENGTH = 300  # intervals
GROWING = 10  # intervals in a row in which a cache must have grown
MOST_ENTRIES = 100_000  # of close looks, in all snapshots: some 30 MiB

_BARS, _PLAIN_BARS = " ▁▂▃▄▅▆▇█", " ._-=+*%#"


class History:
    """The last snapshots, the newest last."""

    def __init__(self) -> None:
        self._snapshots: deque[Snapshot] = deque(maxlen=LENGTH)
        self._rates: deque[dict[int, float]] = deque(maxlen=LENGTH)  # by cache, of the active ones
        self._grown: deque[frozenset[int]] = deque(maxlen=LENGTH)  # caches

    def __len__(self) -> int:
        return len(self._snapshots)

    def add(self, snapshot: Snapshot) -> None:
        """Keep a snapshot; the oldest goes when there are more than 300, old close looks when they are too large."""
        self._snapshots.append(self._shared(snapshot))
        self._forget_looks()
        self._rates.append({row.cache: snapshot.per_second(row.allocs) for row in snapshot.rows if row.allocs})
        self._grown.append(frozenset(row.cache for row in snapshot.rows if row.live_delta and row.live_delta > 0))

    def back(self, steps: int) -> Snapshot:
        """Return the snapshot so many intervals before the newest."""
        return self._snapshots[-1 - steps]

    def series(self, cache: int, length: int, back: int = 0) -> list[float]:
        """Return the allocations per second of a cache in up to `length` intervals, ending `back` before the newest."""
        end = len(self._rates) - back
        return [self._rates[at].get(cache, 0) for at in range(max(0, end - length), end)]

    def growing(self, back: int = 0) -> frozenset[int]:
        """Return the caches that grew in each of 10 intervals, ending `back` before the newest."""
        end = len(self._grown) - back
        if end < GROWING:
            return frozenset()
        return frozenset.intersection(*(self._grown[at] for at in range(end - GROWING, end)))

    def past(self, cache: int, back: int = 0) -> list[CacheRow | None]:
        """Return the rows of a cache in all intervals up to the one `back` before the newest."""
        end = len(self._snapshots) - back
        return [self._snapshots[at].row(cache) for at in range(end)]

    def _shared(self, snapshot: Snapshot) -> Snapshot:
        """Return a snapshot that has, of each cache that nothing happened to, the row of the newest snapshot.

        Most caches of a kernel are idle most of the time: each of their rows would take 300 bytes.
        """
        newest = {row.cache: row for row in self._snapshots[-1].rows} if self._snapshots else {}
        return replace(snapshot, rows=tuple(_same(newest.get(row.cache), row) for row in snapshot.rows))

    def _forget_looks(self) -> None:
        """Let go of the oldest close looks where they are many: a look at processes may have 16,384 entries."""
        room = MOST_ENTRIES
        for at in reversed(range(len(self._snapshots))):
            snapshot = self._snapshots[at]
            room -= len(snapshot.detail.entries) if snapshot.detail else 0
            if room < 0 and snapshot.detail:
                self._snapshots[at] = replace(snapshot, detail=None)


def _same(known: CacheRow | None, row: CacheRow) -> CacheRow:
    """Return the row that is known already, if it says the same."""
    return known if known is not None and known == row else row


def sparkline(series: Sequence[float], width: int, plain: bool = False) -> str:
    """Draw a series as bars against its own maximum, the newest at the right; what allocated at all is never blank.

    Args:
        series: rates, the newest last; more than `width` of them are cut at the old end.
        width: columns.
        plain: with ASCII characters only.
    """
    bars = _PLAIN_BARS if plain else _BARS
    shown = series[-width:] if width else ()
    top = max(shown, default=0)
    levels = (math.ceil(rate * (len(bars) - 1) / top) if top else 0 for rate in shown)
    return "".join(bars[level] for level in levels).rjust(width)
