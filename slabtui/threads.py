"""Starts threads: a limit on their number becomes one line for the user."""

import threading

from slabtui.errors import SlabtuiError


def start(thread: threading.Thread) -> None:
    """Start a thread.

    Raises:
        SlabtuiError: the kernel refuses another one: RLIMIT_NPROC, or pids.max of a control group.
    """
    try:
        thread.start()
    except RuntimeError as error:  # what threading.Thread.start() makes of EAGAIN
        raise SlabtuiError("cannot start a thread", "raise `ulimit -u`, or pids.max of the control group") from error
