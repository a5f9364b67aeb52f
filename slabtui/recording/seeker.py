"""Finds the moments of a recording to which the user jumps, with the intervals before each of them."""

from collections import deque
from collections.abc import Callable, Iterator
from math import inf

from slabtui.model.history import LENGTH
from slabtui.model.snapshot import Snapshot
from slabtui.recording.intervals import add_up
from slabtui.recording.moments import Moment
from slabtui.recording.tape import Tape

# Intervals before a moment that are read at once: most charts have fewer columns. Their rows together, which take 0.1
# seconds of processor time; and the rows of all intervals that are kept after a jump, which take 2 seconds.
_AT_ONCE, _ROWS_AT_ONCE, _MOST_ROWS = 40, 10_000, 150_000
_LONGER = 4  # times the length of the intervals that was tried, where the recording has none there

# What is found: up to LENGTH snapshots of one run, of which the last one is that of the moment; and those that follow.
Found = tuple[list[Snapshot], Iterator[Snapshot]]


class Seeker:
    """Reads a part of a tape from any moment on.

    Args:
        tape: the recordings.
        begin: where the part begins; None: at the beginning.
        end: where it ends; None: at the end.
        seconds: the length to which intervals are added up; 0: they stay as they are.

    Raises:
        SlabtuiError: a recording cannot be read.
    """

    def __init__(self, tape: Tape, begin: Moment | None, end: Moment | None, seconds: float) -> None:
        self._tape = tape
        self._since, self._until = tape.limits(begin, end)
        self._seconds = seconds
        self._recorded = 0.0  # the length of the intervals as they were recorded; 0: not known yet

    def read(self, since: float) -> Iterator[Snapshot]:
        """Yield the intervals from a time on; the first one is whole, also where intervals are added up."""
        if not self._seconds:
            return self._tape.between(max(since, self._since), self._until)
        begin = (since // self._seconds - 1) * self._seconds if since < inf else since
        first = max(self._since, self._tape.begin)
        found = add_up(self._tape.between(max(begin, first), self._until), self._seconds)
        if begin > first:  # the first sum may lack intervals
            next(found, None)
        return found

    def find(self, time: float, before: Snapshot, goes_on: Callable[[], bool], *, at_once: bool) -> Found | None:
        """Return the interval that a moment lies in, with those before it; that is the first one, or the last.

        Args:
            time: the moment, in seconds since the epoch; infinite: the end of the recording.
            before: an interval of the recording, about as long.
            goes_on: returns whether it is still wanted.
            at_once: whether only as many are read as take no time.

        Returns:
            None: it is no longer wanted, or no interval covers any time.

        Raises:
            SlabtuiError: a recording cannot be read.
        """
        intervals, rows = (_AT_ONCE, _ROWS_AT_ONCE) if at_once else (LENGTH, _MOST_ROWS)
        seconds = before.elapsed
        number = max(1, min(intervals, rows // max(1, round(len(before.rows) * self._count_recorded(seconds)))))
        if time == inf:
            time = self._end()
        while goes_on():
            found: deque[Snapshot] = deque(maxlen=LENGTH)
            rest = self.read(time - number * seconds)
            for snapshot in rest:
                if not goes_on():
                    return None
                if not snapshot.elapsed:  # it has an error only
                    continue
                if found and found[-1].origin.since != snapshot.origin.since:
                    found.clear()
                found.append(snapshot)
                if snapshot.time >= time:
                    break
            if not found and time - number * seconds <= self._since:
                return None
            if not found:
                time, seconds = min(time, self._end()), max(1.0, seconds) * _LONGER
            elif found[-1].elapsed > seconds and len(found) < number:
                seconds = found[-1].elapsed
            else:
                return [*found], rest
        return None

    def _count_recorded(self, seconds: float) -> float:
        """Return about how many recorded intervals one interval of this length is the sum of."""
        if not self._seconds:
            return 1.0
        if not self._recorded:
            recorded = self._tape.between(self._since, self._until)
            self._recorded = next((one.elapsed for one in recorded if one.elapsed), seconds)
        return max(1.0, seconds / self._recorded)

    def _end(self) -> float:
        return min(self._tape.end, self._until)
