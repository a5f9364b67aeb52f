"""A consumer's queue: bounded, in order, and without loss for a consumer at any pace."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.errors import SlabtuiError
from slabtui.model.snapshot import Snapshot
from slabtui.queues import SnapshotQueue, SnapshotsEndedError
from tests.support.fakes import cache, snapshot


def one(allocs: int) -> Snapshot:
    return snapshot(cache(1, allocs=allocs), time=1000.0 + allocs)


def drain(queue: SnapshotQueue) -> list[int]:
    """Return the allocs of the snapshots that wait."""
    found = []
    while (taken := queue.get()) is not None:
        found.append(taken.allocs)
    return found


def test_snapshots_come_in_order_and_each_once() -> None:
    queue = SnapshotQueue(3)
    for allocs in (1, 2, 3):
        queue.put(one(allocs))
    assert drain(queue) == [1, 2, 3]


def test_a_full_queue_merges_the_newest_with_what_comes() -> None:
    queue = SnapshotQueue(2)
    for allocs in (1, 2, 3, 4):
        queue.put(one(allocs))
    first, second = queue.get(), queue.get()
    assert first == one(1)
    assert (second.allocs, second.elapsed, second.time) == (9, 3.0, 1004.0)


@given(st.integers(1, 4), st.lists(st.none() | st.integers(0, 99)))
def test_whatever_the_pace_nothing_is_lost(capacity: int, steps: list[int | None]) -> None:
    queue, taken = SnapshotQueue(capacity), 0
    for allocs in steps:  # None: the consumer takes one
        if allocs is not None:
            queue.put(one(allocs))
        elif (found := queue.get()) is not None:
            taken += found.allocs
    rest = drain(queue)
    assert len(rest) <= capacity
    assert taken + sum(rest) == sum(allocs for allocs in steps if allocs is not None)


def test_a_queue_says_when_there_is_something_to_take_and_when_it_ends() -> None:
    notified: list[int] = []
    queue = SnapshotQueue(notify=lambda: notified.append(1))
    queue.put(one(1))
    assert len(notified) == 1
    queue.close(SnapshotsEndedError())
    assert len(notified) == 2


def test_what_waits_is_taken_before_the_end() -> None:
    queue = SnapshotQueue(2)
    queue.put(one(1))
    queue.close(SlabtuiError("the map is gone", "start slabtui again"))
    assert queue.get().allocs == 1
    for _ in range(2):
        with pytest.raises(SlabtuiError, match="the map is gone"):
            queue.get(timeout=None)


def test_a_consumer_waits_for_each_snapshot_until_there_are_no_more() -> None:
    queue = SnapshotQueue(3)

    def produce() -> None:
        for allocs in (1, 2, 3):
            queue.put(one(allocs))
        queue.close(SnapshotsEndedError())

    producer = threading.Timer(0.05, produce)
    producer.start()
    assert [taken.allocs for taken in queue] == [1, 2, 3]
    assert list(queue) == []
    producer.join()


def test_a_consumer_is_told_why_there_are_no_more_snapshots() -> None:
    queue = SnapshotQueue()
    queue.put(one(1))
    queue.close(SlabtuiError("the map is gone", "start slabtui again"))
    taken = iter(queue)
    assert next(taken).allocs == 1
    with pytest.raises(SlabtuiError, match="the map is gone"):
        next(taken)


def test_what_waits_can_be_merged_into_one() -> None:
    queue = SnapshotQueue(10)
    queue.compact()
    for number in range(5):
        queue.put(snapshot(cache(1, allocs=number)))
    queue.compact()
    taken = queue.get()
    assert (taken.allocs, taken.elapsed) == (10, 5.0)
    assert queue.get() is None


def test_an_empty_queue_gives_nothing() -> None:
    queue = SnapshotQueue()
    assert queue.get() is None
    assert queue.get(timeout=0.001) is None


def test_a_consumer_that_waits_gets_what_another_thread_puts() -> None:
    queue = SnapshotQueue()
    other = threading.Timer(0.01, queue.put, [one(5)])
    other.start()
    assert queue.get(timeout=None).allocs == 5
    other.join()


def test_there_is_room_as_long_as_nothing_would_be_merged() -> None:
    queue = SnapshotQueue(2)
    assert queue.wait_for_room(0)
    queue.put(one(1))
    assert queue.wait_for_room(0)
    queue.put(one(2))
    assert not queue.wait_for_room(0)
    queue.get()
    assert queue.wait_for_room(0)
