"""The process that is watched: whether it is still there. Its number may be another's by then, a pidfd never is."""

import os
import select

from slabtui.errors import SlabtuiError, Status


class Process:
    """A running process.

    Raises:
        SlabtuiError: there is none of that number.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        try:
            self._descriptor = os.pidfd_open(pid)
        except OSError as error:
            raise SlabtuiError(f"no process {pid}", "see ps -e", Status.USAGE) from error

    @property
    def notes(self) -> tuple[str, ...]:
        """That it has ended, if it has, in words for the user."""
        ended, _, _ = select.select([self._descriptor], [], [], 0)
        return (f"process {self._pid} has ended",) if ended else ()

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)
