"""The trend of a series: a slope that outliers do not change, its confidence limit, and the noise around it. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, starmap
from operator import sub, truediv

# Of a normal distribution: a series without a trend has a lower limit above 0 in one of 1,000 cases. Successive values
# of a real series depend on each other, so it happens more often: Trend.exceeds_noise is the second condition.
_Z = 3.09


@dataclass(frozen=True, slots=True)
class Trend:
    """The line through a series of values.

    Attributes:
        slope: change per second: the median of the slopes between all pairs of values (Theil-Sen estimator; Sen 1968,
            "Estimates of the regression coefficient based on Kendall's tau"). Up to 29 % of the values may be wrong.
        low: the lower limit of `slope` with 99.9 % confidence, from the distribution of Kendall's S. It is above 0
            where a one-sided Mann-Kendall test finds a rise at that level.
        high: the upper limit of the same.
        noise: how far the values lie from the line: nine of ten lie nearer.
        span: seconds from the first value to the last.
        start: where the line begins.
    """

    slope: float
    low: float
    high: float
    noise: float
    span: float
    start: float

    @property
    def growth(self) -> float:
        """How much the line rises over the whole series."""
        return self.slope * self.span

    def exceeds_noise(self, times: float, least: float = 0.0) -> bool:
        """Return whether the series certainly rises, and by enough.

        Args:
            times: the factor of its noise, which is 1 at least.
            least: the smallest rise that counts, however small the noise is.
        """
        return self.low > 0 and self.growth >= max(times * max(self.noise, 1.0), least)


def find_trend(times: Sequence[float], values: Sequence[float]) -> Trend:
    """Return the trend of two values or more at these times, in seconds, which rise."""
    number = len(values)
    slopes = _slopes(times, values)
    slope = _middle(slopes)
    spread = _Z * math.sqrt(number * (number - 1) * (2 * number + 5) / 18)
    outside = max(0, math.floor((len(slopes) - spread) / 2))
    height, noise = _fit(slope, times, values)
    return Trend(slope, slopes[outside], slopes[-1 - outside], noise, times[-1] - times[0], height + slope * times[0])


def find_slope(times: Sequence[float], values: Sequence[float]) -> float:
    """Return the slope alone; see Trend."""
    return _middle(_slopes(times, values))


def noise_around(slope: float, times: Sequence[float], values: Sequence[float]) -> float:
    """Return how far nine of ten values lie at most from the line of this slope that runs through their middle."""
    return _fit(slope, times, values)[1]


def _fit(slope: float, times: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Return the height at time 0 of the line of this slope through the middle of the values, and their noise."""
    heights = sorted([value - slope * time for time, value in zip(times, values, strict=True)])
    height = _middle(heights)
    distances = sorted([abs(other - height) for other in heights])
    return height, distances[int(0.9 * len(distances))]


def _middle(ordered: Sequence[float]) -> float:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half] + ordered[half - 1]) / 2


def _slopes(times: Sequence[float], values: Sequence[float]) -> list[float]:
    """Return the slopes between all pairs of values, in ascending order."""
    rises = starmap(sub, combinations(reversed(values), 2))
    slopes = list(map(truediv, rises, _gaps(tuple(times))))
    slopes.sort()
    return slopes


@lru_cache(maxsize=16)  # the series of a host have their bins at the same times: some parts of three scales
def _gaps(times: tuple[float, ...]) -> list[float]:
    return list(starmap(sub, combinations(reversed(times), 2)))
