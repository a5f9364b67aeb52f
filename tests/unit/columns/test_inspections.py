"""The columns of an inspection fit every terminal; estimates, kernel threads and interrupts are marked."""

import math
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.columns import inspections
from slabtui.columns.column import field_names
from slabtui.columns.inspections import COLUMNS, NUMBERS_WIDTH, InspectionColumn, Scene, fit
from slabtui.columns.numbers import Style
from slabtui.model.inspection import ON_PAGE, Context, Inspection, InspectionKind, InspectionRow
from tests.support.fakes import key

KINDS = (InspectionKind.CALLERS, InspectionKind.STACKS, InspectionKind.PROCESSES)
WIDTHS = range(1, 251)
COUNTS = st.integers(0, 64).map(lambda power: 2**power - 1) | st.integers(0, 2**64 - 1)
STACK = InspectionRow(
    allocs=3,
    bytes=192,
    total_allocs=30,
    total_bytes=1920,
    frames=("kmem_cache_alloc", "getname_flags", "do_sys_open"),
)
PROCESS = InspectionRow(
    allocs=3, bytes=192, total_allocs=30, total_bytes=1920, pid=4194304, comm="cron", cgroup="/system.slice"
)


def made(kind: InspectionKind, *found: InspectionRow, one_in: int = 1) -> Inspection:
    return Inspection(key(1, "dentry"), kind, one_in=one_in, rows=found)


def titles(kind: InspectionKind, width: int) -> list[str]:
    return [column.title for column, _ in fit(kind, width)]


def written(kind: InspectionKind, row: InspectionRow, one_in: int = 1) -> list[str]:
    scene = Scene(made(kind, row, one_in=one_in))
    return [column.write(row, column.width, scene) for column in COLUMNS[kind]]


def test_every_kind_of_inspection_that_has_rows_has_columns() -> None:
    assert set(COLUMNS) == set(KINDS) == set(ON_PAGE) - {InspectionKind.ABOUT, InspectionKind.HELD}


@pytest.mark.parametrize("kind", KINDS)
def test_what_fits_is_never_wider_than_the_terminal(kind: InspectionKind) -> None:
    for width in WIDTHS:
        fitted = fit(kind, width)
        assert fitted
        assert sum(room for _, room in fitted) + len(fitted) - 1 <= width
        assert all(room >= 1 for _, room in fitted)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_is_kept_and_numbers_have_their_whole_width(kind: InspectionKind) -> None:
    for width in WIDTHS:
        fitted = fit(kind, width)
        assert [column for column, _ in fitted] == [column for column in COLUMNS[kind] if column in dict(fitted)]
        assert all(room == column.width for column, room in fitted if column.align == "right")


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_leave_room_for_what_distinguishes_the_rows(kind: InspectionKind) -> None:
    """Of 80 columns they took 45, so that stacks of which 14 were different had 3 texts."""
    for width in range(1, 81):
        numbers = [room for column, room in fit(kind, width) if column.unit is not None]
        assert sum(numbers) + len(numbers) - 1 <= NUMBERS_WIDTH
    assert dict(zip(titles(kind, 80), fit(kind, 80), strict=True)).keys() >= {"SHARE", "SINCE", "BYTES"}


def test_a_container_and_its_pod_show_at_80_columns() -> None:
    assert "CGROUP" in titles(InspectionKind.PROCESSES, 79)
    assert next(room for column, room in fit(InspectionKind.PROCESSES, 79) if column.title == "CGROUP") == 21


@pytest.mark.parametrize(
    ("kind", "name"),
    [(InspectionKind.CALLERS, "CALL SITE"), (InspectionKind.STACKS, "STACK"), (InspectionKind.PROCESSES, "COMMAND")],
)
def test_who_allocates_is_never_left_out_and_gets_what_is_left(kind: InspectionKind, name: str) -> None:
    assert [column.title for column in COLUMNS[kind] if not column.priority] == [name]
    assert titles(kind, 1) == [name]
    assert titles(kind, 250) == [column.title for column in COLUMNS[kind]]
    rooms = [(column.title, room) for column, room in fit(kind, 250)]
    others = sum(room + 1 for title, room in rooms if title != name)
    assert dict(rooms)[name] == (60 if kind is InspectionKind.CALLERS else 250 - others)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wider_terminal_never_shows_less(kind: InspectionKind) -> None:
    shown = [len(fit(kind, width)) for width in WIDTHS]
    assert shown == sorted(shown)
    assert (shown[0], shown[-1]) == (1, len(COLUMNS[kind]))


@pytest.mark.parametrize("kind", KINDS)
def test_titles_fit_their_columns(kind: InspectionKind) -> None:
    assert all(0 < len(column.title) <= column.width for column in COLUMNS[kind])
    assert all(column.help[0].isupper() and not column.help.endswith(".") for column in COLUMNS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_ids_and_fields_differ_and_every_field_is_one_of_a_row(kind: InspectionKind) -> None:
    ids, names = [column.id for column in COLUMNS[kind]], field_names(COLUMNS[kind])
    assert len(set(ids)) == len(ids)
    assert len(set(names)) == len(names)
    assert set(names) <= {field.name for field in fields(InspectionRow)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_amount_that_is_counted_is_in_the_columns_of_each_kind(kind: InspectionKind) -> None:
    assert {"allocs", "bytes", "total_allocs", "total_bytes"} < set(field_names(COLUMNS[kind]))


@pytest.mark.parametrize(
    "column",
    dict.fromkeys(column for kind in KINDS for column in COLUMNS[kind] if column.align == "right"),
    ids=lambda one: one.title,
)
@given(COUNTS, COUNTS, st.sampled_from([1, 2, 10**6]), st.sampled_from(Style))
def test_no_number_is_wider_than_its_column(
    column: InspectionColumn, allocs: int, size: int, one_in: int, style: Style
) -> None:
    row = InspectionRow(allocs=allocs, bytes=size, total_allocs=allocs, total_bytes=size, pid=2**22)
    scene = Scene(made(InspectionKind.PROCESSES, row, one_in=one_in), style)
    assert 0 < len(column.write(row, column.width, scene)) <= column.width


def test_a_caller_is_its_call_site() -> None:
    caller = replace(STACK, frames=("getname_flags+0x4c",))
    assert written(InspectionKind.CALLERS, caller) == ["getname_flags+0x4c", "100.0%", "3", "192", "30", "1920"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_without_functions_as_a_recording_may_have_it_is_blank(kind: InspectionKind) -> None:
    (text,) = (column for column in COLUMNS[kind] if not column.priority)
    assert written(kind, replace(STACK, frames=()))[COLUMNS[kind].index(text)] == ""


def test_a_stack_begins_with_the_function_that_asks_for_the_object() -> None:
    assert written(InspectionKind.STACKS, STACK)[-1] == "getname_flags < do_sys_open"
    assert written(InspectionKind.STACKS, replace(STACK, frames=("only",)))[-1] == "only"


def test_counts_of_sampled_stacks_are_marked_as_estimates() -> None:
    allocs, total = (
        COLUMNS[InspectionKind.STACKS].index(column)
        for column in COLUMNS[InspectionKind.STACKS]
        if column.title in ("ALLOCS", "SINCE")
    )
    estimated, exact = written(InspectionKind.STACKS, STACK, one_in=2), written(InspectionKind.STACKS, STACK, one_in=1)
    assert (estimated[allocs], estimated[total]) == ("~3", "~30")
    assert (exact[allocs], exact[total]) == ("3", "30")
    assert not any(text.startswith("~") for text in exact)


@pytest.mark.parametrize(
    ("row", "name", "pid"),
    [
        (PROCESS, "cron", "4194304"),
        (replace(PROCESS, comm="kswapd0", context=Context.KERNEL_THREAD), "[kswapd0]", "4194304"),
        (replace(PROCESS, pid=0, comm="", context=Context.INTERRUPT), "(interrupts)", "-"),
    ],
)
def test_kernel_threads_stand_in_brackets_and_interrupts_have_no_process(
    row: InspectionRow, name: str, pid: str
) -> None:
    assert inspections.who(row) == name
    assert written(InspectionKind.PROCESSES, row)[-4:] == [pid, "", "/system.slice", name]


def test_a_process_is_its_command_line_and_says_whether_it_has_ended() -> None:
    ended = replace(PROCESS, cmdline="/usr/sbin/cron -f", ended=True, cgroup="/system.slice/cron.service")
    assert written(InspectionKind.PROCESSES, ended)[-4:] == ["4194304", "X", "cron.service", "/usr/sbin/cron -f"]
    assert written(InspectionKind.PROCESSES, replace(ended, ended=None))[-3] == ""


def test_a_share_is_of_all_since_the_inspection_began() -> None:
    one, other = replace(STACK, total_allocs=1), replace(PROCESS, total_allocs=3)
    both = made(InspectionKind.PROCESSES, one, other)
    assert both.total_allocs == 4
    assert [inspections.share(row, both) for row in both.rows] == [25.0, 75.0]


def test_nothing_of_nothing_is_no_share() -> None:
    nothing = replace(STACK, allocs=0, total_allocs=0)
    assert written(InspectionKind.CALLERS, nothing)[1:3] == ["0.0%", "0"]


def test_the_standard_error_of_a_share_is_that_of_a_ratio() -> None:
    """Of 400 and 100 allocations, one in 4 sampled: the variance of each is 3 times its number."""
    one, other = (replace(STACK, total_allocs=n, standard_error=math.sqrt(3 * n)) for n in (400, 100))
    both = made(InspectionKind.STACKS, one, other, one_in=4)
    expected = 100 * math.sqrt(0.2**2 * 1200 + 0.8**2 * 300) / 500
    assert [inspections.share_error(row, both) for row in both.rows] == pytest.approx([expected, expected])
    assert written(InspectionKind.STACKS, one, one_in=4)[:2] == ["100.0%", "0.0%"]


def test_an_unknown_standard_error_is_a_question_mark_and_an_exact_count_has_none() -> None:
    old = replace(STACK, standard_error=None)
    assert [written(InspectionKind.STACKS, row, one_in=2)[1] for row in (old, STACK)] == ["?", "0.0%"]
    nothing = made(InspectionKind.STACKS, replace(STACK, total_allocs=0))
    assert inspections.share_error(nothing.rows[0], nothing) == 0


@given(COUNTS, COUNTS, st.floats(0, 2**64), st.floats(0, 2**64))
def test_no_standard_error_is_wider_than_its_column(allocs: int, others: int, error: float, of_others: float) -> None:
    one = replace(STACK, total_allocs=allocs, standard_error=error)
    found = Scene(made(InspectionKind.STACKS, one, replace(STACK, total_allocs=others, standard_error=of_others)))
    (column,) = [column for column in COLUMNS[InspectionKind.STACKS] if column.title == "S.E."]
    assert 0 < len(column.write(one, column.width, found)) <= column.width
