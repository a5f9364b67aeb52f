"""A producer: what its consumers get, how they subscribe and unsubscribe, and how it ends."""

import sys
import threading
from collections.abc import Callable
from types import FrameType

import pytest

from slabtui.errors import SlabtuiError
from slabtui.model.host import HostGrowth
from slabtui.model.snapshot import Snapshot
from slabtui.producer import Producer
from slabtui.queues import ProducerDiedError, SnapshotQueue, SnapshotsEndedError
from tests.support import hosts
from tests.support.fakes import cache, snapshot

ONE = snapshot(cache(1, allocs=1), growth=HostGrowth(since=1.7e9))  # judged: it is published as it is


class Given(Producer):
    """A producer that runs a function of the test."""

    def __init__(self, produce: "Callable[[Given], None]") -> None:
        super().__init__()
        self._produce = produce

    def produce(self) -> None:
        self._produce(self)


def subscribed(producer: Producer, capacity: int = 9) -> SnapshotQueue:
    queue = SnapshotQueue(capacity)
    producer.subscribe(queue)
    return queue


def publish_three(producer: Given) -> None:
    for _ in range(3):
        producer.publish(ONE)


def rest(queue: SnapshotQueue) -> list[Snapshot]:
    """Return all that comes until the producer has ended."""
    found = []
    try:
        while (taken := queue.get(timeout=10)) is not None:
            found.append(taken)
    except SnapshotsEndedError:
        return found
    raise AssertionError("it does not end")


def test_each_consumer_gets_every_snapshot_at_its_own_pace() -> None:
    producer = Given(publish_three)
    fast, slow = subscribed(producer), subscribed(producer, capacity=1)
    producer.start()
    assert rest(fast) == [ONE] * 3
    assert [one.allocs for one in rest(slow)] == [3]


def test_a_consumer_that_has_left_gets_nothing_more() -> None:
    producer = Given(publish_three)
    left, stays = subscribed(producer), subscribed(producer)
    producer.unsubscribe(left)
    producer.start()
    assert rest(stays) == [ONE] * 3
    assert left.get() is None


def test_a_consumer_that_comes_after_the_end_learns_of_it() -> None:
    producer = Given(lambda _: None)
    first = subscribed(producer)
    producer.start()
    assert rest(first) == []
    assert rest(subscribed(producer)) == []


@pytest.mark.parametrize(
    ("error", "raised", "text"),
    [
        (SlabtuiError("the map is gone", "start slabtui again"), SlabtuiError, "the map is gone: start slabtui again"),
        (ValueError("a bug"), ProducerDiedError, r"the given ended: ValueError\('a bug'\)"),
        (SystemExit(3), ProducerDiedError, r"SystemExit\(3\)"),
    ],
)
def test_what_ends_the_thread_reaches_every_consumer(error: BaseException, raised: type[Exception], text: str) -> None:
    def fail(producer: Given) -> None:
        producer.publish(ONE)
        raise error

    producer = Given(fail)
    queues = [subscribed(producer), subscribed(producer)]
    producer.start()
    for queue in queues:
        assert queue.get(timeout=10) == ONE
        with pytest.raises(raised, match=text):
            queue.get(timeout=10)


def test_it_waits_until_every_consumer_has_room() -> None:
    def fill(producer: Given) -> None:
        while producer.wait_for_room():
            producer.publish(ONE)

    producer = Given(fill)
    queues = [subscribed(producer, capacity=1), subscribed(producer, capacity=2)]
    producer.start()
    for _ in range(5):
        assert [queue.get(timeout=10) for queue in queues] == [ONE, ONE]
    producer.stop()
    assert not producer._thread.is_alive()


@pytest.mark.parametrize("leave", [Producer.stop, Producer.finish, None])
def test_it_does_not_wait_for_room_for_ever(leave: Callable[[Producer], None] | None) -> None:
    """Neither when it is to end, nor for a consumer that has left."""
    waits, ended = threading.Event(), threading.Event()

    def fill(producer: Given) -> None:
        producer.publish(ONE)
        waits.set()
        producer.wait_for_room()
        ended.set()

    producer = Given(fill)
    queue = subscribed(producer, capacity=1)
    producer.start()
    assert waits.wait(10)
    if leave is None:
        producer.unsubscribe(queue)
    else:
        leave(producer)
    assert ended.wait(10)


def test_what_was_to_finish_may_publish_its_last_snapshot_before_it_is_stopped() -> None:
    begun = threading.Event()

    def last(producer: Given) -> None:
        begun.set()
        while not producer._finishing:
            assert producer.sleep(None)
        producer.publish(ONE)

    producer = Given(last)
    queue = subscribed(producer)
    producer.start()
    assert begun.wait(10)
    producer.finish()
    producer.stop()
    assert rest(queue) == [ONE]


def test_every_consumer_gets_the_same_judgement_and_a_mark_begins_it_anew() -> None:
    leak = list(hosts.snapshots({"filp": lambda time: 20 * time}, 120))

    def publish(producer: Given) -> None:
        for one in leak[:60]:
            producer.publish(one)
        producer.mark()
        for one in leak[60:]:
            producer.publish(one)

    producer = Given(publish)
    one, other = subscribed(producer, 200), subscribed(producer, 200)
    producer.start()
    found = rest(one)
    assert found == rest(other)
    assert [hosts.growing(found[at]) for at in (10, 59, 60, 119)] == [set(), {"filp"}, set(), {"filp"}]
    assert found[59].growth == HostGrowth(since=hosts.START)
    assert found[119].growth == HostGrowth(since=hosts.START + 60)


def test_it_stops_before_it_has_started() -> None:
    Given(publish_three).stop()


def test_a_signal_while_it_is_stopped_may_finish_it() -> None:
    """The handler runs in the thread that stops it, in the middle of Event.set(), which has a lock."""
    producer = Given(lambda _: None)
    in_set = []

    def interrupt(frame: FrameType, event: str, arg: object) -> None:
        if frame.f_code is threading.Condition.notify_all.__code__ and event == "call":
            in_set.append(True)
            producer.finish()

    def stop() -> None:
        sys.setprofile(interrupt)
        producer.stop()

    stopping = threading.Thread(target=stop, daemon=True)
    stopping.start()
    stopping.join(10)
    assert in_set
    assert not stopping.is_alive()
