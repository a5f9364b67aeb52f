"""The columns of the table: each is complete, and its numbers fit its width."""

from dataclasses import fields, replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slabtui.columns import caches
from slabtui.columns.caches import CacheColumn, Scene
from slabtui.columns.column import Fitted, MetricType, field_names
from slabtui.columns.numbers import Unit
from slabtui.model.snapshot import CacheRow
from tests.support.fakes import cache

WIDTHS = range(1, 251)
LONGEST = (0, 14, 33, 64, 1000)
NUMBER_COLUMNS = [column for column in caches.COLUMNS if column is not caches.NAME]
WITHOUT_NAME = sum(column.width + 1 for column in NUMBER_COLUMNS if column is not caches.FREES)
NUMBERS = st.integers(0, 64).map(lambda power: 2**power - 1) | st.integers(0, 2**64 - 1)  # the kernel counts in 64 bits


SCENE = Scene(past=lambda row, width: "▁" * width, alias=lambda row: "", growing=lambda row: False)


def taken(fitted: Fitted[CacheRow, Scene], gap: int) -> int:
    return sum(width for _, width in fitted) + gap * (len(fitted) - 1)


@pytest.mark.parametrize("gap", [1, 2])
@pytest.mark.parametrize("longest", LONGEST)
def test_what_fits_is_never_wider_than_the_terminal(longest: int, gap: int) -> None:
    for width in WIDTHS:
        fitted = caches.fit(width, longest, frees=True, gap=gap)
        assert taken(fitted, gap) <= width
        assert all(each >= 1 for _, each in fitted)


def test_no_terminal_at_all_still_has_a_name() -> None:
    assert caches.fit(0, 20) == ((caches.NAME, 1),)


@pytest.mark.parametrize("longest", LONGEST)
def test_the_order_is_kept_and_numbers_have_their_whole_width(longest: int) -> None:
    for width in WIDTHS:
        fitted = caches.fit(width, longest, frees=True)
        kept = [column for column, _ in fitted]
        assert kept == [column for column in caches.COLUMNS if column in kept]
        assert all(each == column.width for column, each in fitted if column not in (caches.NAME, caches.HISTORY))
        assert dict(fitted).get(caches.HISTORY, 10) in range(10, 61)


def test_the_least_important_columns_go_first_and_the_name_never() -> None:
    dropping = sorted(NUMBER_COLUMNS, key=lambda column: column.priority)
    seen = set()
    for width in WIDTHS:
        kept = [column for column, _ in caches.fit(width, 20, frees=True)]
        dropped = [column for column in dropping if column not in kept]
        assert dropped == dropping[: len(dropped)]
        assert caches.NAME in kept
        seen.add(len(kept))
    assert seen == set(range(1, len(caches.COLUMNS) + 1))


def test_a_column_goes_only_where_it_would_not_fit() -> None:
    for width in WIDTHS:
        kept = [column for column, _ in caches.fit(width, 20, frees=True)]
        gone = [column for column in caches.COLUMNS if column not in kept]
        if gone:
            back = [*kept, max(gone, key=lambda column: column.priority)]
            assert sum(column.width for column in back) + len(back) - 1 > width


@pytest.mark.parametrize(("longest", "width"), [(5, 32), (32, 32), (64, 64), (1000, 250 - WITHOUT_NAME)])
def test_the_name_takes_what_it_needs_of_a_wide_terminal(longest: int, width: int) -> None:
    assert dict(caches.fit(250, longest))[caches.NAME] == width


@pytest.mark.parametrize(("spare", "history"), [(0, 10), (18, 10), (19, 11), (48, 40), (68, 60), (69, 60)])
def test_the_history_takes_what_the_name_leaves_until_it_is_a_minute_long(spare: int, history: int) -> None:
    fitted = dict(caches.fit(WITHOUT_NAME + caches.NAME.width + spare, 20))
    assert fitted[caches.HISTORY] == history
    assert fitted[caches.NAME] == min(32, caches.NAME.width + spare)


def test_priorities_differ_and_only_the_name_always_stays() -> None:
    priorities = [column.priority for column in caches.COLUMNS]
    assert len(set(priorities)) == len(priorities)
    assert [column for column in caches.COLUMNS if not column.priority] == [caches.NAME]


@pytest.mark.parametrize("column", caches.COLUMNS, ids=lambda column: column.id)
def test_every_column_has_a_title_that_fits_a_help_text_and_its_own_id(column: CacheColumn) -> None:
    assert 0 < len(column.title) <= column.width
    assert column.help
    assert [other for other in caches.COLUMNS if other.id == column.id] == [column]
    assert caches.BY_ID[column.id] is column


def test_the_default_order_is_by_a_column_that_exists() -> None:
    assert caches.DEFAULT_SORT in caches.BY_ID
    assert caches.DEFAULT_SORT in caches.SORTS


def test_rows_can_be_sorted_by_every_column_except_the_history() -> None:
    assert list(caches.SORTS) == [column.id for column in caches.COLUMNS if column is not caches.HISTORY]
    assert all(caches.BY_ID[each].value is value for each, value in caches.SORTS.items())


@pytest.mark.parametrize("column", NUMBER_COLUMNS, ids=lambda column: column.id)
@given(
    number=NUMBERS, size=st.none() | NUMBERS, delta=st.none() | NUMBERS | NUMBERS.map(lambda n: -n), bad=st.booleans()
)
@example(number=2**64 - 1, size=2**64 - 1, delta=1 - 2**64, bad=True)
def test_no_number_is_wider_than_its_column(
    column: CacheColumn, number: int, size: int | None, delta: int | None, bad: bool
) -> None:
    row = replace(cache(1), allocs=number, size=size, bytes=number)
    row = replace(row, frees=number, live=number, mem=number, live_delta=delta, disagrees=bad)
    assert 0 < len(column.write(row, column.width, replace(SCENE, growing=lambda row: True))) <= column.width


def test_a_row_is_written_with_its_own_numbers() -> None:
    row = replace(cache(1, "dentry", allocs=3, size=192), bytes=576)
    written = [column.write(row, column.width, SCENE) for column in caches.COLUMNS]
    assert written == ["dentry", "192", "3", "- ", "576", "-", "- ", "-", "▁" * 10]


def test_a_size_class_and_sizes_that_differ_are_marked() -> None:
    row = replace(cache(1, "kmalloc-64", size=None), approximate=True)
    assert caches.NAME.write(row, 14, SCENE) == "~kmalloc-64"
    assert caches.BY_ID["objsize"].write(row, 8, SCENE) == "-"


@pytest.mark.parametrize("name", ["objsize", "frees", "live", "growth", "mem"])
def test_an_unknown_number_sorts_below_every_known_one(name: str) -> None:
    value = caches.SORTS[name]
    lowest = replace(cache(1, size=0), frees=0, live=0, live_delta=1 - 2**64, mem=0)
    assert value(cache(1, size=None)) < value(lowest)


def test_every_field_that_a_column_names_is_one_of_a_row_and_no_field_is_named_twice() -> None:
    names = field_names(caches.COLUMNS)
    assert len(set(names)) == len(names)
    assert set(names) <= {field.name for field in fields(CacheRow)}


@pytest.mark.parametrize("column", NUMBER_COLUMNS, ids=lambda column: column.id)
def test_every_column_of_numbers_has_a_unit(column: CacheColumn) -> None:
    in_bytes = ("objsize", "bytes", "mem")
    expected = None if column is caches.HISTORY else Unit.BYTES if column.id in in_bytes else Unit.OBJECTS
    assert column.unit is expected


def test_every_counter_has_a_total_since_counting_began() -> None:
    """A figure that only grows is a counter for a monitoring system, which needs its total."""
    counters = [column.fields[0] for column in caches.COLUMNS if column.metric is MetricType.COUNTER]
    assert counters == ["allocs", "frees", "bytes"]
    totals = {field.name for field in fields(CacheRow) if field.name.startswith("total_")}
    assert totals == {f"total_{name}" for name in counters}


def test_what_a_cache_holds_now_is_a_gauge() -> None:
    assert [column.id for column in caches.COLUMNS if column.metric is MetricType.GAUGE] == ["live", "mem"]


def test_the_alias_that_the_filter_found_is_after_the_name() -> None:
    scene = replace(SCENE, alias=lambda row: "maple_node")
    assert caches.NAME.write(cache(1, "vm_area_struct"), 14, scene) == "vm_area_struct (maple_node)"


@pytest.mark.parametrize(
    ("delta", "grows", "written"),
    [(None, True, "- "), (0, False, "0 "), (7, False, "+7 "), (7, True, "+7^"), (-7, False, "-7 ")],
)
def test_growth_has_its_sign_and_the_mark_of_a_leak(delta: int | None, grows: bool, written: str) -> None:
    row = replace(cache(1), live_delta=delta)
    assert caches.BY_ID["growth"].write(row, 8, replace(SCENE, growing=lambda row: grows)) == written


@pytest.mark.parametrize(
    ("frees", "disagrees", "written"), [(None, None, "- "), (5, None, "5 "), (5, False, "5 "), (5, True, "5!")]
)
def test_frees_that_do_not_explain_the_change_are_marked(
    frees: int | None, disagrees: bool | None, written: str
) -> None:
    assert caches.FREES.write(replace(cache(1), frees=frees, disagrees=disagrees), 9, SCENE) == written


@pytest.mark.parametrize("column", caches.COLUMNS, ids=lambda column: column.id)
def test_a_help_text_begins_with_what_is_shown_and_is_short(column: CacheColumn) -> None:
    assert column.help[0].isupper()
    assert not column.help.endswith(".")
    assert len(column.help) < 240
