"""The real program, from outside: what it takes of a CPU while it runs."""

import re
import time

from tests.tools.bench.report import Report
from tests.tools.bench.terminal import COLUMNS, ROWS, Program, running

_CACHES = re.compile(r"(\d+) of (\d+) caches")


def show(report: Report, seconds: float) -> None:
    """Start it, watch it, and tell."""
    report.heading(f"The program itself, on a pseudo-terminal of {COLUMNS} x {ROWS}")
    with running("1") as program:
        program.wait(lambda lines: _caches(lines) is not None)
        share, seen = _share(program, seconds)
    report.figure(
        f"CPU share, {seen} caches on this kernel, interval 1 s, for {seconds:g} s",
        f"{share:.2f} %",
        "at most 1 % with 250 caches",
    )
    report.text(
        "CPU share is the process's user and system time; what each event costs whoever allocates is not in it."
    )
    report.learn(f"At an interval of 1 s the program takes {share:.2f} % of a CPU.")


def _caches(lines: list[str]) -> int | None:
    found = _CACHES.search("\n".join(lines[:3]))
    return int(found[2]) if found else None


def _share(program: Program, seconds: float) -> tuple[float, int]:
    before, since = program.cpu_seconds(), time.perf_counter()
    program.watch(seconds)
    share = 100 * (program.cpu_seconds() - before) / (time.perf_counter() - since)
    return share, _caches(program.lines) or 0
