"""Measures the screen: the time from a key to its frame, and the cost of one interval with many caches."""

import itertools
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import urwid

from slabtui.collector import Collector
from slabtui.kernel.abi import offsets
from slabtui.kernel.probe import Probe
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.queues import SnapshotQueue
from slabtui.recording.recorder import Recorder
from slabtui.recording.sink import create
from slabtui.system import garbage
from slabtui.views.app import App
from slabtui.views.state import State
from tests.support import consumers
from tests.tools.bench import crowd
from tests.tools.bench.report import Report, spread
from tests.tools.bench.terminal import COLUMNS, ROWS, drawn

KEYS = (
    *("a", "b", "n", "s", "r", "z", "down", "up", "page down", "page up", "end", "home"),
    *("/", "e", "-", "esc"),  # a filter that every name matches, and its end
    *("p", "p", "?", "?"),
)
MANY, USUAL = 500, 250
INTERVAL, SHORT = 1.0, 0.1  # seconds


def show_keys(report: Report, times: int) -> None:
    """Press every key `times` times, and report how long each took."""
    report.heading(f"Key press to frame with {MANY} caches, on a terminal of {COLUMNS} x {ROWS}, in this process")
    garbage.shorten_pauses()  # as the program does
    app = App(State(INTERVAL))
    taken: dict[str, list[float]] = {key: [] for key in KEYS}
    with drawn(app) as loop:
        for number in range(times):
            app.show(_snapshot(random.Random(number)))
            loop.draw_screen()
            for key in KEYS:
                taken[key].append(_press(loop, key))
    report.table(("key", "median ms", "max ms"), [_row(key, values) for key, values in taken.items()])
    every = [value for values in taken.values() for value in values]
    report.figure(f"key press to frame, all {len(every)} presses", f"{spread(every)} ms", "at most 16 ms")
    report.learn(f"With {MANY} caches a frame follows a key after {statistics.median(every):.1f} ms.")


def show_ticks(report: Report, ticks: int) -> None:
    """Run intervals with the real probe, collector and screen, and report what each took."""
    report.heading(f"One interval with {USUAL} caches, in this process: counters read, snapshot made, sorted, drawn")
    probe = Probe(offsets.read())
    try:
        guests = crowd.Crowd(probe, USUAL)
        collector, queue = Collector(probe, INTERVAL), SnapshotQueue()
        collector.subscribe(queue)
        app = App(State(INTERVAL))
        collector.start()
        try:
            with drawn(app) as loop:
                figures = [_tick(queue, app, loop, guests.grow) for _ in range(ticks + 1)][1:]
        finally:
            collector.stop()
    finally:
        probe.close()
    known = len(app.state.shown.rows) if app.state.shown else 0
    whole, drawing = ([1000 * figure for figure in column] for column in zip(*figures, strict=True))
    report.text(
        f"{known} caches: those of this kernel, and {USUAL} artificial ones in the maps of the probe, which all grow."
    )
    report.figure(f"processor time of one interval, {ticks} intervals", f"{spread(whole, 2)} ms")
    report.figure("  of which for sorting and drawing", f"{spread(drawing, 2)} ms")
    share = statistics.median(whole) / (10 * INTERVAL)
    report.figure(f"resulting CPU share at an interval of {INTERVAL:g} s", f"{share:.2f} %", "at most 1 %")


def show_consumers(report: Report, seconds: float) -> None:
    """Press keys while a recorder on a slow disk and a slow printer take the same snapshots, and report the times."""
    report.heading(f"Key press to frame beside other consumers, at an interval of {SHORT:g} s")
    report.text(
        "One collector of the running kernel has three consumers: this screen, a recorder on a disk that accepts "
        "writes a fifth of the time, and JSON into a pipe that is read slower than it is written."
    )
    probe, app, queue = Probe(offsets.read()), App(State(SHORT)), SnapshotQueue()
    taken: list[float] = []
    garbage.shorten_pauses()
    try:
        with TemporaryDirectory() as place, consumers.slow_disk(Path(place)) as disk, drawn(app) as loop:
            collector, printer, recorder = (
                Collector(probe, SHORT),
                consumers.Printer(),
                Recorder(create(disk / "a.jsonl")),
            )
            for consumer in (queue, printer.queue, recorder.queue):
                collector.subscribe(consumer)
            collector.start()
            deadline = time.monotonic() + seconds
            for key in itertools.cycle(KEYS):
                snapshot = queue.get()
                if snapshot is not None:
                    app.show(snapshot)
                    loop.draw_screen()
                taken.append(_press(loop, key))
                time.sleep(SHORT / 10)
                if time.monotonic() > deadline:
                    break
            collector.stop()
            recorder.close()
            printer.join()
    finally:
        probe.close()
    report.figure(f"key press to frame, {len(taken)} presses", f"{spread(taken)} ms", "at most 16 ms")


def _press(loop: urwid.MainLoop, key: str) -> float:
    start = time.perf_counter()
    loop.process_input([key])
    loop.draw_screen()
    return 1000 * (time.perf_counter() - start)


def _tick(queue: SnapshotQueue, app: App, loop: urwid.MainLoop, grow: Callable[[], None]) -> tuple[float, float]:
    """Wait for a snapshot and draw it; return the time that both threads took for that, and this thread for its part.

    The time to increase the artificial counters and to read the terminal is not included.
    """
    grow()
    whole = time.process_time()
    snapshot = queue.get(timeout=None)
    own = time.thread_time()
    assert snapshot is not None
    app.show(snapshot)
    loop.draw_screen()
    return time.process_time() - whole, time.thread_time() - own


def _row(key: str, values: list[float]) -> tuple[str, str, str]:
    return key, f"{statistics.median(values):.2f}", f"{max(values):.2f}"


def _snapshot(chance: random.Random) -> Snapshot:
    rows = tuple(_cache(number, chance.randrange(1, 100_000)) for number in range(MANY))
    return Snapshot(time.time(), INTERVAL, "0.00 0.00 0.00 1/100 1000", rows, lost=0)


def _cache(number: int, allocs: int) -> CacheRow:
    size = 8 * (1 + number % 200)
    name = f"cache-{number:03}"
    return CacheRow(CacheKey(KeyKind.CACHE, name), name, size, size, allocs=allocs, bytes=allocs * size)
