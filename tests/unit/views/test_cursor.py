"""The selection in a list: it stays in view, and nothing moves by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.views.cursor import Cursor

MOVES = (
    lambda cursor, n: cursor.move(n),
    lambda cursor, n: cursor.turn(1 if n > 0 else -1),
    lambda cursor, n: cursor.to_top(),
    lambda cursor, n: cursor.to_bottom(),
    lambda cursor, n: cursor.select(abs(n)),
    lambda cursor, n: cursor.scroll(n),
    lambda cursor, n: cursor.follow(abs(n)),
    lambda cursor, n: cursor.resize(max(1, n)),
)


def cursor(
    length: int = 50, height: int = 10, *, place: int = 0, top: int = 0, skipped: tuple[int, ...] = ()
) -> Cursor:
    return Cursor(place, top, height, length, frozenset(skipped))


@given(
    st.integers(0, 30),
    st.integers(1, 12),
    st.sets(st.integers(0, 30), max_size=3),
    st.lists(st.tuples(st.sampled_from(MOVES), st.integers(-15, 15)), max_size=12),
)
def test_the_selection_is_always_in_view_and_can_be_selected(length: int, height: int, skipped, moves) -> None:
    skipped = {line for line in skipped if line < length}
    one = cursor(height=height)
    one.replace(length, frozenset(skipped))
    for move, number in moves:
        move(one, number)
        assert one.place == 0 or one.place < length
        assert one.place not in skipped or len(skipped) == length
        assert one.top <= one.place < one.top + one.height
        assert 0 <= one.top <= max(0, length - one.height)
        visible = sum(line not in skipped for line in range(one.top, min(length, one.top + one.height)))
        assert one.above + visible + one.below == length - len(skipped)


def test_other_lines_move_neither_the_selection_nor_the_screen() -> None:
    one = cursor(place=14, top=8)
    one.replace(60)
    assert (one.place, one.top) == (14, 8)
    one.replace(12)
    assert (one.place, one.top) == (11, 2)


def test_what_is_followed_keeps_the_top_in_view_as_long_as_it_fits_on_the_first_screen() -> None:
    one = cursor(place=14, top=8)
    one.follow(9)
    assert (one.place, one.top) == (9, 0)
    one.follow(10)
    assert (one.place, one.top) == (10, 1)
    one.follow(30)
    assert (one.place, one.top) == (30, 21)
    one.follow(25)
    assert (one.place, one.top) == (25, 21)


def test_a_rule_cannot_be_selected_but_comes_into_view_with_the_first_row() -> None:
    one = cursor(skipped=(0, 5), place=1)
    one.move(4)
    assert one.place == 6
    one.move(-1)
    assert one.place == 4
    one.to_bottom()
    one.to_top()
    assert (one.place, one.top) == (1, 0)
    one.select(5)
    assert one.place == 1


def test_a_page_leaves_one_line_in_view() -> None:
    one = cursor()
    one.turn(1)
    assert (one.place, one.top) == (9, 0)
    one.turn(1)
    assert (one.place, one.top) == (18, 9)
    one.turn(-1)
    assert (one.place, one.top) == (9, 9)


@pytest.mark.parametrize(("top", "place"), [(0, 5), (4, 5), (9, 9), (99, 40), (-3, 5)])
def test_scrolling_takes_the_selection_with_it_only_where_it_must(top: int, place: int) -> None:
    one = cursor(place=5)
    one.scroll(top)
    assert one.place == place


def test_a_smaller_screen_keeps_the_selection_in_view() -> None:
    one = cursor(place=9)
    one.resize(4)
    assert (one.place, one.top) == (9, 6)


def test_a_larger_screen_shows_the_top_again_if_the_selection_fits() -> None:
    one = cursor(place=9, top=6, height=4)
    one.resize(10)
    assert (one.place, one.top) == (9, 0)
    one = cursor(place=30, top=28, height=4)
    one.resize(10)
    assert (one.place, one.top) == (30, 28)


def test_an_empty_list_has_nothing_above_and_below() -> None:
    one = cursor()
    one.replace(0)
    one.move(1)
    assert (one.place, one.top, one.above, one.below) == (0, 0, 0, 0)
