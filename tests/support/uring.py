"""A minimal user of io_uring(7): empty requests; the kernel allocates their memory in bulk, untraced."""

import ctypes
import mmap
import os
from contextlib import closing

ENTRIES = 64  # of a ring

_SETUP, _ENTER = 425, 426  # numbers of the system calls
_GET_EVENTS = 1  # IORING_ENTER_GETEVENTS
_ENTRIES_AT = 0x10000000  # IORING_OFF_SQES
_ENTRY = 64  # bytes of struct io_uring_sqe; all zero it is IORING_OP_NOP


def submit(number: int) -> None:
    """Submit this many requests to a new ring, at most ENTRIES, wait for them, and close it.

    Raises:
        OSError: this kernel has no io_uring for us.
    """
    with closing(Ring()) as ring:
        ring.submit(number)


class Ring:
    """One ring.

    Raises:
        OSError: this kernel has no io_uring for us.
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        parameters = (ctypes.c_uint32 * 30)()  # struct io_uring_params
        self._ring = self._libc.syscall(_SETUP, ENTRIES, ctypes.byref(parameters))
        if self._ring < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        offsets = parameters[10:20]  # struct io_sqring_offsets
        self._tail, self._array = offsets[1], offsets[6]
        self._queue = mmap.mmap(self._ring, max(self._array + ENTRIES * 4, mmap.PAGESIZE), offset=0)
        self._entries = mmap.mmap(self._ring, ENTRIES * _ENTRY, offset=_ENTRIES_AT)

    def submit(self, number: int) -> None:
        """Submit this many requests at once, and wait until they are complete."""
        for at in range(number):
            self._entries[at * _ENTRY : (at + 1) * _ENTRY] = bytes(_ENTRY)
            self._queue[self._array + at * 4 : self._array + at * 4 + 4] = at.to_bytes(4, "little")
        self._queue[self._tail : self._tail + 4] = number.to_bytes(4, "little")
        done = self._libc.syscall(_ENTER, self._ring, number, number, _GET_EVENTS, None, 0)
        if done != number:
            raise OSError(ctypes.get_errno(), f"{done} of {number} requests were taken")

    def close(self) -> None:
        """Close it; the kernel frees what it holds."""
        self._queue.close()
        self._entries.close()
        os.close(self._ring)
