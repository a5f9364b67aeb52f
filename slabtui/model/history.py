"""The last intervals of every cache, kept from the start: for the sparklines and for stepping back in time."""

from array import array
from collections import deque
from dataclasses import dataclass, replace
from itertools import islice

from slabtui.model.identity import CacheKey
from slabtui.model.inspection import Inspection
from slabtui.model.snapshot import CacheRow, Snapshot

LENGTH = 300  # intervals
MOST_ROWS_BYTES = 72 << 20  # of all rows: 500 caches that all change in each of 300 intervals take 67 MiB
MOST_INSPECTIONS_BYTES = 24 << 20  # of all inspections: 300 intervals of one with 200 callers take 21 MiB

# Bytes that CPython takes, as tracemalloc measures them: a row and its numbers where frees are counted; the reference
# to it in an interval; its rate; its place in the dict of places; a text beside its characters; a row of an inspection
# and its numbers.
_ROW, _REFERENCE, _RATE, _PLACE, _TEXT, _INSPECTION_ROW = 450, 8, 8, 60, 57, 290


@dataclass(slots=True)
class _Interval:
    """One interval.

    Attributes:
        snapshot: what it was.
        rates: objects and bytes allocated per second, from all caches.
        allocs: objects allocated per second, from the cache of each row: side by side, since a sparkline needs those of
            many intervals, and a processor takes longer to find a number somewhere in memory than to draw it.
        places: the place of each cache among the rows; the same object as that of the interval before, if it is equal.
        size: bytes that it takes in addition to the intervals before it, without its inspections.
        inspection_size: bytes that its inspections take; 0: there are none, or they were forgotten.
    """

    snapshot: Snapshot
    rates: tuple[float, float]
    allocs: "array[float]"
    places: dict[CacheKey, int]
    size: int
    inspection_size: int

    def row(self, cache: CacheKey) -> CacheRow | None:
        """Return the row of a cache; None: it has none."""
        place = self.places.get(cache)
        return None if place is None else self.snapshot.rows[place]

    def rate(self, cache: CacheKey) -> float:
        """Return the objects allocated per second from a cache."""
        place = self.places.get(cache)
        return 0.0 if place is None else self.allocs[place]


class History:
    """The last snapshots, the newest last.

    Attributes:
        added: how many snapshots were added, those that are no longer kept included.
    """

    def __init__(self) -> None:
        self.added = 0
        self._intervals: deque[_Interval] = deque()
        self._size = 0  # sum over all intervals, as `_inspection_size`
        self._inspection_size = 0

    def __len__(self) -> int:
        return len(self._intervals)

    def add(self, snapshot: Snapshot) -> None:
        """Keep a snapshot that covers some time; drop the oldest if they are more than 300 or take too much memory.

        Most caches of a kernel are idle most of the time: a row that equals the one before is kept once. A snapshot of
        another run, which began to count at another time, begins a new history.
        """
        if self._intervals and self._intervals[-1].snapshot.origin.since != snapshot.origin.since:
            while self._intervals:
                self._drop_oldest()
        self.added += 1
        newest = self._intervals[-1] if self._intervals else _Interval(snapshot, (0, 0), array("d"), {}, 0, 0)
        rows, before, places = [], newest.snapshot.rows, newest.places
        size = sum(_TEXT + len(note) for note in snapshot.notes) + (_REFERENCE + _RATE) * len(snapshot.rows)
        for row in snapshot.rows:
            place = places.get(row.cache)
            known = None if place is None else before[place]
            kept = row if known is None or known is row else _share(known, row)
            size += 0 if kept is known else _row_size(row)
            rows.append(kept)
        if [row.cache for row in rows] != list(places):
            places = {row.cache: place for place, row in enumerate(rows)}
            size += _PLACE * len(places)
        shared = replace(snapshot, rows=tuple(rows))
        allocs = [row.allocs for row in rows]
        rates = snapshot.per_second(sum(allocs)), snapshot.per_second(snapshot.bytes)
        each = array("d", [snapshot.per_second(number) if number else 0.0 for number in allocs])
        inspections = sum(map(_inspection_size, snapshot.inspections))
        self._intervals.append(_Interval(shared, rates, each, places, size, inspections))
        self._size += size
        self._inspection_size += inspections
        while len(self._intervals) > LENGTH or (self._size > MOST_ROWS_BYTES and len(self._intervals) > 1):
            self._drop_oldest()
        self._forget_inspections()

    def continue_numbers(self, other: "History") -> None:
        """Give the newest snapshot the number of the newest one of another history, which this one replaces.

        It is 300 at least, so that a history with the same newest snapshot and more others can replace this one.
        """
        self.added = max(other.added, LENGTH)

    def back(self, steps: int) -> Snapshot:
        """Return the snapshot this many intervals before the newest; IndexError: it is not kept."""
        return self._intervals[-1 - steps].snapshot

    def rates(self, back: int = 0, length: int = LENGTH) -> list[tuple[float, float]]:
        """Return the objects and the bytes allocated per second, from all caches, in up to `length` such intervals."""
        return [interval.rates for interval in self._until(back, length)]

    def series(self, cache: CacheKey, length: int, back: int = 0) -> list[float]:
        """Return the allocations per second of a cache in up to `length` intervals, ending `back` before the newest."""
        intervals = self._until(back, length)
        places = intervals[-1].places if intervals else {}
        place = places.get(cache)
        if place is None:
            return [one.rate(cache) for one in intervals]
        return [one.allocs[place] if one.places is places else one.rate(cache) for one in intervals]

    def past(self, cache: CacheKey, back: int = 0, length: int = LENGTH) -> list[CacheRow | None]:
        """Return the rows of a cache in up to `length` intervals up to `back` before the newest; None: it has none."""
        return [interval.row(cache) for interval in self._until(back, length)]

    def snapshots(self, back: int = 0) -> list[Snapshot]:
        """Return all snapshots up to the one `back` before the newest."""
        return [interval.snapshot for interval in self._until(back, LENGTH)]

    def _until(self, back: int, length: int) -> list[_Interval]:
        """Return up to `length` intervals, the last of them `back` before the newest."""
        return [*islice(reversed(self._intervals), back, back + length)][::-1]  # a deque is walked to where a slice is

    def _drop_oldest(self) -> None:
        oldest = self._intervals.popleft()
        self._size -= oldest.size
        self._inspection_size -= oldest.inspection_size

    def _forget_inspections(self) -> None:
        """Drop the oldest inspections where they take too much memory: one of processes may have 16,384 rows."""
        for interval in islice(self._intervals, len(self._intervals) - 1):
            if self._inspection_size <= MOST_INSPECTIONS_BYTES:
                break
            if interval.inspection_size:
                self._inspection_size -= interval.inspection_size
                interval.inspection_size = 0
                interval.snapshot = replace(interval.snapshot, inspections=())


def _share(known: CacheRow, row: CacheRow) -> CacheRow:
    """Return the row of a cache, with the objects of its row before where those are equal."""
    if known.total_allocs == row.total_allocs and known == row:  # the first comparison decides nearly always
        return known
    if known.cache is row.cache or known.name != row.name:
        return row
    address = known.address if known.address == row.address else row.address  # of a recording: all objects are new
    return replace(row, cache=known.cache, name=known.name, address=address)


def _row_size(row: CacheRow) -> int:
    aliases = sum(_TEXT + len(alias) for alias in row.aliases) if row.aliases else 0
    return _ROW + len(row.name) + aliases


def _inspection_size(inspection: Inspection) -> int:
    return sum(
        _INSPECTION_ROW + sum(_TEXT + len(text) for text in (row.comm, row.cmdline, row.cgroup, *row.frames) if text)
        for row in inspection.rows
    )
