"""A process that keeps kernel objects and frees them, as each line of its input says: `python -m tests.support.keeper`.

A line is a command and a number:

- `eventfd N`: keep N files, each of an eventfd(2);
- `memfd N`: keep N files of memory, each with an inode of its own;
- `message N`: keep N messages of 1 byte in queues, each an object of 64 bytes that kmalloc allocates;
- `socket N`: keep N sockets;
- `pipe N`: keep N pipes, each with an object of kmalloc for its state and one for its buffers;
- `netlink N`: keep N sockets of netlink, each with an object of kmalloc;
- `ring N`: keep N rings of io_uring(7), each with `tests.support.uring.ENTRIES` requests that are complete;
- `churn N`: open and close an eventfd N times;
- `open N`: open and close a path N times;
- `epoll N`: add and remove an item of an epoll instance N times;
- `rate N`: keep N eventfds per second from now on, in a thread;
- `free 0`: free all that is kept, and stop keeping more.

Each answer is the number of objects that are kept.
"""

import ctypes
import os
import resource
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.support import uring

_IPC_PRIVATE, _IPC_RMID, _IPC_NOWAIT = 0, 0, 0o4000
_IN_QUEUE = 10_000  # of the 16,384 bytes that msgmnb allows
_TICK = 0.01  # seconds
_FILES = 20_000


class _Keeper:
    def __init__(self) -> None:
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with suppress(ValueError):  # it may not be raised: then it is used as it is
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(most, _FILES), max(most, _FILES)))
            most = max(most, _FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self._files: list[int] = []
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._queues: list[int] = []
        self._messages = 0
        self._rings: list[uring.Ring] = []
        self._ending = threading.Event()
        self.commands: dict[str, Callable[[int], None]] = {
            name: getattr(self, f"_{name}")
            for name in (
                *("eventfd", "memfd", "message", "socket", "pipe", "netlink", "ring"),
                *("churn", "open", "epoll", "rate", "free"),
            )
        }

    @property
    def kept(self) -> int:
        return len(self._files) + self._messages + len(self._rings)

    def _eventfd(self, number: int) -> None:
        self._files += [os.eventfd(0) for _ in range(number)]

    def _memfd(self, number: int) -> None:
        self._files += [os.memfd_create("kept") for _ in range(number)]

    def _message(self, number: int) -> None:
        text = (ctypes.c_long * 2)(1)
        for sent in range(number):
            if sent % _IN_QUEUE == 0:
                self._queues.append(self._libc.msgget(_IPC_PRIVATE, 0o600))
            if self._libc.msgsnd(self._queues[-1], ctypes.byref(text), 1, _IPC_NOWAIT):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            self._messages += 1

    def _socket(self, number: int) -> None:
        self._files += [socket.socket(socket.AF_INET, socket.SOCK_DGRAM).detach() for _ in range(number)]

    def _netlink(self, number: int) -> None:
        self._files += [socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).detach() for _ in range(number)]

    def _pipe(self, number: int) -> None:
        for _ in range(number):
            self._files += os.pipe()

    def _ring(self, number: int) -> None:
        for _ in range(number):
            self._rings.append(uring.Ring())
            self._rings[-1].submit(uring.ENTRIES)

    def _churn(self, number: int) -> None:
        for _ in range(number):
            os.close(os.eventfd(0))

    def _open(self, number: int) -> None:
        for _ in range(number):
            os.close(os.open("/dev/null", os.O_RDONLY))

    def _epoll(self, number: int) -> None:
        reader, writer = os.pipe()
        with select.epoll() as epoll:
            for _ in range(number):
                epoll.register(reader)
                epoll.unregister(reader)
        os.close(reader)
        os.close(writer)

    def _keep_at(self, rate: int) -> None:
        began, kept = time.monotonic(), 0
        while not self._ending.wait(_TICK):
            due = int((time.monotonic() - began) * rate)
            self._eventfd(due - kept)
            kept = due

    def _rate(self, rate: int) -> None:
        threading.Thread(target=self._keep_at, args=(rate,), daemon=True).start()

    def _free(self, number: int) -> None:
        self._ending.set()
        while self._files:
            os.close(self._files.pop())
        while self._rings:
            self._rings.pop().close()
        while self._queues:
            self._libc.msgctl(self._queues.pop(), _IPC_RMID, None)
        self._messages = 0


def main() -> None:
    keeper = _Keeper()
    try:
        for line in sys.stdin:
            name, number = line.split()
            keeper.commands[name](int(number))
            print(keeper.kept, flush=True)
    finally:
        keeper.commands["free"](0)


class Keeper:
    """Such a process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.pid = process.pid

    def do(self, command: str, number: int = 0) -> int:
        """Let it do a command, and return how many objects it keeps then."""
        self.begin(command, number)
        assert self._process.stdout
        return int(self._process.stdout.readline())

    def is_done(self) -> bool:
        """Return whether the command that it began has ended."""
        assert self._process.stdout
        return bool(select.select([self._process.stdout], [], [], 0)[0])

    def begin(self, command: str, number: int = 0) -> None:
        """Let it begin a command."""
        assert self._process.stdin
        self._process.stdin.write(f"{command} {number}\n")
        self._process.stdin.flush()


@contextmanager
def keeping() -> Iterator[Keeper]:
    """Start a process, and end it."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.keeper"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        keeper = Keeper(process)
        keeper.do("churn", 1)  # it has started
        try:
            yield keeper
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait()


if __name__ == "__main__":
    main()
