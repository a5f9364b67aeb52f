"""Measures the CPU time of the real program, from outside."""

import re
import time

from tests.tools.bench.report import Report
from tests.tools.bench.terminal import COLUMNS, ROWS, Program, running

_CACHES = re.compile(r"(\d+) of (\d+) caches")


def show(report: Report, seconds: float) -> None:
    """Start the program, measure it, and report."""
    report.heading(f"The program itself, on a pseudo-terminal of {COLUMNS} x {ROWS}")
    with running("1") as program:
        program.wait(lambda lines: _caches(lines) is not None)
        share, seen = _share(program, seconds)
    report.figure(
        f"CPU share, {seen} caches on this kernel, interval 1 s, for {seconds:g} s",
        f"{share:.2f} %",
        "at most 0.5 % with 250 caches",
    )
    report.text(
        "CPU share is the user and system time of the process. It does not include the cost of events, which the "
        "allocating processes pay."
    )
    report.learn(f"At an interval of 1 s the program takes {share:.2f} % of one CPU.")


def _caches(lines: list[str]) -> int | None:
    found = _CACHES.search("\n".join(lines))
    return int(found[2]) if found else None


def _share(program: Program, seconds: float) -> tuple[float, int]:
    before, since = program.cpu_seconds(), time.perf_counter()
    program.watch(seconds)
    share = 100 * (program.cpu_seconds() - before) / (time.perf_counter() - since)
    return share, _caches(program.lines) or 0
