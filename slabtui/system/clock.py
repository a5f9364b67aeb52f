"""The clock by which producers wait and measure; tests replace it."""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """A source of time."""

    def time(self) -> float:
        """Return the seconds since the epoch."""

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back."""

    def wait(self, event: threading.Event, seconds: float | None) -> None:
        """Wait until an event is set, for `seconds` at most (None: without limit)."""


class SystemClock:
    """The clocks of the operating system."""

    def time(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return the seconds of CLOCK_MONOTONIC."""
        return time.monotonic()

    def wait(self, event: threading.Event, seconds: float | None) -> None:
        """Wait until the event is set, for `seconds` at most."""
        event.wait(seconds)
