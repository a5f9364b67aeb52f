"""Standard output: a write returns when everything is written, or when it was interrupted and nothing reads."""

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from slabtui.system import streams
from slabtui.system.writer import Writer

_POLL = 0.05  # seconds until it is checked whether a blocked write has gone on


class UnreadError(OSError):
    """After an interrupt nothing has read the output for longer than it is waited for."""


@contextmanager
def explaining_failures() -> Iterator[None]:
    """Say what is wrong with standard output where it cannot be written in this block.

    Raises:
        SystemExit: nothing reads it, after an interrupt.
        BrokenPipeError: its reader is gone.
        SlabtuiError: it cannot be written.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except UnreadError as error:
        raise SystemExit(128 + signal.SIGINT) from error
    except OSError as error:
        raise streams.unwritable(error) from error


class Output:
    """Writes text to a file descriptor.

    Python's own stream is not used: it keeps the rest of a write that a signal has cut short, and writes it when the
    interpreter ends.

    Args:
        descriptor: of the file; it stays open.
        encoding: of the text; characters that it does not have are escaped.
        patience: seconds without progress, after which an interrupted write is given up.

    Raises:
        SlabtuiError: the process may not create another thread.
    """

    def __init__(self, descriptor: int, encoding: str, patience: float) -> None:
        self._descriptor = descriptor
        self._encoding = encoding
        self._patience = patience
        self._writer = Writer("output")
        self._text: list[str] = []
        self._progress = 0  # bytes written
        self._interrupted = False

    def write(self, text: str) -> None:
        """Take text, to be written with the next flush."""
        self._text.append(text)

    def flush(self) -> None:
        """Write what has been taken.

        Raises:
            UnreadError: nothing reads it, after an interrupt.
            OSError: it cannot be written; BrokenPipeError: its reader is gone.
        """
        data = "".join(self._text).encode(self._encoding, "backslashreplace")
        self._text.clear()
        done = self._writer.put(lambda: self._write(data))
        progress, since = self._progress, time.monotonic()
        while not done.wait(_POLL):
            if progress != self._progress or not self._interrupted:
                progress, since = self._progress, time.monotonic()
            elif time.monotonic() - since > self._patience:
                raise UnreadError("nothing reads it")
        if self._writer.failure is not None:
            raise self._writer.failure

    def interrupt(self) -> None:
        """From now on give up a write that makes no progress; may be called by the handler of a signal."""
        self._interrupted = True

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            written = os.write(self._descriptor, left[: select.PIPE_BUF])
            self._progress += written
            left = left[written:]
