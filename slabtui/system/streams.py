"""The standard streams: opens those that the caller has closed, and discards output that cannot be written."""

import os
import sys
from contextlib import suppress
from pathlib import Path

from slabtui.errors import SlabtuiError


def open_closed() -> None:
    """Open /dev/null for each standard stream that the caller has closed, so that no other file gets its descriptor."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115  it stays open


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
