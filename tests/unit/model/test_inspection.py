"""Inspections: intervals add up to the totals, merging loses nothing, and stacks as flame graph tools read them."""

from dataclasses import replace
from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.model.inspection import (
    About,
    Context,
    Inspection,
    InspectionKind,
    InspectionReading,
    InspectionRow,
    InspectionTotals,
    difference,
    fold_stacks,
    merge,
)
from tests.support.fakes import key

KEY = key(1, "dentry")
AMOUNTS = st.integers(0, 2**32)
INNER, OUTER = ("inner", "outer"), ("other",)


def reading(*rows: InspectionTotals, number: int = 1, **more: object) -> InspectionReading:
    return replace(InspectionReading(KEY, InspectionKind.PROCESSES, number, rows=rows), **more)


def process(pid: int, allocs: int, **more: object) -> InspectionTotals:
    return replace(InspectionTotals(pid=pid, comm="x", total_allocs=allocs, total_bytes=allocs * 64), **more)


@st.composite
def readings(draw: st.DrawFn) -> list[InspectionReading | None]:
    """Return what a source may read: an inspection begins, its rows join and grow, and another one takes its place."""
    found: list[InspectionReading | None] = [None]
    for number in range(draw(st.integers(1, 3))):
        sums: dict[int, int] = {}
        for more in draw(st.lists(st.dictionaries(st.integers(0, 3), AMOUNTS), min_size=1, max_size=3)):
            for pid, allocs in more.items():
                sums[pid] = sums.get(pid, 0) + allocs
            found.append(reading(*(process(pid, allocs) for pid, allocs in sums.items()), number=number))
        found += draw(st.sampled_from([[], [None]]))
    return found


@given(readings())
def test_the_intervals_add_up_to_what_was_allocated_since_the_inspection_began(
    found: list[InspectionReading | None],
) -> None:
    added: dict[tuple[int, object], int] = {}
    for before, after in pairwise(found):
        interval = difference(before, after)
        assert (interval is None) is (after is None)
        for row in interval.rows if interval else ():
            at = interval.number, row.key
            added[at] = added.get(at, 0) + row.allocs
            assert (row.total_allocs, row.total_bytes) == (added[at], added[at] * 64)


@given(readings())
def test_it_does_not_matter_which_intervals_are_merged_first(found: list[InspectionReading | None]) -> None:
    """No inspection has the number of an earlier one, so none comes back."""
    intervals = [difference(before, after) for before, after in pairwise(found)]
    whole = reduce(merge, intervals)
    assert whole == reduce(lambda later, earlier: merge(earlier, later), reversed(intervals))
    if whole is not None:
        of_it = [one for one in intervals if one is not None and one.number == whole.number]
        assert sum(row.allocs for row in whole.rows) == sum(row.allocs for one in of_it for row in one.rows)


def test_a_new_row_appears_whole_and_the_one_with_the_most_comes_first() -> None:
    found = difference(reading(process(7, 3)), reading(process(7, 5), process(8, 9)))
    assert [(row.pid, row.allocs, row.total_allocs) for row in found.rows] == [(8, 9, 9), (7, 2, 5)]


def test_a_new_inspection_counts_from_its_own_beginning() -> None:
    found = difference(reading(process(7, 3), number=1), reading(process(7, 5), number=2))
    assert [(row.allocs, row.total_allocs) for row in found.rows] == [(5, 5)]
    assert merge(difference(None, reading(process(7, 3), number=1)), found) == found


def test_a_row_that_the_later_interval_lacks_stays() -> None:
    earlier, later = (difference(None, reading(process(pid, pid))) for pid in (7, 8))
    assert [(row.pid, row.allocs) for row in merge(earlier, later).rows] == [(8, 8), (7, 7)]


def test_all_that_is_not_counted_is_as_the_later_reading_has_it() -> None:
    after = reading(process(7, 5, comm="new", cgroup="/a"), one_in=4, lost=3)
    found = difference(reading(process(7, 3, comm="old"), lost=1), after)
    assert (found.one_in, found.lost, found.rows[0].comm, found.rows[0].cgroup) == (4, 3, "new", "/a")
    about = InspectionReading(KEY, InspectionKind.ABOUT, about=About(live=5))
    assert difference(replace(about, about=About(live=2)), about).about == About(live=5)


def test_rows_differ_by_process_and_kind_or_by_all_their_functions_and_not_by_name() -> None:
    assert process(7, 1, comm="old").key == process(7, 2, comm="new").key
    processes = {process(7, 1).key, process(8, 1).key, process(0, 1, context=Context.INTERRUPT).key}
    assert len({*processes, process(0, 1, context=Context.KERNEL_THREAD).key}) == 4
    stacks = (("a", "b"), ("b", "a"), ("a",), ("a", "b", "c"))
    assert len({InspectionTotals(frames=frames).key for frames in stacks}) == 4


@pytest.mark.parametrize(("errors", "variance"), [((3.0, 4.0), 25.0), ((), 0.0), ((3.0, None), None)])
def test_the_total_has_the_sum_of_the_rows_and_of_their_variances(
    errors: tuple[float | None, ...], variance: float | None
) -> None:
    rows = tuple(InspectionRow(total_allocs=2, standard_error=error) for error in errors)
    found = Inspection(KEY, InspectionKind.STACKS, rows=rows)
    assert (found.total_allocs, found.variance) == (2 * len(errors), variance)


def test_folded_stacks_go_from_the_outermost_function_in_and_end_with_their_count() -> None:
    stacks = [
        InspectionRow(("alloc", "open", "syscall"), total_allocs=12, allocs=3),
        InspectionRow(("alloc",), total_allocs=1),
    ]
    assert fold_stacks([*stacks, InspectionRow(pid=7, total_allocs=5)]) == "syscall;open;alloc 12\nalloc 1\n"
    assert fold_stacks([]) == ""
