"""Relays a stream of snapshots from another process, as from slabtui on another host, as soon as they come."""

from collections.abc import Callable, Iterator

from slabtui.errors import SlabtuiError
from slabtui.model.snapshot import Snapshot
from slabtui.producer import Producer
from slabtui.queues import SnapshotsEndedError


class Relay(Producer):
    """Publishes snapshots as they come; a consumer that is late gets them merged, as from the running kernel.

    Args:
        snapshots: waits for each of them.
        close: ends the other process, if this one has started it.

    Raises:
        SlabtuiError: there is none.
    """

    def __init__(self, snapshots: Iterator[Snapshot], close: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._snapshots = snapshots
        self._close = close
        first = next(snapshots, None)
        if first is None:
            raise SlabtuiError("the stream has no snapshot in it", "write to it with slabtui --record -")
        self._first = first

    def stop(self) -> None:
        """End without waiting for the thread, which waits for the other process."""
        self._stopping = True
        self._close()

    def produce(self) -> None:
        """Publish until the stream ends.

        Raises:
            SnapshotsEndedError: it has ended, or the relay is to end.
            SlabtuiError: the stream is damaged.
        """
        self.publish(self._first)
        try:
            for snapshot in self._snapshots:
                self.publish(snapshot)
                if self._stopping or self._finishing:
                    break
        except SlabtuiError:
            if not (self._stopping or self._finishing):  # else an interrupt has ended the other process, too
                raise
        raise SnapshotsEndedError
