"""Starts threads: a limit on their number becomes one line for the user."""

import ctypes
import functools
import threading
from contextlib import suppress

from slabtui.errors import SlabtuiError


def start(thread: threading.Thread) -> None:
    """Start a thread.

    Raises:
        SlabtuiError: the kernel refuses to create it: RLIMIT_NPROC, or pids.max of a control group.
    """
    _load_unwinder()
    try:
        thread.start()
    except RuntimeError as error:  # threading.Thread.start() raises it for EAGAIN
        raise SlabtuiError("cannot start a thread", "raise `ulimit -u`, or pids.max of the control group") from error


@functools.cache
def _load_unwinder() -> None:
    """Load the library that glibc's pthread_exit(3) needs; glibc aborts the process if it cannot open it at that time.

    Until Python 3.13 the interpreter calls that function in daemon threads that still run when it ends.
    """
    with suppress(OSError):  # other C libraries do not need it
        ctypes.CDLL("libgcc_s.so.1")
