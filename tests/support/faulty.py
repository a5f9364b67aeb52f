"""Runs slabtui with an artificial, faulty source: `python -m tests.support.faulty KIND [ARGUMENTS]`."""

import os
import signal
import sys
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from slabtui.cli import main, session
from slabtui.collector import Source
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import About, InspectionKind, InspectionReading, InspectionTotals
from slabtui.model.request import Request
from slabtui.model.snapshot import Reading
from slabtui.text import printable
from tests.support.fakes import FakeSource, growing, totals

HOSTILE = [b"\x1b[2J\x1b]0;owned\x07", b"a b", b"x" * 64, b"\xff\xfe\n\r\t", "\u202eevil\u200b".encode(), b"back\\"]
# Combining and of no width, wide, half as wide as their bytes, of another direction, outside the first plane.
FOREIGN = [
    "e\u0301\u0301",
    "\u200d",
    "\u540d\u524d" * 20,
    "\uff71\uff72",
    "\u0645\u0631",
    "\U0001f600",
    "caf\xe9",
    "\u2588",
]


def _dying(reading: int) -> Reading:
    if reading >= 2:
        raise RuntimeError("the thread broke")
    return Reading((totals(1, allocs=reading),))


def _failing(reading: int) -> Reading:
    if reading >= 2:
        raise OSError("the map is gone")
    return Reading((totals(1, "dentry", allocs=reading),))


def _hanging(reading: int) -> Reading:
    if reading >= 4:
        time.sleep(600)
    return Reading((totals(1, allocs=reading),))


def _hostile(reading: int) -> Reading:
    return Reading(tuple(totals(i, printable(name), allocs=reading) for i, name in enumerate(HOSTILE)))


class _Announcing(FakeSource):
    """Creates the file that CLOSED in the environment names when it is closed."""

    def close(self) -> None:
        super().close()
        if path := os.environ.get("CLOSED"):
            Path(path).touch()


class _Foreign(FakeSource):
    """Names in every alphabet, and processes of such names in every cache that is inspected."""

    def __init__(self) -> None:
        super().__init__(
            lambda reading: Reading(tuple(totals(i, name, allocs=reading) for i, name in enumerate(FOREIGN)))
        )

    def read(self) -> Reading:
        reading = super().read()
        wanted = (self.requests[-1] if self.requests else Request()).inspection
        if wanted is None or all(row.cache != wanted.cache for row in reading.rows):
            return reading
        assert isinstance(wanted.cache, CacheKey)
        return replace(reading, inspections=tuple(self._inspect(wanted.cache, kind) for kind in wanted.kinds))

    def _inspect(self, cache: CacheKey, kind: InspectionKind) -> InspectionReading:
        found = InspectionReading(cache, kind)
        if kind is InspectionKind.ABOUT:
            return replace(found, about=About(aliases=tuple(FOREIGN)))
        return replace(found, rows=tuple(_row(kind, pid, name) for pid, name in enumerate(FOREIGN, 1)))


def _row(kind: InspectionKind, pid: int, name: str) -> InspectionTotals:
    frames = () if kind is InspectionKind.PROCESSES else (f"{name}+0x1", name)
    if kind is InspectionKind.CALLERS:
        return InspectionTotals(frames, total_allocs=9, total_bytes=9)
    return InspectionTotals(frames, pid, name, f"{name} --{name}", False, f"/{name}", total_allocs=9, total_bytes=9)


def _dropping() -> NoReturn:
    """Receive the signal in the callback of a weak reference, where an exception is dropped, and wait."""

    class Referred:
        pass

    referred = Referred()
    reference = weakref.ref(referred, lambda _: signal.raise_signal(int(sys.argv[2])))
    del referred
    while reference() is None:
        time.sleep(600)
    raise AssertionError


SOURCES: dict[str, Callable[[], Source]] = {
    "dying": lambda: FakeSource(_dying),
    "failing": lambda: FakeSource(_failing),
    "dropping": _dropping,
    "foreign": _Foreign,
    "hanging": lambda: FakeSource(_hanging),
    "hostile": lambda: FakeSource(_hostile),
    "many": lambda: _Announcing(growing(500).reading),
}


if __name__ == "__main__":
    session.open_kernel = lambda options, is_screen: SOURCES[sys.argv[1]]()
    sys.exit(main.main(["-C"] if sys.argv[1] == "dropping" else sys.argv[2:]))
