"""Groups of series that grow at the same rate, as the caches of one leak do. Pure."""

from collections.abc import Sequence
from typing import TypeVar

from slabtui.analysis.judged import JudgedSeries
from slabtui.analysis.series import Bins, Scale
from slabtui.analysis.trend import Trend, noise_around

S = TypeVar("S", bound=JudgedSeries)
_NEAR = 0.1  # of the faster one's slope: slopes that differ by less are the same
_CLOSE = 0.3  # the same where one of the slopes is within the confidence limits of the other one's: it has much noise
_CLOSE_RECLAIMABLE = 0.15  # the same where one of the two is reclaimable, because that hides a leak of the other one
EVEN = 0.3  # noise, as a part of the growth, up to which slopes alone are compared
_EVEN_RECLAIMABLE = 0.01  # the same where one of the two is reclaimable
_SLABS = 64  # objects: LIVE may change by all objects of a slab at once
_SHARED = 0.5  # the noise of their difference, as a part of the greater of their own


def group(series: Sequence[S], bins: Bins, scale: Scale) -> list[list[S]]:
    """Return the series that grow in a scale in groups; one whose rate no other has is a group of its own.

    Each series is compared only with the fastest one of a group. This takes little time, and a group cannot extend from
    a fast series to a slow one in small steps.
    """
    groups: list[list[S]] = []
    for one in sorted(series, key=lambda one: -one.stretches[scale].slope):
        found = next((group for group in groups if _belong_together(group[0], one, bins, scale)), None)
        if found is None:
            groups.append([one])
        else:
            found.append(one)
    return groups


def _belong_together(one: JudgedSeries, other: JudgedSeries, bins: Bins, scale: Scale) -> bool:
    """Return whether two series belong to a group; stricter if one is reclaimable: the other is then not marked."""
    if one.reclaimable or other.reclaimable:
        return grow_together(one, other, bins, scale, even=_EVEN_RECLAIMABLE)
    return grow_together(one, other, bins, scale, close=_CLOSE if scale is Scale.BASELINE else _CLOSE_RECLAIMABLE)


def grow_together(
    one: JudgedSeries,
    other: JudgedSeries,
    bins: Bins,
    scale: Scale,
    *,
    times: int = 1,
    even: float = EVEN,
    close: float = _CLOSE_RECLAIMABLE,
) -> bool:
    """Return whether a growing series grows at the same rate as another one, or `times` as fast.

    Unrelated series may have nearly equal slopes by chance. If they grow unevenly, they must do so at the same times.

    Args:
        one: the first series.
        other: the second one.
        bins: their times.
        scale: in which they are compared.
        times: how many times as fast as the second one the first one grows.
        even: the noise, as a part of the growth, up to which the slopes alone are compared.
        close: by how much the slopes may differ, as a part of the greater one, within their confidence limits.
    """
    line, other_line = one.stretches[scale].trend, other.stretches[scale].trend
    if line is None or other_line is None:
        return False
    slope, other_slope = line.slope, times * other_line.slope
    is_within = line.low <= other_slope <= line.high or times * other_line.low <= slope <= times * other_line.high
    if abs(slope - other_slope) > (close if is_within else _NEAR) * max(slope, other_slope):
        return False
    values, others = one.stretches[scale].values, other.stretches[scale].values
    number = min(len(values), len(others))
    moments = bins.times(scale)[-number:]
    noise = max(_noise(line, moments, values), times * _noise(other_line, moments, others))
    if noise <= max(even * min(slope, other_slope) * (moments[-1] - moments[0]), _SLABS):
        return True
    pairs = zip(values[-number:], others[-number:], strict=True)
    difference = [value - times * other_value for value, other_value in pairs]
    return noise_around(slope - other_slope, moments, difference) <= _SHARED * noise


def _noise(line: Trend, moments: Sequence[float], values: Sequence[float]) -> float:
    """Return the noise of the values at these moments, which may be the last ones of a series."""
    number = len(moments)
    return line.noise if number == len(values) else noise_around(line.slope, moments, values[-number:])
