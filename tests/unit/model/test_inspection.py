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
    difference_of_inspections,
    fold_stacks,
    merge,
    merge_inspections,
    merge_stacks,
)
from tests.support.fakes import key

KEY = key(1, "dentry")
AMOUNTS = st.integers(0, 2**32)
INNER, OUTER = ("inner", "outer"), ("other",)


def reading(*rows: InspectionTotals, number: int = 1, **more: object) -> InspectionReading:
    return replace(InspectionReading(KEY, InspectionKind.PROCESSES, number, rows=rows), **more)


def process(pid: int, allocs: int, **more: object) -> InspectionTotals:
    return replace(InspectionTotals(pid=pid, comm="x", total_allocs=allocs, total_bytes=allocs * 64), **more)


KINDS = (InspectionKind.CALLERS, InspectionKind.STACKS, InspectionKind.PROCESSES)


@st.composite
def readings(draw: st.DrawFn) -> list[tuple[InspectionReading, ...]]:
    """Return what a source may read: an inspection begins, its rows join and grow, and another one takes its place."""
    found: list[tuple[InspectionReading, ...]] = [()]
    for number in range(draw(st.integers(1, 3))):
        kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, unique=True))
        sums: dict[tuple[InspectionKind, int], int] = {}
        for more in draw(st.lists(st.dictionaries(st.integers(0, 3), AMOUNTS), min_size=1, max_size=3)):
            for kind in kinds:
                for pid, allocs in more.items():
                    sums[kind, pid] = sums.get((kind, pid), 0) + allocs
            rows = {kind: [process(pid, sums[kind, pid]) for kind_, pid in sums if kind_ is kind] for kind in kinds}
            found.append(tuple(reading(*rows[kind], number=number, kind=kind) for kind in kinds))
        found += draw(st.sampled_from([[], [()]]))
    return found


def intervals(found: list[tuple[InspectionReading, ...]]) -> list[tuple[Inspection, ...]]:
    return [difference_of_inspections(before, after) for before, after in pairwise(found)]


@given(readings())
def test_the_intervals_add_up_to_what_was_allocated_since_the_inspection_began(
    found: list[tuple[InspectionReading, ...]],
) -> None:
    added: dict[tuple[InspectionKind, int, object], int] = {}
    for interval, after in zip(intervals(found), found[1:], strict=True):
        assert [one.kind for one in interval] == [one.kind for one in after]
        for one in interval:
            for row in one.rows:
                at = one.kind, one.number, row.key
                added[at] = added.get(at, 0) + row.allocs
                assert (row.total_allocs, row.total_bytes) == (added[at], added[at] * 64)


@given(readings())
def test_it_does_not_matter_which_intervals_are_merged_first(found: list[tuple[InspectionReading, ...]]) -> None:
    """No inspection has the number of an earlier one, so none comes back."""
    parts = intervals(found)
    whole = reduce(merge_inspections, parts)
    assert whole == reduce(lambda later, earlier: merge_inspections(earlier, later), reversed(parts))
    for one in whole:
        of_it = [part for every in parts for part in every if (part.kind, part.number) == (one.kind, one.number)]
        assert sum(row.allocs for row in one.rows) == sum(row.allocs for part in of_it for row in part.rows)


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


def test_rows_differ_by_process_and_kind_and_by_all_their_functions_and_not_by_name() -> None:
    assert process(7, 1, comm="old").key == process(7, 2, comm="new").key
    processes = {process(7, 1).key, process(8, 1).key, process(0, 1, context=Context.INTERRUPT).key}
    assert len({*processes, process(0, 1, context=Context.KERNEL_THREAD).key}) == 4
    stacks = (("a", "b"), ("b", "a"), ("a",), ("a", "b", "c"))
    assert len({InspectionTotals(frames=frames).key for frames in stacks}) == 4
    assert len({process(pid, 1, frames=frames).key for pid in (7, 8) for frames in stacks}) == 8


def test_one_stack_of_two_processes_is_two_rows_whose_intervals_add_up_each() -> None:
    before = reading(process(7, 3, frames=INNER), process(8, 1, frames=INNER), kind=InspectionKind.STACKS)
    after = reading(process(7, 9, frames=INNER), process(8, 2, frames=INNER), kind=InspectionKind.STACKS)
    assert [(row.pid, row.allocs) for row in difference(before, after).rows] == [(7, 6), (8, 1)]


def test_stacks_are_merged_over_their_processes_with_the_most_allocations_first() -> None:
    """The standard error of a sum of independent numbers is the root of the sum of their squares."""
    amounts = {"allocs": 1, "bytes": 64, "total_bytes": 640}
    rows = [
        InspectionRow(OUTER, pid=7, total_allocs=11, standard_error=1.0, **amounts),
        InspectionRow(INNER, pid=7, total_allocs=10, standard_error=3.0, **amounts),
        InspectionRow(INNER, pid=8, total_allocs=10, standard_error=4.0, **amounts),
    ]
    first, second = merge_stacks(rows)
    assert first == InspectionRow(INNER, total_allocs=20, total_bytes=1280, standard_error=5.0, allocs=2, bytes=128)
    assert second == replace(rows[0], pid=None)
    assert merge_stacks([replace(rows[1], standard_error=None), *rows[:1], rows[2]])[0].standard_error is None
    assert merge_stacks([]) == ()


@pytest.mark.parametrize(("errors", "variance"), [((3.0, 4.0), 25.0), ((), 0.0), ((3.0, None), None)])
def test_the_total_has_the_sum_of_the_rows_and_of_their_variances(
    errors: tuple[float | None, ...], variance: float | None
) -> None:
    rows = tuple(InspectionRow(total_allocs=2, standard_error=error) for error in errors)
    found = Inspection(KEY, InspectionKind.STACKS, rows=rows)
    assert (found.total_allocs, found.variance) == (2 * len(errors), variance)


def test_inspections_of_several_caches_at_once_are_compared_and_merged_each_with_its_own() -> None:
    keys = [key(number, f"cache-{number}") for number in range(3)]

    def read(*allocs: int) -> list[InspectionReading]:
        return [reading(process(7, number), cache=one) for one, number in zip(keys, allocs, strict=True)]

    earlier = difference_of_inspections(read(1, 1, 1), read(2, 3, 4))
    later = difference_of_inspections(read(2, 3, 4), read(4, 7, 10))
    assert [(found.cache, found.rows[0].allocs) for found in later] == list(zip(keys, (2, 4, 6), strict=True))
    assert [found.rows[0].allocs for found in merge_inspections(earlier, later)] == [3, 6, 9]


def test_folded_stacks_go_from_the_outermost_function_in_and_end_with_their_count() -> None:
    stacks = [
        InspectionRow(("alloc", "open", "syscall"), total_allocs=12, allocs=3),
        InspectionRow(("alloc",), total_allocs=1),
    ]
    assert fold_stacks([*stacks, InspectionRow(pid=7, total_allocs=5)]) == "syscall;open;alloc 12\nalloc 1\n"
    of_processes = [replace(stacks[0], pid=pid) for pid in (7, 8)]
    assert fold_stacks([stacks[1], *of_processes]) == "syscall;open;alloc 24\nalloc 1\n"
    assert fold_stacks([]) == ""
