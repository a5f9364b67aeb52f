"""Estimates what is held from a sample of it: objects, their error, their ages, and how fast they grow. Pure."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from slabtui.analysis.trend import find_slope
from slabtui.model.held import AGES, ERROR_DIGITS, Held, Tracking
from slabtui.model.snapshot import round_rate

_LEAST_POINTS = 3  # readings of a slope: the first are of a cache that fills
_MOST_POINTS = 32  # when there are more, every second one is dropped
_ERRORS = 3  # standard errors: an estimate exceeds what is possible by this many by chance once in 700 cases
_SHARE = 0.01  # of the events: /proc/slabinfo and the table are not read at the same moment
_UNSEEN = 0.1  # of what is held: a smaller part that no event showed freed does not change which row comes first
_MOSTLY = 0.5  # the same where frees without an event are usual


@dataclass(frozen=True, slots=True)
class Sampled:
    """Objects of the sample that have one row.

    Attributes:
        ages: of each, in seconds.
        draws: how many objects of the sample each stands for.
    """

    ages: list[float]
    draws: list[int]


def estimate(
    sampled: Sampled, one_in: int, size: int, freed: Mapping[int, int] | None = None, growth: float | None = None
) -> Held:
    """Return what is held, by the Horvitz-Thompson estimator: each object counts for 1 / its probability.

    Rates and errors are rounded as recordings have them, so that a replay shows the same.

    Args:
        sampled: the objects.
        one_in: one address in this many is in the sample.
        size: bytes of an object.
        freed: number of objects that were freed, by log2 of the microseconds that they lived.
        growth: objects per second.
    """
    weights = [one_in * draws for draws in sampled.draws]
    objects = sum(weights)
    ages = [0] * (len(AGES) + 1)
    for age, weight in zip(sampled.ages, weights, strict=True):
        ages[bisect_right(AGES, age)] += weight
    return Held(
        objects=objects,
        bytes=objects * size,
        standard_error=round(math.sqrt(sum(weight * (weight - 1) for weight in weights)), ERROR_DIGITS),
        oldest=max(sampled.ages, default=None),
        median=find_median(sampled.ages, weights),
        ages=tuple(ages),
        growth_objects_s=round_rate(growth),
        lifetime_median=find_lifetime(freed or {}, 0.5),
        lifetime_p99=find_lifetime(freed or {}, 0.99),
    )


def find_median(values: Sequence[float], weights: Sequence[int]) -> float | None:
    """Return the value that half of the weights have reached; None: there are none."""
    half, below = sum(weights) / 2, 0
    for value, weight in sorted(zip(values, weights, strict=True)):
        below += weight
        if below >= half:
            return value
    return None


def find_lifetime(freed: Mapping[int, int], share: float) -> float | None:
    """Return the seconds that this share of the objects lived at most, to a factor of 1.4; None: none was freed.

    Args:
        freed: number of objects, by log2 of the microseconds that they lived.
        share: from 0 to 1.
    """
    wanted, below = share * sum(freed.values()), 0
    for power, number in sorted(freed.items()):
        below += number
        if number and below >= wanted:
            return math.sqrt(2) * math.ldexp(1e-6, power)
    return None


class Growth:
    """How fast what is held of each row grows, since tracking began: the Theil-Sen slope of the readings."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._numbers: dict[object, list[float]] = {}
        self._stride = 1  # readings from one point to the next
        self._readings = 0

    def add(self, time: float, objects: Mapping[object, int]) -> None:
        """Add a reading.

        Args:
            time: in seconds; it rises.
            objects: what is held of each row. A row that is not there holds nothing, and is forgotten.
        """
        self._readings += 1
        if self._readings % self._stride:
            return
        before, self._numbers = self._numbers, {}
        for row, number in objects.items():
            self._numbers[row] = before.get(row) or [0.0] * len(self._times)
            self._numbers[row].append(number)
        self._times.append(time)
        if len(self._times) > _MOST_POINTS:
            self._times = self._times[::2]
            self._stride *= 2
            self._numbers = {row: numbers[::2] for row, numbers in self._numbers.items()}

    def find(self, row: object) -> float | None:
        """Return the slope of a row, per second; None: not known yet."""
        numbers = self._numbers.get(row)
        if numbers is None or len(self._times) < _LEAST_POINTS:
            return None
        return find_slope(self._times, numbers)


def judge(tracking: Tracking, objects: int, error: float, hidden: int) -> Tracking:
    """Return what is known of a cache with the reason for doubt, if more is held than its live objects allow.

    What was allocated and not seen freed, less the change of the live objects, was freed without an event. If that is
    not what is known to be gone, it is still among what seems to be held. What is known to be gone is an estimate, too:
    more may be missing than seems to be held.

    Free objects that count as live can make the change of the live objects too small. But where more objects are known
    to be gone than seem to be held, frees without an event are usual, and a more likely reason. Then they are also at
    least what seems to be held, less the change of the live objects, and less the frees that were seen, of which some
    are of older objects.

    Args:
        tracking: what is known.
        objects: all that seem to be held.
        error: standard error of that.
        hidden: free objects that may count as live.
    """
    if tracking.live is None or tracking.live_began is None or tracking.net is None or tracking.seen is None:
        return tracking
    noise = hidden + _SHARE * tracking.seen + _ERRORS * error
    change, freed = tracking.live - tracking.live_began, (tracking.seen - tracking.net) // 2
    unseen = tracking.net - change - tracking.gone
    if tracking.gone > objects:
        unseen = max(unseen, objects - change - freed)
        noise = min(noise, (_MOSTLY - _UNSEEN) * objects)
    doubt = ""
    if objects and unseen > noise + _UNSEEN * objects:
        which = "" if tracking.bulk else ", as frees in bulk"
        doubt = f"about {min(unseen, objects):,} frees have no event{which}: their objects seem to be held"
    elif objects - noise > tracking.live:
        which = "some frees" if tracking.bulk else "frees in bulk"
        doubt = f"only {tracking.live:,} objects are live: {which} have no event"
    return replace(tracking, doubt=doubt)


def add_up(held: Iterable[Held]) -> tuple[int, float]:
    """Return how many objects are held in all rows together, and the standard error."""
    rows = list(held)
    return sum(row.objects for row in rows), math.hypot(*(row.standard_error for row in rows))
