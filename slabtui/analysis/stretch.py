"""One series in one scale: its trend there, and whether what grew is still there."""

from collections.abc import Sequence

from slabtui.analysis.series import Bins, Scale
from slabtui.analysis.trend import Trend, find_slope, find_trend

LEAST = 4  # bins, for a slope
ENOUGH = 8  # bins, for a judgement: 40 s
CERTAIN = 8.0  # times its noise that a series must have grown to be judged as growing, where nothing supports it
LIKELY = 4.0  # the same, where another series grows at the same rate and is certain
FLAT = Trend(slope=0.0, low=0.0, high=0.0, noise=0.0, span=0.0, start=0.0)
_VISIBLE = 4.0  # times its noise that it must grow in a time to be missed there if it does not
_LESS = 1 / 3  # of the slope: growth that has slowed down more has ended
_LATE = 3  # the last part of all bins: one in this many
_GONE = 0.5  # of the growth: if more of it is gone, the growth has ended
_FASTER = 1.2  # times the slope of a longer stretch that the lower limit must reach: twice the error of most slopes


class Stretch:
    """A series over the time of one scale.

    Args:
        scale: which one.
        values: the bins of the series in this scale, which the series changes.

    Attributes:
        scale: which one.
        values: the bins.
        trend: in the whole stretch; None: not known yet.
        late: in its last two thirds; None: not known yet, or it does not matter.
        is_likely: whether it has grown enough where another series grows at the same rate and is certain.
        is_certain: whether it has grown enough where nothing supports it.
        goes_on: whether the growth has neither slowed down nor gone.
        is_gone: whether most of what has grown is gone.
    """

    __slots__ = ("_examined", "goes_on", "is_certain", "is_gone", "is_likely", "late", "scale", "trend", "values")

    def __init__(self, scale: Scale, values: Sequence[float]) -> None:
        self.scale = scale
        self.values = values
        self.clear()

    def clear(self) -> None:
        """Forget the trends."""
        self._examined = 0
        self.trend: Trend | None = None
        self.late: Trend | None = None
        self.is_likely = self.is_certain = self.goes_on = self.is_gone = False

    @property
    def slope(self) -> float:
        """Change per second; 0 where that is not known yet."""
        return 0.0 if self.trend is None else self.trend.slope

    @property
    def best(self) -> Trend | None:
        """The trend that describes the growth: of the last two thirds, if only these exceed the noise."""
        return self.late if self.is_certain and self.late is not None else self.trend

    @property
    def is_short(self) -> bool:
        """Whether only the last part of the time shows the growth."""
        return self.scale is Scale.RECENT or self.best is not self.trend

    def find_trends(self, bins: Bins, least: float) -> None:
        """Find the trends, if a bin has ended since the last time: they take longest.

        Args:
            bins: the times of the bins.
            least: growth that can be seen: by so much it must have grown in any case.
        """
        ended = bins.ended[self.scale]
        if ended == self._examined:
            return
        self._examined = ended
        if self.scale is Scale.ROLLING and (not bins.counts(self.scale) or not self._may_grow(least)):
            self.clear()
            self._examined = ended
            return
        times = bins.times(self.scale)
        trend = self.trend = find_trend_of_last(times, self.values)
        self.late = None
        self.is_likely = self.is_certain = False
        if trend is None or trend.low <= 0 or len(self.values) < ENOUGH:
            return
        self.is_certain = trend.exceeds_noise(CERTAIN, least)
        self.is_likely = self.is_certain or trend.exceeds_noise(LIKELY, least)
        number = len(self.values) * 2 // 3
        if self.is_certain or self.scale is Scale.RECENT or number < ENOUGH:
            return
        late = self.late = find_trend_of_last(times, self.values[-number:])
        if late is not None:  # before that, a load may have begun
            self.is_certain = late.exceeds_noise(CERTAIN, least)
            self.is_likely = self.is_likely or late.exceeds_noise(LIKELY, least)

    def find_end(self, bins: Bins, minute: Trend, now: float) -> None:
        """Find whether the growth has ended.

        Args:
            bins: the times of the bins.
            minute: the trend of the last minute.
            now: the value of the last bin of five seconds.
        """
        trend = self.trend
        if trend is None or trend.slope <= 0:
            self.goes_on = self.is_gone = False
            return
        self.is_gone = now < trend.start + (1 - _GONE) * trend.growth
        grows = self.is_likely and not self.is_gone and bins.counts(self.scale)
        self.goes_on = grows and self._is_as_fast(bins, trend.slope, minute)

    def _may_grow(self, least: float) -> bool:
        """Return whether it is worth the time to find a trend: its second half is higher than its first one."""
        half = len(self.values) // 2
        return sum(self.values[-half:]) - sum(self.values[:half]) > half * least / 4

    def _is_as_fast(self, bins: Bins, slope: float, minute: Trend) -> bool:
        """Return whether it still grows: in the last minute, or where that is too noisy, in the last third."""
        if self.scale is not Scale.RECENT and slope * minute.span >= _VISIBLE * max(minute.noise, 1.0):
            return minute.slope >= slope * _LESS
        number = max(LEAST, len(self.values) // _LATE)
        return find_slope(bins.times(self.scale)[-number:], self.values[-number:]) >= slope * _LESS

    def outpaces(self, longer: "Stretch") -> bool:
        """Return whether it certainly grows faster than in a longer stretch."""
        return self.trend is not None and self.trend.low > _FASTER * longer.slope


def find_trend_of_last(times: Sequence[float], values: Sequence[float]) -> Trend | None:
    """Return the trend of values at the last of these times; None: they are too few."""
    number = len(values)
    if number < LEAST:
        return None
    times = times[-number:]
    if min(values) == max(values):  # most caches are idle most of the time
        return Trend(slope=0.0, low=0.0, high=0.0, noise=0.0, span=times[-1] - times[0], start=values[0])
    return find_trend(times, values)
