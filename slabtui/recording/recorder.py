"""Records snapshots: a consumer with a thread and a queue of its own, which a slow disk cannot hold up."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

from slabtui.model.snapshot import Snapshot
from slabtui.queues import SnapshotQueue, SnapshotsEndedError
from slabtui.recording.addresses import Concealer, show_all
from slabtui.recording.sink import Sink
from slabtui.system import files, threads
from slabtui.system.ending import WAIT

_CAPACITY = 100  # snapshots: ten seconds at the shortest interval; some hundred kilobytes each


class Recorder:
    """Gives the snapshots of its queue to a sink, which writes them.

    While the disk is slower than the snapshots come, the queue merges them: the recording has longer intervals, and no
    count is lost. A disk that fails ends the recording, and never the program.

    Args:
        sink: where they are written.
        conceal: what becomes of a snapshot before it is written; called in the recorder's thread.
        opened: called when the sink is open, in this thread, and in the recorder's unless the sink creates more files:
            each thread has capabilities of its own to give up.

    Attributes:
        queue: where the snapshots come from. The recording ends with them.

    Raises:
        SlabtuiError: the process may not create another thread.
    """

    def __init__(self, sink: Sink, conceal: Concealer = show_all, opened: Callable[[], None] = lambda: None) -> None:
        self.queue = SnapshotQueue(_CAPACITY)
        self._sink = sink
        self._conceal = conceal
        self._opened = opened
        self._failure: str | None = None
        self._error: Exception | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        threads.start(self._thread)
        self._ready.wait()
        opened()

    @property
    def failure(self) -> str | None:
        """Why nothing more is recorded; None: it is."""
        return self._failure

    @property
    def is_empty(self) -> bool:
        """Whether there is no interval in the recording that can be replayed."""
        return self._sink.is_empty

    @property
    def is_disk_full(self) -> bool:
        """Whether nothing more is recorded because there is no room for it."""
        return isinstance(self._error, OSError) and files.has_no_room(self._error)

    @property
    def is_unread(self) -> bool:
        """Whether nothing more is recorded because the reader of a pipe is gone."""
        return isinstance(self._error, BrokenPipeError)

    def notes(self) -> tuple[str, ...]:
        """Return what goes wrong, in words for the user."""
        if self._failure is not None:
            return (f"recording stopped: {self._failure}",)
        if self._sink.trouble:
            return (self._sink.trouble,)
        if not self.queue.wait_for_room(0):
            return ("the disk is too slow for the recording: its intervals become longer",)
        return ()

    def close(self) -> None:
        """Record what is in the queue, and finish the file; but do not wait for a disk that hangs.

        A disk that is only slow gets what is left as one interval: one write is outstanding then, and one to come.
        """
        self.queue.close(SnapshotsEndedError())  # its producer may not have started, or hang
        self._thread.join(WAIT / 2)
        self.queue.compact()
        self._thread.join(WAIT / 2)
        if self._thread.is_alive() and self._failure is None:
            self._failure = "the disk takes nothing"

    def _run(self) -> None:
        try:
            if not self._sink.creates_more:
                self._opened()
        finally:
            self._ready.set()
        for snapshot in self._snapshots():
            if self._failure is None:
                self._try(partial(self._record, snapshot))
        self._try(self._sink.close)

    def _snapshots(self) -> Iterator[Snapshot]:
        """Yield all snapshots. Why there are no more is reported by the consumers that show them."""
        with suppress(Exception):
            yield from self.queue

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except Exception as error:  # whatever it is, the program goes on
            self._error = self._error or error
            self._failure = self._failure or getattr(error, "strerror", None) or str(error) or repr(error)

    def _record(self, snapshot: Snapshot) -> None:
        self._sink.write(self._conceal(snapshot))
