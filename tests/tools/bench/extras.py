"""Measures what is counted only on request: frees, and inspections of one cache."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from statistics import median

from slabtui.kernel.abi import offsets
from slabtui.kernel.bpf.features import statistics
from slabtui.kernel.probe import Probe
from slabtui.model.inspection import ON_PAGE, InspectionKind
from slabtui.model.request import Request
from tests.support import probes
from tests.tools.bench import events, load, ways
from tests.tools.bench.events import statistics_on
from tests.tools.bench.load import Load
from tests.tools.bench.report import Report, spread, times

QUIET = "task_struct"  # allocated when a process starts, and not by a load
_ALONE, _FREES, _ALL = "slabtui alone", "frees", "all kinds together"
_TITLES = (
    "what is counted",
    "ns per allocation",
    "above slabtui alone",
    "ns per free",
    "x slabtui alone",
    "% of one CPU",
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A load, and the tracepoints that each of its objects passes.

    Attributes:
        kind: the load.
        cache: the one from which it allocates exactly one object in each call.
        alloc: the tracepoint of the allocation.
        free: that of the free.
        named: whether these two name the cache, so that it need not be looked up.
    """

    kind: str
    cache: str
    alloc: str
    free: str
    named: bool


CACHE = Pair("opens", "filp", "kmem_cache_alloc", "kmem_cache_free", named=True)
KMALLOC = Pair("writes", "kmalloc-256", "kmalloc", "kfree", named=False)


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one request in one round.

    Attributes:
        alloc: nanoseconds for each allocation, all programs together, above empty ones.
        free: nanoseconds for each free; None: no program runs then.
        spent: nanoseconds of all runs of the programs of the request, above empty ones.
        seconds: how long the load ran.
        one_in: for stacks: one allocation in this many was sampled.
        taking: nanoseconds spent on taking stacks, by slabtui's clock.
    """

    alloc: float
    free: float | None
    spent: float
    seconds: float
    one_in: int
    taking: int


def show(report: Report, pair: Pair, calls: int, rounds: int, cpus: Sequence[int]) -> None:
    """Measure each request in turn under the same load, and report."""
    report.heading(f"Frees and inspections, which are counted on request: {pair.alloc} and {pair.free}")
    kinds = (InspectionKind.CALLERS, InspectionKind.PROCESSES, InspectionKind.STACKS)
    requests = {
        _ALONE: Request(),
        _FREES: Request(frees=True),
        **{f"{kind} of {pair.cache}": probes.inspecting(pair.cache, kind) for kind in kinds},
        f"{_ALL} of {pair.cache}": probes.inspecting(pair.cache, *ON_PAGE),
        f"{InspectionKind.HELD} of {pair.cache}": probes.inspecting(pair.cache, InspectionKind.HELD),
        f"{_ALL} of {QUIET}": probes.inspecting(QUIET, *ON_PAGE),
    }
    costs = _rounds(pair, requests, calls, rounds, cpus)
    (_, alone), *extras = costs.items()
    report.text(
        f"Load: {calls:,} {pair.kind} on each of {len(cpus)} CPUs, one object of {pair.cache} each, allocated and "
        f"freed; rounds: {rounds}; median (lowest to highest). The load does not use the cache {QUIET}."
    )
    report.table(_TITLES, _rows(costs))
    stacks = next(extra for name, extra in extras if name.startswith(InspectionKind.STACKS))
    report.figure("cost of taking the stacks, by slabtui's own clock", f"{_taking(stacks)} % of one CPU")
    report.text(
        "The figures are those of the kernel's BPF statistics, less an empty program for each program that runs. They "
        "do not include the small cost of calling one more program. x: the cost of an allocation, plus its free where "
        "frees are counted, relative to an allocation with slabtui alone. % of one CPU: the additional cost at the "
        f"rate of this load, {_rate(alone, calls * len(cpus))} calls per second."
    )
    report.learn(_lesson(pair, dict(extras), alone))
    if not pair.named:
        report.text(f"{events.CAST} The table above uses bpf_rdonly_cast() if this kernel has it. Without it:")
        before = _rounds(pair, requests, calls, rounds, cpus, rdonly_cast=False)
        report.table(_TITLES, _rows(before))
        report.learn(_cast_lesson(pair, costs, before))


def _rounds(
    pair: Pair,
    requests: Mapping[str, Request],
    calls: int,
    rounds: int,
    cpus: Sequence[int],
    *,
    rdonly_cast: bool = True,
) -> dict[str, list[Cost]]:
    found = defaultdict(list)
    with ExitStack() as stack:
        stack.enter_context(statistics_on())
        for tracepoint in (pair.alloc, pair.free):  # as in a race: the first program runs with cold CPU caches
            stack.enter_context(ways.empty(tracepoint, pair.cache))
        bases = {
            tracepoint: stack.enter_context(ways.empty(tracepoint, pair.cache)).statistics
            for tracepoint in (pair.alloc, pair.free)
        }
        probe = Probe(offsets.read(), rdonly_cast=rdonly_cast)
        stack.callback(probe.close)
        loaded = stack.enter_context(load.ready(pair.kind, calls, cpus))
        for _ in range(rounds):
            for name, wanted in requests.items():
                found[name].append(_measured(pair, probe, wanted, loaded, bases))
    return dict(found)


def _measured(pair: Pair, probe: Probe, wanted: Request, loaded: Load, bases: Mapping[str, ways.Statistics]) -> Cost:
    read_probe = partial(probes.read, probe)
    read_probe()  # so that the cache is known
    probes.request(probe, wanted)
    if wanted.inspection and {InspectionKind.STACKS, InspectionKind.HELD} & set(wanted.inspection.kinds):
        loaded.run(read_probe)  # so that the period, or N, fits the load
    programs = {name: partial(statistics, program) for name, program in probes.program_descriptors(probe).items()}
    read = {**programs, **{f"empty: {tracepoint}": base for tracepoint, base in bases.items()}}
    taken = _taken(probe)
    before, since = {name: dict(one()) for name, one in read.items()}, time.perf_counter()
    loaded.run(read_probe)
    seconds = time.perf_counter() - since
    after = {name: dict(one()) for name, one in read.items()}
    one_in = max((found.one_in for found in read_probe().inspections), default=1)
    runs = {name: Runs.between(before[name], after[name]) for name in read}
    empty = {tracepoint: runs[f"empty: {tracepoint}"].each for tracepoint in bases}
    above = {name: runs[name].each - empty[_tracepoint(name)] for name in programs if _tracepoint(name) in bases}
    return Cost(
        alloc=sum(cost for name, cost in above.items() if _tracepoint(name) == pair.alloc),
        free=sum(of_frees) if (of_frees := [above[name] for name in above if _tracepoint(name) == pair.free]) else None,
        spent=sum(above[name] * runs[name].number for name in above if name != pair.alloc),
        seconds=seconds,
        one_in=one_in,
        taking=_taken(probe) - taken,
    )


def _taken(probe: Probe) -> int:
    """Return the nanoseconds spent on taking stacks so far."""
    return probes.nanoseconds_of_stacks(probe) if probe.inspections.part.part else 0


@dataclass(frozen=True, slots=True)
class Runs:
    """How often a program ran, and how long on average, in nanoseconds."""

    number: int
    each: float

    @classmethod
    def between(cls, before: Mapping[str, int], after: Mapping[str, int]) -> "Runs":
        """Return those between two readings of the kernel's statistics."""
        number = after["run_cnt"] - before["run_cnt"]
        return cls(number, (after["run_time_ns"] - before["run_time_ns"]) / number if number else 0.0)


def _tracepoint(name: str) -> str:
    """Return the tracepoint of a program."""
    return name.rpartition(": ")[2]


def _rows(costs: Mapping[str, Sequence[Cost]]) -> list[tuple[str, ...]]:
    """Return the rows of the table, of which the first is slabtui alone."""
    (name, alone), *extras = costs.items()
    first = (name, spread([one.alloc for one in alone]), "", "", "1", "")
    return [first, *(_row(name, extra, alone) for name, extra in extras)]


def _row(name: str, extra: Sequence[Cost], alone: Sequence[Cost]) -> tuple[str, ...]:
    one_in = median(one.one_in for one in extra)
    frees = [one.free for one in extra if one.free is not None]
    return (
        f"{name}, one in {one_in:,.0f}" if one_in > 1 else name,
        spread([one.alloc for one in extra]),
        spread(_added(extra, alone)),
        spread(frees) if frees else "",
        _factor(extra, alone),
        spread([100 * one.spent / (1e9 * one.seconds) for one in extra]),
    )


def _taking(stacks: Sequence[Cost]) -> str:
    return spread([100 * one.taking / (1e9 * one.seconds) for one in stacks])


def _added(extra: Sequence[Cost], alone: Sequence[Cost]) -> list[float]:
    return [one.alloc - own.alloc for one, own in zip(extra, alone, strict=True)]


def _factor(extra: Sequence[Cost], alone: Sequence[Cost]) -> str:
    return times(median(one.alloc + (one.free or 0.0) for one in extra), median(one.alloc for one in alone))


def _rate(alone: Sequence[Cost], calls: int) -> str:
    return f"{calls / median(one.seconds for one in alone):,.0f}"


def _lesson(pair: Pair, extras: Mapping[str, Sequence[Cost]], alone: Sequence[Cost]) -> str:
    each = ", ".join(f"{name} {_factor(extra, alone)}" for name, extra in extras.items())
    return f"Relative to slabtui alone, an object at `{pair.alloc}` costs: {each}."


def _cast_lesson(pair: Pair, costs: Mapping[str, Sequence[Cost]], before: Mapping[str, Sequence[Cost]]) -> str:
    """Return what bpf_rdonly_cast() saves, in a sentence."""
    each = (
        f"{what} costs {new:.1f} ns with it and {old:.1f} ns without ({times(old, new)})"
        for what, new, old in (
            (f"an event of `{pair.alloc}`", *(median(one.alloc for one in of[_ALONE]) for of in (costs, before))),
            (f"an event of `{pair.free}`", *(median(one.free or 0.0 for one in of[_FREES]) for of in (costs, before))),
        )
    )
    return f"With the lookup by bpf_rdonly_cast(), on Linux 6.2 and later: {', '.join(each)}."
