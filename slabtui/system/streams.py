"""The standard streams: opens those that the caller has closed, and discards output that cannot be written."""

import os
import sys
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

from slabtui.errors import SlabtuiError, Status


def open_closed() -> None:
    """Open /dev/null for each standard stream that the caller has closed, so that no other file gets its descriptor."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115  it stays open


def has_terminal() -> bool:
    """Return whether a terminal controls this process, which sends it SIGHUP when it is gone."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def take_standard_input(*, needs_keys: bool) -> BufferedReader:
    """Return what standard input is, a file or a pipe, and let the controlling terminal be standard input instead.

    Args:
        needs_keys: whether there must be such a terminal; otherwise /dev/null may take its place.

    Raises:
        SlabtuiError: standard input is a terminal, or there is none to take its place.
    """
    if os.isatty(0):
        remedy = "pipe a recording into it, as in ssh HOST sudo slabtui --record - | slabtui --replay -"
        raise SlabtuiError("standard input is a terminal", remedy, Status.USAGE)
    try:
        keys = os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        if needs_keys:
            raise SlabtuiError("there is no terminal for the keys", "run slabtui in one, or use -C") from error
        keys = os.open(os.devnull, os.O_RDONLY)
    taken = os.dup(0)
    os.dup2(keys, 0)
    os.close(keys)
    return open(taken, "rb")


def discard(descriptor: int) -> None:
    """Redirect a descriptor to /dev/null, which also takes the output that is still buffered.

    Raises:
        OSError: no file can be opened.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def print_whole(text: str) -> None:
    """Print a text on standard output.

    Raises:
        BrokenPipeError: its reader is gone.
        SlabtuiError: it cannot be written.
    """
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritable(error) from error


def unwritable(error: OSError) -> SlabtuiError:
    """Return the error for a failed write to standard output, and discard the rest of the output."""
    discard(1)
    reason = f"cannot write to standard output ({error.strerror})"
    return SlabtuiError(reason, "check the file or the pipe that it is redirected to")


def flush() -> None:
    """Flush standard output and standard error, and discard what cannot be written.

    The interpreter flushes both again when it ends, and replaces the exit status by 120 if that fails:
    Py_FinalizeEx() in the documentation of Python's C API.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # closed, full or hung up: the text stays in the buffer
            with suppress(OSError):
                discard(stream.fileno())
        except BaseException:  # a signal while nothing reads the stream: the interpreter must not block on it again
            discard(stream.fileno())
            raise
