"""One series with its trends: how it grows since the baseline and lately, and whether that goes on."""

from slabtui.analysis.series import Bins, Scale, Series
from slabtui.analysis.stretch import ENOUGH, FLAT, LEAST, Stretch, find_trend_of_last
from slabtui.analysis.trend import Trend

_MINUTE = 60.0
_USUAL = 0.9  # of the time: higher than it was then is new


class JudgedSeries(Series):
    """A series that is examined from time to time.

    Attributes:
        stretches: the series in each scale, the longest one first.
        minute: the trend of the last minute; None: not known yet.
        is_known: whether there are enough bins for a judgement: a series that is young has few since the baseline.
        reclaimable: whether the kernel can free what grows; None: unknown.
    """

    __slots__ = ("is_known", "minute", "reclaimable", "stretches")

    def __init__(self, value: float) -> None:
        super().__init__(value)
        self.stretches = (
            Stretch(Scale.BASELINE, self.long),
            Stretch(Scale.ROLLING, self.rolling),
            Stretch(Scale.RECENT, self.recent),
        )
        self.minute: Trend | None = None
        self.is_known = False
        self.reclaimable: bool | None = None

    @property
    def least(self) -> float:
        """Growth that can be seen, in the unit of the values."""
        return 0.0

    @property
    def baseline(self) -> Stretch:
        """The stretch since the baseline."""
        return self.stretches[Scale.BASELINE]

    def examine(self, bins: Bins) -> bool:
        """Find the trends at the end of a bin; return whether that took time: False where it has never changed."""
        if not self.is_known:
            self.is_known = any(bins.counts(one.scale) and len(one.values) >= ENOUGH for one in self.stretches)
        if not self.varies:
            self.minute = self.baseline.trend = FLAT if len(self.long) >= LEAST else None
            return False
        least = self.least
        baseline, rolling, recent = self.stretches
        baseline.find_trends(bins, least)
        recent.find_trends(bins, least)
        minute = self.minute = self._find_minute(bins)
        if minute is None:
            return True
        now = self.recent[-1]
        baseline.find_end(bins, minute, now)
        is_settled = baseline.goes_on and baseline.is_certain and not recent.outpaces(baseline)
        if is_settled and not self.reclaimable:  # shorter stretches add nothing; reclaimable caches may explain others
            rolling.clear()
            recent.goes_on = False
            return True
        rolling.find_trends(bins, least)
        for stretch in (rolling, recent):
            stretch.find_end(bins, minute, now)
            stretch.goes_on = stretch.goes_on and self._is_new(stretch, bins)
        return True

    def find_growth(self, bins: Bins) -> Stretch | None:
        """Return the stretch in which the series grows, alone and certainly; None: it does not.

        That is the longest one, unless it certainly grows faster in a shorter one.
        """
        found = None
        for stretch in self.stretches:
            grows = bins.counts(stretch.scale) and stretch.is_certain and stretch.goes_on
            if grows and (found is None or stretch.outpaces(found)):
                found = stretch
        return found

    def mark(self) -> None:
        """Begin a new baseline now."""
        super().mark()
        self.is_known = False
        self.baseline.clear()

    def _is_new(self, stretch: Stretch, bins: Bins) -> bool:
        """Return whether it is higher now than it was before the stretch, but for a tenth of the time.

        Some caches rise and fall all the time, over minutes or hours.
        """
        begin = bins.times(stretch.scale)[-len(stretch.values)]
        times = bins.long[-len(self.highs) :]
        before = sorted(high for time, high in zip(times, self.highs, strict=False) if time < begin)
        return not before or self.recent[-1] > before[int(_USUAL * len(before))]

    def _find_minute(self, bins: Bins) -> Trend | None:
        """Return the trend of the last minute, but of four bins at least: they may be longer than five seconds."""
        times, values, begin = bins.recent, self.recent, bins.now - _MINUTE
        number = len(values)
        if times[-number] >= begin:
            return self.stretches[Scale.RECENT].trend
        within = sum(time >= begin for time in times[-number:])
        return find_trend_of_last(times, values[-max(within, LEAST) :])
