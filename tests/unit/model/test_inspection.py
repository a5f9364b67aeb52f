"""What came between two readings of a close look, and stacks as flame graph tools read them."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.model.inspection import About, Context, Inspection, InspectionRow, Kind, folded, interval

AMOUNTS = st.integers(0, 2**32)
INNER, OUTER = ("inner", "outer"), ("other",)


def entry(frames: tuple[str, ...], allocs: int, size: int = 64) -> InspectionRow:
    """Return an entry as a source counts it: all since the look began."""
    return InspectionRow(allocs, allocs * size, allocs, allocs * size, frames=frames)


def process(pid: int, allocs: int, context: Context = Context.PROCESS, comm: str = "x") -> InspectionRow:
    return InspectionRow(allocs, allocs, allocs, allocs, pid=pid, comm=comm, context=context)


def callers(*entries: InspectionRow, **more: object) -> Inspection:
    return replace(Inspection("dentry", Kind.CALLERS, entries=entries), **more)


def test_an_interval_has_what_came_since_and_the_sums_stay() -> None:
    before = callers(entry(INNER, 10), entry(OUTER, 7))
    after = callers(entry(INNER, 13), entry(OUTER, 7), lost=4)
    found = interval(before, after)
    assert found == callers(
        InspectionRow(3, 192, 13, 832, frames=INNER), InspectionRow(0, 0, 7, 448, frames=OUTER), lost=4
    )


def test_an_entry_that_is_new_appears_whole() -> None:
    assert interval(callers(entry(INNER, 10)), callers(entry(OUTER, 3))) == callers(entry(OUTER, 3))


def test_a_new_look_counts_from_its_own_beginning() -> None:
    after = callers(entry(INNER, 4), look=2)
    assert interval(callers(entry(INNER, 10), look=1), after) == after


def test_the_first_reading_of_a_look_is_an_interval_of_its_own() -> None:
    assert interval(None, callers(entry(INNER, 4))) == callers(entry(INNER, 4))


@pytest.mark.parametrize("before", [None, callers(entry(INNER, 4))])
def test_without_a_look_there_is_no_interval(before: Inspection | None) -> None:
    assert interval(before, None) is None


def test_what_the_kernel_says_passes_through() -> None:
    about = Inspection("dentry", Kind.ABOUT, about=About(live=5))
    assert interval(Inspection("dentry", Kind.ABOUT, about=About(live=2)), about) == about


@given(st.lists(st.dictionaries(st.integers(0, 4), AMOUNTS, min_size=1), min_size=2, max_size=6))
def test_the_intervals_add_up_to_what_came_since_the_look_began(told: list[dict[int, int]]) -> None:
    sums: dict[int, int] = {}
    readings: list[Inspection | None] = [None]
    for more in told:
        for pid, allocs in more.items():
            sums[pid] = sums.get(pid, 0) + allocs
        entries = (process(pid, allocs) for pid, allocs in sums.items())
        readings.append(Inspection("dentry", Kind.PROCESSES, entries=tuple(entries)))
    added: dict[int | None, int] = {}
    for before, after in pairwise(readings):
        found = interval(before, after)
        assert found is not None
        for one in found.entries:
            added[one.pid] = added.get(one.pid, 0) + one.allocs
            assert one.total_allocs == added[one.pid]
    assert added == sums


def test_processes_are_told_apart_by_their_number_and_kind_and_not_by_their_name() -> None:
    assert process(7, 1, comm="old").key == process(7, 2, comm="new").key
    keys = {process(7, 1).key, process(8, 1).key, process(0, 1, Context.INTERRUPT).key}
    keys.add(process(0, 1, Context.KERNEL_THREAD).key)
    assert len(keys) == 4


def test_a_process_that_was_renamed_has_its_new_name_and_what_came_since() -> None:
    before, after = (Inspection("a", Kind.PROCESSES, entries=(process(7, n, comm=str(n)),)) for n in (5, 8))
    found = interval(before, after)
    assert found is not None
    assert [(one.comm, one.allocs, one.total_allocs) for one in found.entries] == [("8", 3, 8)]


def test_stacks_are_told_apart_by_all_their_functions() -> None:
    assert entry(("a", "b"), 1).key == entry(("a", "b"), 2).key
    assert len({entry(frames, 1).key for frames in (("a", "b"), ("b", "a"), ("a",), ("a", "b", "c"))}) == 4


def test_folded_stacks_go_from_the_outermost_function_in_and_end_with_their_count() -> None:
    stacks = [replace(entry(("alloc", "open", "syscall"), 12), allocs=3), entry(("alloc",), 1)]
    assert folded(stacks) == "syscall;open;alloc 12\nalloc 1\n"


def test_what_has_no_functions_is_in_no_flame_graph() -> None:
    assert folded([process(7, 5), entry(INNER, 2)]) == "outer;inner 2\n"
    assert folded([]) == ""
