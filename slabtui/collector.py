"""The collector thread: reads a source once per interval and puts one snapshot onto each consumer's queue."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from slabtui.errors import SlabtuiError
from slabtui.model.host import Origin
from slabtui.model.request import Request
from slabtui.model.snapshot import Differences, Reading, Snapshot
from slabtui.producer import Producer
from slabtui.queues import SnapshotsEndedError
from slabtui.system.clock import Clock
from slabtui.system.files import Repeated

LOADAVG = Path("/proc/loadavg")


class Source(Protocol):
    """Something that counts allocations."""

    @property
    def scope(self) -> str:
        """Which processes it counts, in words that are harmless to print; empty: all."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What it cannot do, in words for the user."""

    def begin(self, wake: Callable[[], None]) -> None:
        """Begin with what takes time; called once, before the first reading.

        Args:
            wake: to be called, in any thread, when `advance` has something to do.
        """

    def advance(self) -> None:
        """Attach what has become ready since."""

    def settle(self) -> None:
        """Wait until everything that was requested counts, or cannot; OSError where nothing can be read now."""

    def request(self, wanted: Request) -> None:
        """Count more, or less, from now on."""

    def measure(self) -> None:
        """Measure the overhead again."""

    def read(self) -> Reading:
        """Return everything counted so far; OSError where that cannot be read now."""

    def end_interval(self, reading: Reading) -> None:
        """Begin a new interval: hand the settings that fit this reading to the programs; OSError where refused."""

    def close(self) -> None:
        """Stop counting; in any thread, and more than once."""


class Collector(Producer):
    """Reads a source and publishes one snapshot per interval.

    Args:
        source: what is read. Closed when the collector has ended.
        interval: seconds from one reading to the next, more than 0.
        settles: whether the first interval waits until everything that was requested counts.
        clock: the time.
    """

    def __init__(self, source: Source, interval: float, *, settles: bool = False, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self._source = source
        self._interval = interval
        self._settles = settles
        self._wanted = self._requested = Request()
        self._measuring = False
        self._differences = Differences()
        self._loadavg = Repeated(LOADAVG)
        system = os.uname()
        self._origin = Origin("live", system.nodename, system.release, self._clock.time(), source.scope)

    def request(self, wanted: Request) -> None:
        """Count more, or less, from now on; the interval that has begun keeps its length."""
        self._wanted = wanted
        self._wake.set()

    def measure(self) -> None:
        """Measure the overhead again."""
        self._measuring = True
        self._wake.set()

    def stop(self) -> None:
        """End the thread, and close the source though the thread may hang."""
        super().stop()
        self._source.close()

    def produce(self) -> None:
        """Collect until the collector is to stop, and then stop counting at once.

        Raises:
            SnapshotsEndedError: the last snapshot was asked for, and is on each queue.
            SlabtuiError: the first reading failed.
        """
        try:
            self._collect()
        finally:
            self._source.close()
            self._loadavg.close()

    def _collect(self) -> None:
        """Take a first reading, from which the first snapshot is measured, and one more per interval."""
        self._source.begin(self._wake.set)
        try:
            if self._settles:
                self._hand_over_requests()
                self._source.settle()
            before, since = self._read()
        except OSError as error:
            raise SlabtuiError(f"cannot read the counters: {error}", "start slabtui again") from error
        due = since + self._interval
        while self._wait_until(due):
            last = self._finishing  # as it is now: a finish during the reading asks for one more
            try:
                after, now = self._read()
            except OSError as error:  # it covers no time: the next snapshot begins where the last one ended
                snapshot = self._moment(0.0, error=f"cannot read the counters: {error}")
            else:
                snapshot = self._differences.between(before, after, self._moment(now - since))
                before, since = after, now
            if last:
                self._source.close()
            self.publish(snapshot)
            if last:
                raise SnapshotsEndedError
            # Keep to the grid, so that seconds stay seconds; but begin a new one after a stall, not a short interval.
            due += self._interval
            if due <= self._clock.monotonic() + self._interval / 2:
                due = self._clock.monotonic() + self._interval

    def _read(self) -> tuple[Reading, float]:
        """Return a reading and its time, and begin the next interval, which may take long: it may load programs."""
        reading, now = self._source.read(), self._clock.monotonic()
        self._source.end_interval(reading)
        return reading, now

    def _wait_until(self, due: float) -> bool:
        """Wait for the next reading, or less if the last one is asked for; False: the collector is to stop."""
        while not self._finishing and (left := due - self._clock.monotonic()) > 0:
            if not self.sleep(left):
                return False
            self._hand_over_requests()
            self._source.advance()
        return not self._stopping

    def _hand_over_requests(self) -> None:
        if self._wanted is not self._requested:
            self._requested = self._wanted
            self._source.request(self._requested)
        if self._measuring:
            self._measuring = False
            self._source.measure()

    def _moment(self, elapsed: float, error: str | None = None) -> Snapshot:
        """Return a snapshot of which the rows are still to come."""
        try:
            loadavg = self._loadavg.read().decode().strip()
        except OSError:
            loadavg = ""
        return Snapshot(
            time=self._clock.time(),
            elapsed=elapsed,
            loadavg=loadavg,
            error=error,
            notes=self._source.notes,
            origin=self._origin,
        )
