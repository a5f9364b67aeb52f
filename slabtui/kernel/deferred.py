"""A part of the probe that is compiled when it is first wanted, in a thread of its own: counting goes on meanwhile."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from slabtui.system import threads

_Part = TypeVar("_Part")


class Deferred(Generic[_Part]):
    """One such part. Used by one thread, apart from the one that it starts.

    Args:
        make: makes the part; runs in the thread.

    Attributes:
        part: the part; None: it is not there (yet).
    """

    def __init__(self, make: Callable[[], _Part]) -> None:
        self._make = make
        self._thread: threading.Thread | None = None
        self._made: _Part | BaseException | None = None
        self.part: _Part | None = None

    def begin(self, ready: Callable[[], None]) -> None:
        """Make the part, unless it is there or being made.

        Args:
            ready: called in the thread when the part is there or has failed.

        Raises:
            SlabtuiError: no thread can be started.
        """
        if self.part is not None or self._thread is not None:
            return
        thread = threading.Thread(target=self._run, args=(ready,), name="compile", daemon=True)
        threads.start(thread)
        self._thread = thread

    def collect(self) -> _Part | None:
        """Return the part if it has become ready since the last call.

        Raises:
            SlabtuiError: it could not be made; `begin` tries again.
            OSError: likewise.
        """
        made, self._made = self._made, None
        if made is None:
            return None
        self._thread = None
        if isinstance(made, BaseException):
            raise made
        self.part = made
        return made

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the part is there or has failed, at most so long; None: however long it takes."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, ready: Callable[[], None]) -> None:
        try:
            self._made = self._make()
        except BaseException as error:  # it is raised again in the thread that collects
            self._made = error
        ready()
