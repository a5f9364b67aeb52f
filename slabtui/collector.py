"""The collector thread: reads a source once per interval and offers what was allocated since as one Snapshot."""

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from slabtui.snapshot import CacheRow, Snapshot, Totals, difference

LOADAVG = Path("/proc/loadavg")


class Source(Protocol):
    """Something that counts allocations."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What it cannot do, in words for the user."""

    def totals(self) -> Totals:
        """Return everything counted so far; OSError where that cannot be read now."""

    def close(self) -> None:
        """Stop counting."""


class CollectorDiedError(Exception):
    """The collector thread ended by an exception, its cause."""


class Collector:
    """A thread that offers one snapshot at a time, the newest.

    A consumer that is late loses nothing: a snapshot that nobody has taken when the next is due is withdrawn, and the
    next covers its interval too. Its `elapsed` says so.

    Args:
        source: what is read. Closed by whoever made it, after `stop`.
        interval: seconds from one reading to the next, more than 0.
        notify: called in the thread whenever there is something to take.
    """

    def __init__(self, source: Source, interval: float, notify: Callable[[], None] = lambda: None) -> None:
        self._source = source
        self._interval = interval
        self._notify = notify
        self._offer: queue.Queue[Snapshot | BaseException] = queue.Queue(maxsize=1)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="collector", daemon=True)

    def start(self) -> None:
        """Take the first reading, which the first snapshot is measured from, and go on in the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it; at most as long as one reading takes, whatever the interval is."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def take(self, timeout: float | None = 0) -> Snapshot | None:
        """Return the snapshot that is on offer; None if there is none within `timeout` seconds (None: no limit).

        Raises:
            CollectorDiedError: the thread has ended by an exception.
        """
        try:
            offered = self._offer.get(block=timeout != 0, timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(offered, BaseException):
            raise CollectorDiedError(f"the collector ended: {offered!r}") from offered
        return offered

    def _run(self) -> None:
        try:
            self._collect()
        except BaseException as error:  # it must reach the user, who looks at the other thread's screen
            self._withdraw()
            self._put(error)

    def _collect(self) -> None:
        baseline, since = self._source.totals(), time.monotonic()
        latest, at = baseline, since
        due = since + self._interval
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            if not self._withdraw():
                baseline, since = latest, at
            try:
                latest, at = self._source.totals(), time.monotonic()
            except OSError as error:
                latest, at = baseline, since
                self._put(self._snapshot(time.monotonic() - since, error=f"cannot read the counters: {error}"))
            else:
                self._put(self._snapshot(at - since, *difference(baseline, latest)))
            # Keep to the grid, so that seconds stay seconds; but begin a new one after a stall, not a short interval.
            due += self._interval
            if due <= time.monotonic():
                due = time.monotonic() + self._interval

    def _snapshot(
        self, elapsed: float, rows: tuple[CacheRow, ...] = (), lost: int | None = None, error: str | None = None
    ) -> Snapshot:
        try:
            loadavg = LOADAVG.read_text().strip()
        except OSError:
            loadavg = ""
        return Snapshot(time.time(), elapsed, loadavg, rows, lost, error, self._source.notes)

    def _withdraw(self) -> bool:
        """Take back the snapshot on offer; False: the consumer has it."""
        try:
            self._offer.get_nowait()
        except queue.Empty:
            return False
        return True

    def _put(self, offered: Snapshot | BaseException) -> None:
        self._offer.put_nowait(offered)
        self._notify()
