"""A screen, a recorder on a slow disk and a slow JSON printer on one collector of the running kernel."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
import urwid

from slabtui.collector import Collector
from slabtui.model.snapshot import Snapshot
from slabtui.recording import recorder, sink
from slabtui.recording.reader import read
from slabtui.views.app import App
from slabtui.views.state import State
from tests.support.consumers import Printer, slow_disk
from tests.support.probes import probing
from tests.support.workload import workload
from tests.unit.views.test_run import Watched

pytestmark = pytest.mark.live

INTERVAL, ROUNDS, FILES = 0.1, 30, 2_000


class Shown(State):
    """The state of the view, which keeps what it was given."""

    received: list[Snapshot]

    def receive(self, snapshot: Snapshot) -> None:
        self.received.append(snapshot)
        super().receive(snapshot)


def sums(intervals: Iterable[tuple[int | None, Iterable[tuple[str, int]]]]) -> Counter[str]:
    """Return what was lost and what was allocated in each cache."""
    found: Counter[str] = Counter()
    for lost, rows in intervals:
        found["lost"] += lost or 0
        for cache, allocs in rows:
            found[cache] += allocs
    return +found


def of(snapshots: Iterable[Snapshot]) -> Counter[str]:
    return sums((one.lost, [(str(row.cache), row.allocs) for row in one.rows]) for one in snapshots)


def test_all_consumers_have_the_same_totals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recorder and the printer are slower than the interval: their queues merge, and lose nothing."""
    monkeypatch.setattr(recorder, "_CAPACITY", 2)
    state = Shown(INTERVAL)
    state.received = []
    with slow_disk(tmp_path) as disk, probing() as probe, workload("eventfd", FILES) as load:
        collector, printer, recording = (
            Collector(probe, INTERVAL),
            Printer(),
            recorder.Recorder(sink.create(disk / "a.jsonl")),
        )
        for queue in (recording.queue, printer.queue):
            collector.subscribe(queue)

        def allocate() -> None:
            for _ in range(ROUNDS):
                load.run()
                time.sleep(INTERVAL)
            collector.finish()

        def drawn(text: str) -> list[str]:
            if " END " in text:
                raise urwid.ExitMainLoop
            return ["down", "a", "b"][len(state.received) % 3 :][:1]

        allocating = threading.Thread(target=allocate)
        allocating.start()
        App(state).run(collector, Watched(drawn))
        allocating.join()
        printer.join()
        recording._thread.join(60)
        recorded = list(read(disk / "a.jsonl"))
    printed = [json.loads(line) for line in printer.lines]
    shown = of(state.received)
    assert shown == of(recorded)
    assert shown == sums((line["lost"], [(row["cache"], row["allocs"]) for row in line["caches"]]) for line in printed)
    assert shown["filp"] >= ROUNDS * FILES
    assert len(printed) < len(state.received)
    assert len(recorded) < len(state.received)
    assert recording.failure is None
