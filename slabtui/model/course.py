"""The course of an amount over a whole recording, in bounded memory, and the moments at which it rose most."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import median
from typing import NamedTuple

MOST_POINTS = 4096  # of a course: 20 for each column of a wide terminal

_GAP = 5  # times the usual distance of two points: nothing was recorded between them
_WINDOW = 300.0  # seconds in which a rise is measured, at most
_PARTS = 12  # of a short recording, of which one is the time in which a rise is measured


class Point(NamedTuple):
    """An amount at one moment.

    Attributes:
        time: in seconds since the epoch.
        amount: in bytes.
        part: of the amount, in bytes; of the slab memory that is what cannot be reclaimed.
    """

    time: float
    amount: int
    part: int = 0


class Rise(NamedTuple):
    """By how much an amount rose.

    Attributes:
        time: when it ended, in seconds since the epoch.
        amount: in bytes.
        seconds: how long it took.
    """

    time: float
    amount: int
    seconds: float


@dataclass(frozen=True)
class Course:
    """The course of an amount.

    Attributes:
        points: in the order of their time.
        is_whole: whether the recording was read to its end.
    """

    points: tuple[Point, ...] = ()
    is_whole: bool = False

    @property
    def begin(self) -> float:
        """The time of the first point."""
        return self.points[0].time if self.points else 0.0

    @property
    def end(self) -> float:
        """The time of the last point."""
        return self.points[-1].time if self.points else 0.0

    @property
    def is_known(self) -> bool:
        """Whether the recording was read to its end, and has the amount."""
        return self.is_whole and bool(self.points)

    @cached_property
    def _times(self) -> list[float]:
        return [point.time for point in self.points]

    @cached_property
    def _step(self) -> float:
        """The usual time between two points."""
        return median(later - earlier for earlier, later in pairwise(self._times)) if len(self.points) > 1 else 0.0

    def columns(self, number: int) -> list[Point | None]:
        """Return the largest amount in each of `number` equal parts of the time; None: nothing was recorded then."""
        if not self.points:
            return [None] * number
        times, longest = self._times, _GAP * self._step
        found: list[Point | None] = []
        for column in range(number):
            low, high = self.time_at(column, number), self.time_at(column + 1, number)
            first, last = bisect_left(times, low), bisect_right(times, high)
            within = self.points[first:last]
            if within:
                found.append(max(within, key=lambda point: point.amount))
            else:  # between two points
                found.append(self.points[first - 1] if times[first] - times[first - 1] <= longest else None)
        return found

    def time_at(self, column: int, number: int) -> float:
        """Return the time at which one of `number` equal parts begins."""
        return self.begin + (self.end - self.begin) * column / number

    def column_at(self, time: float, number: int) -> int:
        """Return the part in which a moment lies: the first or the last one where it is not in the recording."""
        length = self.end - self.begin
        return max(0, min(number - 1, int((time - self.begin) / length * number))) if length > 0 else 0

    def rises(self, most: int) -> tuple[Rise, ...]:
        """Return the largest rises that do not overlap, the largest one first.

        Each is measured over five minutes, or over a twelfth of a recording that is shorter than an hour.
        """
        seconds = self._window()
        found, first = [], 0
        for point in self.points:
            while self.points[first].time < point.time - seconds:
                first += 1
            before = self.points[first]
            if point.amount > before.amount:
                found.append(Rise(point.time, point.amount - before.amount, point.time - before.time))
        chosen: list[Rise] = []
        for rise in sorted(found, key=lambda one: (-one.amount, one.time)):
            if len(chosen) == most:
                break
            if all(abs(rise.time - other.time) >= seconds for other in chosen):
                chosen.append(rise)
        return tuple(chosen)

    def _window(self) -> float:
        """Return the seconds in which a rise is measured: two points at least."""
        return max(min(_WINDOW, (self.end - self.begin) / _PARTS), 2 * self._step)


class CourseBuilder:
    """Makes a course of any number of points: where there are too many, the last one of each equal stretch of time."""

    def __init__(self) -> None:
        self._points: list[Point] = []
        self._stretch = 0.0  # seconds, of which one point is kept; 0: all are kept

    def add(self, point: Point) -> None:
        """Add the next point; one that is not later than the one before is left out."""
        points = self._points
        if points and point.time <= points[-1].time:
            return
        if points and self._is_same_stretch(points[-1], point):
            points[-1] = point
        else:
            points.append(point)
        if len(points) > MOST_POINTS:
            self._stretch = 2 * self._stretch or 2 * (points[-1].time - points[0].time) / MOST_POINTS
            self._points = list(self._thinned(points))

    def course(self, *, is_whole: bool) -> Course:
        """Return the course so far."""
        return Course(tuple(self._points), is_whole)

    def _is_same_stretch(self, one: Point, other: Point) -> bool:
        return self._stretch > 0 and one.time // self._stretch == other.time // self._stretch

    def _thinned(self, points: Iterable[Point]) -> Iterable[Point]:
        before: Point | None = None
        for point in points:
            if before is not None and not self._is_same_stretch(before, point):
                yield before
            before = point
        if before is not None:
            yield before
