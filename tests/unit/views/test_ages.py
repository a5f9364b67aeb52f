"""The chart of the ages of what a row holds."""

from dataclasses import replace

import pytest

from slabtui.model.held import Held
from slabtui.views.ages import chart_ages

HELD = Held(100, 6400, ages=(0, 10, 80, 10, 0, 0), lifetime_median=0.012, lifetime_p99=3.3)


def test_each_age_has_a_bar_and_its_limits() -> None:
    assert chart_ages(HELD, 39, 4) == [
        "ages; freed after 12ms, 99% by 3s      ",
        "            █████                      ",
        "      ▂▂▂▂▂ █████ ▂▂▂▂▂                ",
        "<1s   <10s  <1m   <10m  <1h   >1h      ",
    ]


def test_shares_stand_beside_the_limits_where_there_is_room() -> None:
    assert chart_ages(HELD, 72, 4)[3].split() == [
        *("<1s", "0%", "<10s", "10%", "<1m", "80%", "<10m", "10%", "<1h", "0%", ">1h", "0%")
    ]
    assert chart_ages(HELD, 72, 4)[0].startswith("ages of what is held; what was freed lived 12ms, 99 % of it up to 3s")


def test_where_nothing_was_freed_or_nothing_is_selected_it_says_so_by_nothing_more() -> None:
    assert chart_ages(replace(HELD, lifetime_median=None), 36, 1) == ["ages".ljust(36)]
    assert chart_ages(None, 36, 2) == ["ages".ljust(36), " " * 36]
    assert chart_ages(Held(), 36, 3)[1].strip() == ""


@pytest.mark.parametrize("width", [1, 5, 12, 36, 99])
@pytest.mark.parametrize("height", [1, 2, 3, 8])
def test_it_has_the_size_that_is_asked_for_and_is_ascii_where_only_that_is_drawn(width: int, height: int) -> None:
    for held in (HELD, Held(), None):
        lines = chart_ages(held, width, height, plain=True)
        assert [len(line) for line in lines] == [width] * height
        assert all(line.isascii() for line in lines)
