"""Starts threads: a limit on their number becomes one line for the user."""

import ctypes
import functools
import threading
from contextlib import suppress

from slabtui.errors import SlabtuiError


def start(thread: threading.Thread) -> None:
    """Start a thread.

    Raises:
        SlabtuiError: the kernel refuses another one: RLIMIT_NPROC, or pids.max of a control group.
    """
    _load_unwinder()
    try:
        thread.start()
    except RuntimeError as error:  # what threading.Thread.start() makes of EAGAIN
        raise SlabtuiError("cannot start a thread", "raise `ulimit -u`, or pids.max of the control group") from error


@functools.cache
def _load_unwinder() -> None:
    """Load the library that glibc's pthread_exit(3) needs, which aborts the process if it cannot open it then.

    Until Python 3.13 a daemon thread that still runs when the interpreter ends is ended by that function.
    """
    with suppress(OSError):  # another C library does without
        ctypes.CDLL("libgcc_s.so.1")
