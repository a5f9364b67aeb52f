"""Queues of snapshots: one for each consumer, bounded, so that each consumer takes them at its own pace."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import reduce

from slabtui.model.snapshot import Snapshot, merge


class SnapshotsEndedError(Exception):
    """There are no more snapshots: the recording is at its end, or the producer has finished."""


class ProducerDiedError(Exception):
    """The thread of the producer ended by an unexpected exception, which is the cause."""


class SnapshotQueue:
    """The snapshots that one consumer has not taken yet.

    A full queue merges its newest snapshot with the one that comes, so that it covers a longer interval: the newest
    state wins, and no count is lost.

    Args:
        capacity: how many snapshots it holds, 1 or more.
        notify: called in the thread of the producer whenever there is something to take.
    """

    def __init__(self, capacity: int = 1, notify: Callable[[], None] = lambda: None) -> None:
        self._capacity = capacity
        self._notify = notify
        self._waiting: deque[Snapshot] = deque()
        self._end: BaseException | None = None
        self._changed = threading.Condition()

    def put(self, snapshot: Snapshot) -> None:
        """Add a snapshot; never blocks."""
        with self._changed:
            if len(self._waiting) >= self._capacity:
                snapshot = merge(self._waiting.pop(), snapshot)
            self._waiting.append(snapshot)
            self._changed.notify_all()
        self._notify()

    def close(self, end: BaseException) -> None:
        """Add no more snapshots: once the last one is taken, `get` raises this."""
        with self._changed:
            self._end = end
            self._changed.notify_all()
        self._notify()

    def reopen(self) -> None:
        """Add more snapshots although it was closed: the user has jumped back in a recording that was at its end."""
        with self._changed:
            self._end = None

    def get(self, timeout: float | None = 0) -> Snapshot | None:
        """Take the oldest snapshot; None if there is none within `timeout` seconds (None: wait without limit).

        Raises:
            SnapshotsEndedError: there are no more.
            SlabtuiError: the producer cannot go on, for a reason that a user can remedy.
            ProducerDiedError: its thread has ended by any other exception.
        """
        with self._changed:
            if timeout != 0:
                self._changed.wait_for(lambda: self._waiting or self._end is not None, timeout)
            if self._waiting:
                snapshot = self._waiting.popleft()
                self._changed.notify_all()
                return snapshot
            if self._end is not None:
                raise self._end
            return None

    def __iter__(self) -> Iterator[Snapshot]:
        """Yield each snapshot as soon as it is there, until there are no more; raise other errors as `get` does."""
        with suppress(SnapshotsEndedError):
            while (snapshot := self.get(timeout=None)) is not None:
                yield snapshot

    def compact(self) -> None:
        """Merge all snapshots that wait into one, for a consumer that has to end soon."""
        with self._changed:
            if self._waiting:
                together = reduce(merge, self._waiting)
                self._waiting.clear()
                self._waiting.append(together)
                self._changed.notify_all()

    def wait_for_room(self, timeout: float) -> bool:
        """Wait until a snapshot can be added without being merged, for `timeout` seconds at most; False: it cannot."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._waiting) < self._capacity, timeout)
