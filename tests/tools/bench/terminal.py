"""Pseudo-terminals: one that runs a real program, and one on which this process draws."""

import os
import select
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pyte
import urwid

from slabtui.views.app import App
from slabtui.views.terminal import PALETTE
from tests.tools.bench.piped import DoesNotRunError

COLUMNS, ROWS = 120, 40
SLABTUI = (sys.executable, "-m", "slabtui")

_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 30.0  # seconds until a program that shows nothing counts as broken


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a process, in bytes.

    Attributes:
        resident: everything in memory, including what it shares with other processes (RSS).
        share: the same with a proportional part of what is shared (PSS); None: unknown.
    """

    resident: int
    share: int | None


class Program:
    """A program while it runs, and what it shows.

    Attributes:
        started: when it was executed, by time.perf_counter().
        pid: its process.
    """

    def __init__(self, process: subprocess.Popen[bytes], terminal: int, started: float) -> None:
        self.started = started
        self.pid = process.pid
        self._process = process
        self._terminal = terminal
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def lines(self) -> list[str]:
        """The lines of the screen."""
        return list(self._screen.display)

    def wait(self, drawn: Callable[[list[str]], bool]) -> float:
        """Read until the screen is as expected; return the time at which those bytes came."""
        deadline = time.perf_counter() + _PATIENCE
        while time.perf_counter() < deadline:
            at = self._read(min(deadline, time.perf_counter() + 0.2))
            if drawn(self.lines):
                return at
            if self._process.poll() is not None:
                break
        raise DoesNotRunError("it does not draw the expected text:\n" + "\n".join(self.lines).rstrip())

    def watch(self, seconds: float) -> None:
        """Read what it draws for a while, as a terminal does."""
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            self._read(deadline)

    def cpu_seconds(self) -> float:
        """Return the processor time of all its threads so far, in user space and in the kernel."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> Memory:
        """Return its memory now."""
        resident = _kibibytes(Path(f"/proc/{self.pid}/status"), "VmRSS")
        assert resident is not None
        return Memory(resident, _kibibytes(Path(f"/proc/{self.pid}/smaps_rollup"), "Pss"))

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._terminal, keys.encode())

    def end(self) -> None:
        """Quit as a user does; end it if it does not."""
        try:
            self.type("qq")  # the first one may close a page
            self.watch_until_gone(5.0)
        finally:
            if self._process.poll() is None:
                self._process.terminate()
                self.watch_until_gone(5.0)
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()

    def watch_until_gone(self, seconds: float) -> None:
        """Read until it has ended, since a program whose terminal is full cannot end."""
        deadline = time.perf_counter() + seconds
        while self._process.poll() is None and time.perf_counter() < deadline:
            self._read(min(deadline, time.perf_counter() + 0.05))

    def _read(self, deadline: float) -> float:
        ready, _, _ = select.select([self._terminal], [], [], max(0.0, deadline - time.perf_counter()))
        at = time.perf_counter()
        if ready:  # this process has the other end open too: there is no end of file
            self._stream.feed(os.read(self._terminal, 1 << 16))
        return at


def _kibibytes(path: Path, name: str) -> int | None:
    """Return the bytes that a line of a file in /proc/PID gives in kB; None: it cannot be read, or has no such line."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), None)


@contextmanager
def running(*arguments: str) -> Iterator[Program]:
    """Start slabtui; end it afterwards."""
    with executing([*SLABTUI, *arguments]) as program:
        yield program


@contextmanager
def executing(command: Sequence[str], environment: Mapping[str, str] = {}) -> Iterator[Program]:
    """Start a program; end it afterwards."""
    with _pair() as (master, slave):
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=os.environ | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"} | environment,
            start_new_session=True,
        )
        program = Program(process, master, started)
        try:
            yield program
        finally:
            program.end()


@contextmanager
def drawn(app: App, size: tuple[int, int] = (COLUMNS, ROWS)) -> Iterator[urwid.MainLoop]:
    """Show the application on a terminal of this process, with escape sequences as in real use.

    Args:
        app: the application.
        size: columns and rows of the terminal.

    Yields:
        Its loop, started but not running. A thread reads what is drawn: a frame may be more than the terminal holds.
    """
    with _pair(size) as (master, slave), open(slave, closefd=False) as typed, open(slave, "w", closefd=False) as shown:
        threading.Thread(target=_swallow, args=(master,), daemon=True).start()
        loop = urwid.MainLoop(
            app.stack,
            PALETTE,
            urwid.display.raw.Screen(typed, shown),
            handle_mouse=False,
        )

        with loop.start():
            yield loop


def _swallow(master: int) -> None:
    """Read all that is drawn, until the terminal is closed."""
    with suppress(OSError):
        while os.read(master, 1 << 16):
            pass


@contextmanager
def _pair(size: tuple[int, int] = (COLUMNS, ROWS)) -> Iterator[tuple[int, int]]:
    columns, rows = size
    master, slave = os.openpty()
    try:
        termios.tcsetwinsize(slave, (rows, columns))
        yield master, slave
    finally:
        os.close(slave)
        os.close(master)
