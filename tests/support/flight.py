"""Snapshots of a long time by an injected clock, and a recorder of them that is killed at any step of its work."""

import os
import random
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import Any, TypeVar

from slabtui.model.host import HostGrowth, Origin
from slabtui.model.memory import HostMemory
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.recording import flight
from slabtui.recording.flight import DirectorySink
from slabtui.recording.limits import Limits
from slabtui.recording.tape import Tape
from tests.support.fakes import key

BEGIN = 1_750_000_000.0
ACTIVE = 0.4  # the part of the caches that allocates in an interval, as on a busy machine

_Result = TypeVar("_Result")


def day(caches: int, intervals: int, seconds: float = 10.0, begin: float = BEGIN) -> Iterator[Snapshot]:
    """Yield the snapshots of one run; the counts are those of a machine that is busy."""
    chance = random.Random(caches)
    rows = [
        CacheRow(key(at, f"cache_{at}"), f"cache_{at}", 64 * (1 + at % 32), 64, live=100_000, mem=at << 16)
        for at in range(caches)
    ]
    rates = [chance.randrange(1, 10 ** (1 + at % 5)) for at in range(caches)]
    origin = Origin("live", "host", "6.12.0", begin)
    for at in range(1, intervals + 1):
        for number, row in enumerate(rows):
            rows[number] = _next(row, chance.randrange(1 + rates[number]) if chance.random() < ACTIVE else 0, chance)
        slab = (4 << 30) + (at << 12)
        yield Snapshot(
            begin + at * seconds,
            seconds,
            "0.38 0.21 0.12 1/342 13297",
            tuple(rows),
            events=sum(row.allocs for row in rows),
            memory=HostMemory(64 << 30, 32 << 30, slab, slab // 2, slab - slab // 2),
            growth=HostGrowth(begin, growing=False),
            origin=origin,
        )


def _next(row: CacheRow, allocs: int, chance: random.Random) -> CacheRow:
    """Return the row of the next interval. Every twentieth interval with allocations changes its growth, too."""
    if not (allocs or row.allocs or row.live_delta):
        return row
    assert row.size is not None
    assert row.live is not None
    delta = chance.randrange(-4, 5) if allocs and chance.random() < 0.5 else 0
    rate = chance.randrange(-999, 1000) / 1000 if allocs and chance.random() < 0.05 else row.growth_objects_s
    return replace(
        row,
        live=row.live + delta,
        total_allocs=row.total_allocs + allocs,
        total_bytes=row.total_bytes + allocs * row.size,
        allocs=allocs,
        bytes=allocs * row.size,
        live_delta=delta,
        growth_objects_s=rate or 0.0,
        recent_objects_s=rate or 0.0,
        growth_bytes_h=round((rate or 0.0) * row.size * 3600, 3),
        growing=False,
    )


def replayed(directory: Path) -> list[Snapshot]:
    """Return what a directory has."""
    return list(Tape([directory]).read())


def as_replayed(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """Return snapshots as a replay gives them."""
    return [replace(one, origin=replace(one.origin, source="replay")) for one in snapshots]


class Killer:
    """Kills this process with SIGKILL at one step of what a recorder does to its directory.

    Args:
        step: the number of the step, from 1: before or after a file is renamed, removed or synced, and before, amid and
            after each write.
    """

    def __init__(self, step: int) -> None:
        self._left = step

    def install(self) -> None:
        """Kill at that step from now on; only for a process that was forked for it."""
        create = flight.files.create
        flight.files.create = lambda path: _Counted(self.step, create(path))  # type: ignore[assignment,return-value]
        Path.unlink = self._around(Path.unlink)  # type: ignore[method-assign]
        Path.rename = self._around(Path.rename)  # type: ignore[method-assign]
        os.fdatasync = self._around(os.fdatasync)

    def step(self) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)

    def _around(self, call: Callable[..., _Result]) -> Callable[..., _Result]:
        def counted(*given: Any, **named: Any) -> _Result:
            self.step()
            try:
                return call(*given, **named)
            finally:
                self.step()

        return counted


class _Counted:
    """A file of which a write can be killed amid."""

    def __init__(self, step: Callable[[], None], file: FileIO) -> None:
        self._step = step
        self._file = file

    def write(self, data: bytes) -> int:
        self._step()
        half = self._file.write(data[: len(data) // 2])
        self._step()
        whole = half + self._file.write(data[half:])
        self._step()
        return whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def record_until_killed(directory: Path, snapshots: Iterable[Snapshot], limits: Limits, step: int) -> tuple[int, bool]:
    """Record in another process, which is killed at a step; return how many snapshots were written, and whether."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            Killer(step).install()
            sink = DirectorySink(directory, limits)
            for one in snapshots:
                sink.write(one)
                os.write(writing, b".")
            sink.close()
        finally:
            os._exit(0)
    os.close(writing)
    written = 0
    with open(reading, "rb") as pipe:
        written = len(pipe.read())
    _, status = os.waitpid(child, 0)
    return written, os.WIFSIGNALED(status)
