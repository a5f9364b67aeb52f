"""Compares estimates of what is held with the truth, on the running kernel; writes the table in docs/counting.md.

`python -m tests.tools.estimates` makes 100 runs for each N; with a number of runs it prints their table. In each run
one process keeps some files and closes others between them, and the sample is another one. Only that process is
counted.
"""

import math
import statistics
import sys
from dataclasses import dataclass

from slabtui.kernel.probe import Probe
from slabtui.model.inspection import InspectionKind
from slabtui.model.request import Request
from tests import ROOT
from tests.support import probes
from tests.support.keeper import Keeper, keeping

PAGE = ROOT / "docs" / "counting.md"
BEGIN, END = "<!-- estimates: written by tests/tools/estimates.py -->", "<!-- end of estimates -->"
RUNS = 100
KEPT, CLOSED, PARTS = 4_000, 20_000, 4  # objects of a run, and in how many turns
DOUBLINGS = (0, 4, 8)  # N is 1, 16, 256

_CACHE, _FUNCTION = "filp", "eventfd"


@dataclass(frozen=True, slots=True)
class Run:
    """What a run has estimated: objects, and the standard error."""

    objects: int
    error: float


def estimate(probe: Probe, keeper: Keeper, doublings: int) -> Run:
    """Let the process keep files, and return how many are held by the estimate."""
    probes.request(probe, probes.inspecting(_CACHE, InspectionKind.HELD))
    holder = probe.holdings.part.part
    assert holder is not None
    holder._check((), least=doublings)  # type: ignore[attr-defined]
    for _ in range(PARTS):
        keeper.do("eventfd", KEPT // PARTS)
        keeper.do("open", CLOSED // PARTS)
    reading = probes.find(probe.read())
    assert reading.one_in == 1 << doublings
    held = [row.held for row in reading.rows if row.held and any(_FUNCTION in frame for frame in row.frames)]
    keeper.do("free")
    probes.request(probe, Request())
    return Run(sum(one.objects for one in held), math.hypot(*(one.standard_error for one in held)))


def compare(runs: int) -> dict[int, list[Run]]:
    """Return the runs for each N."""
    found: dict[int, list[Run]] = {}
    with keeping() as keeper, probes.probing(keeper.pid) as probe:
        keeper.do("churn", 1)  # the cache has a row then
        probes.read(probe)
        for doublings in DOUBLINGS:
            found[1 << doublings] = [estimate(probe, keeper, doublings) for _ in range(runs)]
    return found


def table(found: dict[int, list[Run]]) -> str:
    """Return the table."""
    lines = [
        f"| N | runs | mean of the estimates of {KEPT:,} | bias | spread | standard error that slabtui states |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one_in, runs in found.items():
        objects = [run.objects for run in runs]
        mean, spread = statistics.mean(objects), statistics.stdev(objects)
        bias, uncertainty = 100 * (mean / KEPT - 1), 100 * spread / math.sqrt(len(runs)) / KEPT
        stated = math.sqrt(statistics.mean(run.error**2 for run in runs))
        cells = f"{one_in}", f"{len(runs)}", f"{mean:,.0f}", f"{bias:+.1f} % ± {uncertainty:.1f} %", f"{spread:,.0f}"
        lines.append(f"| {' | '.join((*cells, f'{stated:,.0f}'))} |")
    return "\n".join(lines)


def main() -> None:
    if sys.argv[1:]:
        print(table(compare(int(sys.argv[1]))))
        return
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(compare(RUNS))}\n\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
