"""Groups of series that grow at the same rate, as the caches of one leak do. Pure."""

from collections.abc import Sequence
from typing import TypeVar

from slabtui.analysis.judged import JudgedSeries
from slabtui.analysis.series import Timeline
from slabtui.analysis.trend import noise_around

S = TypeVar("S", bound=JudgedSeries)
_NEAR = 0.1  # of the faster one's slope: slopes that differ by less are the same
_CLOSE = 0.15  # the same where the slower one's slope is within the confidence limit of the faster one's
EVEN = 0.3  # noise, as a part of the growth, up to which slopes alone are compared
_EVEN_RECLAIMABLE = 0.01  # the same where one of the two is reclaimable
_SLABS = 64  # objects: LIVE may change by all objects of a slab at once
_SHARED = 0.5  # the noise of their difference, as a part of the greater of their own


def group(series: Sequence[S], timeline: Timeline) -> list[list[S]]:
    """Return these growing series in groups; a series whose rate no other one has is a group of its own.

    Each series is compared only with the fastest one of a group. This takes little time, and a group cannot extend from
    a fast series to a slow one in small steps.
    """
    groups: list[list[S]] = []
    for one in sorted(series, key=lambda one: -one.slope):
        found = next((group for group in groups if _belong_together(group[0], one, timeline)), None)
        if found is None:
            groups.append([one])
        else:
            found.append(one)
    return groups


def _belong_together(one: JudgedSeries, other: JudgedSeries, timeline: Timeline) -> bool:
    """Return whether two series belong to a group; stricter if one is reclaimable: the other is then not marked."""
    return grow_together(one, other, timeline, even=_EVEN_RECLAIMABLE if one.reclaimable or other.reclaimable else EVEN)


def grow_together(
    one: JudgedSeries, other: JudgedSeries, timeline: Timeline, *, times: int = 1, even: float = EVEN
) -> bool:
    """Return whether a growing series grows at the same rate as another one, or `times` as fast.

    Unrelated series may have nearly equal slopes by chance. If they grow unevenly, they must do so at the same times.

    Args:
        one: the first series.
        other: the second one.
        timeline: their times.
        times: how many times as fast as the second one the first one grows.
        even: the noise, as a part of the growth, up to which the slopes alone are compared.
    """
    if one.trend is None or other.trend is None:
        return False
    slope, other_slope = one.trend.slope, times * other.trend.slope
    low, slower = (one.trend.low, other_slope) if slope >= other_slope else (times * other.trend.low, slope)
    apart = abs(slope - other_slope) / max(slope, other_slope)
    if apart > (_CLOSE if low <= slower else _NEAR):
        return False
    number = min(len(one.long), len(other.long))
    moments, values = timeline.long[-number:], one.long[-number:]
    others = [times * value for value in other.long[-number:]]
    noise = max(noise_around(slope, moments, values), noise_around(other_slope, moments, others))
    if noise <= max(even * min(slope, other_slope) * (moments[-1] - moments[0]), _SLABS):
        return True
    difference = [value - other_value for value, other_value in zip(values, others, strict=True)]
    return noise_around(slope - other_slope, moments, difference) <= _SHARED * noise
