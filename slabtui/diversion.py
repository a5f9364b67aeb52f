"""Keeps what native code prints off the screen: file descriptors 1 and 2 lead into a file for a while."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO


@contextmanager
def diverted(*descriptors: int) -> Iterator[BinaryIO]:
    """Lead the descriptors into a file in memory, which is yielded, and back at the end.

    bcc, clang and the modprobe that they call write to the descriptors themselves, past sys.stdout and sys.stderr.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with os.fdopen(os.memfd_create("slabtui"), "w+b") as log:  # in memory: the disk may be full, or read-only
        saved = [os.dup(descriptor) for descriptor in descriptors]
        try:
            for descriptor in descriptors:
                os.dup2(log.fileno(), descriptor)
            yield log
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for descriptor, copy in zip(descriptors, saved, strict=True):
                os.dup2(copy, descriptor)
                os.close(copy)
