"""Charts of one line: bars that grow with their values, within a width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.views.chart import sparkline

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
