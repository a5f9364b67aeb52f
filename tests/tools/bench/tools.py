"""Compares slabtui with the tools of the distribution that run here: their start, memory and cost per event."""

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
_SETTLED = 0.5  # seconds after the first table; by then slabtui has measured its overhead, which slows events
_TITLES = ("tool", "first table after, s", "x slabtui's", "MiB", "x slabtui's", "ns/event", "x slabtui's", "notes")

_Counting = Callable[[], AbstractContextManager[Piped | None]]


@dataclass(frozen=True, slots=True)
class Started:
    """One tool as seen from outside.

    Attributes:
        seconds: from each start to the first table, less the interval.
        resident: MiB of memory at that moment.
    """

    seconds: Sequence[float]
    resident: float


@contextmanager
def _no_tool() -> Iterator[None]:
    yield


@contextmanager
def _slabtui() -> Iterator[Piped]:
    command = (sys.executable, "-m", "slabtui", "-C", f"{_INTERVAL:g}")
    with running(command, lambda line: line.startswith("CACHE")) as program:
        yield program


def show(report: Report, calls: int, rounds: int, starts: int, cpus: Sequence[int]) -> None:
    """Measure the tools that run, and report why the others do not."""
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
        "slabratetop of bpfcc-tools and of libbpf-tools need kprobes. [kernels.md](kernels.md) compares them with "
        "slabtui on Debian's kernels in an emulator (`sudo make test-kernels`)."
    )


def _compare(
    report: Report, own: Started, peer: Started, above: Mapping[str, Sequence[float]], under_load: str
) -> None:
    """Report what each tool takes."""
    found = events.ratios(above, BPFTRACE)
    ratio = f"{median(found):.1f}x" if found else "?"
    report.table(
        _TITLES,
        [_row(SLABTUI, own, own, above[SLABTUI], "1.0x"), _row(BPFTRACE, peer, own, above[BPFTRACE], ratio)],
    )
    report.text(
        f"bpftrace runs `{bpftrace.ONE_LINER}` and prints every second; slabtui prints text (`-C 1`). First table: "
        f"time from the start of the program, less the interval of {_INTERVAL:g} s; {len(own.seconds)} warm starts. "
        "MiB: resident memory at that moment. ns/event: the cost of its BPF program for an event of kmem_cache_alloc, "
        f"less an empty program, by the kernel's BPF statistics, both under the same load ({under_load})."
    )
    report.learn(
        f"A bpftrace one-liner takes {times(median(peer.seconds), median(own.seconds))} slabtui's time to the first "
        f"table, {times(peer.resident, own.resident)} its memory, and {ratio} its time per event."
    )


def _tell_slowed(report: Report, slowed: Mapping[str, Sequence[float]], calls: int) -> None:
    """Report how much each tool slows the processes that allocate."""
    each = {name: 1e9 * min(seconds) / calls for name, seconds in slowed.items()}
    bare, own, peer = each.values()
    report.figure("processor time of one call of that load, without a tool", f"{bare:.0f} ns")
    for name, cost in ((SLABTUI, own), (BPFTRACE, peer)):
        report.figure(f"  added by {name}", f"{cost - bare:.0f} ns, {_longer(cost, bare)}")
    report.figure("  ratio of bpftrace to slabtui", times(peer - bare, own - bare))
    report.text(
        f"The figures are the minimum of {len(slowed[SLABTUI])} runs each, because other activity can only add time. "
        "They include what the BPF statistics do not: for bpftrace, perf prepares a record of each event before the "
        "program runs. slabtui also counts kmalloc; the bpftrace one-liner does not. One call is an open and a close, "
        "with several events."
    )
    report.learn(
        f"Opening and closing a file takes {_longer(own, bare)} longer while slabtui counts, and "
        f"{_longer(peer, bare)} longer while bpftrace counts."
    )


def _longer(cost: float, bare: float) -> str:
    return f"{100 * (cost - bare) / bare:.0f} %"


def _started(counting: Callable[[], AbstractContextManager[Piped]], starts: int) -> Started:
    found = []
    for _ in range(starts + 1):
        with counting() as program:
            found.append((program.seconds - _INTERVAL, program.resident()))
    seconds, resident = zip(*found[1:], strict=True)  # the first start reads the files into memory
    return Started(seconds, median(resident))


def _load_times(calls: int, rounds: int, cpus: Sequence[int]) -> dict[str, list[float]]:
    """Return the processor time of the load in each run, without a tool and with each tool."""
    counting: dict[str, _Counting] = {"": _no_tool, SLABTUI: _slabtui, BPFTRACE: bpftrace.counting}
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
