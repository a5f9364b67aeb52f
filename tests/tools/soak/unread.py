"""Leaves a terminal unread for long, with the pipe that wakes the screen at its smallest size; then sends a signal."""

import fcntl
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.bpf import gone, program_ids
from tests.support.terminal import Terminal

INTERVAL = "0.1"
_SMALLEST_PIPE = 4096  # bytes; one is written in each interval
_LEFT = 50  # bytes left free if a run is too short to fill it: five seconds
_ENDS_WITHIN = 5.0  # seconds; it takes one, and the machine may be busy
_BLOCKS_WITHIN = 60.0
_SIZE = (200, 50)


@dataclass(frozen=True, slots=True)
class Unread:
    """What slabtui did.

    Attributes:
        counted: whether its threads did not block in the pipe.
        went_on: whether the screen changed after the terminal was read again.
        status: its exit status after SIGTERM, while the terminal was not read; None: it did not end.
        seconds: how long it took to end.
        restored: whether the terminal had its settings again.
        detached: whether no program was left in the kernel.
    """

    counted: bool
    went_on: bool
    status: int | None
    seconds: float
    restored: bool
    detached: bool


def leave(command: Sequence[str], seconds: float) -> Unread:
    """Start slabtui, leave its terminal unread for some time, read it, leave it unread, and end it by SIGTERM."""
    before = program_ids()
    with Terminal([*command, INTERVAL], size=_SIZE) as terminal:
        with Terminal(["sleep", "0"]) as fresh:
            usual = fresh.settings
        terminal.wait_for(lambda: "allocs/s" in terminal.text)
        _wait_for(lambda: _waits(terminal.pid, "n_tty_write", "wait_woken"), _BLOCKS_WITHIN)
        _fill(terminal.pid, None if seconds > 2 * _SMALLEST_PIPE * float(INTERVAL) else _LEFT)
        time.sleep(seconds)
        counted = not _waits(terminal.pid, "pipe_write", "anon_pipe_write")
        clock = terminal.lines[0]
        with suppress(AssertionError):
            terminal.wait_for(lambda: terminal.lines[0] != clock)
        went_on = terminal.lines[0] != clock
        _wait_for(lambda: _waits(terminal.pid, "n_tty_write", "wait_woken"), _BLOCKS_WITHIN)
        os.kill(terminal.pid, signal.SIGTERM)
        began = time.monotonic()
        with suppress(AssertionError):
            _wait_for(lambda: not terminal.running, _ENDS_WITHIN)
        took, restored = time.monotonic() - began, terminal.settings == usual
    return Unread(counted, went_on, terminal.status, took, restored, gone(before))


def _fill(pid: int, left: int | None) -> None:
    """Make the pipe that wakes the main loop as small as possible, and fill it except for `left` bytes."""
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        flags = Path(f"/proc/{pid}/fdinfo/{entry.name}").read_text()
        if not str(entry.readlink()).startswith("pipe:") or int(flags.split()[3], 8) & os.O_ACCMODE != os.O_WRONLY:
            continue
        writer = os.open(entry, os.O_WRONLY | os.O_NONBLOCK)
        with suppress(BlockingIOError):
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _SMALLEST_PIPE)
            if left is not None:
                os.write(writer, bytes(_SMALLEST_PIPE - left))
        os.close(writer)


def _waits(pid: int, *places: str) -> bool:
    """Return whether a thread waits in one of these functions of the kernel, now and a moment later."""

    def now() -> bool:
        tasks = Path(f"/proc/{pid}/task")
        return any((task / "wchan").read_text() in places for task in tasks.iterdir())

    if not now():
        return False
    time.sleep(3 * float(INTERVAL))
    return now()


def _wait_for(seen: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end, f"not seen within {seconds} s"
        time.sleep(0.05)
