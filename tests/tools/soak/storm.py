"""The load: each CPU opens files without a pause, and short processes start and end."""

import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.tools.bench import load

PROCESSES = 20_000
_OPENS = 20_000  # per CPU between two checks of the time
_PORTIONS = 20  # into which the processes are divided over the time


class Storm:
    """Processes that wait for the load to start.

    Args:
        opens: the load of all CPUs.
        cpus: how many these are.

    Attributes:
        opened: how many files were opened since the start.
        processes: how many processes have started and ended.
    """

    def __init__(self, opens: load.Load, cpus: int) -> None:
        self._opens = opens
        self._cpus = cpus
        self._enough = threading.Event()
        self.pids = opens.pids
        self.opened = self.processes = 0

    @contextmanager
    def raging(self, seconds: float) -> Iterator[None]:
        """Run the load during this block; at the end all its processes have ended.

        Args:
            seconds: the expected length of the block, over which the starts of the processes are spread.
        """
        with ThreadPoolExecutor() as threads:
            parts = [threads.submit(self._open), threads.submit(self._start_processes, seconds)]
            try:
                yield
            finally:
                self._enough.set()
            for part in parts:
                part.result()

    def _open(self) -> None:
        while not self._enough.is_set():
            self._opens.run()
            self.opened += _OPENS * self._cpus

    def _start_processes(self, seconds: float) -> None:
        portion = PROCESSES // _PORTIONS
        begin = time.monotonic()
        for number in range(_PORTIONS):
            self._enough.wait(begin + number * seconds / _PORTIONS - time.monotonic())
            loop = f"i=0; while [ $i -lt {portion} ]; do /bin/true; i=$((i + 1)); done"
            subprocess.run(["sh", "-c", loop], check=True)
            self.processes += portion


@contextmanager
def ready(cpus: Sequence[int]) -> Iterator[Storm]:
    """Start one process per CPU that will open files; end them afterwards."""
    with load.ready("opens", _OPENS, cpus) as opens:
        yield Storm(opens, len(cpus))
