"""Makes an exactly known number of allocations for each line of its input: `python -m tests.support.workload KIND N`.

KIND is

- `open`: an open(2) of a path each, which is one struct file; or two, where another process mounts or unmounts a file
  system meanwhile, for the kernel then walks the path again (do_filp_open() in fs/namei.c);
- `eventfd`: an eventfd(2) each, which is one struct file always;
- `select`: a select(2) over 601 descriptors each: the kernel asks for six bit sets of 80 bytes, which is one kmalloc of
  480 bytes (core_sys_select() in fs/select.c), and frees it before it returns;
- `stat`: a stat(2) of a path each, whose name takes one buffer of names_cache (getname_flags() in fs/namei.c), freed
  before it returns;
- `burst`, `trickle`, `three`: a mix of files of several kinds with pauses between them, each; `MIXES` says how many
  struct file each kind takes (a pipe takes two).

N is shared out to two threads, each pinned to a CPU of its own where there are two.
"""

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

OPEN, PIPE, EVENTFD = "open", "pipe", "eventfd"  # kinds of files
MIXES = {  # struct file of each kind in one round
    "burst": {OPEN: 2000, PIPE: 8},
    "trickle": {OPEN: 300, PIPE: 2},
    "three": {OPEN: 500, PIPE: 40, EVENTFD: 5},
}
_HIGH = 600  # the number of the descriptor that select(2) waits for


def _open(number: int) -> None:
    for _ in range(number):
        os.close(os.open("/dev/null", os.O_RDONLY))


def _select(number: int) -> None:
    for _ in range(number):
        select.select([_HIGH], [], [], 0)


def _stat(number: int) -> None:
    for _ in range(number):
        os.stat("/etc/passwd")


def _pipe(number: int) -> None:
    for _ in range(number):
        for end in os.pipe():
            os.close(end)


def _eventfd(number: int) -> None:
    for _ in range(number):
        os.close(os.eventfd(0))


def _burst(number: int) -> None:
    for _ in range(number):
        _open(2000)
        time.sleep(0.003)
        _pipe(4)
        time.sleep(0.003)


def _trickle(number: int) -> None:
    for _ in range(number):
        _open(300)
        time.sleep(0.01)
        _pipe(1)
        time.sleep(0.01)


def _three(number: int) -> None:
    for _ in range(number):
        _open(500)
        time.sleep(0.002)
        _pipe(20)
        time.sleep(0.001)
        _eventfd(5)
        time.sleep(0.004)


WORK: dict[str, Callable[[int], None]] = {
    "open": _open,
    "eventfd": _eventfd,
    "select": _select,
    "stat": _stat,
    "burst": _burst,
    "trickle": _trickle,
    "three": _three,
}


def main(kind: str, number: int) -> None:
    if kind == "select":
        os.dup2(os.open("/dev/null", os.O_RDONLY), _HIGH)
    cpus = sorted(os.sched_getaffinity(0))[:2]
    shares = [number // len(cpus)] * len(cpus)
    shares[0] += number - sum(shares)
    together = threading.Barrier(len(cpus) + 1)

    def work(cpu: int, share: int) -> None:
        os.sched_setaffinity(0, {cpu})
        while True:
            together.wait()
            WORK[kind](share)
            together.wait()

    for pair in zip(cpus, shares, strict=True):
        threading.Thread(target=work, args=pair, daemon=True).start()
    print("ready", flush=True)
    while sys.stdin.readline():
        together.wait()
        together.wait()
        print("done", flush=True)


class Workload:
    """The process, which waits for its input."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.pid = process.pid
        assert self._answer() == "ready"

    def run(self) -> None:
        """Let it work, and return when it is done; it then waits, so that its PID is not reused."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        assert self._answer() == "done"

    def _answer(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


@contextmanager
def workload(kind: str, number: int, within: Sequence[str] = ()) -> Iterator[Workload]:
    """Start the process, `within` another command if there is one: then the PID is that of the command."""
    with subprocess.Popen(
        [*within, sys.executable, "-m", "tests.support.workload", kind, str(number)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Workload(process)
        assert process.stdin
        process.stdin.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
