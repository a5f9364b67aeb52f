"""A program in a real pseudo-terminal, with a terminal emulator that shows what a user would see."""

import fcntl
import os
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

import pyte

PATIENCE = 60.0  # seconds: an emulated machine may need half of that to compile the BPF program


class Terminal:
    """Starts a program in a terminal of its own. A context manager: the program is gone at its end."""

    def __init__(self, argv: Sequence[str], size: tuple[int, int] = (80, 24), env: Mapping[str, str] = {}) -> None:
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self.output = bytearray()
        self.status: int | None = None
        self._master, slave = os.openpty()
        self.resize(size)
        # Not by pty.fork(): Python 3.12 warns of it in a process with threads. The signals are ignored where the tests
        # run in the background.
        self._process = subprocess.Popen(
            ["setsid", "--ctty", "env", "--default-signal=INT,HUP,QUIT", *argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **env},
        )
        os.close(slave)
        self.pid = self._process.pid

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.status is None:
            self._process.kill()
            self._process.wait()
        self.hang_up()

    @property
    def screen(self) -> pyte.Screen:
        """The screen, with the style of each character."""
        return self._screen

    @property
    def lines(self) -> list[str]:
        return list(self._screen.display)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def running(self) -> bool:
        """Whether the program has not ended yet."""
        self._reap()
        return self.status is None

    @property
    def settings(self) -> list[object]:
        """What stty(1) would show."""
        return termios.tcgetattr(self._master)

    def resize(self, size: tuple[int, int]) -> None:
        columns, rows = size
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def wait_for(self, seen: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Let the program draw until something is on the screen."""
        end = time.monotonic() + seconds
        while not seen():
            assert time.monotonic() < end, f"not seen within {seconds} s; the screen:\n{self.text}"
            self._pump(0.05)

    def draw_for(self, seconds: float) -> None:
        """Let the program draw for some time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._pump(left)

    def wait_for_exit(self, seconds: float = PATIENCE) -> int:
        """Let the program end, and return its exit status, -N for signal N."""
        end = time.monotonic() + seconds
        while self.status is None:
            assert time.monotonic() < end, f"still running after {seconds} s; the screen:\n{self.text}"
            self._pump(0.05)
            self._reap()
        self._pump(0.05)
        return self.status

    def hang_up(self) -> None:
        """Close the terminal, as when the connection breaks."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def _reap(self) -> None:
        self.status = self._process.poll()

    def _pump(self, seconds: float) -> None:
        if self._master < 0:
            time.sleep(seconds)
            return
        if not select.select([self._master], [], [], seconds)[0]:
            return
        try:
            read = os.read(self._master, 65536)
        except OSError:  # EIO: the program has closed its side
            time.sleep(seconds)
            return
        self.output += read
        self._stream.feed(read)
