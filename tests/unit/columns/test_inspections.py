"""The columns of a close look fit every terminal; estimates, kernel threads and interrupts are marked."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.columns import inspections
from slabtui.columns.inspections import FIELDS, Field, fitting
from slabtui.model.inspection import Context, Inspection, InspectionRow, Kind

KINDS = (Kind.CALLERS, Kind.STACKS, Kind.PROCESSES)
WIDTHS = range(1, 251)
COUNTS = st.integers(0, 64).map(lambda power: 2**power - 1) | st.integers(0, 2**64 - 1)
STACK = InspectionRow(3, 192, 30, 1920, frames=("kmem_cache_alloc", "getname_flags", "do_sys_open"))
PROCESS = InspectionRow(3, 192, 30, 1920, pid=4194304, comm="cron", cgroup="/system.slice")


def look(kind: Kind, *found: InspectionRow, one_in: int = 1) -> Inspection:
    return Inspection("dentry", kind, one_in=one_in, entries=found)


def titles(kind: Kind, width: int) -> list[str]:
    return [field.title for field, _ in fitting(kind, width)]


def written(kind: Kind, entry: InspectionRow, one_in: int = 1) -> list[str]:
    detail = look(kind, entry, one_in=one_in)
    return [field.write(entry, detail, field.width or 30) for field in FIELDS[kind]]


def test_every_kind_of_look_that_has_entries_has_columns() -> None:
    assert set(FIELDS) == set(KINDS) == set(Kind) - {Kind.ABOUT}


@pytest.mark.parametrize("kind", KINDS)
def test_what_fits_is_never_wider_than_the_terminal(kind: Kind) -> None:
    for width in WIDTHS:
        fitted = fitting(kind, width)
        assert fitted
        assert sum(room for _, room in fitted) + len(fitted) - 1 <= width
        assert all(room >= 1 for _, room in fitted)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_is_kept_and_numbers_have_their_whole_width(kind: Kind) -> None:
    for width in WIDTHS:
        fitted = fitting(kind, width)
        assert [field for field, _ in fitted] == [field for field in FIELDS[kind] if field in dict(fitted)]
        assert all(room == field.width for field, room in fitted if field.align == "right")


@pytest.mark.parametrize(
    ("kind", "name"), [(Kind.CALLERS, "CALL SITE"), (Kind.STACKS, "STACK"), (Kind.PROCESSES, "COMM")]
)
def test_who_allocates_stays_to_the_last_and_gets_what_is_left(kind: Kind, name: str) -> None:
    assert [field.title for field in FIELDS[kind] if not field.priority] == [name]
    assert titles(kind, 1) == [name]
    assert titles(kind, 250) == [field.title for field in FIELDS[kind]]
    last, room = fitting(kind, 250)[-1]
    assert room == 250 - sum(field.width + 1 for field in FIELDS[kind] if field is not last)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wider_terminal_never_shows_less(kind: Kind) -> None:
    shown = [len(fitting(kind, width)) for width in WIDTHS]
    assert shown == sorted(shown)
    assert (shown[0], shown[-1]) == (1, len(FIELDS[kind]))


@pytest.mark.parametrize("kind", KINDS)
def test_titles_fit_their_columns(kind: Kind) -> None:
    assert all(0 < len(field.title) <= (field.width or 30) for field in FIELDS[kind])


@pytest.mark.parametrize(
    "field", {field for kind in KINDS for field in FIELDS[kind] if field.align == "right"}, ids=lambda one: one.title
)
@given(COUNTS, COUNTS, st.integers(0, 2**22), st.sampled_from([1, 2, 10**6]))
def test_no_number_is_wider_than_its_column(field: Field, allocs: int, size: int, pid: int, one_in: int) -> None:
    entry = InspectionRow(allocs, size, allocs, size, pid=pid)
    assert 0 < len(field.write(entry, look(Kind.PROCESSES, entry, one_in=one_in), field.width)) <= field.width


def test_a_caller_is_its_call_site() -> None:
    caller = replace(STACK, frames=("getname_flags+0x4c",))
    assert written(Kind.CALLERS, caller) == ["100.0%", "3", "192", "30", "1920", "getname_flags+0x4c"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_without_functions_as_a_recording_may_have_it_is_blank(kind: Kind) -> None:
    assert written(kind, replace(STACK, frames=()))[-1] == ""


def test_a_stack_begins_with_the_function_that_asks_for_the_object() -> None:
    assert written(Kind.STACKS, STACK)[-1] == "getname_flags < do_sys_open"
    assert written(Kind.STACKS, replace(STACK, frames=("only",)))[-1] == "only"


def test_counts_of_stacks_that_were_not_all_taken_are_marked_as_estimates() -> None:
    allocs, total = (
        FIELDS[Kind.STACKS].index(field) for field in FIELDS[Kind.STACKS] if field.title in ("ALLOCS", "SINCE")
    )
    estimated, exact = written(Kind.STACKS, STACK, one_in=2), written(Kind.STACKS, STACK, one_in=1)
    assert (estimated[allocs], estimated[total]) == ("~3", "~30")
    assert (exact[allocs], exact[total]) == ("3", "30")
    assert not any(text.startswith("~") for text in exact)


@pytest.mark.parametrize(
    ("entry", "name", "pid"),
    [
        (PROCESS, "cron", "4194304"),
        (replace(PROCESS, comm="kswapd0", context=Context.KERNEL_THREAD), "[kswapd0]", "4194304"),
        (replace(PROCESS, pid=0, comm="", context=Context.INTERRUPT), "(interrupts)", "-"),
    ],
)
def test_kernel_threads_stand_in_brackets_and_interrupts_have_no_process(
    entry: InspectionRow, name: str, pid: str
) -> None:
    assert inspections.who(entry) == name
    assert written(Kind.PROCESSES, entry)[-3:] == [pid, name, "/system.slice"]


def test_a_share_is_of_all_since_the_look_began() -> None:
    one, other = replace(STACK, total_allocs=1), replace(PROCESS, total_allocs=3)
    both = look(Kind.PROCESSES, one, other)
    assert both.total_allocs == 4
    assert [inspections.share(entry, both) for entry in both.entries] == [25.0, 75.0]


def test_nothing_of_nothing_is_no_share() -> None:
    nothing = replace(STACK, allocs=0, total_allocs=0)
    assert written(Kind.CALLERS, nothing)[:2] == ["0.0%", "0"]


def test_the_standard_error_of_a_share_is_that_of_a_ratio() -> None:
    """Of 400 and 100 allocations, one in 4 sampled: the variance of each is 3 times its number."""
    one, other = (replace(STACK, total_allocs=n, standard_error=math.sqrt(3 * n)) for n in (400, 100))
    both = look(Kind.STACKS, one, other, one_in=4)
    expected = 100 * math.sqrt(0.2**2 * 1200 + 0.8**2 * 300) / 500
    assert [inspections.share_error(entry, both) for entry in both.entries] == pytest.approx([expected, expected])
    assert written(Kind.STACKS, one, one_in=4)[:2] == ["100.0%", "0.0%"]


def test_an_unknown_standard_error_is_a_question_mark_and_an_exact_count_has_none() -> None:
    old = replace(STACK, standard_error=None)
    assert [written(Kind.STACKS, entry, one_in=2)[1] for entry in (old, STACK)] == ["?", "0.0%"]
    nothing = look(Kind.STACKS, replace(STACK, total_allocs=0))
    assert inspections.share_error(nothing.entries[0], nothing) == 0


@given(COUNTS, COUNTS, st.floats(0, 2**64), st.floats(0, 2**64))
def test_no_standard_error_is_wider_than_its_column(allocs: int, others: int, error: float, of_others: float) -> None:
    one = replace(STACK, total_allocs=allocs, standard_error=error)
    detail = look(Kind.STACKS, one, replace(STACK, total_allocs=others, standard_error=of_others))
    (field,) = [field for field in FIELDS[Kind.STACKS] if field.title == "S.E."]
    assert 0 < len(field.write(one, detail, field.width)) <= field.width
