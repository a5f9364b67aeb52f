"""The rows of what is held, joined by stack, call site, process and place."""

import math
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.model.held import AGES, Held
from slabtui.model.holders import By, identify, join, join_held, name_site
from slabtui.model.inspection import Context, InspectionRow

OPEN, EVENT = ("kmem_cache_alloc", "alloc_empty_file", "open"), ("kmem_cache_alloc", "alloc_empty_file", "eventfd")
PIPE = ("kmem_cache_alloc", "alloc_file", "pipe")


def row(pid: int | None, objects: int, frames: tuple[str, ...] = EVENT, comm: str = "sh", **more: Any) -> InspectionRow:
    return InspectionRow(frames=frames, pid=pid, comm=comm, held=Held(objects, 64 * objects), **more)


ROWS = (row(7, 5), row(8, 9), row(7, 6, OPEN), row(9, 1, PIPE), row(0, 2, PIPE, ""), row(0, 3, OPEN, "other"))


@pytest.mark.parametrize(
    ("by", "objects"), [(By.STACK, [14, 9, 3]), (By.SITE, [23, 3]), (By.PROCESS, [11, 9, 3, 2, 1]), (By.PLACE, [26])]
)
def test_rows_are_joined_by_what_they_stand_for_the_largest_first(by: By, objects: list[int]) -> None:
    joined = join(ROWS, by)
    assert [one.row.rank for one in joined] == objects
    assert sum(len(one.parts) for one in joined) == len(ROWS)
    assert all(len({identify(part, by) for part in one.parts}) == 1 for one in joined)
    assert all(
        [part.rank for part in one.parts] == sorted((part.rank for part in one.parts), reverse=True) for one in joined
    )


def test_a_stack_and_a_call_site_are_of_no_process_and_a_process_has_no_stack() -> None:
    stack, site, process = (join(ROWS, by)[0].row for by in (By.STACK, By.SITE, By.PROCESS))
    assert (stack.frames, stack.pid, site.frames, site.pid) == (EVENT, None, ("alloc_empty_file",), None)
    assert (process.frames, process.pid, process.comm) == ((), 7, "sh")


CONTAINER = f"/kubepods/pod0f9c6a1e-1111-2222-3333-444455556666/{'3f1a2b3c4d5e6f70' * 4}"
PLACES = (
    row(7, 5, cgroup=CONTAINER, removed=False),
    row(8, 3, cgroup=f"{CONTAINER}/system.slice/a.service", removed=False),
    row(9, 2, cgroup="/system.slice/cron.service", removed=True),
    row(9, 6, OPEN, cgroup="/system.slice/cron.service", removed=True),
    row(10, 1, cgroup="/system.slice", removed=False),
    row(0, 4, comm="", context=Context.INTERRUPT),
    row(11, 7, comm="short", removed=True),
    row(12, 9, comm="other"),
)


def test_a_place_is_a_container_a_unit_or_a_control_group() -> None:
    joined = join(PLACES, By.PLACE)
    assert [(one.row.frames, one.row.cgroup, one.row.removed, one.row.rank) for one in joined] == [
        (("-",), "", None, 9),
        ((CONTAINER,), CONTAINER, False, 8),
        (("/system.slice/cron.service",), "/system.slice/cron.service", True, 8),
        (("(removed)",), "", True, 7),
        (("(interrupts)",), "", None, 4),
        (("/system.slice",), "/system.slice", False, 1),
    ]
    assert len({one.row.key for one in joined}) == len(joined)


def test_a_place_is_removed_when_all_its_control_groups_are() -> None:
    rows = [replace(PLACES[0], removed=True), PLACES[1]]
    assert [one.row.removed for one in join(rows, By.PLACE)] == [False]
    assert [one.row.removed for one in join([replace(row, removed=True) for row in rows], By.PLACE)] == [True]


def test_the_order_does_not_depend_on_that_of_the_rows() -> None:
    alike = [row(pid, 3, frames) for pid in range(1, 5) for frames in (OPEN, EVENT, PIPE)]
    for by in By:
        expected = join(alike, by)
        Random(1).shuffle(alike)
        assert join(alike, by) == expected


@pytest.mark.parametrize(
    ("frames", "site"),
    [(OPEN, "alloc_empty_file"), (("alloc_file+0x1c",), "alloc_file"), (("kmalloc",), "kmalloc"), ((), "")],
)
def test_the_call_site_is_the_function_that_called_the_allocator(frames: tuple[str, ...], site: str) -> None:
    assert name_site(InspectionRow(frames=frames)) == site


def test_interrupts_and_threads_of_one_number_are_distinct() -> None:
    rows = (row(0, 2, comm=""), replace(row(0, 2, comm=""), context=Context.INTERRUPT))
    assert len(join(rows, By.PROCESS)) == 2


def test_sums_have_the_error_of_a_sum_and_the_oldest_of_all() -> None:
    joined = join_held(
        [
            Held(60, 600, 3.0, 90.0, 5.0, (0, 60, 0, 0, 0, 0), 1.5),
            Held(40, 400, 4.0, 9.0, 8.0, (0, 40, 0, 0, 0, 0), 0.5),
        ]
    )
    assert (joined.objects, joined.bytes, joined.standard_error, joined.oldest) == (100, 1000, 5.0, 90.0)
    assert (joined.ages, joined.growth_objects_s) == ((0, 100, 0, 0, 0, 0), 2.0)
    assert joined.median == 5.0


def test_one_row_stays_as_it_is_and_nothing_is_nothing() -> None:
    one = Held(3, 192, 1.0, 4.0, 2.0, (0, 3, 0, 0, 0, 0), 1.0, 0.1, 0.2)
    assert join_held([one]) is one
    assert join_held([]) == Held()


def test_lifetimes_are_those_of_the_stack_and_rows_of_several_stacks_have_none() -> None:
    one = Held(1, 64, lifetime_median=0.1, lifetime_p99=2.0)
    assert join_held([one, replace(one, objects=5)]).lifetime_p99 == 2.0
    assert join_held([one, replace(one, lifetime_median=0.3)]).lifetime_median is None


@given(st.lists(st.lists(st.floats(0, 10_000), min_size=1, max_size=20), min_size=2, max_size=5))
def test_the_median_lies_within_the_limits_of_ages_that_the_true_one_lies_in(found: list[list[float]]) -> None:
    def held(ages: list[float]) -> Held:
        counts = [0] * (len(AGES) + 1)
        for age in ages:
            counts[sum(age >= limit for limit in AGES)] += 1
        return Held(
            len(ages), len(ages), oldest=max(ages), median=sorted(ages)[(len(ages) - 1) // 2], ages=tuple(counts)
        )

    every = sorted(age for ages in found for age in ages)
    true, median = every[(len(every) - 1) // 2], join_held([held(ages) for ages in found]).median
    assert median is not None
    limits = [0, *AGES, math.inf]
    place = sum(true >= limit for limit in AGES)
    assert limits[place] <= median <= limits[place + 1]
