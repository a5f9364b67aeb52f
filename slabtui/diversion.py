"""Keeps what native code prints off the screen: file descriptor 2 leads into a file for a while."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

_STDERR = 2


@contextmanager
def diverted() -> Iterator[BinaryIO]:
    """Lead file descriptor 2 into a file in memory, which is yielded, and back at the end.

    bcc, clang and the modprobe that they call write to the descriptor itself, past sys.stderr. Descriptor 1 stays where
    it leads: another thread may be drawing the screen on it meanwhile.
    """
    sys.stderr.flush()
    with os.fdopen(os.memfd_create("slabtui"), "w+b") as log:  # in memory: the disk may be full, or read-only
        saved = os.dup(_STDERR)
        try:
            os.dup2(log.fileno(), _STDERR)
            yield log
        finally:
            sys.stderr.flush()
            os.dup2(saved, _STDERR)
            os.close(saved)
