"""The tools that the distribution has, where they run: started as slabtui is, and under the load that it is under."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from statistics import median

from tests.tools.bench import bpftrace, events, load, ways
from tests.tools.bench.events import Race
from tests.tools.bench.piped import DoesNotRunError, Piped, running
from tests.tools.bench.report import Report, spread, times
from tests.tools.bench.ways import BPFTRACE, SLABTUI

_KIND = "opens"
_RACE = Race("kmem_cache_alloc", _KIND, "filp", (ways.empty, ways.slabtui, ways.by_bpftrace))
_INTERVAL = 1.0  # seconds, of both
_SETTLED = 0.5  # seconds after the first table; slabtui then measures what it costs no more, which costs more
_TITLES = ("tool", "first table after, s", "x slabtui's", "MiB", "x slabtui's", "ns/event", "x slabtui's", "notes")

_Counting = Callable[[], AbstractContextManager[Piped | None]]


@dataclass(frozen=True, slots=True)
class Started:
    """One tool as seen from outside.

    Attributes:
        seconds: from each start to the first table, the interval taken off.
        resident: MiB of memory at that moment.
    """

    seconds: Sequence[float]
    resident: float


@contextmanager
def _nobody() -> Iterator[None]:
    yield


@contextmanager
def _slabtui() -> Iterator[Piped]:
    command = (sys.executable, "-m", "slabtui", "-C", f"{_INTERVAL:g}")
    with running(command, lambda line: line.startswith("CACHE")) as program:
        yield program


def show(report: Report, calls: int, rounds: int, starts: int, cpus: Sequence[int]) -> None:
    """Measure what runs, and say of the rest why it does not."""
    report.heading("The distribution's tools")
    own = _started(_slabtui, starts)
    try:
        peer = _started(bpftrace.counting, starts)
        above = events.above_empty(events.run(_RACE, calls, rounds, cpus))
        slowed = _load_times(calls, rounds, cpus)
    except DoesNotRunError as error:
        report.table(_TITLES, [_row(SLABTUI, own, own), (BPFTRACE, *[""] * 6, f"does not run here: {error}")])
        report.learn(f"bpftrace does not run here: {error}.")
    else:
        _compare(report, own, peer, above, f"{calls:,} {_KIND} on each of {len(cpus)} CPUs, rounds: {rounds}")
        _tell_slowed(report, slowed, calls * len(cpus))
    report.text(
        "slabratetop of bpfcc-tools and of libbpf-tools need kprobes; beside slabtui they run on Debian's kernels in "
        "an emulator: [kernels.md](kernels.md), by `sudo make test-kernels`."
    )


def _compare(
    report: Report, own: Started, peer: Started, above: Mapping[str, Sequence[float]], under_load: str
) -> None:
    """Tell what either takes by itself."""
    found = events.ratios(above, BPFTRACE)
    ratio = f"{median(found):.1f}x" if found else "?"
    report.table(
        _TITLES,
        [_row(SLABTUI, own, own, above[SLABTUI], "1.0x"), _row(BPFTRACE, peer, own, above[BPFTRACE], ratio)],
    )
    report.text(
        f"bpftrace runs `{bpftrace.ONE_LINER}` and prints every second; slabtui prints text (`-C 1`). First table: "
        f"from the start of the program, warm, {len(own.seconds)} starts, less the interval of {_INTERVAL:g} s. MiB: "
        "resident memory at that moment. ns/event: what its program in the kernel takes for an event of "
        f"kmem_cache_alloc above an empty program, both under one load ({under_load}), by the kernel's BPF statistics."
    )
    report.learn(
        f"bpftrace's one line takes {times(median(peer.seconds), median(own.seconds))} slabtui's time to its first "
        f"table, {times(peer.resident, own.resident)} its memory, and {ratio} its time for an event."
    )


def _tell_slowed(report: Report, slowed: Mapping[str, Sequence[float]], calls: int) -> None:
    """Tell what whoever allocates loses by either."""
    each = {name: 1e9 * min(seconds) / calls for name, seconds in slowed.items()}
    bare, own, peer = each.values()
    report.figure("processor time of one call of that load, nobody counting", f"{bare:.0f} ns")
    for name, cost in ((SLABTUI, own), (BPFTRACE, peer)):
        report.figure(f"  how much longer it takes while {name} counts", f"{cost - bare:.0f} ns, {_longer(cost, bare)}")
    report.figure("  bpftrace as against slabtui", times(peer - bare, own - bare))
    report.text(
        f"The least of {len(slowed[SLABTUI])} runs each, since whatever else the machine does only adds. Everything is "
        "in it, what the BPF statistics leave out too: for bpftrace, perf prepares a record of each event before the "
        "program runs. slabtui counts kmalloc too, bpftrace's line does not. A call is an open and a close, several "
        "events."
    )
    report.learn(
        f"Opening and closing a file takes {_longer(own, bare)} longer while slabtui counts, "
        f"{_longer(peer, bare)} while bpftrace does."
    )


def _longer(cost: float, bare: float) -> str:
    return f"{100 * (cost - bare) / bare:.0f} %"


def _started(counting: Callable[[], AbstractContextManager[Piped]], starts: int) -> Started:
    found = []
    for _ in range(starts + 1):
        with counting() as program:
            found.append((program.seconds - _INTERVAL, program.resident()))
    seconds, resident = zip(*found[1:], strict=True)  # the first brings the files into memory
    return Started(seconds, median(resident))


def _load_times(calls: int, rounds: int, cpus: Sequence[int]) -> dict[str, list[float]]:
    """Return the processor time of the load in each run, with nobody counting, and with each tool."""
    counting: dict[str, _Counting] = {"": _nobody, SLABTUI: _slabtui, BPFTRACE: bpftrace.counting}
    found: dict[str, list[float]] = {name: [] for name in counting}
    with load.ready(_KIND, calls, cpus) as loaded:
        for _ in range(2 * rounds):
            for name, begin in counting.items():
                with begin():
                    time.sleep(_SETTLED)
                    found[name].append(loaded.run())
    return found


def _row(name: str, tool: Started, own: Started, above: Sequence[float] = (), ratio: str = "") -> tuple[str, ...]:
    return (
        name,
        spread(tool.seconds, 2),
        times(median(tool.seconds), median(own.seconds)),
        f"{tool.resident:.0f}",
        times(tool.resident, own.resident),
        spread(above) if above else "",
        ratio,
        "",
    )
