"""One series with its trends: how it grows since the baseline and in the last minute, and whether that goes on."""

from slabtui.analysis.series import Series, Timeline
from slabtui.analysis.trend import Trend, find_slope, find_trend

LEAST = 4  # bins, for a slope
ENOUGH = 8  # bins, for a judgement: 40 s
CERTAIN = 8.0  # times its noise that a series must have grown to be judged as growing by itself
LIKELY = 4.0  # the same, if another one of its group has grown by CERTAIN times its noise
_VISIBLE = 4.0  # times its noise that its slope must give in a minute, for a minute to show whether it has slowed down
_LESS = 1 / 3  # of the slope since the baseline: a lower slope means that the growth has ended
_MINUTE = 60.0
_LATE = 3  # the last part of all bins: one in this many
_FLAT = Trend(slope=0.0, low=0.0, noise=0.0, span=0.0)


class JudgedSeries(Series):
    """A series that is examined from time to time.

    Attributes:
        trend: since the baseline; None: not known yet.
        late: in the last two thirds of the time since the baseline; None: not known yet, or it does not matter.
        minute: in the last minute; None: not known yet.
        goes_on: whether it has not slowed down.
        reclaimable: whether the kernel can free what grows; None: unknown.
    """

    __slots__ = ("_examined", "goes_on", "late", "minute", "reclaimable", "trend")

    def __init__(self, value: float) -> None:
        super().__init__(value)
        self.trend: Trend | None = None
        self.late: Trend | None = None
        self.minute: Trend | None = None
        self.goes_on = False
        self.reclaimable: bool | None = None
        self._examined = 0

    def examine(self, timeline: Timeline) -> bool:
        """Find the trends at the end of a bin; return whether that took time: False where it has never changed."""
        if not self.varies:
            self.minute = self.trend = _FLAT if len(self.long) >= LEAST else None
            return False
        self.minute = _find(list(timeline.recent), list(self.recent), timeline.now - _MINUTE)
        if len(self.long) != self._examined:  # a trend of all bins takes longest, and long bins end seldom
            self._examined = len(self.long)
            self.trend = _find(timeline.long, self.long)
            number = len(self.long) * 2 // 3
            matters = number >= ENOUGH and self.slope > 0 and not self.exceeds_noise(CERTAIN)
            self.late = _find(timeline.long, self.long[-number:]) if matters else None
        self.goes_on = self._goes_on(timeline)
        return True

    @property
    def slope(self) -> float:
        """Change per second since the baseline; 0 where that is not known yet."""
        return 0.0 if self.trend is None else self.trend.slope

    def exceeds_noise(self, times: float) -> bool:
        """Return whether it has grown by this many times its noise; False where that is not known yet.

        Growth in the last two thirds of the time is enough, because a load may have begun after the baseline.
        """
        if self.trend is None or len(self.long) < ENOUGH:
            return False
        return self.trend.exceeds_noise(times) or (
            self.trend.low > 0 and self.late is not None and self.late.exceeds_noise(times)
        )

    def mark(self) -> None:
        """Begin a new baseline now."""
        super().mark()
        self.trend = self.late = None
        self.goes_on = False
        self._examined = 0

    def _goes_on(self, timeline: Timeline) -> bool:
        if self.trend is None or self.minute is None:
            return False
        least = self.trend.slope * _LESS
        if self.trend.slope * self.minute.span >= _VISIBLE * max(self.minute.noise, 1.0):
            return self.minute.slope >= least
        number = max(LEAST, len(self.long) // _LATE)
        return find_slope(timeline.long[-number:], self.long[-number:]) >= least


def _find(times: list[float], values: list[float], begin: float = 0.0) -> Trend | None:
    """Return the trend of values at the last of these times; of those after `begin`, but of four at least."""
    number = len(values)
    if number < LEAST:
        return None
    first = len(times) - number
    while number > LEAST and times[first] < begin:
        first, number = first + 1, number - 1
    times, values = times[first:], values[-number:]
    if min(values) == max(values):  # most caches are idle most of the time
        return Trend(slope=0.0, low=0.0, noise=0.0, span=times[-1] - times[0])
    return find_trend(times, values)
