"""Bins: the lowest value of each, in bounded memory, however long slabtui runs."""

import pytest

from slabtui.analysis.series import LONGEST, RECENT, ROLLING, Bins, Ends, Scale, Series


def run(elapsed: list[float], values: list[float], begin: int = 0) -> tuple[Bins, Series]:
    """Let intervals pass; the series begins with one of them."""
    bins = Bins()
    series: Series | None = None
    for at, (seconds, value) in enumerate(zip(elapsed, values, strict=True)):
        ends = bins.advance(seconds)
        if series is None and at >= begin:
            series = Series(value)
        elif series:
            series.add(value)
        if ends:
            closed = bins.close()
            if series:
                series.close(closed)
    assert series
    return bins, series


def test_a_bin_of_five_seconds_has_its_lowest_value() -> None:
    bins, series = run([1.0] * 10, [9, 3, 9, 9, 9, 8, 8, 8, 8, 4])
    assert list(series.recent) == series.long == [3, 4]
    assert list(bins.recent) == bins.long == [3, 8]


def test_each_interval_longer_than_a_bin_is_a_bin_at_its_end() -> None:
    """As merged snapshots are."""
    bins, series = run([5.0, 300.0, 7.0], [1, 2, 3])
    assert bins.long == [5, 305, 312]
    assert series.long == [1, 2, 3]


@pytest.mark.parametrize("begin", [0, 3, 700])
def test_memory_is_bounded_and_each_bin_keeps_its_lowest_value(begin: int) -> None:
    number = 5000
    bins, series = run([5.0] * number, [float(at) for at in range(number)], begin)
    assert len(bins.recent) == len(series.recent) == RECENT
    assert len(bins.times(Scale.ROLLING)) == len(series.rolling) == ROLLING
    assert series.rolling == [float(at) for at in range(number - number % 3 - 3 * ROLLING, number - number % 3, 3)]
    assert LONGEST // 2 <= len(bins.long) <= LONGEST
    assert len(series.long) <= len(bins.long)
    # The lowest value of a bin is the first one in it, and its time is the mean time in it.
    width = bins.long[-1] - bins.long[-2]
    whole = series.long[1:]
    for time, low in zip(bins.long[-len(whole) :], whole, strict=True):
        assert abs(low * 5 - (time - width / 2)) <= 5
    assert list(series.recent) == list(range(number - RECENT, number))


def test_a_bin_without_a_value_has_the_last_one() -> None:
    series = Series(7)
    for missing in range(4):
        series.close(Ends(long=True, halves=False, rolling=False))
        assert series.missing == missing
    assert series.long == [7] * 4


def test_a_mark_begins_the_long_bins_and_keeps_the_last_minute() -> None:
    bins, series = run([5.0] * 20, [float(at) for at in range(20)])
    bins.mark()
    series.mark()
    assert (bins.long, series.long) == ([], [])
    assert list(series.recent) == list(range(8, 20))
