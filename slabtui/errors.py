"""The one error that a user is meant to see: what is wrong, and the command or change that mends it."""

import enum


class Status(enum.IntEnum):
    """Exit statuses of the program."""

    OK = 0
    FAILED = 1  # a part is missing or broke
    USAGE = 2  # the command line is wrong


class SlabtuiError(Exception):
    """Something that a user can mend; `str()` of it is one line, shown without a traceback.

    Args:
        cause: what is wrong, without a full stop.
        mend: what to do about it, as a command where there is one.
        status: the exit status that it ends the program with.
    """

    def __init__(self, cause: str, mend: str, status: Status = Status.FAILED) -> None:
        super().__init__(f"{cause}: {mend}")
        self.status = status
