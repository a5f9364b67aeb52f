"""A load of one kind of allocation: one process per CPU, started before and ended after the measured time."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO

_TICK = 0.1  # seconds
_NO_BYTES = [b""] * 16  # more than the kernel keeps on its stack: it allocates 16 bytes for each


def opens(times: int) -> None:
    """Open and close a file: each time allocates one struct file from the cache filp, and a buffer for the path."""
    open_file, close = os.open, os.close
    for _ in range(times):
        close(open_file("/dev/null", os.O_WRONLY))


def writes(times: int) -> None:
    """Write many empty buffers `times` times: each allocates once by kmalloc, and nothing else."""
    nowhere = os.open("/dev/null", os.O_WRONLY)
    write, buffers = os.writev, _NO_BYTES
    for _ in range(times):
        write(nowhere, buffers)
    os.close(nowhere)


LOADS = {"opens": opens, "writes": writes}


class Load:
    """Processes that are ready and wait for the start."""

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        self._processes = processes
        self.pids = [process.pid for process in processes]

    def run(self, tick: Callable[[], object] | None = None) -> float:
        """Run all of them once at the same time, and wait until the last has finished.

        Args:
            tick: called periodically in that time.

        Returns:
            The processor time that they took, in seconds.
        """
        for process in self._processes:
            _pipe(process.stdin).write(b"go\n")
            _pipe(process.stdin).flush()
        return sum(float(_await(process, tick)) for process in self._processes)


@contextmanager
def ready(kind: str, times: int, cpus: Sequence[int]) -> Iterator[Load]:
    """Start one process on each CPU; at the end they are gone."""
    with ExitStack() as stack:
        processes = [stack.enter_context(_started(kind, times, cpu)) for cpu in cpus]
        for process in processes:
            _await(process)
        yield Load(processes)


@contextmanager
def _started(kind: str, times: int, cpu: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-I", __file__, kind, str(times), str(cpu)]
    # Ctrl-C goes to the benchmark only, which then ends this process.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def _await(process: subprocess.Popen[bytes], tick: Callable[[], object] | None = None) -> bytes:
    """Return the next line of a process."""
    output = _pipe(process.stdout)
    while tick and not select.select([output], [], [], _TICK)[0]:
        tick()
    line = output.readline()
    if not line:
        raise RuntimeError(f"a load process ended early: {process.args!r}")
    return line


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    assert end is not None
    return end


def _main(kind: str, times: str, cpu: str) -> None:
    os.sched_setaffinity(0, {int(cpu)})
    LOADS[kind](1000)  # so that the first measured calls are like the others
    print("ready", flush=True)
    while sys.stdin.readline():  # until the process that started this has ended
        before = time.process_time()
        LOADS[kind](int(times))
        print(time.process_time() - before, flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
