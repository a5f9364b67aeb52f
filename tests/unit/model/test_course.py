"""The course of an amount over a recording: bounded, exact where nothing is left out, and its strongest rises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.model.course import MOST_POINTS, Course, CourseBuilder, Point, Rise

POINTS = st.lists(st.tuples(st.integers(1, 100), st.integers(0, 2**40)), min_size=1, max_size=40)


def course(steps: list[tuple[int, int]], time: int = 1000) -> Course:
    builder = CourseBuilder()
    for seconds, amount in steps:
        time += seconds
        builder.add(Point(time, amount, amount // 2))
    return builder.course(is_whole=True)


@given(POINTS, st.integers(1, 60))
def test_each_column_has_the_largest_amount_in_it(steps: list[tuple[int, int]], number: int) -> None:
    found = course(steps)
    columns = found.columns(number)
    assert len(columns) == number
    assert max(one.amount for one in columns if one is not None) == max(amount for _, amount in steps)
    for point in found.points:
        column = columns[found.column_at(point.time, number)]
        assert column is not None
        assert column.amount >= point.amount or found.time_at(found.column_at(point.time, number), number) > point.time


def test_nothing_stands_where_nothing_was_recorded() -> None:
    found = course([(10, 5)] * 10 + [(1000, 7)] + [(10, 7)] * 10)
    amounts = [point and point.amount for point in found.columns(12)]
    assert amounts[0] == 5
    assert amounts[-1] == 7
    assert amounts[3:9] == [None] * 6


def test_a_long_recording_has_the_last_point_of_each_stretch() -> None:
    number = 10 * MOST_POINTS
    found = course([(1, at) for at in range(number)])
    assert MOST_POINTS / 4 < len(found.points) <= MOST_POINTS
    assert found.end == 1000 + number
    assert all(point.amount == point.time - 1001 for point in found.points)
    steps = {later.time - one.time for one, later in zip(found.points[1:-1], found.points[2:-1], strict=False)}
    assert len(steps) == 1


def test_the_strongest_rises_come_first_and_do_not_overlap() -> None:
    amounts = [100] * 1000
    for at, size in ((200, 50), (500, 90), (800, 70)):
        amounts[at:] = [amount + size for amount in amounts[at:]]
    found = course([(10, amount) for amount in amounts])
    assert [rise.amount for rise in found.rises(5)] == [90, 70, 50]
    assert found.rises(1) == (Rise(1000 + 501 * 10, 90, 300),)


@pytest.mark.parametrize("amounts", [[], [5], [5, 5, 5], [9, 8, 7]])
def test_what_does_not_rise_has_no_rise(amounts: list[int]) -> None:
    assert course([(1, amount) for amount in amounts]).rises(5) == ()


@given(POINTS)
def test_no_rise_is_more_than_there_is(steps: list[tuple[int, int]]) -> None:
    found = course(steps)
    amounts = {point.time: point.amount for point in found.points}
    for rise in found.rises(5):
        assert amounts[rise.time] - amounts[rise.time - rise.seconds] == rise.amount > 0
