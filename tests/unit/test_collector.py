"""The collector thread: what it offers, what it does when a reading fails, how it ends."""

import threading
import time
from collections.abc import Callable

import pytest

from slabtui.collector import Collector
from slabtui.errors import SlabtuiError
from slabtui.feed import FeedDiedError
from slabtui.model.inspection import Inspection, InspectionRow, Kind, Request
from slabtui.model.snapshot import Snapshot, Totals
from tests.support.fakes import FakeSource, cache, growing


def take(collector: Collector) -> Snapshot:
    snapshot = collector.take(timeout=10)
    assert snapshot is not None
    return snapshot


def test_a_snapshot_is_what_was_counted_since_the_one_before() -> None:
    collector = Collector(growing(3, step=5), 0.1)
    collector.start()
    try:
        for _ in range(3):
            snapshot = take(collector)
            assert [row.allocs for row in snapshot.rows] == [5, 5, 5]
            assert snapshot.bytes == 15 * 64
            assert snapshot.lost == 0
            assert snapshot.elapsed > 0
            assert len(snapshot.loadavg.split()) == 5
    finally:
        collector.stop()


def test_a_slow_consumer_gets_longer_intervals_and_loses_nothing() -> None:
    readings = []
    woken = threading.Semaphore(0)

    def totals(reading: int) -> Totals:
        readings.append(reading)
        return Totals((cache(1, allocs=reading),), reading)

    collector = Collector(FakeSource(totals), 0.1, woken.release)
    collector.start()
    try:
        for _ in range(4):
            assert woken.acquire(timeout=10)
        slow = take(collector)
        assert slow.allocs >= 4
        assert slow.lost == slow.allocs
        assert slow.elapsed > 0.3
        following = take(collector)
        assert slow.allocs + following.allocs <= readings[-1]
        assert following.allocs >= 1
    finally:
        collector.stop()
    rest = collector.take()
    assert slow.allocs + following.allocs + (rest.allocs if rest else 0) == readings[-1]


def test_a_failed_reading_is_told_and_the_next_covers_its_interval() -> None:
    def totals(reading: int) -> Totals:
        if reading == 2:
            raise OSError("the map is gone")
        return Totals((cache(1, allocs=reading),), 0)

    collector = Collector(FakeSource(totals), 0.1)
    collector.start()
    try:
        first, failed, after = take(collector), take(collector), take(collector)
        assert first.allocs == 1
        assert failed.error == "cannot read the counters: the map is gone"
        assert failed.rows == ()
        assert after.error is None
        assert after.allocs == 2
        assert after.elapsed > 0.15
    finally:
        collector.stop()


@pytest.mark.parametrize("reading", [0, 2])
def test_what_ends_the_thread_reaches_whoever_takes(reading: int) -> None:
    def totals(now: int) -> Totals:
        if now == reading:
            raise ValueError("a bug")
        return Totals((), 0)

    notified = threading.Event()
    collector = Collector(FakeSource(totals), 0.1, notified.set)
    collector.start()
    for _ in range(min(reading, 1)):
        take(collector)
    with pytest.raises(FeedDiedError, match="a bug"):
        collector.take(timeout=10)
    assert notified.is_set()
    collector.stop()


@pytest.mark.parametrize("interval", [0.1, 3600.0])
def test_it_stops_within_100_ms_at_any_interval(interval: float) -> None:
    collector = Collector(growing(1), interval)
    collector.start()
    time.sleep(0.05)
    began = time.monotonic()
    collector.stop()
    assert time.monotonic() - began < 0.1
    assert "feed" not in {thread.name for thread in threading.enumerate()}


def test_intervals_that_were_slept_through_are_not_made_up_for() -> None:
    def totals(reading: int) -> Totals:
        if reading == 1:
            time.sleep(0.55)
        return Totals((cache(1, allocs=reading),), 0)

    collector = Collector(FakeSource(totals), 0.2)
    collector.start()
    try:
        first, second = take(collector), take(collector)
        assert first.elapsed > 0.7
        assert 0.15 < second.elapsed < 0.3
    finally:
        collector.stop()


def test_nothing_to_take_is_none() -> None:
    assert Collector(growing(1), 1.0).take() is None


class LoggingSource(FakeSource):
    """A source that remembers in what order it was asked."""

    def __init__(self) -> None:
        self.log: list[object] = []
        super().__init__(lambda reading: Totals((cache(1, allocs=reading),), 0))

    def begin(self, wake: Callable[[], None]) -> None:
        self.log.append("begin")
        self.wake = wake

    def advance(self) -> None:
        self.log.append("advance")

    def settle(self) -> None:
        self.log.append("settle")

    def watch(self, wanted: Request) -> None:
        self.log.append(wanted)

    def totals(self) -> Totals:
        self.log.append("read")
        return super().totals()


def steps(source: LoggingSource) -> list[object]:
    """Return what it was asked for, but for what it was to take up."""
    return [step for step in source.log if step != "advance"]


def test_what_takes_time_begins_once_and_before_the_first_reading() -> None:
    source = LoggingSource()
    collector = Collector(source, 0.1)
    collector.start()
    try:
        take(collector)
        take(collector)
    finally:
        collector.stop()
    assert steps(source)[:3] == ["begin", "read", "read"]
    assert source.log.count("begin") == 1


def test_what_is_watched_changes_once_between_two_readings_and_the_interval_keeps_its_length() -> None:
    source = LoggingSource()
    collector = Collector(source, 0.8)
    collector.start()
    try:
        time.sleep(0.2)
        collector.watch(Request(frees=True))
        first, second = take(collector), take(collector)
    finally:
        collector.stop()
    assert steps(source)[:4] == ["begin", "read", Request(frees=True), "read"]
    assert source.log.count(Request(frees=True)) == 1
    assert first.elapsed == pytest.approx(0.8, abs=0.15)
    assert second.elapsed == pytest.approx(0.8, abs=0.15)


def test_it_is_watched_soon_and_not_only_at_the_next_reading() -> None:
    source = LoggingSource()
    collector = Collector(source, 3600.0)
    collector.start()
    try:
        for wanted in (Request(cache=7, kind=Kind.CALLERS), Request(measurements=1)):
            collector.watch(wanted)
            end = time.monotonic() + 10
            while wanted not in source.log and time.monotonic() < end:
                time.sleep(0.01)
    finally:
        collector.stop()
    assert steps(source)[2:4] == [Request(cache=7, kind=Kind.CALLERS), Request(measurements=1)]


def test_what_was_to_be_watched_before_the_start_is_watched_from_the_first_interval_on() -> None:
    source = LoggingSource()
    collector = Collector(source, 0.2)
    collector.watch(Request(cache="dentry", kind=Kind.STACKS))
    collector.start()
    try:
        assert take(collector).elapsed > 0.15
    finally:
        collector.stop()
    assert steps(source)[:4] == ["begin", "read", Request(cache="dentry", kind=Kind.STACKS), "read"]


def test_a_printer_s_first_interval_waits_until_all_that_is_wanted_counts() -> None:
    source = LoggingSource()
    collector = Collector(source, 0.2, settles=True)
    collector.watch(Request(cache="dentry", kind=Kind.STACKS))
    collector.start()
    try:
        take(collector)
    finally:
        collector.stop()
    assert steps(source)[:4] == ["begin", Request(cache="dentry", kind=Kind.STACKS), "settle", "read"]


def test_counters_that_cannot_be_read_before_the_first_interval_are_told_in_one_line() -> None:
    """A probe reads them in settle(), since an inspection asks which cache has the name."""

    class Unreadable(FakeSource):
        def settle(self) -> None:
            raise OSError("the map is gone")

    collector = Collector(Unreadable(lambda reading: Totals((), 0)), 0.1, settles=True)
    collector.start()
    try:
        with pytest.raises(SlabtuiError, match=r"^cannot read the counters: the map is gone: start slabtui again$"):
            collector.take(timeout=10)
    finally:
        collector.stop()


def test_what_becomes_ready_is_taken_up_at_once() -> None:
    source = LoggingSource()
    collector = Collector(source, 3600.0)
    collector.start()
    try:
        end = time.monotonic() + 10
        while "read" not in source.log and time.monotonic() < end:
            time.sleep(0.01)
        assert "advance" not in source.log
        source.wake()
        while "advance" not in source.log and time.monotonic() < end:
            time.sleep(0.01)
    finally:
        collector.stop()
    assert source.log == ["begin", "read", "advance"]


def test_what_is_counted_beside_the_caches_is_passed_on() -> None:
    look = Inspection("cache-1", Kind.CALLERS, entries=(InspectionRow(1, 64, 1, 64, frames=("f",)),))

    def totals(reading: int) -> Totals:
        return Totals((), 0, events=reading * 5, nanoseconds=150.0, bulk=True, detail=look if reading else None)

    collector = Collector(FakeSource(totals), 0.1)
    collector.start()
    try:
        snapshot = take(collector)
    finally:
        collector.stop()
    assert (snapshot.events, snapshot.nanoseconds, snapshot.bulk, snapshot.detail) == (5, 150.0, True, look)
