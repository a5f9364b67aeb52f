"""Measures what one interval of the real program takes, step by step."""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tests.tools.bench.report import Report, spread
from tests.tools.bench.stepped import WARMING, Taken
from tests.tools.bench.terminal import COLUMNS, ROWS, executing

_SPARE = 20.0  # seconds for the start and the end
_GOAL = 5.0  # milliseconds: 0.5 % of one CPU


def show(report: Report, intervals: int) -> None:
    """Run the program for some intervals of 1 s, and report."""
    report.heading("One interval of the program itself, by step")
    report.text(
        f"The program runs on a pseudo-terminal of {COLUMNS} x {ROWS}, with a clock around each step. Processor time "
        f"in milliseconds; medians of {intervals} intervals. Other programs use the processor between two intervals, "
        "so that each step takes longer than in a loop. For /proc/slabinfo the kernel counts the free objects in the "
        "partial slabs of each cache: the more there are, the longer it takes."
    )
    found = measured(intervals)
    whole = median(found.whole)
    steps = sorted(found.steps.items(), key=lambda step: -step[1])
    report.table(
        ("step", "ms", "% of the interval's"),
        [(name, f"{taken:.2f}", f"{100 * taken / whole:.0f}") for name, taken in steps],
    )
    report.figure("processor time of one interval", f"{spread(found.whole)} ms", f"at most {_GOAL:g} ms")
    report.learn(f"One interval takes {whole:.1f} ms of processor time, most of it: {', '.join(_most(steps))}.")


def _most(steps: Sequence[tuple[str, float]]) -> list[str]:
    return [f"{name} {taken:.1f} ms" for name, taken in steps[:3]]


def measured(intervals: int, *arguments: str) -> Taken:
    """Run the program for some intervals of 1 s, with these arguments, and return what it took."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "steps.json")
        command = [sys.executable, "-m", "tests.tools.bench.stepped", str(file), *arguments]
        with executing([*command, "1", str(intervals + WARMING + 1)]) as program:
            program.watch_until_gone(intervals + _SPARE)
        return Taken(**json.loads(file.read_text()))


if __name__ == "__main__":  # by itself, for those who make a step faster
    show(Report(), int(sys.argv[1]) if len(sys.argv) > 1 else 10)
