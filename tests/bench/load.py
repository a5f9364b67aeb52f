"""A load of one kind of allocation: one process per CPU, started and stopped from outside so that only it is timed."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO

_NO_BYTES = [b""] * 16  # more than the kernel keeps on its stack: it allocates 16 bytes for each


def opens(times: int) -> None:
    """Open and close a file: one struct file from the cache filp each time, and a buffer for the path."""
    open_file, close = os.open, os.close
    for _ in range(times):
        close(open_file("/dev/null", os.O_WRONLY))


def writes(times: int) -> None:
    """Write nothing from many buffers: one kmalloc each time, and nothing else."""
    nowhere = os.open("/dev/null", os.O_WRONLY)
    write, buffers = os.writev, _NO_BYTES
    for _ in range(times):
        write(nowhere, buffers)
    os.close(nowhere)


LOADS = {"opens": opens, "writes": writes}


class Load:
    """Processes that are ready and wait for a word."""

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        self._processes = processes

    def run(self) -> None:
        """Let all of them work at once, and wait until the last has finished; they stay until they are closed."""
        for process in self._processes:
            _pipe(process.stdin).write(b"go\n")
            _pipe(process.stdin).flush()
        for process in self._processes:
            _await(process)


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
    # Ctrl-C is for whoever measures, who then ends this too.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def _await(process: subprocess.Popen[bytes]) -> None:
    if not _pipe(process.stdout).readline():
        raise RuntimeError(f"a load process ended early: {process.args!r}")


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    assert end is not None
    return end


def _main(kind: str, times: str, cpu: str) -> None:
    os.sched_setaffinity(0, {int(cpu)})
    LOADS[kind](1000)  # so that the first timed calls are like all others
    print("ready", flush=True)
    if sys.stdin.readline():  # else whoever started this is gone
        LOADS[kind](int(times))
        print("done", flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    _main(*sys.argv[1:])
