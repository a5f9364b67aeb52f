"""Opens and closes the tab of what is held, of one cache after the other, and sees what stays behind each time."""

import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from tests.support.bpf import gone, program_ids
from tests.support.footprint import left_by, resident
from tests.support.terminal import Terminal

INTERVAL = "0.2"
CACHES = ("filp", "dentry", "kmalloc-64", "task_struct", "vm_area_struct", "anon_vma")
WARM = 0.25  # of the time: every program is compiled, and the stacks of every cache are known
_OPEN = 1.0  # seconds that the tab is open
_WITHIN = 10.0  # seconds until the programs are detached; it takes an interval
_SIZE = (120, 30)
_HOLDS = re.compile(r"^holds ~?\d", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Opened:
    """What stayed behind.

    Attributes:
        times: how often the tab was opened and closed.
        shown: how often it showed how much is held.
        left: what was left each time that there were more programs, maps or descriptors for 10 s than after the first
            time, in words.
        warm: resident memory after a quarter of the time, in MiB.
        grown: its growth until the end.
        status: the exit status.
        detached: whether no program was left in the kernel.
    """

    times: int
    shown: int
    left: tuple[str, ...]
    warm: float
    grown: float
    status: int
    detached: bool


def open_and_close(command: Sequence[str], seconds: float) -> Opened:
    """Start slabtui, open and close the tab for some time, and end it."""
    before = program_ids()
    with Terminal([*command, INTERVAL], size=_SIZE) as terminal:
        terminal.wait_for(lambda: "allocs/s" in terminal.text)
        terminal.type("z")  # idle caches too
        times = shown = 0
        left, warm = [], None
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < seconds or not times:
            if warm is None and passed >= WARM * seconds:
                warm = resident(terminal.pid)
            shown += _open(terminal, CACHES[times % len(CACHES)])
            _close(terminal)
            if not times:
                terminal.draw_for(_WITHIN)
                usual = left_by(terminal.pid)
            if (now := _wait_until_back(terminal, usual)) != usual:
                left.append("{} programs, {} maps, {} descriptors".format(*now))
            times += 1
        grown = resident(terminal.pid) - (warm or 0)
        terminal.type("Q")
        status = terminal.wait_for_exit()
    return Opened(times, shown, tuple(left), (warm or 0) / 1024, grown / 1024, status, gone(before))


def _open(terminal: Terminal, cache: str) -> bool:
    """Open the tab of a cache for a moment; return whether it showed how much is held."""
    terminal.type(f"/{cache}\rL")
    with suppress(AssertionError):
        terminal.wait_for(lambda: _HOLDS.search(terminal.text) is not None, _WITHIN)
    terminal.draw_for(_OPEN)
    return _HOLDS.search(terminal.text) is not None


def _close(terminal: Terminal) -> None:
    """Close the tab, and clear the filter of the table."""
    terminal.type("\x1b")
    terminal.wait_for(lambda: "filter: " in terminal.text)
    terminal.type("\x1b")
    terminal.wait_for(lambda: "filter: " not in terminal.text)


def _wait_until_back(terminal: Terminal, usual: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return `usual` if slabtui holds no more programs, maps and descriptors within some time; else what it holds."""

    def is_back() -> bool:
        return all(now <= then for now, then in zip(left_by(terminal.pid), usual, strict=True))

    try:
        terminal.wait_for(is_back, _WITHIN)
    except AssertionError:
        return left_by(terminal.pid)
    return usual
