"""The last intervals of every cache, kept from the start: for the sparklines and for stepping back in time."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from slabtui.model.inspection import Inspection
from slabtui.model.snapshot import CacheRow, Snapshot

LENGTH = 300  # intervals
GROWING = 10  # intervals in a row in which a cache must have grown
MOST_ROWS_BYTES = 64 << 20  # of all snapshots: 500 caches that all change in each of 300 intervals take 61 MiB
MOST_LOOKS_BYTES = 24 << 20  # of all close looks: 300 intervals of one with 200 entries

# Bytes that CPython takes: of a row and its numbers, of its rate and its place among those that grew, of a text beside
# its characters, of an entry and its numbers.
_ROW, _RATE, _GROWN, _TEXT, _ENTRY = 300, 130, 70, 57, 350

_BARS, _PLAIN_BARS = " ▁▂▃▄▅▆▇█", " ._-=+*%#"


class History:
    """The last snapshots, the newest last."""

    def __init__(self) -> None:
        self._snapshots: deque[Snapshot] = deque(maxlen=LENGTH)
        self._rates: deque[dict[int, float]] = deque(maxlen=LENGTH)  # by cache, of the active ones
        self._grown: deque[frozenset[int]] = deque(maxlen=LENGTH)  # caches
        self._sizes: deque[int] = deque(maxlen=LENGTH)  # bytes, without looks
        self._look_sizes: deque[int] = deque(maxlen=LENGTH)  # bytes; 0: none, or forgotten

    def __len__(self) -> int:
        return len(self._snapshots)

    def add(self, snapshot: Snapshot) -> None:
        """Keep a snapshot; the oldest go when there are more than 300 or too large, old close looks when those are."""
        newest = {row.cache: row for row in self._snapshots[-1].rows} if self._snapshots else {}
        shared = replace(snapshot, rows=tuple(_same(newest.get(row.cache), row) for row in snapshot.rows))
        self._snapshots.append(shared)
        self._rates.append({row.cache: snapshot.per_second(row.allocs) for row in snapshot.rows if row.allocs})
        self._grown.append(frozenset(row.cache for row in snapshot.rows if row.live_delta and row.live_delta > 0))
        rows = sum(_row_size(row) for row in shared.rows if newest.get(row.cache) is not row)
        notes = sum(_TEXT + len(note) for note in snapshot.notes)
        self._sizes.append(rows + notes + _RATE * len(self._rates[-1]) + _GROWN * len(self._grown[-1]))
        self._look_sizes.append(0 if snapshot.detail is None else _detail_size(snapshot.detail))
        self._forget_looks()
        self._forget_snapshots()

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

    def _forget_snapshots(self) -> None:
        """Let go of the oldest snapshots where all are too large; the newest stays."""
        size = sum(self._sizes)
        while size > MOST_ROWS_BYTES and len(self._sizes) > 1:
            size -= self._sizes.popleft()
            for kept in (self._snapshots, self._rates, self._grown, self._look_sizes):
                kept.popleft()

    def _forget_looks(self) -> None:
        """Let go of the oldest close looks where they are large, of which one at processes may have 16,384 entries."""
        size = sum(self._look_sizes)
        for at in range(len(self._look_sizes) - 1):
            if size <= MOST_LOOKS_BYTES:
                break
            if self._look_sizes[at]:
                size -= self._look_sizes[at]
                self._look_sizes[at] = 0
                self._snapshots[at] = replace(self._snapshots[at], detail=None)


def _row_size(row: CacheRow) -> int:
    return _ROW + len(row.name) + sum(_TEXT + len(alias) for alias in row.aliases)


def _detail_size(detail: Inspection) -> int:
    return sum(
        _ENTRY + len(entry.comm) + len(entry.cgroup) + sum(_TEXT + len(frame) for frame in entry.frames)
        for entry in detail.entries
    )


def _same(known: CacheRow | None, row: CacheRow) -> CacheRow:
    """Return the row that is known already, if it says the same.

    Most caches of a kernel are idle most of the time: each of their rows would take 300 bytes.
    """
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
