"""Columns of any table fit every width: the least important are left out first, and some grow."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.columns.column import UNLIMITED, Column, field_names, fit

WIDTHS = st.integers(1, 250)


@dataclass(frozen=True)
class Point:
    x: int
    label: str


Columns = list[Column[Point, str]]


def column(
    name: str = "x", *, width: int = 5, most: int = 0, priority: int = 0, fields: tuple[str, ...] = ()
) -> Column[Point, str]:
    return Column(
        id=name,
        title=name.upper(),
        width=width,
        align="right",
        write=lambda row, width, mark: f"{mark}{row.x}",
        help="A coordinate",
        priority=priority,
        most=most,
        fields=fields,
    )


@st.composite
def tables(draw: st.DrawFn) -> Columns:
    """Return the columns of a table: one that always stays, and others of different priorities."""
    number = draw(st.integers(0, 6))
    priorities = draw(st.permutations([0, *range(1, number + 1)]))
    return [
        column(
            f"c{priority}",
            width=draw(st.integers(1, 30)),
            most=draw(st.sampled_from([0, 40, UNLIMITED])),
            priority=priority,
        )
        for priority in priorities
    ]


def rooms(columns: Columns, width: int, **more: object) -> list[tuple[str, int]]:
    return [(one.id, room) for one, room in fit(columns, width, **more)]


@given(tables(), WIDTHS, st.integers(1, 2))
def test_what_fits_is_never_wider_than_the_width(columns: Columns, width: int, gap: int) -> None:
    fitted = fit(columns, width, gap=gap)
    assert fitted
    assert sum(room for _, room in fitted) + gap * (len(fitted) - 1) <= width
    assert all(room >= 1 for _, room in fitted)


@given(tables(), WIDTHS)
def test_the_order_is_kept_and_only_what_grows_is_wider_than_its_width(columns: Columns, width: int) -> None:
    fitted = fit(columns, width)
    kept = [one for one, _ in fitted]
    assert kept == [one for one in columns if one in kept]
    assert all(room <= max(one.width, one.most) for one, room in fitted)
    assert all(room >= one.width for one, room in fitted if one.priority)


@given(tables(), WIDTHS)
def test_the_least_important_are_left_out_first_and_only_where_they_do_not_fit(columns: Columns, width: int) -> None:
    kept = [one for one, _ in fit(columns, width)]
    left_out = sorted((one for one in columns if one not in kept), key=lambda one: one.priority)
    assert left_out == sorted((one for one in columns if one.priority), key=lambda one: one.priority)[: len(left_out)]
    if left_out:
        back = [*kept, left_out[-1]]
        assert sum(one.width for one in back) + len(back) - 1 > width


@given(tables(), WIDTHS)
def test_no_room_is_left_over_where_a_column_grows_without_a_limit(columns: Columns, width: int) -> None:
    fitted = fit(columns, width)
    if any(one.most == UNLIMITED for one, _ in fitted):
        assert sum(room for _, room in fitted) + len(fitted) - 1 == width


def test_columns_grow_from_left_to_right() -> None:
    columns = [column("a", most=8), column("b", priority=1), column("c", most=7, priority=2)]
    assert rooms(columns, 17) == [("a", 5), ("b", 5), ("c", 5)]
    assert rooms(columns, 19) == [("a", 7), ("b", 5), ("c", 5)]
    assert rooms(columns, 21) == [("a", 8), ("b", 5), ("c", 6)]
    assert rooms(columns, 99) == [("a", 8), ("b", 5), ("c", 7)]


def test_a_column_grows_beyond_its_limit_for_its_longest_text() -> None:
    columns = [column("a", most=8), column("b", most=8, priority=1)]
    assert rooms(columns, 40, longest={"a": 20}) == [("a", 20), ("b", 8)]
    assert rooms(columns, 40, longest={"a": 3}) == [("a", 8), ("b", 8)]


@pytest.mark.parametrize(("width", "room"), [(10, 5), (5, 5), (3, 3), (1, 1), (0, 1)])
def test_a_column_that_always_stays_becomes_narrower_where_it_does_not_fit(width: int, room: int) -> None:
    assert rooms([column("a"), column("b", priority=1)], width) == [("a", room)]


def test_a_column_writes_a_row_in_its_context() -> None:
    assert column().write(Point(3, ""), 5, "~") == "~3"


def test_fields_are_those_of_the_columns_in_their_order() -> None:
    assert field_names([column(fields=("x", "label")), column(), column(fields=("y",))]) == ("x", "label", "y")


def test_a_column_that_is_asked_for_makes_others_leave() -> None:
    columns = [column("a"), column("b", priority=3), column("c", priority=1), column("d", priority=2)]
    assert rooms(columns, 17) == [("a", 5), ("b", 5), ("d", 5)]
    assert rooms(columns, 17, keep="c") == [("a", 5), ("b", 5), ("c", 5)]
    assert rooms(columns, 11, keep="c") == [("a", 5), ("c", 5)]
    assert rooms(columns, 8, keep="c") == [("a", 2), ("c", 5)]
    assert rooms(columns, 6, keep="c") == [("a", 5)]


@given(tables(), WIDTHS, st.integers(0, 7))
def test_a_column_that_is_asked_for_never_makes_the_table_wider(columns: Columns, width: int, kept: int) -> None:
    fitted = fit(columns, width, keep=f"c{kept}")
    assert sum(room for _, room in fitted) + len(fitted) - 1 <= width
    assert all(room >= one.width for one, room in fitted if one.priority)
