"""The last intervals of every cache, kept from the start: for the sparklines and for stepping back in time."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from slabtui.model.identity import CacheKey
from slabtui.model.inspection import Inspection
from slabtui.model.snapshot import CacheRow, Snapshot

LENGTH = 300  # intervals
GROWING = 10  # intervals in a row in which a cache must have grown
MOST_ROWS_BYTES = 72 << 20  # of all rows: 500 caches that all change in each of 300 intervals take 71 MiB
MOST_INSPECTIONS_BYTES = 24 << 20  # of all inspections: 300 intervals of one with 200 callers take 21 MiB

# Bytes that CPython takes, as tracemalloc measures them: a row and its numbers where frees are counted; its place in
# the dict of an interval; a text beside its characters; a row of an inspection and its numbers.
_ROW, _PLACE, _TEXT, _INSPECTION_ROW = 410, 60, 57, 290


@dataclass(slots=True)
class _Interval:
    """One interval.

    Attributes:
        snapshot: all but the rows.
        rows: the rows by cache, in their order.
        seconds: its length.
        size: bytes that it takes in addition to the intervals before it, without its inspection.
        inspection_size: bytes that its inspection takes; 0: there is none, or it was forgotten.
    """

    snapshot: Snapshot
    rows: dict[CacheKey, CacheRow]
    seconds: float
    size: int
    inspection_size: int


class History:
    """The last snapshots, the newest last."""

    def __init__(self) -> None:
        self._intervals: deque[_Interval] = deque(maxlen=LENGTH)

    def __len__(self) -> int:
        return len(self._intervals)

    def add(self, snapshot: Snapshot) -> None:
        """Keep a snapshot that covers some time; drop the oldest if they are more than 300 or take too much memory.

        Most caches of a kernel are idle most of the time: a row that equals the one before is kept once.
        """
        newest = self._intervals[-1].rows if self._intervals else {}
        rows: dict[CacheKey, CacheRow] = {}
        size = sum(_TEXT + len(note) for note in snapshot.notes)
        for row in snapshot.rows:
            known = newest.get(row.cache)
            kept = row if known is None else _share(known, row)
            rows[kept.cache] = kept
            size += _PLACE + (0 if kept is known else _row_size(row))
        inspected = _inspection_size(snapshot.inspection)
        self._intervals.append(_Interval(replace(snapshot, rows=()), rows, snapshot.elapsed, size, inspected))
        self._forget_inspections()
        self._forget_intervals()

    def back(self, steps: int) -> Snapshot:
        """Return the snapshot this many intervals before the newest; IndexError: it is not kept."""
        interval = self._intervals[-1 - steps]
        return replace(interval.snapshot, rows=tuple(interval.rows.values()))

    def series(self, cache: CacheKey, length: int, back: int = 0) -> list[float]:
        """Return the allocations per second of a cache in up to `length` intervals, ending `back` before the newest."""
        return [
            row.allocs / interval.seconds if (row := interval.rows.get(cache)) is not None else 0
            for interval in self._until(back, length)
        ]

    def growing(self, back: int = 0) -> frozenset[CacheKey]:
        """Return the caches that grew in each of 10 intervals, ending `back` before the newest."""
        recent = [interval.rows for interval in self._until(back, GROWING)]
        if len(recent) < GROWING:
            return frozenset()
        caches = list(recent[-1])
        for rows in reversed(recent):
            found = [rows.get(cache) for cache in caches]
            caches = [row.cache for row in found if row is not None and row.live_delta and row.live_delta > 0]
        return frozenset(caches)

    def past(self, cache: CacheKey, back: int = 0) -> list[CacheRow | None]:
        """Return the rows of a cache in all intervals up to the one `back` before the newest; None: it has none."""
        return [interval.rows.get(cache) for interval in self._until(back, LENGTH)]

    def _until(self, back: int, length: int) -> Iterator[_Interval]:
        """Return up to `length` intervals, the last of them `back` before the newest."""
        end = max(0, len(self._intervals) - back)
        return islice(self._intervals, max(0, end - length), end)

    def _forget_intervals(self) -> None:
        """Drop the oldest intervals where all take too much memory; the newest stays."""
        size = sum(interval.size for interval in self._intervals)
        while size > MOST_ROWS_BYTES and len(self._intervals) > 1:
            size -= self._intervals.popleft().size

    def _forget_inspections(self) -> None:
        """Drop the oldest inspections where they take too much memory: one of processes may have 16,384 rows."""
        size = sum(interval.inspection_size for interval in self._intervals)
        for interval in islice(self._intervals, len(self._intervals) - 1):
            if size <= MOST_INSPECTIONS_BYTES:
                break
            if interval.inspection_size:
                size -= interval.inspection_size
                interval.inspection_size = 0
                interval.snapshot = replace(interval.snapshot, inspection=None)


def _share(known: CacheRow, row: CacheRow) -> CacheRow:
    """Return the row of a cache, with the objects of its row before where those are equal."""
    if known == row:
        return known
    if known.cache is row.cache or known.name != row.name:
        return row
    address = known.address if known.address == row.address else row.address  # of a recording: all objects are new
    return replace(row, cache=known.cache, name=known.name, address=address)


def _row_size(row: CacheRow) -> int:
    return _ROW + len(row.name) + sum(_TEXT + len(alias) for alias in row.aliases)


def _inspection_size(inspection: Inspection | None) -> int:
    if inspection is None:
        return 0
    return sum(
        _INSPECTION_ROW + sum(_TEXT + len(text) for text in (row.comm, row.cgroup, *row.frames) if text)
        for row in inspection.rows
    )
