"""Runs a program whose output is a pipe; measures the time to its first line, and its memory."""

import os
import select
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_PATIENCE = 30.0  # seconds without output after which a program counts as broken


class DoesNotRunError(Exception):
    """The program cannot be measured here; `str()` is the reason, in its own words if possible."""


class Piped:
    """The program while it runs.

    Attributes:
        process: it.
        seconds: from its start to the first line that was waited for.
    """

    def __init__(self, process: subprocess.Popen[bytes], started: float, first: Callable[[str], bool]) -> None:
        self.process = process
        self._output = b""
        self.seconds = self._wait(first) - started

    def resident(self) -> float:
        """Return its resident memory in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))) / 1024

    def _wait(self, first: Callable[[str], bool]) -> float:
        assert self.process.stdout
        descriptor = self.process.stdout.fileno()
        deadline = time.perf_counter() + _PATIENCE
        while (left := deadline - time.perf_counter()) > 0:
            ready, _, _ = select.select([descriptor], [], [], left)
            at = time.perf_counter()
            read = os.read(descriptor, 1 << 16) if ready else b""
            self._output += read
            *lines, _ = self._output.decode(errors="replace").split("\n")
            if any(map(first, lines)):
                return at
            if not read:
                break
        raise DoesNotRunError(complaint(self._output.decode(errors="replace")))


@contextmanager
def running(command: Sequence[str], first: Callable[[str], bool]) -> Iterator[Piped]:
    """Start a program and wait for a line of its output; end it afterwards.

    Raises:
        DoesNotRunError: it ended before, or took too long.
    """
    started = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as process:
        try:
            yield Piped(process, started, first)
        finally:
            process.kill()


def complaint(output: str) -> str:
    """Return the line of a program's output that explains best why it ended."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["it says nothing"])[-1]
