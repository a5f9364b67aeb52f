"""The collector thread: reads a source once per interval and offers what was allocated since as one Snapshot."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from slabtui.errors import SlabtuiError
from slabtui.feed import Feed, FeedEndedError
from slabtui.model.inspection import Request
from slabtui.model.snapshot import Origin, Snapshot, Totals, difference

LOADAVG = Path("/proc/loadavg")


class Source(Protocol):
    """Something that counts allocations."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What it cannot do, in words for the user."""

    def begin(self, wake: Callable[[], None]) -> None:
        """Begin with what takes time; called once, before the first reading.

        Args:
            wake: to be called, in any thread, when `advance` has something to do.
        """

    def advance(self) -> None:
        """Take up what has become ready since."""

    def settle(self) -> None:
        """Wait until everything that has been asked for counts, or cannot; OSError where nothing can be read now."""

    def watch(self, wanted: Request) -> None:
        """Count more, or less, from now on."""

    def totals(self) -> Totals:
        """Return everything counted so far; OSError where that cannot be read now."""

    def close(self) -> None:
        """Stop counting; in any thread, and more than once."""


class Collector(Feed):
    """Offers the newest snapshot of a source.

    A consumer that is late loses nothing: a snapshot that nobody has taken when the next is due is withdrawn, and the
    next covers its interval too. Its `elapsed` says so.

    Args:
        source: what is read. Closed when the collector has ended, whether what it offered last is taken or not.
        interval: seconds from one reading to the next, more than 0.
        notify: called in the thread whenever there is something to take.
        settles: whether the first interval waits until everything that has been asked for counts.
    """

    def __init__(
        self, source: Source, interval: float, notify: Callable[[], None] = lambda: None, *, settles: bool = False
    ) -> None:
        super().__init__(notify)
        self._settles = settles
        self._source = source
        self._interval = interval
        self._hurried = False
        self._watch = self._watched = Request()
        system = os.uname()
        self._origin = Origin("live", system.nodename, system.release)

    def hurry(self) -> None:
        """Let the next snapshot come at once."""
        self._hurried = True
        super().hurry()

    def watch(self, wanted: Request) -> None:
        """Count more, or less, from now on; the interval that has begun keeps its length."""
        self._watch = wanted
        self._wake.set()

    def stop(self) -> None:
        """End the thread, and close the source though the thread may hang."""
        super().stop()
        self._source.close()

    def produce(self) -> None:
        """Collect until it is enough, and then stop counting, at once: a consumer that blocks does not matter.

        Raises:
            FeedEndedError: the last snapshot was asked for, and is on offer or taken.
            SlabtuiError: the first reading failed.
        """
        try:
            self._collect()
        finally:
            self._source.close()

    def _collect(self) -> None:
        """Take a first reading, which the first snapshot is measured from, and one more per interval."""
        self._source.begin(self._wake.set)
        try:
            if self._settles:
                self._take_over_watch()
                self._source.settle()
            baseline, since = self._source.totals(), time.monotonic()
        except OSError as error:
            raise SlabtuiError(f"cannot read the counters: {error}", "start slabtui again") from error
        latest, at = baseline, since
        due = since + self._interval
        while self._wait_until(due):
            last = self._finishing  # as it is now: whoever finishes during the reading wants another
            if not self.withdraw():
                baseline, since = latest, at
            try:
                latest, at = self._source.totals(), time.monotonic()
            except OSError as error:
                latest, at = baseline, since
                snapshot = self._snapshot(time.monotonic() - since, error=f"cannot read the counters: {error}")
            else:
                snapshot = self._snapshot(at - since, difference(baseline, latest))
            if last:
                self._source.close()  # before the snapshot waits for a consumer, which may be blocked
            self.put(snapshot)
            if last:
                raise FeedEndedError
            # Keep to the grid, so that seconds stay seconds; but begin a new one after a stall, not a short interval.
            due += self._interval
            if due <= time.monotonic() + self._interval / 2:
                due = time.monotonic() + self._interval

    def _wait_until(self, due: float) -> bool:
        """Wait for the next reading, or less if hurried; False: the collector is to stop."""
        while not (self._hurried or self._finishing) and (left := due - time.monotonic()) > 0:
            if not self.sleep(left):
                return False
            self._take_over_watch()
            self._source.advance()
        self._hurried = False
        return not self._stopping

    def _take_over_watch(self) -> None:
        if self._watch is not self._watched:
            self._watched = self._watch
            self._source.watch(self._watched)

    def _snapshot(self, elapsed: float, counted: Totals | None = None, error: str | None = None) -> Snapshot:
        try:
            loadavg = LOADAVG.read_text().strip()
        except OSError:
            loadavg = ""
        counted = counted or Totals((), None)
        return Snapshot(
            time=time.time(),
            elapsed=elapsed,
            loadavg=loadavg,
            rows=counted.rows,
            lost=counted.lost,
            events=counted.events,
            nanoseconds=counted.nanoseconds,
            bulk=counted.bulk,
            detail=counted.detail,
            error=error,
            notes=self._source.notes,
            origin=self._origin,
        )
