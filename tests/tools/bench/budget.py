"""Measures whether tracking what is held stays within its budget, under a steady load."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from slabtui.kernel import held
from slabtui.kernel.abi import offsets
from slabtui.kernel.bpf.features import statistics
from slabtui.kernel.probe import Probe
from slabtui.model.inspection import InspectionKind
from tests.support import probes
from tests.support.keeper import keeping
from tests.tools.bench import ways
from tests.tools.bench.events import statistics_on
from tests.tools.bench.extras import Runs
from tests.tools.bench.report import Report

_CACHE = "filp"
_RATES = (20_000, 50_000, 100_000)  # opens per second
_PARTS = 100  # of a second, in each of which some files are opened
_TRACEPOINTS = ("kmem_cache_alloc", "kmem_cache_free", "kmalloc", "kfree")
_TITLES = ("opens/s", "% of one CPU in the first second", "% of one CPU on average", "N at the end")

Statistics = Callable[[], Mapping[str, int]]


def show(report: Report, seconds: int) -> None:
    """Measure each rate, and report."""
    rows = [(rate, *_measured(rate, seconds)) for rate in _RATES]
    report.heading(f"What is held: the budget of {held.BUDGET:.0%} of one CPU")
    report.text(
        f"Load: a process that opens and closes files at a steady rate for {seconds} s, in {_PARTS} parts per second, "
        f"while {_CACHE} is tracked. The cost is that of all programs that track, by the kernel's BPF statistics, above"
        " an empty program for each run. N doubles only after the budget has been exceeded for some time, and a single "
        "address that is used again and again is either in the sample or not. So the cost does not fall evenly."
    )
    table = [(f"{rate:,}", f"{first:.1f}", f"{mean:.1f}", str(one_in)) for rate, first, mean, one_in in rows]
    report.table(_TITLES, table)
    costs = ", ".join(f"{mean:.1f} % at {rate:,}" for rate, _, mean, _ in rows)
    report.learn(
        f"To track what is held of {_CACHE} costs, on average over {seconds} s, in % of one CPU: {costs} opens/s."
    )


def _measured(rate: int, seconds: int) -> tuple[float, float, int]:
    """Return the cost in the first second and on average, in percent of one CPU, and N at the end."""
    with ExitStack() as stack:
        stack.enter_context(statistics_on())
        empty = [stack.enter_context(ways.empty(name, _CACHE)).statistics for name in _TRACEPOINTS]
        keeper = stack.enter_context(keeping())
        probe = Probe(offsets.read())
        stack.callback(probe.close)
        probes.read(probe)
        probes.request(probe, probes.inspecting(_CACHE, InspectionKind.HELD))
        programs = probes.program_descriptors(probe)
        own = [partial(statistics, programs[f"held: {name}"]) for name in _TRACEPOINTS]
        costs, one_in = list[float](), 1
        for _ in range(seconds):
            before, began = [dict(one()) for one in (*own, *empty)], time.monotonic()
            for part in range(_PARTS):
                keeper.do("open", rate // _PARTS)
                time.sleep(max(0.0, began + (part + 1) / _PARTS - time.monotonic()))
            spent = _find_cost(own, empty, before)
            costs.append(spent / (time.monotonic() - began) / 1e7)
            one_in = probes.find(probes.read(probe)).one_in
    return costs[0], sum(costs) / len(costs), one_in


def _find_cost(own: Sequence[Statistics], empty: Sequence[Statistics], before: Sequence[Mapping[str, int]]) -> float:
    """Return the nanoseconds that programs have taken since, above empty ones."""
    runs = [Runs.between(then, one()) for then, one in zip(before, (*own, *empty), strict=True)]
    pairs = zip(runs[: len(own)], runs[len(own) :], strict=True)
    return sum(one.number * (one.each - base.each) for one, base in pairs)
