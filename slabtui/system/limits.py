"""A limit to the processor time that a regular expression may take: some would not end in a lifetime."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TimeUpError(Exception):
    """The time is up."""


@contextmanager
def processor_time(seconds: float) -> Iterator[None]:
    """Raise TimeUpError inside when this process has computed for longer (ITIMER_PROF, setitimer(2)).

    The time that the kernel takes is part of it: an expression may also take gigabytes of memory in a moment.

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
        if armed:  # else the signal has come after the end
            raise TimeUpError

    previous = signal.signal(signal.SIGPROF, time_up)
    try:
        try:
            signal.setitimer(signal.ITIMER_PROF, seconds)
            yield
        finally:
            armed = False  # the signal may come just before; then what follows is done even so
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
