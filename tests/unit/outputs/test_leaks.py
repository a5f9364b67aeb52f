"""A run that looks for leaks: what it requests and when, how it ends, and what it shows meanwhile."""

import signal

import pytest

from slabtui.analysis.leaks import LeakWatch
from slabtui.errors import SlabtuiError
from slabtui.model.request import Request
from slabtui.model.snapshot import Snapshot
from slabtui.outputs.leaks import follow
from slabtui.queues import SnapshotsEndedError
from slabtui.recording.addresses import show_all
from tests.support.hosts import level, noisy, snapshots
from tests.unit.outputs.test_stream import Scripted

SECONDS = 60
CACHES = {"filp": noisy(50, 5), "task_struct": level(5)}


class Requested(Scripted):
    """A producer that remembers what is requested of it."""

    def __init__(self, *given: Snapshot | BaseException | signal.Signals | None) -> None:
        super().__init__(*given)
        self.requests: list[Request] = []

    def request(self, wanted: Request) -> None:
        self.requests.append(wanted)


def run(producer: Requested, *, tracks: bool = True) -> tuple[LeakWatch, list[str], tuple[str, ...]]:
    watch, shown = LeakWatch(SECONDS), list[str]()
    notes = follow(
        producer,
        watch,
        SECONDS,
        tracks=tracks,
        conceal=show_all,
        progress=shown.append,
        interrupted=lambda: None,
    )
    return watch, shown, notes


def test_what_grows_is_tracked_after_a_third_of_the_run_and_chosen_again_after_half() -> None:
    producer = Requested(*snapshots(CACHES, SECONDS + 5))
    watch, shown, _ = run(producer)
    assert [one.suspects[0].name for one in producer.requests] == ["filp", "filp"]
    assert watch.elapsed == SECONDS
    assert producer.asked == ["start", "unsubscribe", "stop"]
    is_tracking = ["tracks filp" in text for text in shown]
    assert (is_tracking.index(True), len(shown)) == (19, SECONDS)
    assert "20 of 60 s" in shown[19]


def test_a_recording_is_not_asked_to_track() -> None:
    producer = Requested(*snapshots(CACHES, SECONDS))
    run(producer, tracks=False)
    assert producer.requests == []


def test_an_interrupt_ends_the_run_with_what_is_known() -> None:
    producer = Requested(*snapshots(CACHES, 50), signal.SIGINT, SnapshotsEndedError())
    watch, _, _ = run(producer)
    assert "finish" in producer.asked
    report = watch.report()
    assert report is not None
    assert [one.row.name for leak in report.leaks for one in leak.caches] == ["filp"]


def test_counters_that_cannot_be_read_at_the_end_are_an_error() -> None:
    failed = Snapshot(1.7e9, 0.0, "", error="cannot read the counters")
    with pytest.raises(SlabtuiError, match="cannot read the counters"):
        run(Requested(*snapshots(CACHES, 50), failed, SnapshotsEndedError()))
