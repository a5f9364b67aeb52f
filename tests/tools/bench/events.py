"""Measures what counting one allocation costs, by the kernel's statistics of BPF programs."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.tools.bench import load, ways
from tests.tools.bench.report import Report, spread
from tests.tools.bench.ways import BEFORE_CAST, EMPTY, SLABTUI, Maker, Way

SWITCH = Path("/proc/sys/kernel/bpf_stats_enabled")


@dataclass(frozen=True, slots=True)
class Race:
    """Ways that count at the same time, on one tracepoint, under one load.

    Attributes:
        tracepoint: to which they are attached.
        kind: the load.
        cache: the one from which the load allocates exactly one object in each call.
        makers: the ways.
        goal: nanoseconds that slabtui may take above the empty program; None: there is none.
    """

    tracepoint: str
    kind: str
    cache: str
    makers: Sequence[Maker]
    goal: float | None = None


ALLOC = Race("kmem_cache_alloc", "opens", "filp", (ways.empty, ways.slabtui, ways.by_name, ways.by_pointer), goal=8.0)
KMALLOC = Race("kmalloc", "writes", "kmalloc-256", (ways.empty, ways.slabtui, ways.slabtui_before_cast), goal=12.0)
CAST = (
    "The tracepoints of kmalloc() do not name the cache; slabtui looks it up from the address of the object. Where the "
    "kernel has bpf_rdonly_cast() (Linux 6.2 and later), one instruction reads each word; otherwise a call of "
    "bpf_probe_read_kernel() does. Both are measured here, on this kernel."
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One way in one round.

    Attributes:
        nanoseconds: per event, including the cost of the measurement.
        events: how often the program ran.
        counted: of the load's cache; None: it counts nothing.
        lost: what it reports as lost; None: it reports nothing.
    """

    nanoseconds: float
    events: int
    counted: int | None
    lost: int | None


def show(report: Report, race: Race, calls: int, rounds: int, cpus: Sequence[int]) -> None:
    """Run the rounds and report."""
    report.heading(f"One event at the raw tracepoint {race.tracepoint}, by the kernel's BPF statistics")
    results = run(race, calls, rounds, cpus)
    allocations = calls * len(cpus)
    report.text(
        f"Load: {calls:,} {race.kind} on each of CPUs {', '.join(map(str, cpus))}, one object of {race.cache} each; "
        f"{results[SLABTUI][0].events:,} events per round; rounds: {rounds}; median (lowest to highest)."
    )
    above = above_empty(results)
    report.table(
        (
            "way",
            "ns/event",
            "above empty",
            "x slabtui's",
            f"counted of {allocations * rounds:,}",
            "missed",
            "reported lost",
        ),
        [_row(name, of_way, above, allocations) for name, of_way in results.items()],
    )
    report.text(
        "ns/event includes the cost of the measurement, as it does for the empty program. x is the ratio of the costs "
        f"above the empty program. Other processes may also allocate from {race.cache}, so missed is a lower bound."
    )
    if BEFORE_CAST in results:
        report.text(CAST)
    goal = "" if race.goal is None else f"at most {race.goal:g} ns"
    report.figure(f"slabtui above the empty program, {race.tracepoint}", f"{spread(above[SLABTUI])} ns", goal)
    report.learn(_lesson(race, results, above, allocations))


def run(race: Race, calls: int, rounds: int, cpus: Sequence[int]) -> dict[str, list[Measured]]:
    """Return what each way took in each round."""
    results = defaultdict(list)
    with statistics_on():
        for number in range(rounds):
            for name, measured in _round(race, number, calls, cpus).items():
                results[name].append(measured)
    return dict(results)


def above_empty(results: Mapping[str, Sequence[Measured]]) -> dict[str, list[float]]:
    """Return how many nanoseconds each way takes above the empty program, in each round."""
    return {
        name: [one.nanoseconds - base.nanoseconds for one, base in zip(of_way, results[EMPTY], strict=True)]
        for name, of_way in results.items()
    }


def ratios(above: Mapping[str, Sequence[float]], name: str) -> list[float]:
    """Return the ratios of a way to slabtui, both above the empty program, of rounds in which slabtui took time."""
    return [own / slabtui for own, slabtui in zip(above[name], above[SLABTUI], strict=True) if slabtui > 0]


@contextmanager
def statistics_on() -> Iterator[None]:
    """Switch on the kernel's statistics of BPF programs; restore the setting afterwards."""
    before = SWITCH.read_text()
    SWITCH.write_text("1")
    try:
        yield
    finally:
        SWITCH.write_text(before)


def _round(race: Race, number: int, calls: int, cpus: Sequence[int]) -> dict[str, Measured]:
    turn = number % len(race.makers)
    with ExitStack() as stack:
        # The first program runs with cold CPU caches, so an extra empty one is first. The others take turns.
        stack.enter_context(ways.empty(race.tracepoint, race.cache))
        order = (*race.makers[turn:], *race.makers[:turn])
        attached = [stack.enter_context(maker(race.tracepoint, race.cache)) for maker in order]
        # In the order of the race, so that the tables of all rounds agree.
        return _measured(attached[len(order) - turn :] + attached[: len(order) - turn], race.kind, calls, cpus)


def _measured(attached: Sequence[Way], kind: str, calls: int, cpus: Sequence[int]) -> dict[str, Measured]:
    with load.ready(kind, calls, cpus) as loaded:
        # Reading statistics opens files, which allocates: do that before and after counting.
        before = {way.name: way.statistics() for way in attached}
        start = {way.name: way.read() for way in attached}
        loaded.run()
        end = {way.name: way.read() for way in reversed(attached)}
        after = {way.name: way.statistics() for way in attached}
    return {
        name: Measured(
            (after[name]["run_time_ns"] - before[name]["run_time_ns"])
            / (after[name]["run_cnt"] - before[name]["run_cnt"]),
            after[name]["run_cnt"] - before[name]["run_cnt"],
            *(_grown(*pair) for pair in zip(start[name], end[name], strict=True)),
        )
        for name in before
    }


def _grown(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before


def _row(
    name: str, of_way: Sequence[Measured], above: Mapping[str, Sequence[float]], allocations: int
) -> tuple[str, ...]:
    counted = [one.counted for one in of_way if one.counted is not None]
    lost = _lost(of_way, allocations)
    reported = [one.lost for one in of_way if one.lost is not None]
    return (
        name,
        spread([one.nanoseconds for one in of_way]),
        "" if name == EMPTY else spread(above[name]),
        {EMPTY: "", SLABTUI: "1"}.get(name, spread(ratios(above, name))),
        f"{sum(counted):,}" if counted else "",
        f"{lost:,}" if counted else "",
        f"{sum(reported):,}" if reported else "",
    )


def _lost(of_way: Sequence[Measured], allocations: int) -> int:
    """Return how many allocations are missing, in all rounds."""
    return sum(max(0, allocations - one.counted) for one in of_way if one.counted is not None)


def _lesson(
    race: Race, results: Mapping[str, Sequence[Measured]], above: Mapping[str, Sequence[float]], allocations: int
) -> str:
    """Return what the table shows, in a sentence."""
    every = allocations * len(results[SLABTUI])
    said = [
        f"An event of `{race.tracepoint}` costs {median(above[SLABTUI]):.1f} ns above an empty program, and slabtui "
        f"missed {_lost(results[SLABTUI], allocations):,} of {every:,} allocations"
    ]
    for name in (name for name in results if name not in (EMPTY, SLABTUI)):
        found = ratios(above, name)
        ratio = f"{median(found):.1f}x" if found else "?"
        said.append(f"{name}: {ratio} the cost, {_lost(results[name], allocations):,} missed")
    return "; ".join(said) + "."
