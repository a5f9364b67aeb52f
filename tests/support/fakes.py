"""Artificial snapshots, sources and a clock, for cases that cannot be caused in a real kernel."""

import math
import threading
from collections.abc import Callable
from dataclasses import fields
from itertools import count

from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.request import Request
from slabtui.model.snapshot import CacheRow, CacheTotals, Differences, Reading, Snapshot

LOADAVG = "0.38 0.21 0.12 1/342 13297"


def key(number: int, name: str | None = None) -> CacheKey:
    """Return the key of `cache(number, name)`: two caches of one name have different keys."""
    return CacheKey(KeyKind.CACHE, f"cache-{number}") if name is None else CacheKey(KeyKind.CACHE, name, number + 1)


def cache(number: int, name: str | None = None, allocs: int = 0, size: int | None = 64) -> CacheRow:
    """Return the row of a cache, of which everything was allocated in the interval."""
    whole = totals(number, name, allocs, size)
    known = {field.name: getattr(whole, field.name) for field in fields(whole)}
    return CacheRow(**known, allocs=whole.total_allocs, bytes=whole.total_bytes)


def totals(number: int, name: str | None = None, allocs: int = 0, size: int | None = 64) -> CacheTotals:
    """Return the totals of a cache."""
    return CacheTotals(
        cache=key(number, name),
        name=f"cache-{number}" if name is None else name,
        size=size,
        object_size=size,
        total_allocs=allocs,
        total_bytes=allocs * (size or 0),
    )


def caches(number: int) -> tuple[CacheRow, ...]:
    """Return this many active caches; the one with the highest number has the most allocs and bytes."""
    return tuple(cache(i, allocs=i + 1, size=8 * (i + 1)) for i in range(number))


def snapshot(*rows: CacheRow, time: float = 1.7e9, lost: int | None = 0, **more: object) -> Snapshot:
    return Snapshot(**{"time": time, "elapsed": 1.0, "loadavg": LOADAVG, "rows": rows, "lost": lost, **more})


def difference(before: Reading, after: Reading, moment: Snapshot) -> Snapshot:
    """Return the snapshot of one interval."""
    return Differences().between(before, after, moment)


class FakeSource:
    """A source whose readings come from a function of their number, from 0."""

    notes: tuple[str, ...] = ()
    scope = ""

    def __init__(self, reading: Callable[[int], Reading]) -> None:
        self.reading = reading
        self._readings = count()
        self.closed = False
        self.begun = self.settled = False
        self.requests: list[Request] = []
        self.intervals = self.measurements = 0

    def begin(self, wake: Callable[[], None]) -> None:
        self.begun = True

    def advance(self) -> None:
        pass

    def settle(self) -> None:
        self.settled = True

    def request(self, wanted: Request) -> None:
        self.requests.append(wanted)

    def measure(self) -> None:
        self.measurements += 1

    def read(self) -> Reading:
        return self.reading(next(self._readings))

    def end_interval(self, reading: Reading) -> None:
        self.intervals += 1

    def close(self) -> None:
        self.closed = True


def growing(number: int, step: int = 1) -> FakeSource:
    """Return a source of this many caches, each with `step` more allocs at every reading."""
    return FakeSource(lambda reading: Reading(tuple(totals(i, allocs=reading * step) for i in range(number))))


class FakeClock:
    """A clock that a test advances: a wait ends when its time is reached or its event is set."""

    def __init__(self) -> None:
        self._now = 0.0
        self._waits: list[list[float]] = []  # each with its end
        self._changed = threading.Condition()

    def time(self) -> float:
        return 1.7e9 + self._now

    def monotonic(self) -> float:
        return self._now

    def wait(self, event: threading.Event, seconds: float | None) -> None:
        with self._changed:
            end = [math.inf if seconds is None else self._now + seconds]
            self._waits.append(end)
            self._changed.notify_all()
            while any(end is other for other in self._waits) and not event.is_set():
                self._changed.wait(0.001)  # setting the event does not notify
            self._waits = [other for other in self._waits if other is not end]

    def advance(self, seconds: float) -> None:
        """Let this much time pass at once."""
        with self._changed:
            self._now += seconds
            self._waits = [end for end in self._waits if end[0] > self._now + 1e-9]
            self._changed.notify_all()

    def advance_waiter(self, seconds: float) -> None:
        """Let this much time pass as soon as a thread waits for the time."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._waits, 10), "no thread waits"
        self.advance(seconds)
