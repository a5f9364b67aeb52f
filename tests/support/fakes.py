"""Snapshots and sources made up by tests, for what a real kernel cannot be made to do."""

from collections.abc import Callable
from itertools import count

from slabtui.model.inspection import Request
from slabtui.model.snapshot import CacheRow, Snapshot, Totals

LOADAVG = "0.38 0.21 0.12 1/342 13297"


def cache(number: int, name: str | None = None, allocs: int = 0, size: int | None = 64) -> CacheRow:
    """Return a row whose bytes follow from its allocs."""
    return CacheRow(
        cache=0xFFFF888100000000 + number * 256,
        name=f"cache-{number}" if name is None else name,
        size=size,
        object_size=size,
        allocs=allocs,
        bytes=allocs * (size or 0),
    )


def caches(number: int) -> tuple[CacheRow, ...]:
    """Return so many active caches; the one with the highest number has the most allocs and bytes."""
    return tuple(cache(i, allocs=i + 1, size=8 * (i + 1)) for i in range(number))


def snapshot(*rows: CacheRow, time: float = 1.7e9, lost: int | None = 0, **more: object) -> Snapshot:
    return Snapshot(time=time, elapsed=1.0, loadavg=LOADAVG, rows=rows, lost=lost, **more)


class FakeSource:
    """A source whose totals come from a function of the number of the reading, from 0."""

    notes: tuple[str, ...] = ()

    def __init__(self, totals: Callable[[int], Totals]) -> None:
        self._totals = totals
        self._readings = count()
        self.closed = False
        self.begun = self.settled = False
        self.watched: list[Request] = []

    def begin(self, wake: Callable[[], None]) -> None:
        self.begun = True

    def advance(self) -> None:
        pass

    def settle(self) -> None:
        self.settled = True

    def watch(self, wanted: Request) -> None:
        self.watched.append(wanted)

    def totals(self) -> Totals:
        return self._totals(next(self._readings))

    def close(self) -> None:
        self.closed = True


def growing(number: int, step: int = 1) -> FakeSource:
    """Return a source of so many caches, each with `step` more allocs at every reading."""
    return FakeSource(lambda reading: Totals(tuple(cache(i, allocs=reading * step) for i in range(number)), 0))
