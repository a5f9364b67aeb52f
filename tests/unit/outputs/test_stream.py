"""Printing snapshots: what is printed, when it ends, and how it is interrupted."""

import io
import os
import signal
import threading
import time
from collections.abc import Iterable
from signal import SIGINT

import pytest

from slabtui.collector import Collector
from slabtui.columns.query import Order
from slabtui.errors import SlabtuiError
from slabtui.model.request import Request
from slabtui.model.snapshot import CacheRow, Reading, Snapshot
from slabtui.outputs.formats import Format
from slabtui.outputs.stream import Selection, stream
from slabtui.producer import Snapshots
from slabtui.queues import SnapshotQueue, SnapshotsEndedError
from tests.support.fakes import FakeSource, cache, caches, growing, snapshot, totals

ALL = Selection(Order())


def names(snapshot: Snapshot, rows: Iterable[CacheRow]) -> str:
    return " ".join(row.name for row in rows) + "\n"


NAMES = Format(names, heading="heading\n", ending=lambda last: "ending\n")


class Script(SnapshotQueue):
    """A queue with the items of a test: a signal is sent to this process, an exception is raised."""

    def __init__(self, *given: Snapshot | BaseException | signal.Signals) -> None:
        super().__init__()
        self._given = iter(given)

    def get(self, timeout: float | None = 0) -> Snapshot | None:
        given = next(self._given)
        while isinstance(given, signal.Signals):
            signal.raise_signal(given)
            given = next(self._given)
        if isinstance(given, BaseException):
            raise given
        return given


class Scripted(Snapshots):
    """A producer that puts the items of a test into the queue of its consumer."""

    def __init__(self, *given: Snapshot | BaseException | signal.Signals) -> None:
        self._script = Script(*given)
        self.asked: list[str] = []

    def subscribe(self, queue: SnapshotQueue) -> None:
        queue.get = self._script.get  # type: ignore[method-assign]

    def unsubscribe(self, queue: SnapshotQueue) -> None:
        self.asked.append("unsubscribe")

    def start(self) -> None:
        self.asked.append("start")

    def stop(self) -> None:
        self.asked.append("stop")

    def finish(self) -> None:
        self.asked.append("finish")

    def request(self, wanted: Request) -> None:
        raise AssertionError

    def measure(self) -> None:
        raise AssertionError


def printed(producer: Snapshots, selection: Selection = ALL, count: int | None = None) -> tuple[list[str], list[str]]:
    """Return the lines on standard output and the complaints."""
    output, complaints = io.StringIO(), []
    stream(producer, output, NAMES, selection, count=count, complain=complaints.append)
    return output.getvalue().splitlines(), complaints


def collected(source: FakeSource, selection: Selection = ALL, count: int = 1) -> tuple[list[str], list[str]]:
    collector = Collector(source, 0.05)
    try:
        return printed(collector, selection, count)
    finally:
        collector.stop()


def one(name: str) -> Snapshot:
    return snapshot(cache(1, name, allocs=1))


FAILED = snapshot(elapsed=0.0, error="gone")


@pytest.mark.parametrize("count", [1, 3])
def test_it_ends_after_as_many_intervals_as_were_asked_for(count: int) -> None:
    assert collected(growing(2), count=count) == (["heading", *["cache-0 cache-1"] * count, "ending"], [])


@pytest.mark.parametrize(("most", "line"), [(None, "cache-0 cache-1 cache-2"), (2, "cache-0 cache-1"), (9, None)])
def test_no_more_rows_are_printed_than_were_asked_for(most: int | None, line: str | None) -> None:
    lines, _ = collected(growing(3), Selection(Order(), most=most))
    assert lines[1] == (line or "cache-0 cache-1 cache-2")


@pytest.mark.parametrize(
    ("selection", "line"),
    [
        (Selection(Order("name", False)), "cache-0 cache-1 cache-2"),
        (Selection(Order("name", True)), "cache-2 cache-1 cache-0"),
        (Selection(Order("bytes", True)), "cache-2 cache-1 cache-0"),
        (Selection(Order("bytes", False), most=1), "cache-0"),
        (Selection(Order(), "CACHE-1"), "cache-1"),
        (Selection(Order(), "~[02]$"), "cache-2 cache-0"),
        (Selection(Order(), "~[02]$", most=1), "cache-2"),
        (Selection(Order(), "nothing"), ""),
    ],
)
def test_rows_are_those_that_match_in_the_order_that_was_asked_for(selection: Selection, line: str) -> None:
    lines, _ = printed(Scripted(snapshot(*caches(3), cache(3, "idle cache-1")), SnapshotsEndedError()), selection)
    assert lines == ["heading", line, "ending"]


def test_a_failed_reading_is_complained_about_and_counts() -> None:
    def read(reading: int) -> Reading:
        if reading == 2:
            raise OSError("gone")
        return Reading((totals(1, "a", allocs=reading),))

    lines, complaints = collected(FakeSource(read), count=3)
    assert lines == ["heading", "a", "a", "ending"]
    assert complaints == ["cannot read the counters: gone"]


def test_a_count_whose_last_reading_failed_ends_with_its_reason_after_all_that_was_read() -> None:
    output, complaints = io.StringIO(), []
    producer = Scripted(one("a"), FAILED, FAILED)
    with pytest.raises(SlabtuiError, match=r"^gone: start slabtui again$"):
        stream(producer, output, NAMES, ALL, count=3, complain=complaints.append)
    assert output.getvalue() == "heading\na\nending\n"
    assert complaints == ["gone"]


def test_an_interval_that_carries_the_error_of_a_later_reading_is_printed_and_complained_about() -> None:
    merged = snapshot(cache(1, "a", allocs=1), error="gone")
    assert printed(Scripted(merged, one("b"), SnapshotsEndedError())) == (["heading", "a", "b", "ending"], ["gone"])
    with pytest.raises(SlabtuiError, match=r"^gone: start slabtui again$"):
        printed(Scripted(merged), count=1)


def test_each_note_is_reported_once() -> None:
    complaints: list[str] = []
    others = iter([(), ("recording stopped: full",), ("recording stopped: full",)])
    given = [snapshot(notes=notes) for notes in (("a",), ("a", "b"), ("b",))]
    stream(
        Scripted(*given, SnapshotsEndedError()),
        io.StringIO(),
        NAMES,
        ALL,
        count=None,
        complain=complaints.append,
        notes=lambda: next(others),
    )
    assert complaints == ["a", "b", "recording stopped: full"]


def test_with_a_count_it_stops_the_producer_and_does_not_finish_it() -> None:
    """Another consumer, as the recorder, then has as many snapshots."""
    producer = Scripted(one("a"), one("b"))
    printed(producer, count=2)
    assert producer.asked == ["start", "unsubscribe", "stop"]


def test_it_ends_with_the_producer() -> None:
    lines, complaints = printed(Scripted(one("a"), one("b"), SnapshotsEndedError()))
    assert lines == ["heading", "a", "b", "ending"]
    assert not complaints


@pytest.mark.parametrize(
    ("given", "last"),
    [
        ((), None),
        ((one("a"), one("b")), "b"),
        ((one("a"), FAILED), "a"),
        ((one("a"), SIGINT, one("b")), "b"),
        ((SIGINT, one("b")), "b"),
        ((one("a"), SIGINT), "a"),
        ((FAILED,), None),
    ],
)
def test_the_ending_is_given_the_last_interval_that_was_printed(
    given: tuple[Snapshot | signal.Signals, ...], last: str | None
) -> None:
    given_last = []
    ending = Format(names, ending=lambda shown: str(given_last.append(shown)))
    stream(Scripted(*given, SnapshotsEndedError()), io.StringIO(), ending, ALL, count=None, complain=lambda _: None)
    assert [shown and shown.rows[0].name for shown in given_last] == [last]


def test_an_interrupt_finishes_the_producer_and_all_that_it_still_has_is_printed() -> None:
    producer = Scripted(one("a"), SIGINT, one("b"), one("c"), SnapshotsEndedError())
    assert printed(producer) == (["heading", "a", "b", "c", "ending"], [])
    assert producer.asked == ["start", "finish", "unsubscribe", "stop"]


def test_an_interrupt_ends_it_though_there_is_nothing_more_to_print() -> None:
    assert printed(Scripted(one("a"), SIGINT, SnapshotsEndedError())) == (["heading", "a", "ending"], [])


def test_an_interrupt_of_a_failing_producer_is_complained_about() -> None:
    lines, complaints = printed(Scripted(SIGINT, FAILED, SnapshotsEndedError()))
    assert lines == ["heading", "ending"]
    assert complaints == ["gone"]


def test_a_second_interrupt_does_not_wait() -> None:
    with pytest.raises(KeyboardInterrupt):
        printed(Scripted(one("a"), SIGINT, SIGINT, one("b")))
    assert signal.getsignal(SIGINT) is signal.default_int_handler


def test_an_interrupt_long_before_the_next_interval_does_not_wait_for_it() -> None:
    collector = Collector(growing(1), 3600.0)
    interrupt = threading.Timer(0.1, os.kill, [os.getpid(), SIGINT])
    interrupt.start()
    try:
        assert printed(collector) == (["heading", "cache-0", "ending"], [])
    finally:
        interrupt.join()
        collector.stop()


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.1, 0.15])
def test_whenever_an_interrupt_comes_all_that_was_counted_is_printed(delay: float) -> None:
    """That includes the interval that waits at that moment, and later ones."""
    readings = []
    interrupt = threading.Timer(delay, os.kill, [os.getpid(), SIGINT])

    def read(reading: int) -> Reading:
        if not readings:
            interrupt.start()
        readings.append(reading)
        return Reading((totals(1, "a", allocs=reading),))

    def counts(snapshot: Snapshot, rows: Iterable[CacheRow]) -> str:
        time.sleep(0.03)  # a slow reader, for which snapshots wait
        return "".join(f"{row.allocs}\n" for row in rows)

    output, collector = io.StringIO(), Collector(FakeSource(read), 0.05)
    try:
        stream(collector, output, Format(counts), ALL, count=None, complain=pytest.fail)
    finally:
        interrupt.join()
        collector.stop()
    assert sum(map(int, output.getvalue().split())) == readings[-1] - readings[0] > 0


def test_what_ends_the_producer_badly_passes_through() -> None:
    with pytest.raises(SlabtuiError, match="broken"):
        printed(Scripted(one("a"), SlabtuiError("broken", "start it again")))


def test_that_the_reader_is_gone_passes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def flush() -> None:
        if output.getvalue().endswith("a\n"):
            raise BrokenPipeError

    output = io.StringIO()
    monkeypatch.setattr(output, "flush", flush)
    with pytest.raises(BrokenPipeError):
        stream(Scripted(one("a"), one("b")), output, NAMES, ALL, count=None, complain=pytest.fail)
    assert output.getvalue() == "heading\na\n"


def test_every_interval_is_flushed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    output = io.StringIO()
    monkeypatch.setattr(output, "flush", lambda: seen.append(output.getvalue()))
    stream(Scripted(one("a"), one("b")), output, NAMES, ALL, count=2, complain=pytest.fail)
    assert seen == ["heading\n", "heading\na\n", "heading\na\nb\n", "heading\na\nb\nending\n"]


def test_a_signal_that_ends_the_program_keeps_its_handler_for_the_next_one() -> None:
    """ending.py raises SystemExit at SIGTERM, and makes SIGINT fatal from then on."""

    def give_up(number: int, frame: object) -> None:
        raise AssertionError

    def end(number: int, frame: object) -> None:
        signal.signal(SIGINT, give_up)
        raise SystemExit(143)

    before = signal.getsignal(SIGINT), signal.signal(signal.SIGTERM, end)
    try:
        with pytest.raises(SystemExit):
            printed(Scripted(signal.SIGTERM))
        assert signal.getsignal(SIGINT) is give_up
    finally:
        signal.signal(SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
