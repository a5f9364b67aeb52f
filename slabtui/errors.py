"""Errors for the user: what is wrong, and the command or change that fixes it."""

import enum
import errno
from pathlib import Path

_PACKAGE = Path(__file__).parent


class Status(enum.IntEnum):
    """Exit statuses of the program."""

    OK = 0
    FAILED = 1  # a part is missing or broke
    USAGE = 2  # the command line is wrong
    GROWS = 3  # of --leaks and --report: something grows


class SlabtuiError(Exception):
    """An error that the user can fix. `str()` gives one line, which is shown without a traceback.

    Attributes:
        cause: what is wrong, without a full stop.
        remedy: how to fix it, as a command if possible.
        status: the exit status of the program: 2 if an argument is wrong, else 1.
    """

    def __init__(self, cause: str, remedy: str, status: Status = Status.FAILED) -> None:
        super().__init__(cause, remedy, status)  # from which pickle makes the same error
        self.cause = cause
        self.remedy = remedy
        self.status = status

    def __str__(self) -> str:
        return f"{self.cause}: {self.remedy}"


def explain(error: OSError) -> SlabtuiError | None:
    """Return what the user can do about an error of the system with a cause outside the program; None for any other."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return SlabtuiError(str(error.strerror), "raise the limit, as in ulimit -n 1024")
    if isinstance(error.filename, str) and Path(error.filename).is_relative_to(_PACKAGE):
        return SlabtuiError(
            f"cannot read {error.filename} ({error.strerror})", "install slabtui again, or run it as root"
        )
    return None
