"""The real program, from outside: how soon it shows something, what it takes while it runs."""

import re
import sys
import time
from statistics import median

from tests.bench.piped import running as piped
from tests.bench.report import Report, spread, times
from tests.bench.terminal import COLUMNS, ROWS, Program, running

_IMPORT = "import bcc, time; print('imported', flush=True); time.sleep(60)"
_CACHES = re.compile(r"(\d+) of (\d+) caches")


def show(report: Report, starts: int, seconds: float) -> None:
    """Start it, watch it, and tell."""
    report.heading(f"The program itself, on a pseudo-terminal of {COLUMNS} x {ROWS}")
    _first_frame(), _floor()  # not counted: they bring the files into memory
    frames = [_first_frame() for _ in range(starts)]
    floors, bare = zip(*(_floor() for _ in range(starts)), strict=True)
    start_ratio = times(median(frames), median(floors))
    report.figure(f"start to first frame, warm, {starts} starts", f"{spread(frames, 2)} s", "at most 0.5 s")
    report.figure("  as against Python that imports bcc and ends there", start_ratio)
    with running("1") as program:
        program.wait(_complete)
        early = program.resident()
        program.wait(lambda lines: _caches(lines) is not None)
        share, seen = _share(program, seconds)
        late = program.resident()
    report.figure(
        f"CPU share, {seen} caches on this kernel, interval 1 s, for {seconds:g} s",
        f"{share:.2f} %",
        "at most 1 % with 250 caches",
    )
    report.figure("resident memory after the first frame", f"{early:.0f} MiB")
    report.figure(f"resident memory {seconds:g} s later", f"{late:.0f} MiB")
    report.figure("  as against Python that has imported bcc", times(late, median(bare)))
    report.text(
        "CPU share is the process's user and system time; what each event costs whoever allocates is not in it."
    )
    report.learn(
        f"The first frame comes after {median(frames):.2f} s, {start_ratio} the time that Python takes to import bcc; "
        f"resident memory is {times(late, median(bare))} what Python then takes; at an interval of 1 s the program "
        f"takes {share:.2f} % of a CPU."
    )


def _floor() -> tuple[float, float]:
    """Return how long it takes to import bcc, and the memory in MiB that this alone takes."""
    with piped([sys.executable, "-c", _IMPORT], lambda line: line == "imported") as program:
        return program.seconds, program.resident()


def _first_frame() -> float:
    with running() as program:
        return program.wait(_complete) - program.started


def _complete(lines: list[str]) -> bool:
    """The line at the bottom is drawn last."""
    return "Quit" in lines[-1]


def _caches(lines: list[str]) -> int | None:
    found = _CACHES.search("\n".join(lines[:3]))
    return int(found[2]) if found else None


def _share(program: Program, seconds: float) -> tuple[float, int]:
    before, since = program.cpu_seconds(), time.perf_counter()
    program.watch(seconds)
    share = 100 * (program.cpu_seconds() - before) / (time.perf_counter() - since)
    return share, _caches(program.lines) or 0
