"""Runs slabtui with a source that this module makes up: `python -m tests.faulty KIND [ARGUMENTS OF slabtui]`."""

import sys
from collections.abc import Callable

from slabtui import cli
from slabtui.collector import Source
from slabtui.snapshot import Totals
from slabtui.text import printable
from tests.fakes import FakeSource, cache, growing

HOSTILE = [b"\x1b[2J\x1b]0;owned\x07", b"a b", b"x" * 64, b"\xff\xfe\n\r\t", "\u202eevil\u200b".encode(), b"back\\"]


def _dying(reading: int) -> Totals:
    if reading >= 2:
        raise RuntimeError("the thread broke")
    return Totals((cache(1, allocs=reading),), 0)


def _failing(reading: int) -> Totals:
    if reading >= 2:
        raise OSError("the map is gone")
    return Totals((cache(1, "dentry", allocs=reading),), 0)


def _hostile(reading: int) -> Totals:
    return Totals(tuple(cache(i, printable(name), allocs=reading) for i, name in enumerate(HOSTILE)), 0)


SOURCES: dict[str, Callable[[], Source]] = {
    "dying": lambda: FakeSource(_dying),
    "failing": lambda: FakeSource(_failing),
    "hostile": lambda: FakeSource(_hostile),
    "many": lambda: growing(500),
}


if __name__ == "__main__":
    cli.open_kernel = lambda options, screen: SOURCES[sys.argv[1]]()
    sys.exit(cli.main(sys.argv[2:]))
