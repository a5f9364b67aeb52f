"""Runs in the guest: the processor time of one load with nothing, with slabtui --held, and with memleak of bcc."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.workload import Workload, workload
from tests.tools.kernels import results
from tests.tools.kernels.oldtools import complaint
from tests.tools.kernels.results import Tracker, Trackers

PACKAGE, MEMLEAK = "bpfcc-tools", "usr/sbin/memleak-bpfcc"

_OPENS = 30_000
_RUNS = 3  # of the load with each tool, of which the fastest counts: the emulator shares its machine
_INTERVAL = "2"
_STARTS = 150.0  # seconds until the first table; bcc compiles against all of the kernel's headers
_STEP = 0.1


def main() -> None:
    """Write the figures to the file named on the command line."""
    results.run_step("trackers", compare)


def compare(tools: Path) -> Trackers:
    """Run the load with each tool in turn, and without any before and after them."""
    memleak = f"memleak of {PACKAGE} {(tools / PACKAGE / 'version').read_text().strip()}"
    commands = {
        "slabtui --held filp": ([sys.executable, "-m", "slabtui", "--held", "filp", _INTERVAL], "held of filp"),
        f"{memleak}": ([str(tools / PACKAGE / MEMLEAK), _INTERVAL], "outstanding allocations"),
        f"{memleak}, -s 100": ([str(tools / PACKAGE / MEMLEAK), "-s", "100", _INTERVAL], "outstanding allocations"),
    }
    with workload("open", _OPENS) as work:
        work.run()
        first = _time(work)
        found = tuple(_watched(name, command, begin, work) for name, (command, begin) in commands.items())
        return Trackers(_OPENS, min(first, _time(work)), found)


def _watched(name: str, command: list[str], begin: str, work: Workload) -> Tracker:
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory, "log")
        with _running(command, log) as process:
            until = time.monotonic() + _STARTS
            while begin not in log.read_text(errors="replace"):
                if process.poll() is not None or time.monotonic() > until:
                    return Tracker(name, trouble=complaint(log.read_text(errors="replace")) or "it printed nothing")
                time.sleep(_STEP)
            return Tracker(name, _time(work))


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=os.environ | {"PYTHONUNBUFFERED": "1"}, stdout=file, stderr=file)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _time(work: Workload) -> float:
    """Let the load run, and return the processor time that it took, in seconds: the programs run in its context."""
    each = []
    for _ in range(_RUNS):
        before = _spent(work.pid)
        work.run()
        each.append(_spent(work.pid) - before)
    return min(each)


def _spent(pid: int) -> float:
    """Return the processor time of a process, in seconds: utime and stime of proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
