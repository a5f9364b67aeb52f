"""Runs slabtui with a source that this module makes up: `python -m tests.support.faulty KIND [ARGUMENTS]`."""

import os
import signal
import sys
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from slabtui import cli
from slabtui.collector import Source
from slabtui.model.inspection import About, Inspection, InspectionRow, Kind, Request
from slabtui.model.snapshot import Totals
from slabtui.text import printable
from tests.support.fakes import FakeSource, cache, growing

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


def _dying(reading: int) -> Totals:
    if reading >= 2:
        raise RuntimeError("the thread broke")
    return Totals((cache(1, allocs=reading),), 0)


def _failing(reading: int) -> Totals:
    if reading >= 2:
        raise OSError("the map is gone")
    return Totals((cache(1, "dentry", allocs=reading),), 0)


def _hanging(reading: int) -> Totals:
    if reading >= 4:
        time.sleep(600)
    return Totals((cache(1, allocs=reading),), 0)


def _hostile(reading: int) -> Totals:
    return Totals(tuple(cache(i, printable(name), allocs=reading) for i, name in enumerate(HOSTILE)), 0)


class _Telling(FakeSource):
    """Creates the file that CLOSED in the environment names when it is closed."""

    def close(self) -> None:
        super().close()
        if path := os.environ.get("CLOSED"):
            Path(path).touch()


def _many(reading: int) -> Totals:
    return growing(500)._totals(reading)


class _Foreign(FakeSource):
    """Names in every alphabet, and processes of such names in every cache that is inspected."""

    def totals(self) -> Totals:
        counted = super().totals()
        wanted = self.watched[-1] if self.watched else Request()
        row = next((row for row in counted.rows if row.cache == wanted.cache), None)
        if row is None or wanted.kind is None:
            return counted
        if wanted.kind is Kind.ABOUT:
            return replace(counted, detail=Inspection(row.name, Kind.ABOUT, about=About(aliases=tuple(FOREIGN))))
        entries = tuple(
            InspectionRow(9, 9, 9, 9, pid=pid, comm=name, cgroup=f"/{name}")
            if wanted.kind is Kind.PROCESSES
            else InspectionRow(9, 9, 9, 9, frames=(f"{name}+0x1", name))
            for pid, name in enumerate(FOREIGN, 1)
        )
        return replace(counted, detail=Inspection(row.name, wanted.kind, entries=entries))


def _foreign(reading: int) -> Totals:
    return Totals(tuple(cache(i, name, allocs=reading) for i, name in enumerate(FOREIGN)), 0)


def _dropping() -> NoReturn:
    """Get the signal in the callback of a weak reference, which can raise nothing, and wait."""

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
    "foreign": lambda: _Foreign(_foreign),
    "hanging": lambda: FakeSource(_hanging),
    "hostile": lambda: FakeSource(_hostile),
    "many": lambda: _Telling(_many),
}


if __name__ == "__main__":
    cli.open_kernel = lambda options, screen: SOURCES[sys.argv[1]]()
    sys.exit(cli.main(["-C"] if sys.argv[1] == "dropping" else sys.argv[2:]))
