"""The values of a series over days, in bounded memory: the lowest one of each bin, in two scales.

The lowest value is kept because noise only adds to LIVE: it includes objects that wait for the end of an RCU grace
period, and free objects in the slabs of the CPUs.
"""

import math
from collections import deque

BIN = 5.0  # seconds: long enough that grace periods end in nearly every bin of a busy host
RECENT = 12  # bins: one minute
LONGEST = 24  # bins since the baseline: when there are more, each two become one; even
_LONGEST_INTERVAL = 366 * 86400.0  # seconds: a recording that was made up may have longer ones, which no sum can hold


class Timeline:
    """The bins that all series share, by the sum of the intervals: the clock of the host may be set.

    Attributes:
        recent: the mean time of the readings in each of the last bins, in seconds.
        long: the same of the bins since the baseline.
        now: the time of the last reading.
    """

    def __init__(self) -> None:
        self.recent: deque[float] = deque(maxlen=RECENT)
        self.long: list[float] = []
        self.now = 0.0
        self._begin = 0.0
        self._readings: list[float] = []  # times of those in this bin
        self._width = 1  # recent bins in a long one
        self._waiting: list[float] = []  # times of the recent bins that are in no long one yet

    def advance(self, elapsed: float) -> bool:
        """Let an interval pass; return whether the bin ends with the reading at its end."""
        self.now += min(elapsed, _LONGEST_INTERVAL)
        self._readings.append(self.now)
        return self.now - self._begin >= BIN - min(elapsed, BIN) / 2  # the reading nearest to the end of the bin

    def close(self) -> tuple[bool, bool]:
        """End a bin; return whether a long one ends with it, and whether each two long ones become one before that."""
        time = sum(self._readings) / len(self._readings)
        self._begin = self.now
        self._readings.clear()
        self.recent.append(time)
        self._waiting.append(time)
        if len(self._waiting) < self._width:
            return False, False
        if len(self.long) == LONGEST:
            self.long = [(first + second) / 2 for first, second in zip(self.long[::2], self.long[1::2], strict=True)]
            self._width *= 2
            return False, True
        self.long.append(sum(self._waiting) / len(self._waiting))
        self._waiting.clear()
        return True, False

    def mark(self) -> None:
        """Begin a new baseline now."""
        self.long = []
        self._waiting = []
        self._width = 1


class Series:
    """The lowest values of a cache, or of the memory of the machine; the last ones are those of the last bins.

    Attributes:
        value: the last one that was read.
        low: the lowest one in this bin; infinite: none was read.
        varies: whether it has ever changed.
        missing: for how many bins in a row none was read.
        recent: the lowest value of each of the last bins.
        long: the same of the bins since the baseline; fewer than the timeline has if the cache is younger.
    """

    __slots__ = ("_waiting", "long", "low", "missing", "recent", "value", "varies")

    def __init__(self, value: float) -> None:
        self.value = self.low = value
        self.varies = False
        self.missing = 0
        self.recent: deque[float] = deque(maxlen=RECENT)
        self.long: list[float] = []
        self._waiting = math.inf

    def add(self, value: float) -> None:
        """Add a value that was read."""
        if value != self.value:
            self.value = value
            self.varies = True
        self.low = min(self.low, value)

    def close(self, is_long: bool, halves: bool) -> None:
        """End a bin; the arguments are what Timeline.close() returned. One without a value has the last one."""
        if self.low == math.inf:
            self.low = self.value
            self.missing += 1
        else:
            self.missing = 0
        self.recent.append(self.low)
        self._waiting = min(self._waiting, self.low)
        self.low = math.inf
        if halves:
            odd = len(self.long) % 2  # a younger cache has no value for the first bin of a pair
            self.long[odd:] = map(min, self.long[odd::2], self.long[odd + 1 :: 2])
        if is_long:
            self.long.append(self._waiting)
            self._waiting = math.inf

    def mark(self) -> None:
        """Begin a new baseline now."""
        self.long = []
        self._waiting = math.inf
