"""Consumers side by side on one collector: each at its own pace, all with the same sums."""

import json
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from slabtui.collector import Collector
from slabtui.model.snapshot import Reading, Snapshot
from slabtui.queues import SnapshotQueue
from slabtui.recording.reader import read
from slabtui.recording.recorder import Recorder
from slabtui.recording.sink import create
from tests.support.fakes import FakeClock, FakeSource, totals

INTERVALS, CACHES = 120, 20


class Throttled:
    """A file on a disk that takes 5 ms for each write."""

    def __init__(self, recorder: Recorder) -> None:
        self._file = recorder._sink._file
        recorder._sink._file = self

    def write(self, data: bytes) -> int:
        time.sleep(0.005)
        return self._file.write(data)

    def close(self) -> None:
        self._file.close()


def reading(number: int) -> Reading:
    """Return a reading in which every cache has allocated another number of objects than in the one before."""
    rows = (totals(at, allocs=number * number * (at + 1)) for at in range(CACHES))
    return Reading(tuple(rows), lost=number)


def sums(snapshots: Iterable[Snapshot]) -> Counter[str]:
    """Return what was allocated in each cache, and what was lost."""
    found: Counter[str] = Counter()
    for snapshot in snapshots:
        found.update({str(row.cache): row.allocs for row in snapshot.rows} | {"lost": snapshot.lost or 0})
    return found


def test_a_screen_a_recorder_on_a_slow_disk_and_a_late_consumer_agree_to_the_count(tmp_path: Path) -> None:
    clock = FakeClock()
    collector = Collector(FakeSource(reading), 0.1, clock=clock)
    recorder = Recorder(create(tmp_path / "a.jsonl"))
    Throttled(recorder)
    screen, late = SnapshotQueue(), SnapshotQueue()
    for queue in (screen, late, recorder.queue):
        collector.subscribe(queue)
    collector.start()
    shown = []
    for _ in range(INTERVALS):
        clock.advance_waiter(0.1)
        shown.append(screen.get(timeout=10))
    collector.stop()
    recorder._thread.join(60)
    recorder.close()
    recorded = list(read(tmp_path / "a.jsonl"))
    expected = Counter({f"cache-{at}": INTERVALS**2 * (at + 1) for at in range(CACHES)} | {"lost": INTERVALS})
    assert sums(shown) == sums([late.get()]) == sums(recorded) == expected
    assert len(shown) == INTERVALS
    assert recorder.failure is None
    last = json.loads((tmp_path / "a.jsonl").read_text().splitlines()[-1])
    assert {row["cache"]: row["total_allocs"] for row in last["caches"]} | {"lost": INTERVALS} == dict(expected)
