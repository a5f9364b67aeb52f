"""The collector: one snapshot per interval for each consumer, failed readings, and its end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from slabtui.collector import Collector
from slabtui.errors import SlabtuiError
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import InspectionKind
from slabtui.model.memory import HostMemory
from slabtui.model.request import InspectionRequest, Request
from slabtui.model.snapshot import Reading, Snapshot
from slabtui.queues import ProducerDiedError, SnapshotQueue, SnapshotsEndedError
from tests.support.fakes import FakeClock, FakeSource, growing, key, totals

CALLERS = Request(inspection=InspectionRequest("dentry", (InspectionKind.CALLERS,)))


def counting(fails: Callable[[int], BaseException | None] = lambda reading: None) -> FakeSource:
    """Return a source with one more alloc and one more lost at every reading, if it does not fail."""

    def read(reading: int) -> Reading:
        if (error := fails(reading)) is not None:
            raise error
        return Reading((totals(1, allocs=reading),), lost=reading)

    return FakeSource(read)


class LoggingSource(FakeSource):
    """A source that keeps the calls in their order."""

    def __init__(self) -> None:
        super().__init__(lambda reading: Reading((totals(1, allocs=reading),)))
        self.log: list[object] = []

    def begin(self, wake: Callable[[], None]) -> None:
        self.log.append("begin")
        self.wake = wake

    def advance(self) -> None:
        self.log.append("advance")

    def settle(self) -> None:
        self.log.append("settle")

    def request(self, wanted: Request) -> None:
        self.log.append(wanted)

    def measure(self) -> None:
        self.log.append("measure")

    def read(self) -> Reading:
        self.log.append("read")
        return super().read()

    def end_interval(self, reading: Reading) -> None:
        self.log.append("end_interval")

    @property
    def steps(self) -> list[object]:
        """The calls except `advance`."""
        return [step for step in self.log if step != "advance"]


class Run:
    """A collector with one consumer, by the clock of the test."""

    def __init__(self, source: FakeSource, interval: float = 1.0, *, settles: bool = False, capacity: int = 99) -> None:
        self.clock = FakeClock()
        self.collector = Collector(source, interval, settles=settles, clock=self.clock)
        self.queue = SnapshotQueue(capacity)
        self.collector.subscribe(self.queue)
        self._interval = interval

    def take(self) -> Snapshot:
        """Let an interval pass, and return its snapshot."""
        self.clock.advance_waiter(self._interval)
        return self.last()

    def last(self) -> Snapshot:
        snapshot = self.queue.get(timeout=10)
        assert snapshot is not None
        return snapshot

    def ends(self) -> bool:
        with pytest.raises(SnapshotsEndedError):
            self.queue.get(timeout=10)
        return True


@contextmanager
def running(source: FakeSource, **more: object) -> Iterator[Run]:
    run = Run(source, **more)
    run.collector.start()
    try:
        yield run
    finally:
        run.collector.stop()
        assert source.closed
        assert not run.collector._thread.is_alive()


def test_a_snapshot_is_what_was_counted_since_the_one_before() -> None:
    with running(growing(3, step=5), interval=0.5) as run:
        for number in (1, 2, 3):
            snapshot = run.take()
            assert [(row.allocs, row.total_allocs) for row in snapshot.rows] == [(5, 5 * number)] * 3
            assert (snapshot.elapsed, snapshot.time) == (0.5, 1.7e9 + number / 2)
            assert len(snapshot.loadavg.split()) == 5
            assert (snapshot.origin.source, snapshot.origin.since) == ("live", 1.7e9)


def test_consumers_of_any_pace_have_the_same_sums() -> None:
    with running(counting()) as run:
        slow = SnapshotQueue()
        run.collector.subscribe(slow)
        fast = [run.take() for _ in range(5)]
    whole = slow.get()
    assert (whole.allocs, whole.lost, whole.elapsed) == (5, 5, 5.0)
    assert (sum(one.allocs for one in fast), sum(one.elapsed for one in fast)) == (5, 5.0)


def test_a_failed_reading_covers_no_time_and_the_next_snapshot_covers_its_interval() -> None:
    with running(counting(lambda reading: OSError("the map is gone") if reading == 2 else None)) as run:
        first, failed, after = run.take(), run.take(), run.take()
    assert (first.allocs, first.elapsed) == (1, 1.0)
    assert (failed.error, failed.rows, failed.elapsed) == ("cannot read the counters: the map is gone", (), 0.0)
    assert (after.error, after.allocs, after.elapsed) == (None, 2, 2.0)


def test_a_new_interval_begins_with_every_reading_and_not_with_one_that_failed() -> None:
    source = counting(lambda reading: OSError("gone") if reading == 1 else None)
    with running(source) as run:
        run.take()
        run.take()
    assert source.intervals == 2


@pytest.mark.parametrize("reading", [0, 2])
def test_what_ends_the_thread_reaches_the_consumer(reading: int) -> None:
    with running(counting(lambda now: ValueError("a bug") if now == reading else None)) as run:
        for _ in range(reading - 1):
            run.take()
        if reading:
            run.clock.advance_waiter(1.0)
        with pytest.raises(ProducerDiedError, match="a bug"):
            run.queue.get(timeout=10)


@pytest.mark.parametrize("interval", [0.1, 3600.0])
def test_it_stops_at_once_at_any_interval(interval: float) -> None:
    with running(growing(1), interval=interval) as run:
        run.clock.advance_waiter(0)
        run.collector.stop()
        assert run.ends()


def test_the_last_snapshot_is_of_the_part_of_the_interval_that_has_passed() -> None:
    source = counting()
    with running(source) as run:
        run.take()
        run.clock.advance_waiter(0.25)
        run.collector.finish()
        snapshot = run.last()
        assert (snapshot.allocs, snapshot.elapsed) == (1, 0.25)
        assert run.ends()
        assert source.closed


def test_a_last_snapshot_that_is_not_there_yet_comes_although_it_is_stopped() -> None:
    with running(counting()) as run:
        run.clock.advance_waiter(0.25)
        run.collector.finish()
        run.collector.stop()
        assert run.last().elapsed == 0.25
        assert run.ends()


def test_intervals_keep_to_their_grid_and_those_that_were_slept_through_are_left_out() -> None:
    stalls = {1: 0.3, 2: 3.6}
    source = counting()
    run = Run(source)
    read = source.reading

    def stalling(reading: int) -> Reading:
        run.clock.advance(stalls.get(reading, 0))
        return read(reading)

    source.reading = stalling
    run.collector.start()
    try:
        first = run.take()
        run.clock.advance_waiter(0.7)
        second = run.last()
        third = run.take()
    finally:
        run.collector.stop()
    assert [one.elapsed for one in (first, second, third)] == pytest.approx([1.3, 4.3, 1.0])


def test_what_takes_time_begins_once_and_an_interval_ends_after_each_reading() -> None:
    source = LoggingSource()
    with running(source) as run:
        run.take()
        run.take()
    assert source.steps == ["begin", *["read", "end_interval"] * 3]


def test_an_interval_lasts_from_reading_to_reading_however_long_the_next_one_takes_to_begin() -> None:
    source = growing(1)
    run = Run(source)
    source.end_interval = lambda reading: run.clock.advance(0.25)  # type: ignore[method-assign]
    run.collector.start()
    try:
        run.clock.advance_waiter(0.75)
        first = run.last()
        run.clock.advance_waiter(0.75)
        second = run.last()
    finally:
        run.collector.stop()
    assert (first.elapsed, second.elapsed) == (1.0, 1.0)


def test_a_request_reaches_the_source_once_and_soon_and_the_interval_keeps_its_length() -> None:
    source = LoggingSource()
    with running(source, interval=3600.0) as run:
        run.clock.advance_waiter(1000.0)
        run.collector.request(CALLERS)
        run.collector.measure()
        while "measure" not in source.log:
            run.clock.advance_waiter(0)
        run.clock.advance_waiter(2600.0)
        assert run.last().elapsed == 3600.0
        assert run.take().elapsed == 3600.0
    begins = ["begin", "read", "end_interval", CALLERS, "measure"]
    assert source.steps == [*begins, *["read", "end_interval"] * 2]


@pytest.mark.parametrize(
    ("settles", "steps"),
    [
        (False, ["begin", "read", "end_interval", CALLERS, "read"]),
        (True, ["begin", CALLERS, "settle", "read", "end_interval"]),
    ],
)
def test_a_request_before_the_start_counts_from_the_first_interval_on(settles: bool, steps: list[object]) -> None:
    """A printer's first interval waits until everything that was requested counts."""
    source = LoggingSource()
    run = Run(source, settles=settles)
    run.collector.request(CALLERS)
    run.collector.start()
    try:
        assert run.take().elapsed == 1.0
    finally:
        run.collector.stop()
    assert source.steps[:5] == steps


@pytest.mark.parametrize("settles", [True, False])
def test_counters_that_cannot_be_read_at_first_are_one_line(settles: bool) -> None:
    """A probe reads them in settle(), since an inspection asks which cache has the name."""

    class Unreadable(FakeSource):
        def settle(self) -> None:
            raise OSError("the map is gone")

        def read(self) -> Reading:
            raise OSError("the map is gone")

    wanted = pytest.raises(SlabtuiError, match=r"^cannot read the counters: the map is gone: start slabtui again$")
    with running(Unreadable(lambda reading: Reading()), settles=settles) as run, wanted:
        run.queue.get(timeout=10)


def test_what_has_become_ready_is_attached_at_once() -> None:
    source = LoggingSource()
    with running(source, interval=3600.0) as run:
        run.clock.advance_waiter(0)
        source.wake()
        while "advance" not in source.log:
            run.clock.advance_waiter(0)
    assert source.log == ["begin", "read", "end_interval", "advance"]


def test_the_notes_of_the_source_are_in_every_snapshot() -> None:
    source = growing(1)
    source.notes = ("no frees on this kernel",)
    with running(source) as run:
        assert run.take().notes == ("no frees on this kernel",)


def test_the_scope_of_the_source_is_in_every_snapshot() -> None:
    source = growing(1)
    source.scope = "pid 8445 python3"
    with running(source) as run:
        assert [run.take().origin.scope for _ in range(2)] == ["pid 8445 python3"] * 2


def test_a_cache_has_one_key_in_all_snapshots() -> None:
    with running(growing(2)) as run:
        keys: list[list[CacheKey]] = [[row.cache for row in run.take().rows] for _ in range(2)]
    assert keys == [[key(0), key(1)]] * 2


def test_snapshots_carry_the_judgement_of_every_cache_and_of_the_memory() -> None:
    def reading(number: int) -> Reading:
        leak, idle = totals(1, allocs=20 * number), totals(2)
        memory = HostMemory(total=8 << 30, available=4 << 30, slab=1 << 30, unreclaimable=(number << 20) + (1 << 29))
        return Reading((replace(leak, live=20 * number, reclaimable=False), replace(idle, live=7)), memory=memory)

    with running(FakeSource(reading)) as run:
        for _ in range(60):
            found = run.take()
    leak, idle = found.rows
    assert (leak.growing, leak.growth_objects_s, leak.growth_bytes_h) == (True, 20, 20 * 64 * 3600)
    assert (idle.growing, idle.growth_objects_s) == (False, 0)
    assert found.growth is not None
    assert (found.growth.growing, found.growth.unreclaimable_bytes_s) == (True, 1 << 20)
    assert found.growth.full_in_s == 4096
