"""A feed of snapshots: a thread that offers one at a time to whoever shows, prints or records them."""

import queue
import threading
from collections.abc import Callable
from typing import Protocol

from slabtui.errors import SlabtuiError
from slabtui.model.inspection import Request
from slabtui.model.snapshot import Snapshot
from slabtui.system import threads
from slabtui.system.ending import WAIT


class FeedEndedError(Exception):
    """There will be no more snapshots: the recording is at its end."""


class FeedDiedError(Exception):
    """The thread of the feed ended by an exception that nobody expected, its cause."""


class Snapshots(Protocol):
    """What whoever consumes snapshots sees of a feed; see Feed for each."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""

    def hurry(self) -> None:
        """Let the next snapshot come at once."""

    def finish(self) -> None:
        """Let one more come at once, and then the end."""

    def watch(self, wanted: Request) -> None:
        """Count more, or less, from now on."""

    def take(self, timeout: float | None = 0) -> Snapshot | None:
        """Return the snapshot that is on offer."""


class Feed:
    """Base of the feeds; a subclass says in `produce` where snapshots come from.

    Args:
        notify: called in the thread whenever there is something to take.
    """

    def __init__(self, notify: Callable[[], None] = lambda: None) -> None:
        self._notify = notify
        self._offer: queue.Queue[Snapshot | BaseException] = queue.Queue(maxsize=1)
        self._stopping = False
        self._finishing = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin.

        Raises:
            SlabtuiError: the process may not create another thread.
        """
        threads.start(self._thread)

    def stop(self) -> None:
        """End the thread and wait for it, however long it would have slept, but not for one that hangs."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(WAIT)

    def hurry(self) -> None:
        """Let the next snapshot come at once."""
        self._wake.set()

    def finish(self) -> None:
        """Let one more come at once, and then the end: when that is taken, all up to this moment has been.

        May be called by a signal's handler, in whatever thread takes the snapshots.
        """
        self._finishing = True
        self._wake.set()

    def watch(self, wanted: Request) -> None:
        """Count more, or less, from now on; a feed that cannot shows what it has."""

    def take(self, timeout: float | None = 0) -> Snapshot | None:
        """Return the snapshot that is on offer; None if there is none within `timeout` seconds (None: no limit).

        What it raises it raises each time from then on.

        Raises:
            FeedEndedError: there will be none.
            SlabtuiError: the feed cannot go on, for a reason that a user can mend.
            FeedDiedError: the thread has ended by any other exception.
        """
        try:
            offered = self._offer.get(block=timeout != 0, timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(offered, BaseException):
            self._offer.put(offered)
            raise offered
        return offered

    def produce(self) -> None:
        """Offer snapshots with `put` until `sleep` says to stop; runs in the thread."""
        raise NotImplementedError

    def sleep(self, seconds: float | None) -> bool:
        """Wait, or less if hurried; False: the feed is to stop."""
        self._wake.wait(seconds)
        self._wake.clear()
        return not self._stopping

    def withdraw(self) -> bool:
        """Take back the snapshot on offer; False: there was none, the consumer has it."""
        try:
            self._offer.get_nowait()
        except queue.Empty:
            return False
        return True

    def put(self, offered: Snapshot | BaseException) -> None:
        """Offer a snapshot, or what ends the feed; waits while another is on offer."""
        while not self._stopping:
            try:
                self._offer.put(offered, timeout=0.05)
            except queue.Full:
                continue
            self._notify()
            return

    def _run(self) -> None:
        try:
            self.produce()
        except (FeedEndedError, SlabtuiError) as error:
            self.put(error)
        except BaseException as error:  # it must reach the user, who looks at the other thread's screen
            died = FeedDiedError(f"the {type(self).__name__.lower()} ended: {error!r}")
            died.__cause__ = error
            self.withdraw()
            self.put(died)
