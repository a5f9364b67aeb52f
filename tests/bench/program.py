"""The real program, from outside: how soon it shows something, what it takes while it runs."""

import re
import time

from tests.bench.report import heading, line, spread
from tests.bench.terminal import COLUMNS, ROWS, Program, running

_CACHES = re.compile(r"(\d+) of (\d+) caches")


def show(starts: int, seconds: float) -> None:
    """Start it, watch it, and print."""
    heading(f"The program itself, on a pseudo-terminal of {COLUMNS} x {ROWS}")
    _first_frame()  # not counted: it brings the files into memory
    times = [_first_frame() for _ in range(starts)]
    line(f"start to first frame, warm, {starts} starts", spread(times, 2), "s", "at most 0.5 s")
    with running("1") as program:
        program.wait(_complete)
        early = program.resident()
        program.wait(lambda lines: _caches(lines) is not None)
        share, seen = _share(program, seconds)
        line(
            f"CPU share, {seen} caches on this kernel, interval 1 s, for {seconds:g} s",
            f"{share:.2f}",
            "%",
            "at most 1 % with 250 caches",
        )
        line("resident memory after the first frame", f"{early:.0f}", "MiB")
        line(f"resident memory {seconds:g} s later", f"{program.resident():.0f}", "MiB")
    print("CPU share is the process's user and system time; what each event costs whoever allocates is not in it.")


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
