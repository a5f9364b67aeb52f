"""Surveys a whole recording in a thread: the course of the slab memory, and where a cache grew most."""

import threading
from collections.abc import Callable, Iterator
from time import monotonic

from slabtui.errors import SlabtuiError
from slabtui.model.course import Course, CourseBuilder, Point
from slabtui.model.identity import CacheKey
from slabtui.recording import amounts
from slabtui.system import threads
from slabtui.system.ending import WAIT

_UPDATE = 0.5  # seconds between two states of the course while the recording is read
_REST = 0.001  # seconds after each _LINES lines, so that the screen does not wait for this thread
_LINES = 20


class Survey:
    """Reads a recording to its end without decoding it: once, and again for each cache that is looked for.

    Args:
        lines: returns all lines of the recording.
        since: leave out what is before this time, in seconds since the epoch.
        until: leave out what is after this time.

    Attributes:
        course: of the slab memory, as far as it is known.
    """

    def __init__(self, lines: Callable[[], Iterator[bytes]], since: float, until: float) -> None:
        self._lines = lines
        self._since, self._until = since, until
        self._notify: Callable[[], None] = lambda: None
        self._courses: dict[CacheKey, Course] = {}
        self._wanted: list[CacheKey] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="survey", daemon=True)
        self.course = Course()

    def start(self, notify: Callable[[], None]) -> None:
        """Begin.

        Args:
            notify: called in the thread whenever more is known.

        Raises:
            SlabtuiError: the process may not create another thread.
        """
        self._notify = notify
        threads.start(self._thread)

    def stop(self) -> None:
        """End, and wait for the thread, but not for a disk that hangs."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(WAIT)

    def of_cache(self, cache: CacheKey | None) -> Course | None:
        """Return the course of the memory of a cache, or of all slab memory; None: it is read now, which takes time."""
        if cache is None:
            return self.course if self.course.is_whole else None
        with self._changed:
            found = self._courses.get(cache)
            if found is None and cache not in self._wanted:
                self._wanted.append(cache)
                self._changed.notify()
            return found

    def _run(self) -> None:
        for course in self._read(amounts.slab):
            self.course = course
            self._notify()
        while (cache := self._next()) is not None:
            *_, course = self._read(amounts.OfCache(cache))
            self._courses = {cache: course}  # the last one only: a user looks for one cache at a time
            with self._changed:
                self._wanted.remove(cache)
            self._notify()

    def _next(self) -> CacheKey | None:
        """Wait for the next cache that is looked for; None: there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._wanted or self._stopping)
            return None if self._stopping else self._wanted[0]

    def _read(self, read: Callable[[bytes], Point | None]) -> Iterator[Course]:
        """Yield the course as it becomes known; that of a damaged recording ends where it cannot be read."""
        builder, due = CourseBuilder(), monotonic() + _UPDATE
        try:
            for number, line in enumerate(self._lines()):
                point = read(line)
                if point is not None and self._since <= point.time <= self._until:
                    builder.add(point)
                if number % _LINES == 0:
                    if self._pause():
                        break
                    if monotonic() >= due:
                        due = monotonic() + _UPDATE
                        yield builder.course(is_whole=False)
        except SlabtuiError:  # the player says it
            pass
        yield builder.course(is_whole=True)

    def _pause(self) -> bool:
        """Let other threads run; return whether to end."""
        with self._changed:
            return self._changed.wait_for(lambda: self._stopping, _REST)
