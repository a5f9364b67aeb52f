"""Allocates kernel objects and keeps them, RATE per second: `python -m tests.tools.busy.leaks KIND RATE`.

KIND is

- `eventfd`: an eventfd(2) each: struct file, its security part, and struct eventfd_ctx of 48 bytes;
- `socket`: a TCP socket(2) each, which is not connected;
- `memfd`: a memfd_create(2) each, without contents;
- `pipe`: a pipe(2) each, which is two files;
- `message`: a message of 100 bytes each, in queues of msgget(2) that are removed at the end.

A process that has as many files as it may starts a child, which goes on.
"""

import ctypes
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_FILES = {"lsm_file_cache", "filp"}
# What must be marked, and what may be: objects of these caches are kept by each kind, but others use them, too.
CACHES = {
    "none": set[str](),
    "eventfd": _FILES | {"kmalloc-64"},
    "socket": _FILES | {"TCP"},
    "memfd": _FILES | {"shmem_inode_cache"},
    "pipe": _FILES | {"kmalloc-cg-1k", "kmalloc-cg-192"},
    "message": {"msg_msg-192"},
}
ALSO = {"lsm_inode_cache"}  # of files that have inodes of their own

_TICK = 0.05  # seconds
_OTHER_FILES = 100  # that a process has open
_IN_QUEUE = 100  # messages: 10,000 bytes, of the 16,384 that msgmnb allows
_SIZE = 100  # bytes of a message: with its header of 48 bytes it takes an object of 192
_IPC_PRIVATE, _IPC_RMID, _IPC_NOWAIT = 0, 0, 0o4000


@contextmanager
def _messages() -> Iterator[Callable[[], object]]:
    libc = ctypes.CDLL(None, use_errno=True)
    queues: list[int] = []
    text = (ctypes.c_long * (_SIZE // 8 + 2))(1)  # its type, and then the message
    sent = 0

    def send() -> None:
        nonlocal sent
        if sent % _IN_QUEUE == 0:
            queues.append(libc.msgget(_IPC_PRIVATE, 0o600))
        if libc.msgsnd(queues[-1], ctypes.byref(text), _SIZE, _IPC_NOWAIT):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        sent += 1

    try:
        yield send
    finally:
        for queue in queues:
            libc.msgctl(queue, _IPC_RMID, None)


@contextmanager
def _files(open_one: Callable[[], object]) -> Iterator[Callable[[], object]]:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    kept: list[object] = []

    def keep() -> None:
        if len(kept) > (most - _OTHER_FILES) // 2:  # a pipe is two
            if child := os.fork():
                os.waitpid(child, 0)
                sys.exit()
            os.closerange(sys.stderr.fileno() + 1, most)  # its parent holds them
            kept.clear()
        kept.append(open_one())

    yield keep


_KINDS: dict[str, Callable[[], object]] = {
    "eventfd": lambda: os.eventfd(0),
    "socket": lambda: socket.socket().detach(),
    "memfd": lambda: os.memfd_create("leak"),
    "pipe": os.pipe,
}


def main(kind: str, rate: float) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with _messages() if kind == "message" else _files(_KINDS[kind]) as keep:
        began, kept = time.monotonic(), 0
        while True:
            time.sleep(_TICK)
            due = int((time.monotonic() - began) * rate)
            for _ in range(due - kept):
                keep()
            kept = due


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
