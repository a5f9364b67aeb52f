"""Charts: bars that grow with their values, within a width; with a scale, units and the time where there is room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.views.chart import Curve, chart, level, sparkline, write_seconds

SERIES = st.lists(st.integers(0, 20) | st.integers(0, 2**64 - 1), max_size=70)
LEVELS = {False: " ▁▂▃▄▅▆▇█", True: " ._-=+*%#"}


@given(SERIES, st.integers(0, 80), st.booleans())
def test_bars_grow_with_their_values_up_to_the_full_block(series: list[int], width: int, plain: bool) -> None:
    drawn = sparkline(series, width, plain)
    assert len(drawn) == width
    shown = series[max(0, len(series) - width) :]
    blank, bars = drawn[: width - len(shown)], drawn[width - len(shown) :]
    assert not blank.strip(" ")
    levels = [LEVELS[plain].index(bar) for bar in bars]
    assert [level > 0 for level in levels] == [value > 0 for value in shown]
    assert {level for level, value in zip(levels, shown, strict=True) if value == max(shown) > 0} <= {8}
    by_value = [level for _, level in sorted(zip(shown, levels, strict=True))]
    assert by_value == sorted(levels)
    assert drawn.isascii() or not plain


@pytest.mark.parametrize("plain", [False, True])
def test_each_level_has_its_own_bar(plain: bool) -> None:
    assert sparkline(range(9), 9, plain) == LEVELS[plain]


@pytest.mark.parametrize(
    ("series", "width", "drawn"),
    [
        ([], 4, "    "),
        ([], 0, ""),
        ([1, 2], 0, ""),
        ([0, 0], 3, "   "),
        ([5], 3, "  █"),
        ([1, 1000000], 2, "▁█"),
        ([1000000, 1, 1], 2, "██"),
    ],
)
def test_a_series_stands_at_the_right_and_is_cut_at_its_old_end(series: list[int], width: int, drawn: str) -> None:
    assert sparkline(series, width) == drawn


COUNTS = st.integers(0, 20) | st.integers(0, 2**64 - 1)
VALUES = st.lists(st.none() | COUNTS, max_size=310).map(tuple)


def series(*values: float | None, **more: object) -> Curve:
    return Curve(**{"title": "LIVE", "values": values, "seconds": len(values), "write": "{:.0f}".format, **more})


@given(VALUES, st.integers(1, 100), st.integers(1, 12), st.booleans(), st.integers(0, 1000))
def test_a_chart_has_its_size_at_any_values(
    values: tuple[int | None, ...], width: int, height: int, plain: bool, first: int
) -> None:
    lines = chart(series(*values, first=first), width, height, plain)
    assert len(lines) == height
    assert all(len(line) == width for line in lines)
    assert not plain or all(line.isascii() for line in lines)


@given(st.lists(st.none() | st.integers(1, 2**64 - 1), min_size=1, max_size=80).map(tuple), st.integers(3, 12))
def test_bars_of_several_lines_grow_with_their_values(values: tuple[int | None, ...], height: int) -> None:
    if not any(values):
        return
    lines = [line[-80:] for line in chart(series(*values), 200, height, plain=False)[1:-1]]
    columns = [sum(LEVELS[False].index(line[place]) for line in lines) for place in range(80 - len(values), 80)]
    assert [column > 0 for column in columns] == [value is not None for value in values]
    by_value = sorted((value, column) for value, column in zip(values, columns, strict=True) if value is not None)
    assert [column for _, column in by_value] == sorted(column for _, column in by_value)
    assert by_value[-1][1] == (8 * len(lines) if by_value[0][0] < by_value[-1][0] else 1)


def test_a_chart_says_what_it_shows_from_where_to_where_and_since_when() -> None:
    lines = chart(series(0, 5, 10, title="allocs/s", seconds=3), 40, 5)
    assert lines == [
        "allocs/s 10  min 0  max 10              ",
        "10│                                    █",
        "  │                                   ▄█",
        " 0│                                   ██",
        "                                 -3s now",
    ]
    assert chart(series(0, 5, 10, title="allocs/s"), 20, 2) == [
        "allocs/s 10  0..10  ",
        "10│" + "▄█".rjust(17),
    ]


def test_large_values_have_a_base_of_their_own_and_the_labels_say_so() -> None:
    """The live objects of a cache with 13,000 of them looked like a solid block: they were drawn from 0."""
    lines = chart(series(13002, 13010, 13050), 40, 5)
    assert [line[:5] for line in lines[1:4]] == ["13050", "     ", "13000"]
    assert [line[-3:] for line in lines[1:4]] == ["  █", "  █", "▁▅█"]
    assert chart(series(10, 13, 30), 40, 5)[3].lstrip().startswith("0│")


def test_values_that_are_all_the_same_are_a_line() -> None:
    """The memory of a cache that did not change was a solid block."""
    assert [line.split("│") for line in chart(series(7, 7, 7), 9, 5)[1:4]] == [
        [" ", " " * 7],
        [" ", " " * 7],
        ["7", "▁▁▁".rjust(7)],
    ]
    assert chart(series(0, 0), 9, 3)[1] == "0│" + " " * 7


def test_values_that_are_written_alike_have_their_difference_beside_them() -> None:
    lines = chart(series(1_000_001, 1_000_005, write=lambda value: f"{value:.2g}"), 40, 5)
    assert [line.split("│")[0].strip() for line in lines[1:4]] == ["+4", "", "1e+06"]


def test_an_interval_without_a_value_has_no_bar_and_a_series_without_any_a_question_mark() -> None:
    assert chart(series(None, 4, None, 8), 20, 3)[1] == "8│" + " ▄ █".rjust(18)
    assert chart(series(None, None), 20, 3) == ["LIVE ?".ljust(20), " " * 20, " " * 20]


def test_a_column_of_several_intervals_shows_the_largest_and_keeps_its_intervals() -> None:
    values = [0] * 30
    values[11] = 9
    bars = [chart(series(*values[start:], first=start), 12, 2)[1].partition("│")[2] for start in range(6)]
    assert all(bar.count("█") == 1 and bar.strip() == "█" for bar in bars)
    assert len({len(bar) - bar.index("█") for bar in bars}) == 1  # it stands still though the old end is dropped


@pytest.mark.parametrize(
    ("seconds", "written"), [(0.4, "0s"), (59.6, "1m00s"), (299, "4m59s"), (3600, "1h00m"), (5400, "1h30m")]
)
def test_lengths_of_time_are_short(seconds: float, written: str) -> None:
    assert write_seconds(seconds) == written


@given(SERIES, st.integers(0, 80), st.booleans())
def test_amounts_are_drawn_from_the_least_to_the_most_without_a_blank(
    series: list[int], width: int, plain: bool
) -> None:
    drawn = level(series, width, 0.01, plain)
    assert len(drawn) == width
    assert " " not in drawn[max(0, width - len(series)) :]


def test_a_slow_rise_is_a_slope_and_a_smaller_change_is_a_line() -> None:
    assert level([1000, 1010, 1020, 1030], 5, 0.01) == " ▁▄▆█"
    assert len({*level([1000, 1000, 1001], 3, 0.01)}) <= 2
    assert level([7, 7], 2, 0.01) == "▁▁"
