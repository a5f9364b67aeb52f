"""The values of a series over days, in bounded memory: the lowest one of each bin, in three scales.

The lowest value is kept because noise only adds to LIVE: it includes objects that wait for the end of an RCU grace
period, and free objects in the slabs of the CPUs.
"""

import math
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

BIN = 5.0  # seconds: long enough that grace periods end in nearly every bin of a busy host
RECENT = 12  # bins: one minute
ROLLING = 20  # bins of the last five minutes, of three recent ones each: their trend takes a third of that of more bins
_ROLLING_WIDTH = 3  # recent bins
LONGEST = 24  # bins since the baseline: when there are more, each two become one; even
_LONGEST_INTERVAL = 366 * 86400.0  # seconds: a recording that was made up may have longer ones, which no sum can hold


class Scale(IntEnum):
    """How far back a series is judged: a leak that begins late is seen in the shorter ones; in the order of length."""

    BASELINE = 0
    ROLLING = 1
    RECENT = 2


class Ends(NamedTuple):
    """What ends with a recent bin.

    Attributes:
        long: whether a bin since the baseline ends.
        halves: whether each two of these become one before that.
        rolling: whether a bin of the last five minutes ends.
    """

    long: bool
    halves: bool
    rolling: bool


class Bins:
    """The bins that all series share, by the sum of the intervals: the clock of the host may be set.

    Args:
        width: seconds of a recent bin.

    Attributes:
        width: the same.
        recent: the mean time of the readings in each of the last bins, in seconds.
        rolling: the same of the bins of the last five minutes.
        long: the same of the bins since the baseline.
        ended: how many bins of each scale have ended.
        now: the time of the last reading.
    """

    def __init__(self, width: float = BIN) -> None:
        self.width = width
        self.recent: list[float] = []
        self.rolling: list[float] = []
        self.long: list[float] = []
        self.ended = [0] * len(Scale)
        self.now = 0.0
        self._scales = (self.long, self.rolling, self.recent)
        self._baseline = 0.0
        self._begin = 0.0
        self._readings: list[float] = []  # times of those in this bin
        self._in_long = 1  # recent bins in a long one
        self._waiting: list[float] = []  # times of the recent bins that are in no long one yet

    def times(self, scale: Scale) -> Sequence[float]:
        """Return the times of the bins of a scale."""
        return self._scales[scale]

    def counts(self, scale: Scale) -> bool:
        """Return whether a scale has its own part in the judgement: it begins after the baseline."""
        times = self._scales[scale]
        return scale is Scale.BASELINE or (bool(times) and times[0] - self.width > self._baseline)

    def advance(self, elapsed: float) -> bool:
        """Let an interval pass; return whether the bin ends with the reading at its end."""
        self.now += min(elapsed, _LONGEST_INTERVAL)
        self._readings.append(self.now)
        return (
            self.now - self._begin >= self.width - min(elapsed, self.width) / 2
        )  # the reading nearest to the end of the bin

    def close(self) -> Ends:
        """End a bin; return what ends with it."""
        time = sum(self._readings) / len(self._readings)
        self._begin = self.now
        self._readings.clear()
        _append(self.recent, time, RECENT)
        self.ended[Scale.RECENT] += 1
        rolling = self.ended[Scale.RECENT] % _ROLLING_WIDTH == 0
        if rolling:
            last = self.recent[-_ROLLING_WIDTH:]
            _append(self.rolling, sum(last) / len(last), ROLLING)
            self.ended[Scale.ROLLING] += 1
        self._waiting.append(time)
        if len(self._waiting) < self._in_long:
            return Ends(long=False, halves=False, rolling=rolling)
        if len(self.long) == LONGEST:
            self.long[:] = [(first + second) / 2 for first, second in zip(self.long[::2], self.long[1::2], strict=True)]
            self._in_long *= 2
            return Ends(long=False, halves=True, rolling=rolling)
        self.long.append(sum(self._waiting) / len(self._waiting))
        self.ended[Scale.BASELINE] += 1
        self._waiting.clear()
        return Ends(long=True, halves=False, rolling=rolling)

    def mark(self) -> None:
        """Begin a new baseline now."""
        self.long.clear()
        self._waiting.clear()
        self._in_long = 1
        self._baseline = self.now


class Series:
    """The lowest values of a cache, or of the memory of the machine; the last ones are those of the last bins.

    A series of a younger cache has fewer values than there are bins.

    Attributes:
        value: the last one that was read.
        low: the lowest one in this bin; infinite: none was read.
        varies: whether it has ever changed.
        missing: for how many bins in a row none was read.
        recent: the lowest value of each of the last bins.
        rolling: the same of the bins of the last five minutes.
        long: the same of the bins since the baseline.
        highs: the highest value in `recent` during each of these.
    """

    __slots__ = ("_waiting", "_waiting_high", "highs", "long", "low", "missing", "recent", "rolling", "value", "varies")

    def __init__(self, value: float) -> None:
        self.value = self.low = value
        self.varies = False
        self.missing = 0
        self.recent: list[float] = []
        self.rolling: list[float] = []
        self.long: list[float] = []
        self.highs: list[float] = []
        self._waiting, self._waiting_high = math.inf, -math.inf

    def add(self, value: float) -> None:
        """Add a value that was read."""
        if value != self.value:
            self.value = value
            self.varies = True
        self.low = min(self.low, value)

    def close(self, ends: Ends) -> None:
        """End a bin, and what ends with it. One without a value has the last one."""
        if self.low == math.inf:
            self.low = self.value
            self.missing += 1
        else:
            self.missing = 0
        low, self.low = self.low, math.inf
        _append(self.recent, low, RECENT)
        self._waiting = min(self._waiting, low)
        self._waiting_high = max(self._waiting_high, low)
        if ends.rolling:
            _append(self.rolling, min(self.recent[-_ROLLING_WIDTH:]), ROLLING)
        if ends.halves:
            odd = len(self.long) % 2  # a younger cache has no value for the first bin of a pair
            self.long[odd:] = map(min, self.long[odd::2], self.long[odd + 1 :: 2])
            odd = len(self.highs) % 2
            self.highs[odd:] = map(max, self.highs[odd::2], self.highs[odd + 1 :: 2])
        if ends.long:
            self.long.append(self._waiting)
            self.highs.append(self._waiting_high)
            self._waiting, self._waiting_high = math.inf, -math.inf

    def forget_highs(self) -> None:
        """Forget how high it was: that was a leak which has ended."""
        self.highs.clear()
        self._waiting_high = -math.inf

    def mark(self) -> None:
        """Begin a new baseline now."""
        self.long.clear()
        self._waiting = math.inf
        self.forget_highs()


def _append(values: list[float], value: float, most: int) -> None:
    """Append a value, and drop the first one if there are more than this many."""
    values.append(value)
    if len(values) > most:
        del values[0]
