"""Measures what one interval of the real program takes, step by step."""

import json
import sys
import tempfile
from pathlib import Path

from tests.tools.bench.report import Report
from tests.tools.bench.stepped import WARMING
from tests.tools.bench.terminal import COLUMNS, ROWS, executing

_SPARE = 20.0  # seconds for the start and the end


def show(report: Report, intervals: int) -> None:
    """Run the program for some intervals of 1 s, and report."""
    found = measured(intervals)
    report.heading(f"One interval of the program itself, by step, on a pseudo-terminal of {COLUMNS} x {ROWS}")
    steps = sorted(found["steps"].items(), key=lambda item: -item[1])
    report.table(
        ("step", "ms", "%"),
        [(name, f"{taken:.2f}", f"{100 * taken / found['whole']:.0f}") for name, taken in steps],
    )
    report.figure(
        f"processor time of one interval, mean of {found['intervals']}", f"{found['whole']:.2f} ms", "at most 5 ms"
    )
    report.figure("  of which in the kernel", f"{found['system']:.2f} ms")


def measured(intervals: int, *arguments: str) -> dict:
    """Return what `stepped` writes."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "steps.json")
        command = [sys.executable, "-m", "tests.tools.bench.stepped", str(file), *arguments]
        with executing([*command, "1", str(intervals + WARMING + 1)]) as program:
            program.watch_until_gone(intervals + _SPARE)
        return json.loads(file.read_text())


if __name__ == "__main__":
    report = Report()
    show(report, int(sys.argv[1]) if len(sys.argv) > 1 else 10)
