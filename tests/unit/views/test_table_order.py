"""The order on the screen: the top stays in view, no row moves after a cursor key, rows not in view are announced."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.columns.query import Order
from slabtui.model.snapshot import CacheRow
from slabtui.views.state import State
from tests.support.fakes import cache, caches, snapshot
from tests.unit.views.test_app import Screen

HEIGHT = 19  # rows that 24 lines show


def shuffled(number: int, **more: int) -> tuple[CacheRow, ...]:
    """Return the caches in another order: those named have this many allocations of 4096 bytes."""
    return tuple(
        replace(row, allocs=more[row.name], bytes=4096 * more[row.name]) if row.name in more else row
        for row in caches(number)
    )


def settled(screen: Screen) -> Screen:
    """Let the time pass in which the order is held."""
    screen.clock += 2.1
    return screen


def test_the_top_stays_in_view_after_a_move_whatever_becomes_of_the_row() -> None:
    """Three times Down, 8 s: the five largest caches were above the screen, and nothing said so."""
    screen = Screen(*caches(50))
    screen.type("down", "down", "down")
    for second in range(8):
        rows = list(caches(50))
        rows[46] = cache(46, allocs=second)  # the row that was selected falls
        settled(screen).show(*rows)
        assert screen.names()[0] == "cache-49"
        assert screen.line_of_selection() == 6
    assert screen.selected() == "cache-45"


def test_without_following_the_selection_keeps_its_line() -> None:
    screen = Screen(*caches(50))
    screen.type("page down", "page down")
    line = screen.line_of_selection()
    settled(screen).show(*shuffled(50, **{"cache-3": 9999, "cache-5": 9998}))
    assert screen.line_of_selection() == line


def test_no_row_moves_away_under_the_finger_for_two_seconds() -> None:
    screen = Screen(*caches(50))
    screen.type("down", "down")
    assert screen.selected() == "cache-47"
    screen.clock += 1.9
    screen.show(*shuffled(50, **{"cache-3": 9999, "cache-20": 9998}))
    assert screen.names()[:3] == ["cache-49", "cache-48", "cache-47"]
    screen.type("enter")
    assert screen.state.page is not None
    assert screen.state.page.row.name == "cache-47"
    screen.type("esc")
    screen.clock += 0.2
    screen.show(*shuffled(50, **{"cache-3": 9999, "cache-20": 9998}))
    assert screen.names()[:4] == ["cache-3", "cache-20", "cache-49", "cache-48"]
    assert screen.selected() == "cache-49"


def test_a_row_that_becomes_idle_stays_while_the_order_is_held() -> None:
    screen = Screen(*caches(5))
    screen.type("down")
    screen.show(*(cache(4) if row.name == "cache-4" else row for row in caches(5)))
    assert screen.names() == ["cache-4", "cache-3", "cache-2", "cache-1", "cache-0"]
    settled(screen).show(*(cache(4) if row.name == "cache-4" else row for row in caches(5)))
    assert screen.names() == ["cache-3", "cache-2", "cache-1", "cache-0"]


@pytest.mark.parametrize("key", ["a", "n", "s", "c", "o", "d", "r", "I", ">", "<", "f6", "l"])
def test_a_key_that_sorts_goes_to_the_top(key: str) -> None:
    screen = Screen(*(replace(row, growth_objects_s=1.0, growth_bytes_h=1.0) for row in caches(50)))
    screen.type("end")
    screen.type(key)
    assert screen.state.place == 0
    assert screen.line_of_selection() == 3
    assert screen.state.table.cursor.top == 0


def test_following_is_explicit_and_keeps_the_top_in_view_as_long_as_the_row_fits() -> None:
    screen = Screen(*caches(50))
    screen.type("down", "F")
    assert screen.has("The selection follows cache-48 until F or a cursor key")
    screen.show(*shuffled(50, **{"cache-48": 1}))
    assert screen.selected() == "cache-48"
    first = screen.line_of_selection() - 3 == screen.state.place
    assert first == (screen.state.place < HEIGHT)
    screen.show(*shuffled(50, **{f"cache-{number}": 9000 + number for number in range(10)}))
    assert screen.selected() == "cache-48"
    assert (screen.line_of_selection(), screen.names()[0]) == (14, "cache-9")


def test_what_is_followed_is_shown_when_it_is_idle_and_survives_a_sort() -> None:
    screen = Screen(*caches(5))
    screen.type("down", "F")
    screen.show(*(cache(3) if row.name == "cache-3" else row for row in caches(5)))
    assert (screen.selected(), screen.names()[-1]) == ("cache-3", "cache-3")
    screen.type("n")
    assert screen.selected() == "cache-3"


@pytest.mark.parametrize("key", ["down", "up", "end", "home", "page down", "F"])
def test_a_cursor_key_or_f_ends_following(key: str) -> None:
    screen = Screen(*caches(50))
    screen.type("down", "F", key)
    place = screen.state.place
    settled(screen).show(*shuffled(50, **{"cache-48": 9999}))
    assert screen.state.place == place
    assert screen.state.table.followed is None


def test_the_rows_that_are_not_on_the_screen_are_announced() -> None:
    screen = Screen(*caches(50))
    assert f" ▼ {50 - HEIGHT} rows below " in screen.lines()[-2]
    screen.type("end")
    assert f" ▲ {50 - HEIGHT} rows above " in screen.lines()[-2]
    screen.type("up", *["page up"])
    assert " ▲ 30 rows above  ▼ 1 row below " in screen.lines()[-2]
    assert not Screen(*caches(5)).has("rows")


def test_the_announcement_knows_a_new_height_at_once() -> None:
    screen = Screen(*caches(50))
    screen.size = (80, 40)
    rows = len(screen.body())
    assert f" ▼ {50 - rows} rows below " in screen.lines()[-2]


def test_it_says_what_is_followed_beside_a_message() -> None:
    screen = Screen(*caches(50))
    screen.type("F", "f7")
    assert screen.lines()[-2].startswith("F7 does nothing here: ? shows all keys")
    assert screen.lines()[-2].endswith("▼ 31 rows below")
    screen.type("ctrl l")
    assert " follows cache-49 " in screen.lines()[-2]


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (40, 10)])
def test_a_message_does_not_move_the_list(size: tuple[int, int]) -> None:
    """The list was one line shorter with each message, and all rows moved when it had been scrolled."""
    screen = Screen(*caches(100), size=size)
    screen.type("end", "up")
    before = screen.lines()
    screen.type("f7")
    after = screen.lines()
    assert "F7 does nothing here" in after[-2]
    assert (after[:-2], after[-1]) == (before[:-2], before[-1])


@pytest.mark.parametrize(
    ("key", "mark"),
    [("c", "MEM▼"), ("o", "LIVE▼"), ("s", "OBJSIZE▼"), ("d", "+/-/s▼"), ("n", "CACHE▲"), ("a", "ALLOCS/s▼")],
)
@pytest.mark.parametrize("size", [(80, 24), (40, 10), (24, 10)])
def test_the_column_that_rows_are_sorted_by_is_always_on_the_screen(key: str, mark: str, size: tuple[int, int]) -> None:
    """Sorted by memory at 80 columns, no heading had a mark."""
    screen = Screen(*caches(5), size=size)
    screen.type(key)
    assert mark in screen.heading()


def test_two_keys_go_from_column_to_column() -> None:
    screen = Screen(*(replace(row, frees=1) for row in caches(3)), size=(120, 24))
    seen = []
    for _ in range(9):
        screen.type(">")
        seen += [title[:-1] for title in screen.heading() if title[-1] in "▲▼"]
    assert seen == ["LIVE", "+/-/s", "MEM", "GROWTH/h", "CACHE", "OBJSIZE", "ALLOCS/s", "BYTES/s", "LIVE"]
    screen.type("f", "<", "<")
    assert "FREES/s▼" in screen.heading()
    assert screen.has("Sorted by FREES/s")


def test_the_sort_by_frees_shows_them_while_they_are_not_counted() -> None:
    screen = Screen(*caches(3))
    screen.state.sort_by("frees")
    screen.app.sync()
    assert "FREES/s▼" in screen.heading()


def test_a_wide_screen_is_used_to_its_end() -> None:
    """At 200 columns the right 50 were blank."""
    screen = Screen(size=(200, 50))
    screen.state.frees = True
    for _ in range(120):
        screen.show(*(replace(row, frees=1) for row in caches(3)))
    titles = screen.heading()
    assert titles[3:] == ["FREES/s", "BYTES/s▼", "LIVE", "+/-/s", "MEM", "GROWTH/h", "RECLAIM", "HISTORY"]
    assert screen.body()[0].count("█") > 70


def test_a_heading_and_a_row_know_where_they_are() -> None:
    screen = Screen(*caches(50))
    table = screen.app._table
    line = screen.lines()[2]
    for title, column in (("CACHE", "name"), ("OBJSIZE", "objsize"), ("BYTES/s", "bytes"), ("MEM", "mem")):
        assert table.column_at(line.index(title)) == column
    assert table.column_at(line.index("HISTORY")) is None
    assert table.column_at(500) is None
    lines = table._list
    assert [lines.at((80, HEIGHT), 5, row) for row in (0, 4)] == [0, 4]
    screen.type("end")
    assert lines.at((80, HEIGHT), 5, 0) == 31
    assert lines.at((80, HEIGHT), 79, 0) is None  # the scroll bar


@given(
    st.lists(st.lists(st.integers(0, 99), min_size=8, max_size=8), min_size=1, max_size=6),
    st.integers(0, 7),
    st.sampled_from(["bytes", "name", "growth"]),
    st.booleans(),
)
def test_whatever_the_intervals_bring_the_row_stays_under_the_finger(
    intervals: list[list[int]], place: int, column: str, leaks: bool
) -> None:
    clock = [0.0]
    state = State(1.0, Order.by(column), now=lambda: clock[0])
    state.receive(snapshot(*(row_of(number, 5) for number in range(8))))
    if leaks:
        state.toggle_leaks()
    state.select(place)
    selected, line = state.selected, state.place
    assert selected is not None
    for counts in intervals:
        clock[0] += 1.9 / len(intervals)
        state.receive(snapshot(*(row_of(number, count) for number, count in enumerate(counts))))
        assert state.selected is not None
        assert (state.selected.cache, state.place) == (selected.cache, line)
    clock[0] += 2.0
    state.receive(snapshot(*(row_of(number, number) for number in range(8))))
    keys = [row.cache for row in state.rows]
    state.arrange()
    assert [row.cache for row in state.rows] == keys


def row_of(number: int, count: int) -> CacheRow:
    row = replace(cache(number, allocs=count), live=1000 + count, live_delta=count - 50, frees=count)
    return replace(
        row, growth_bytes_h=float(count), growth_objects_s=float(count) + 1, growing=count > 90, reclaimable=count > 60
    )
