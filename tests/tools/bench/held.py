"""Measures what it costs to track what is held, per event: outside the sample, in it, and with a stack."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from statistics import median

from slabtui.kernel import held
from slabtui.kernel.abi import offsets
from slabtui.kernel.bpf.features import statistics
from slabtui.kernel.probe import Probe
from slabtui.model.inspection import InspectionKind
from tests.support import probes
from tests.tools.bench import load, ways
from tests.tools.bench.events import statistics_on
from tests.tools.bench.extras import QUIET, Pair, Runs
from tests.tools.bench.report import Report, spread

_FREELY = {"BUDGET": 1000.0, "SHARE": 1.0, "STRATUM_SHARE": 1.0}  # each stack is taken, and N does not double
_NO_STACKS = {"BUDGET": 1000.0, "SHARE": 1e-6, "STRATUM_SHARE": 1e-6}  # of the first events only
_LARGE = 10  # doublings of N
_TITLES = ("event", "ns per allocation", "ns per free")


@dataclass(frozen=True, slots=True)
class _Case:
    """Events of one kind.

    Attributes:
        name: what they are called in the table.
        quiet: whether another cache is tracked.
        doublings: log2 of N.
        limits: those of held.py, which decide how many stacks are taken.
    """

    name: str
    quiet: bool = False
    doublings: int = 0
    limits: Mapping[str, float] = field(default_factory=lambda: _NO_STACKS)


_CASES = (
    _Case("of a cache that is not tracked", quiet=True),
    _Case(f"of the tracked cache, outside the sample (N = {1 << _LARGE:,})", doublings=_LARGE),
    _Case("in the sample (N = 1), but not tracked, since a stack would cost too much"),
    _Case("in the sample (N = 1), and tracked, with its stack", limits=_FREELY),
)


@dataclass(frozen=True, slots=True)
class Events:
    """The events of a tracepoint in one round: how many, how many of them of the cache, and nanoseconds of each."""

    number: int
    of_cache: int
    each: float


def show(report: Report, pair: Pair, calls: int, rounds: int, cpus: Sequence[int]) -> None:
    """Measure each kind of event under the same load, and report."""
    rounds_of = {case.name: _measured(case, pair, calls, rounds, cpus[:1]) for case in _CASES}
    others = [median(each.each for each in of_event) for of_event in zip(*rounds_of[_CASES[0].name], strict=True)]
    costs = {
        name: [
            [of_cache(runs, other) for runs in of_event]
            for of_event, other in zip(zip(*found, strict=True), others, strict=True)
        ]
        for name, found in rounds_of.items()
    }
    report.heading(f"What is held: {pair.alloc} and {pair.free}")
    report.text(
        f"Load: {calls:,} {pair.kind} on one CPU, one object of {pair.cache} each, allocated and freed; rounds: "
        f"{rounds}; median (lowest to highest), by the kernel's BPF statistics, above an empty program. These programs "
        "run beside those that count. The load also has events of other caches, which cost as much as the first row "
        "says; they are subtracted."
    )
    report.table(_TITLES, [(name, *map(spread, found)) for name, found in costs.items()])
    report.text(
        "memleak of bcc compiles against the kernel's headers: [kernels.md](kernels.md) compares both under one load."
    )
    each = ", ".join(f"{name}: {sum(map(median, found)):.0f} ns" for name, found in costs.items())
    report.learn(f"To track what is held costs, for each object at `{pair.alloc}` and `{pair.free}`, {each}.")


def of_cache(events: Events, other: float) -> float:
    """Return the nanoseconds of an event of the cache, where one of another cache takes `other`."""
    return other + (events.each - other) * events.number / events.of_cache


def _measured(case: _Case, pair: Pair, calls: int, rounds: int, cpus: Sequence[int]) -> list[tuple[Events, Events]]:
    """Return the allocations and the frees of each round, above empty programs."""
    with ExitStack() as stack:
        stack.enter_context(statistics_on())
        stack.enter_context(_limited(case.limits))
        for tracepoint in (pair.alloc, pair.free):  # the first program runs with cold CPU caches
            stack.enter_context(ways.empty(tracepoint, pair.cache))
        bases = [stack.enter_context(ways.empty(tracepoint, pair.cache)) for tracepoint in (pair.alloc, pair.free)]
        probe = Probe(offsets.read())
        stack.callback(probe.close)
        loaded = stack.enter_context(load.ready(pair.kind, calls, cpus))
        probes.read(probe)
        probes.request(probe, probes.inspecting(QUIET if case.quiet else pair.cache, InspectionKind.HELD))
        holder = probe.holdings.part.part
        assert holder is not None
        if case.doublings:
            holder._check((), least=case.doublings)
        programs = probes.program_descriptors(probe)
        own = [partial(statistics, programs[f"held: {tracepoint}"]) for tracepoint in (pair.alloc, pair.free)]
        read = [*own, *(base.statistics for base in bases)]
        loaded.run(partial(probes.read, probe))
        found = []
        for _ in range(rounds):
            before, allocs = [dict(one()) for one in read], _count(probe, pair.cache)
            loaded.run(partial(probes.read, probe))
            runs = [Runs.between(then, one()) for then, one in zip(before, read, strict=True)]
            objects = _count(probe, pair.cache) - allocs  # as many are freed
            alloc, free = (
                Events(run.number, run.number if case.quiet else min(objects, run.number), run.each - empty.each)
                for run, empty in zip(runs[:2], runs[2:], strict=True)
            )
            found.append((alloc, free))
    return found


def _count(probe: Probe, cache: str) -> int:
    """Return how many objects of a cache were allocated so far."""
    return next(row.total_allocs for row in probes.read(probe).rows if row.name == cache)


@contextmanager
def _limited(limits: Mapping[str, float]) -> Iterator[None]:
    """Let what is tracked from now on have other limits, during this block."""
    before = {name: getattr(held, name) for name in limits}
    for name, value in limits.items():
        setattr(held, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(held, name, value)
