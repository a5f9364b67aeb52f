"""The scroll bar: its thumb shows which part of the list is visible, and moving the thumb shows that part."""

from hypothesis import given
from hypothesis import strategies as st

from slabtui.views.scroll_bar import ScrollBar


@st.composite
def bars(draw: st.DrawFn) -> ScrollBar:
    height = draw(st.integers(1, 60))
    length = height + draw(st.integers(1, 2000))
    return ScrollBar(draw(st.integers(0, length - height)), length, height)


@given(bars())
def test_the_thumb_lies_in_the_bar_and_is_at_an_end_only_where_the_list_is(bar: ScrollBar) -> None:
    thumb, most = bar.thumb, bar.length - bar.height
    assert len(thumb) >= 1
    assert 0 <= thumb.start < thumb.stop <= bar.height
    assert thumb.start == 0 or bar.top > 0
    assert thumb.stop == bar.height or bar.top < most
    if bar.height - len(thumb) > 1:
        assert (thumb.start == 0) is (bar.top == 0)
        assert (thumb.stop == bar.height) is (bar.top == most)


@given(bars(), st.integers(-10, 70))
def test_the_thumb_goes_where_it_is_dragged_as_far_as_there_is_room(bar: ScrollBar, line: int) -> None:
    free = bar.height - len(bar.thumb)
    moved = ScrollBar(bar.top_at(line), bar.length, bar.height)
    assert 0 <= moved.top <= bar.length - bar.height
    if free:
        assert abs(moved.thumb.start - max(0, min(line, free))) <= 1
        assert bar.top_at(0) == 0
        assert bar.top_at(bar.height) == bar.length - bar.height


def test_the_thumb_is_as_long_a_part_of_the_bar_as_the_visible_lines_are_of_the_list() -> None:
    assert [ScrollBar(0, 100, 20).thumb, ScrollBar(80, 100, 20).thumb] == [range(4), range(16, 20)]
    assert ScrollBar(40, 100, 20).thumb == range(8, 12)
    assert ScrollBar(500, 1000, 10).thumb == range(5, 6)
    assert ScrollBar(1, 2, 1).thumb == range(1)
