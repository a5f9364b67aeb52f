"""The collector thread: reads a source once per interval and offers what was allocated since as one Snapshot."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from slabtui.errors import SlabtuiError
from slabtui.feed import Feed
from slabtui.snapshot import CacheRow, Origin, Snapshot, Totals, difference

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


class Collector(Feed):
    """Offers the newest snapshot of a source.

    A consumer that is late loses nothing: a snapshot that nobody has taken when the next is due is withdrawn, and the
    next covers its interval too. Its `elapsed` says so.

    Args:
        source: what is read. Closed by whoever made it, after `stop`.
        interval: seconds from one reading to the next, more than 0.
        notify: called in the thread whenever there is something to take.
    """

    def __init__(self, source: Source, interval: float, notify: Callable[[], None] = lambda: None) -> None:
        super().__init__(notify)
        self._source = source
        self._interval = interval
        system = os.uname()
        self._origin = Origin("live", system.nodename, system.release)

    def produce(self) -> None:
        """Take a first reading, which the first snapshot is measured from, and one more per interval."""
        try:
            baseline, since = self._source.totals(), time.monotonic()
        except OSError as error:
            raise SlabtuiError(f"cannot read the counters: {error}", "start slabtui again") from error
        latest, at = baseline, since
        due = since + self._interval
        while self.sleep(max(0.0, due - time.monotonic())):
            if not self.withdraw():
                baseline, since = latest, at
            try:
                latest, at = self._source.totals(), time.monotonic()
            except OSError as error:
                latest, at = baseline, since
                self.put(self._snapshot(time.monotonic() - since, error=f"cannot read the counters: {error}"))
            else:
                self.put(self._snapshot(at - since, *difference(baseline, latest)))
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
        return Snapshot(time.time(), elapsed, loadavg, rows, lost, error, self._source.notes, self._origin)
