"""A producer of snapshots: a thread that puts each one onto the queue of every consumer."""

import threading
from typing import Protocol

from slabtui.analysis.growth import Growth
from slabtui.errors import SlabtuiError
from slabtui.model.request import Request
from slabtui.model.snapshot import Snapshot
from slabtui.queues import ProducerDiedError, SnapshotQueue, SnapshotsEndedError
from slabtui.system import threads
from slabtui.system.clock import Clock, SystemClock
from slabtui.system.ending import WAIT

_PATIENCE = 0.05  # seconds between checks whether to stop, while a producer waits for room


class Snapshots(Protocol):
    """What a consumer sees of a producer; see Producer for each."""

    def subscribe(self, queue: SnapshotQueue) -> None:
        """Put the snapshots onto this queue, too."""

    def unsubscribe(self, queue: SnapshotQueue) -> None:
        """Put no more snapshots onto this queue."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""

    def finish(self) -> None:
        """Produce one more snapshot at once, and then end."""

    def request(self, wanted: Request) -> None:
        """Count more, or less, from now on."""

    def measure(self) -> None:
        """Measure the overhead again."""

    def mark(self) -> None:
        """Set the mark: judge growth from now on."""


class Producer:
    """Base of the producers; a subclass implements `produce`.

    Args:
        clock: the time.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._queues: tuple[SnapshotQueue, ...] = ()
        self._growth = Growth()
        self._end: BaseException | None = None
        self._subscribing = threading.Lock()
        self._stopping = False
        self._finishing = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__.lower(), daemon=True)

    def subscribe(self, queue: SnapshotQueue) -> None:
        """Put the snapshots onto this queue, too, from the next one on."""
        with self._subscribing:
            self._queues = (*self._queues, queue)
            end = self._end
        if end is not None:
            queue.close(end)

    def unsubscribe(self, queue: SnapshotQueue) -> None:
        """Put no more snapshots onto this queue."""
        with self._subscribing:
            self._queues = tuple(other for other in self._queues if other is not queue)

    def start(self) -> None:
        """Begin.

        Raises:
            SlabtuiError: the process may not create another thread.
        """
        threads.start(self._thread)

    def stop(self) -> None:
        """End the thread and wait for it, but not for one that hangs. After `finish` the last snapshot still comes."""
        if self._stopping:
            return  # it has been waited for
        self._stopping = not self._finishing
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(WAIT)
        self._stopping = True  # one that hangs ends as soon as it can

    def finish(self) -> None:
        """Produce one more snapshot at once, and then end: it covers everything up to this moment.

        May be called by a signal's handler, in the thread of any consumer: also while that thread is in `stop`, and has
        the lock of the event.
        """
        if self._stopping or self._finishing:
            return
        self._finishing = True
        self._wake.set()

    def request(self, wanted: Request) -> None:
        """Count more, or less, from now on; a producer that cannot shows what it has."""

    def measure(self) -> None:
        """Measure the overhead again; a producer that cannot does nothing."""

    def mark(self) -> None:
        """Set the mark: judge the next snapshots by their growth since the end of the last one."""
        self._growth.mark()

    def produce(self) -> None:
        """Publish snapshots until `sleep` says to stop; runs in the thread.

        Raises:
            SnapshotsEndedError: there are no more.
            SlabtuiError: the producer cannot go on, for a reason that a user can remedy.
        """
        raise NotImplementedError

    def sleep(self, seconds: float | None) -> bool:
        """Wait, until `_wake` is set at most; False: the producer is to stop."""
        self._clock.wait(self._wake, seconds)
        self._wake.clear()
        return not self._stopping

    def publish(self, snapshot: Snapshot) -> None:
        """Judge the growth in a snapshot, and put it onto every queue."""
        snapshot = self._growth.judge(snapshot)
        for queue in self._queues:
            queue.put(snapshot)

    def wait_for_room(self) -> bool:
        """Wait until no queue would have to merge the next snapshot; False: the producer is to stop, or to finish."""
        for queue in self._queues:
            while queue in self._queues and not queue.wait_for_room(_PATIENCE):
                if self._stopping or self._finishing:
                    return False
        return not (self._stopping or self._finishing)

    def _run(self) -> None:
        end: BaseException = SnapshotsEndedError()
        try:
            self.produce()
        except (SnapshotsEndedError, SlabtuiError) as error:
            end = error
        except BaseException as error:  # the user must see it; the screen is drawn by another thread
            end = ProducerDiedError(f"the {self._thread.name} ended: {error!r}")
            end.__cause__ = error
        with self._subscribing:
            self._end = end
        for queue in self._queues:
            queue.close(end)
