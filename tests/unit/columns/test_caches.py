"""The columns of the table: each is complete, and its numbers fit its width in every style."""

from dataclasses import fields, replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slabtui.columns import caches
from slabtui.columns.caches import CacheColumn, Scene
from slabtui.columns.column import Fitted, MetricType, field_names
from slabtui.columns.numbers import Style, Unit
from slabtui.columns.units import Basis, Units
from slabtui.model.baseline import Baseline, Change
from slabtui.model.snapshot import CacheRow
from tests.support.fakes import cache

WIDTHS = range(1, 251)
LONGEST = (0, 14, 33, 64, 1000)
NUMBER_COLUMNS = [column for column in caches.COLUMNS if column is not caches.NAME]
SCREEN = caches.on_screen(Style.HUMAN, Basis.SECOND)
WITHOUT_NAME = sum(column.width + 1 for column in SCREEN if column is not caches.NAME)
EVERY_UNITS = [Units(style, basis) for style in Style for basis in Basis]
NUMBERS = st.integers(0, 64).map(lambda power: 2**power - 1) | st.integers(0, 2**64 - 1)  # the kernel counts in 64 bits


def totals_of(row: CacheRow) -> Change:
    return Change(row.total_allocs, row.total_bytes, row.total_frees, row.live)


SCENE = Scene(past=lambda row, width: "▁" * width, alias=lambda row: "", leaks=False)


def taken(fitted: Fitted[CacheRow, Scene], gap: int) -> int:
    return sum(width for _, width in fitted) + gap * (len(fitted) - 1)


@pytest.mark.parametrize("gap", [1, 2])
@pytest.mark.parametrize("longest", LONGEST)
def test_what_fits_is_never_wider_than_the_terminal(longest: int, gap: int) -> None:
    for width in WIDTHS:
        fitted = caches.fit(SCREEN, width, longest, gap=gap)
        assert taken(fitted, gap) <= width
        assert all(each >= 1 for _, each in fitted)


def test_no_terminal_at_all_still_has_a_name() -> None:
    assert caches.fit(SCREEN, 0, 20) == ((caches.NAME, 1),)


@pytest.mark.parametrize("longest", LONGEST)
def test_the_order_is_kept_and_numbers_have_their_whole_width(longest: int) -> None:
    for width in WIDTHS:
        fitted = caches.fit(SCREEN, width, longest)
        kept = [column for column, _ in fitted]
        assert kept == [column for column in SCREEN if column in kept]
        assert all(each == column.width for column, each in fitted if column not in (caches.NAME, caches.HISTORY))
        assert dict(fitted).get(caches.HISTORY, 10) >= 10


def test_the_least_important_columns_go_first_and_the_name_never() -> None:
    dropping = sorted((one for one in SCREEN if one.priority), key=lambda column: column.priority)
    seen = set()
    for width in WIDTHS:
        kept = [column for column, _ in caches.fit(SCREEN, width, 20)]
        dropped = [column for column in dropping if column not in kept]
        assert sorted(dropped, key=dropping.index) == dropping[: len(dropped)]
        assert caches.NAME in kept
        seen.add(len(kept))
    assert seen == set(range(1, len(SCREEN) + 1))


def test_a_column_goes_only_where_it_would_not_fit() -> None:
    for width in WIDTHS:
        kept = [column for column, _ in caches.fit(SCREEN, width, 20)]
        gone = [column for column in SCREEN if column not in kept]
        if gone:
            back = [*kept, max(gone, key=lambda column: column.priority)]
            assert sum(column.width for column in back) + len(back) - 1 > width


@pytest.mark.parametrize(("longest", "width"), [(5, 32), (32, 32), (64, 64), (1000, 250 - WITHOUT_NAME)])
def test_the_name_takes_what_it_needs_of_a_wide_terminal(longest: int, width: int) -> None:
    assert dict(caches.fit(SCREEN, 250, longest))[caches.NAME] == width


@pytest.mark.parametrize(("spare", "history"), [(0, 10), (18, 10), (19, 11), (48, 40), (68, 60), (200, 192)])
def test_the_history_takes_what_the_name_leaves(spare: int, history: int) -> None:
    fitted = dict(caches.fit(SCREEN, WITHOUT_NAME + caches.NAME.width + spare, 20))
    assert fitted[caches.HISTORY] == history
    assert fitted[caches.NAME] == min(32, caches.NAME.width + spare)


def test_priorities_differ_and_only_the_name_always_stays() -> None:
    priorities = [column.priority for column in caches.COLUMNS]
    assert len(set(priorities)) == len(priorities)
    assert [column for column in caches.COLUMNS if not column.priority] == [caches.NAME]


@pytest.mark.parametrize("column", caches.COLUMNS, ids=lambda column: column.id)
def test_every_column_has_a_title_that_fits_a_help_text_and_its_own_id(column: CacheColumn) -> None:
    for shown in (caches.on_screen(style, basis) for style in Style for basis in Basis):
        assert all(len(one.title) < one.width or one is caches.HISTORY for one in shown)
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


@pytest.mark.parametrize("units", EVERY_UNITS, ids=lambda units: f"{units.style}-{units.basis}")
@given(
    number=NUMBERS, size=st.none() | NUMBERS, delta=st.none() | NUMBERS | NUMBERS.map(lambda n: -n), bad=st.booleans()
)
@example(number=2**64 - 1, size=2**64 - 1, delta=1 - 2**64, bad=True)
@example(number=999_999, size=8, delta=-999_999, bad=True)
def test_no_number_is_wider_than_its_column(
    units: Units, number: int, size: int | None, delta: int | None, bad: bool
) -> None:
    row = replace(cache(1), allocs=number, size=size, bytes=number, total_allocs=number, total_bytes=number)
    row = replace(row, frees=number, live=number, mem=number, live_delta=delta, disagrees=bad, growing=True)
    scene = replace(SCENE, leaks=True, units=replace(units, baseline=Baseline(0, {})))
    for column in caches.on_screen(units.style, units.basis)[1:]:
        assert 0 < len(column.write(row, column.width, scene)) <= column.width, column.id


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
    assert caches.BY_ID["growth"].write(replace(row, growing=grows), 8, replace(SCENE, leaks=True)) == written


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


@pytest.mark.parametrize(
    ("basis", "titles"),
    [
        (Basis.SECOND, ["CACHE", "OBJSIZE", "ALLOCS/s", "FREES/s", "BYTES/s", "LIVE", "+/-/s", "MEM", "HISTORY"]),
        (
            Basis.INTERVAL,
            ["CACHE", "OBJSIZE", "ALLOCS/int", "FREES/int", "BYTES/int", "LIVE", "+/-/int", "MEM", "HISTORY"],
        ),
        (
            Basis.SINCE,
            ["CACHE", "OBJSIZE", "ALLOCS SINCE", "FREES SINCE", "BYTES SINCE", "LIVE", "+/- SINCE", "MEM", "HISTORY"],
        ),
    ],
)
def test_the_headings_say_what_the_numbers_are_for(basis: Basis, titles: list[str]) -> None:
    assert [one.title for one in caches.on_screen(Style.HUMAN, basis)] == titles


@pytest.mark.parametrize(
    ("style", "written"),
    [
        (Style.HUMAN, ["750 ", "1.23Mi", "12.3k", "+5  ", "64"]),
        (Style.GROUPED, ["750", "1,289,748", "12,345", "+5 ", "64"]),
        (Style.RAW, ["750", "1289748", "12345", "+5 ", "64"]),
    ],
)
def test_a_column_has_one_style(style: Style, written: list[str]) -> None:
    """A column had `421888` below `282.54Mi`: digits where they fit, else a unit."""
    row = replace(cache(1, size=64), allocs=1500, bytes=2_579_496, live=12345, live_delta=10)
    scene = replace(SCENE, units=Units(style, Basis.SECOND, elapsed=2.0))
    columns = {one.id: one for one in caches.on_screen(style, Basis.SECOND)}
    found = [columns[name].write(row, columns[name].width, scene) for name in ("allocs", "bytes", "live", "growth")]
    assert [*found, columns["objsize"].write(row, 8, scene)] == written


def test_sums_since_the_baseline_are_those_of_the_totals() -> None:
    before = replace(cache(1), total_allocs=100, total_bytes=6400, live=50)
    now = replace(before, total_allocs=350, total_bytes=22_400, live=45, live_delta=1, allocs=7, bytes=448)
    units = Units(Style.RAW, Basis.SINCE, baseline=Baseline(0, {before.cache: totals_of(before)}))
    columns = caches.on_screen(Style.RAW, Basis.SINCE)
    written = {one.id: one.write(now, one.width, replace(SCENE, units=units)).strip() for one in columns}
    assert (written["allocs"], written["bytes"], written["growth"], written["frees"]) == ("250", "16000", "-5", "-")
    assert caches.value("allocs", units)(now) == 250
    assert caches.value("allocs", Units())(now) == 7


@pytest.mark.parametrize("column", ["mem", "live", "frees", "objsize", "name"])
@pytest.mark.parametrize("width", [11, 20, 40, 80])
def test_the_column_that_rows_are_sorted_by_is_on_the_screen(column: str, width: int) -> None:
    """A sort by MEM at 80 columns had no mark anywhere: the column was left out."""
    kept = caches.fit(SCREEN, width, 20, column)
    assert column in [one.id for one, _ in kept]
    assert taken(kept, 1) <= width
