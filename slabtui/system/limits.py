"""Limits the processor time of a regular expression: the time of some is exponential in the length of the text."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TimeUpError(Exception):
    """The time is up."""


@contextmanager
def processor_time(seconds: float) -> Iterator[None]:
    """Raise TimeUpError in this block after this processor time (ITIMER_PROF, setitimer(2)).

    Time in the kernel counts too, because an expression can also take gigabytes of memory in a moment.

    Python runs handlers of signals in its main thread only: there the `re` module lets them run every 4096 steps of a
    match (Modules/_sre). In another thread there is no limit.

    Args:
        seconds: more than 0.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    armed = True

    def time_up(number: int, frame: FrameType | None) -> None:
        if armed:  # else the signal arrived after the end of the block
            raise TimeUpError

    previous = signal.signal(signal.SIGPROF, time_up)
    try:
        try:
            signal.setitimer(signal.ITIMER_PROF, seconds)
            yield
        finally:
            armed = False  # if the signal arrives just before this, the outer `finally` still runs
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
