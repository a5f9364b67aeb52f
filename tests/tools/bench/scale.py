"""Measures what one interval costs in Python with many CPUs and caches, from artificial maps."""

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from slabtui.kernel.allocs import Allocated
from slabtui.kernel.counters import Table
from slabtui.kernel.procfs.slabinfo import Parser
from slabtui.kernel.rows import Counted, Rows
from slabtui.model.snapshot import Differences, Reading, Snapshot
from slabtui.recording import codec
from slabtui.views.app import App
from slabtui.views.state import State
from tests.tools.bench import made
from tests.tools.bench.report import Report, times
from tests.tools.bench.terminal import drawn

SIZE = (80, 24)  # columns and rows
CPUS, CACHES = (2, 16, 128), (250, 1000, 2000)
_READ, _LISTED, _MERGED, _DIFFERENCE, _FRAME, _LINE = (
    "counters read and summed",
    "slabinfo parsed",
    "one row for each cache",
    "difference of two readings",
    "sorted, and one frame drawn",
    "additionally for a recorder: one line of JSON",
)
_INTERVAL = (_READ, _LISTED, _MERGED, _DIFFERENCE, _FRAME)


@dataclass(slots=True)
class Clock:
    """Milliseconds of processor time that each part has taken, one for each interval."""

    taken: dict[str, list[float]] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time what is done inside."""
        since = time.thread_time()
        yield
        self.taken.setdefault(name, []).append(1000 * (time.thread_time() - since))

    def median(self, *names: str) -> float:
        """Return what these parts take together."""
        return sum(median(self.taken[name][1:]) for name in names)  # the first one runs with cold CPU caches


def show(report: Report, ticks: int) -> None:
    """Run intervals at every size, and report."""
    report.heading("One interval with many CPUs and caches, from artificial counters, without a kernel")
    clocks = {(cpus, caches): measured(cpus, caches, ticks) for cpus in CPUS for caches in CACHES}
    whole = {size: clock.median(*_INTERVAL) for size, clock in clocks.items()}
    least, most = (CPUS[0], CACHES[0]), (CPUS[-1], CACHES[-1])
    columns, rows = SIZE
    report.text(
        "Processor time for one interval, in milliseconds: reading the counters, making the snapshot, sorting, and "
        f"drawing on {columns} x {rows}. The maps are byte buffers of the size that the kernel would fill, and copying "
        f"them replaces the system call. Every cache allocates on every CPU. Median of {ticks} intervals; in "
        "parentheses the ratio to the smallest size. [recording.md](recording.md) has what a recorder costs over "
        "hours, and the sizes of its files."
    )
    report.table(
        ("CPUs", *(f"{caches:,} caches" for caches in CACHES)),
        [
            (
                str(cpus),
                *(f"{whole[cpus, caches]:.1f} ({times(whole[cpus, caches], whole[least])})" for caches in CACHES),
            )
            for cpus in CPUS
        ],
    )
    report.table(
        ("of which, ms", _named(least), _named(most), "ratio"),
        [_row(name, clocks[least], clocks[most]) for name in (*_INTERVAL, _LINE)],
    )
    report.learn(
        f"With {_named(most)} (artificial counters) one interval costs {times(whole[most], whole[least])} the time of "
        f"{_named(least)}: {whole[most] / 10:.1f} % of one CPU at an interval of 1 s."
    )


def measured(cpus: int, caches: int, ticks: int) -> Clock:
    """Return what each part takes, with that number of CPUs and caches."""
    clock, maps = Clock(), made.Maps(cpus, caches)
    table, parser, rows, differences = Table(maps.slots, maps.caches), Parser(), Rows(), Differences()
    app = App(State(1.0))
    before = Reading()
    with drawn(app, SIZE) as loop:
        for reading in range(ticks + 1):
            maps.grow()
            text = made.slabinfo(maps.names, reading)
            gc.collect()
            with clock.part(_READ):
                found = table.read()
            with clock.part(_LISTED):
                slabs = parser.parse(text)
            with clock.part(_MERGED):
                after = Reading(tuple(rows.merge(Counted(Allocated(found, 0, 0, 0)), slabs).values()))
            with clock.part(_DIFFERENCE):
                snapshot = differences.between(before, after, Snapshot(time.time(), 1.0, "0.00 0.00 0.00 1/100 1000"))
            before = after
            with clock.part(_FRAME):
                app.show(snapshot)
                loop.draw_screen()
            with clock.part(_LINE):
                codec.dumps(snapshot, snapshot.rows)
    return clock


def _named(size: tuple[int, int]) -> str:
    cpus, caches = size
    return f"{cpus} CPUs and {caches:,} caches"


def _row(name: str, least: Clock, most: Clock) -> Sequence[str]:
    small, large = least.median(name), most.median(name)
    return name, f"{small:.2f}", f"{large:.2f}", times(large, small)
