"""The trend of a series: its slope, the confidence in it, and the noise."""

import random

from hypothesis import given
from hypothesis import strategies as st

from slabtui.analysis.trend import find_slope, find_trend, noise_around

TIMES = [5.0 * at for at in range(12)]


def test_a_line_has_its_slope_and_no_noise() -> None:
    trend = find_trend(TIMES, [100 + 3 * time for time in TIMES])
    assert (trend.slope, trend.low, trend.noise, trend.span, trend.growth) == (3, 3, 0, 55, 165)


def test_outliers_do_not_change_the_slope() -> None:
    values = [3 * time for time in TIMES]
    values[3], values[7], values[11] = 50_000, -9_000, 80_000
    assert 2.9 < find_trend(TIMES, values).slope < 3.3


def test_one_step_is_no_slope() -> None:
    """As when a program starts: the caches that it needs become larger at once, and stay so."""
    trend = find_trend(TIMES, [0] * 6 + [1000] * 6)
    assert not trend.exceeds_noise(8)


def test_noise_without_a_slope_is_seldom_a_rise() -> None:
    source = random.Random(13)
    trends = [find_trend(TIMES, [source.gauss(0, 100) for _ in TIMES]) for _ in range(2000)]
    assert sum(trend.low > 0 for trend in trends) < 10
    assert not any(trend.exceeds_noise(8) for trend in trends)


def test_a_rise_within_the_noise_is_not_certain() -> None:
    source = random.Random(13)
    trend = find_trend(TIMES, [time + source.gauss(0, 50) for time in TIMES])
    assert not trend.exceeds_noise(8)


def test_the_noise_leaves_out_one_value_of_ten() -> None:
    values = [0.0] * 12
    values[4] = 10_000
    assert noise_around(0, TIMES, values) == 0
    assert noise_around(0, TIMES, [7.0 * (at % 2) for at in range(12)]) == 3.5


@given(
    st.lists(st.tuples(st.floats(0.1, 100), st.integers(-(10**9), 10**9)), min_size=2, max_size=24),
    st.integers(-1000, 1000),
)
def test_the_slope_is_between_the_limits_of_all_pairs(steps: list[tuple[float, int]], more: int) -> None:
    times, time = [], 0.0
    for step, _ in steps:
        time += step
        times.append(time)
    values = [float(value) for _, value in steps]
    trend = find_trend(times, values)
    pairs = [
        (later - value) / (end - begin)
        for at, (begin, value) in enumerate(zip(times, values, strict=True))
        for end, later in zip(times[at + 1 :], values[at + 1 :], strict=True)
    ]
    assert min(pairs) <= trend.low <= trend.slope <= max(pairs)
    assert find_slope(times, values) == trend.slope
    moved = find_trend(times, [value + more for value in values])
    assert abs(moved.slope - trend.slope) <= 1e-6 * max(1, abs(trend.slope))
