"""Readings and snapshots: intervals add up to the difference of totals, and merging loses nothing."""

from dataclasses import fields, replace
from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.model.host import HostGrowth
from slabtui.model.inspection import Inspection, InspectionKind
from slabtui.model.memory import HostMemory
from slabtui.model.snapshot import CacheTotals, Differences, Reading, Snapshot, merge
from tests.support.fakes import cache, difference, snapshot, totals

AMOUNTS = st.integers(0, 10**9)
JUDGED = {"growth_objects_s": 1.5, "recent_objects_s": 2.5, "growth_bytes_h": 3.5, "growing": True}
JUDGED |= {"grows_with": ("filp",)}
IDLE = st.sampled_from([False, False, True])  # then the row is the same object as before
COUNTED = ("allocs", "bytes", "frees", "live_delta")
MOMENT = snapshot()


@st.composite
def readings(draw: st.DrawFn) -> list[Reading]:
    """Return what a source may read: caches of any size join at any time and grow, frees and `live` come and go."""
    sizes = draw(st.dictionaries(st.integers(0, 3), st.none() | st.integers(1, 2**22), min_size=1))
    rows: dict[int, CacheTotals] = {}
    found = []
    lost = events = begun = 0
    for _ in range(draw(st.integers(2, 6))):
        for number, size in sizes.items():
            if number not in rows and draw(st.booleans()):
                rows[number] = totals(number, size=size)
            if (row := rows.get(number)) is not None and not draw(IDLE):
                more = draw(AMOUNTS)
                rows[number] = replace(
                    row,
                    total_allocs=row.total_allocs + more,
                    total_bytes=row.total_bytes + (draw(AMOUNTS) if size is None else more * size),
                    total_frees=(row.total_frees or 0) + draw(AMOUNTS) if begun else None,
                    live=draw(st.none() | AMOUNTS),
                )
        lost, events = lost + draw(AMOUNTS), events + draw(AMOUNTS)
        begun = max(begun, draw(st.integers(0, 2)))
        found.append(Reading(tuple(rows.values()), draw(st.just(lost) | st.none()), events, frees_begun=begun))
    return found


def intervals(found: list[Reading]) -> list[Snapshot]:
    """Return the snapshots between readings, one second each."""
    return [
        difference(before, after, replace(MOMENT, time=1000.0 + at))
        for at, (before, after) in enumerate(pairwise(found))
    ]


@given(readings())
def test_rows_of_idle_caches_that_are_shared_say_the_same_as_rows_that_are_made_anew(found: list[Reading]) -> None:
    differences = Differences()
    for at, (before, after) in enumerate(pairwise(found)):
        moment = replace(MOMENT, time=1000.0 + at)
        assert differences.between(before, after, moment) == difference(before, after, moment)


def test_the_row_of_an_idle_cache_is_one_object_until_anything_of_it_changes() -> None:
    differences, idle = Differences(), replace(totals(1, allocs=5), live=7, total_frees=2)
    reading = Reading((idle,))
    first, second = (differences.between(reading, reading, MOMENT).rows[0] for _ in range(2))
    assert first is second
    assert (first.allocs, first.bytes, first.frees, first.live_delta) == (0, 0, 0, 0)
    uncounted = Reading((idle,), frees_begun=None)
    assert differences.between(reading, uncounted, MOMENT).rows[0].frees is None
    for changed in ({"aliases": ("one",)}, {"disagrees": True}, {"reclaimable": True}, {"mem": 1}, {"address": 1}):
        other = Reading((replace(idle, **changed),))
        for after in (differences.between(reading, other, MOMENT), differences.between(other, other, MOMENT)):
            assert {name: getattr(after.rows[0], name) for name in changed} == changed
        assert differences.between(other, reading, MOMENT).rows == (first,)


FAILURES = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["the map is gone", "no memory"])), max_size=2)


@st.composite
def snapshots(draw: st.DrawFn) -> list[Snapshot]:
    """Return the adjacent snapshots of a source, those between them that only carry an error included."""
    found = intervals(draw(readings()))
    for at, error in draw(FAILURES):
        failed = Snapshot(1000.0 + at, 0.0, "", error=error, notes=(error,))
        found.insert(min(at, len(found)), failed)
    return found


@given(readings())
def test_the_intervals_add_up_to_the_difference_of_the_totals(found: list[Reading]) -> None:
    whole = reduce(merge, intervals(found))
    first = {row.cache: row for row in found[0].rows}
    assert [row.cache for row in whole.rows] == [row.cache for row in found[-1].rows]
    for row, last in zip(whole.rows, found[-1].rows, strict=True):
        start = first.get(row.cache, CacheTotals(row.cache, row.name))
        assert row.allocs == last.total_allocs - start.total_allocs
        assert row.bytes == last.total_bytes - start.total_bytes
        assert (row.total_allocs, row.total_bytes) == (last.total_allocs, last.total_bytes)
    assert whole.events == found[-1].events - found[0].events


@given(snapshots())
def test_it_does_not_matter_which_snapshots_are_merged_first(found: list[Snapshot]) -> None:
    assert reduce(merge, found) == reduce(lambda later, earlier: merge(earlier, later), reversed(found))


@given(snapshots(), st.integers(0, 6), st.integers(0, 6))
def test_merging_is_associative(found: list[Snapshot], one: int, other: int) -> None:
    begin, end = sorted((one % len(found), other % len(found)))
    middle = [reduce(merge, found[begin : end + 1])]
    assert reduce(merge, [*found[:begin], *middle, *found[end + 1 :]]) == reduce(merge, found)


@given(snapshots())
def test_merging_loses_no_count_and_no_time(found: list[Snapshot]) -> None:
    whole = reduce(merge, found)
    assert (whole.allocs, whole.bytes) == (sum(one.allocs for one in found), sum(one.bytes for one in found))
    assert whole.elapsed == sum(one.elapsed for one in found)
    covered = [one for one in found if one.elapsed]
    losses = [one.lost for one in covered]
    assert whole.lost == (None if None in losses else sum(losses))


def test_a_failed_reading_adds_its_error_to_the_interval_that_is_not_taken_yet() -> None:
    good, failed = snapshot(cache(1, allocs=3)), Snapshot(1.8e9, 0.0, "", error="gone", notes=("a note",))
    both = merge(good, failed)
    assert (both.allocs, both.elapsed, both.error, both.time, both.notes) == (3, 1.0, "gone", 1.8e9, ("a note",))
    assert merge(failed, good) == good


def test_a_row_that_the_later_interval_lacks_stays() -> None:
    whole = merge(snapshot(cache(1, allocs=1)), snapshot(cache(2, allocs=2)))
    assert [(row.name, row.allocs) for row in whole.rows] == [("cache-2", 2), ("cache-1", 1)]


def test_state_is_that_of_the_later_reading_and_of_the_later_interval() -> None:
    before = CacheTotals(cache(1).cache, "cache-1", 64, 64, 1, live=5, mem=1, disagrees=False, aliases=("old",))
    after = replace(before, live=9, mem=2, disagrees=True, aliases=("new",), address=2, approximate=True)
    (row,) = difference(Reading((before,)), Reading((after,)), MOMENT).rows
    kept = [field.name for field in fields(CacheTotals)]
    assert [getattr(row, name) for name in kept] == [getattr(after, name) for name in kept]
    judged = replace(row, **JUDGED)
    (merged,) = merge(snapshot(replace(row, mem=7, growth_objects_s=9.0)), snapshot(judged)).rows
    assert [getattr(merged, name) for name in (*kept, *JUDGED)] == [getattr(judged, name) for name in (*kept, *JUDGED)]


def test_the_memory_of_the_machine_is_that_at_the_end_and_so_is_its_growth() -> None:
    memory = HostMemory(slab=7)
    found = difference(Reading(memory=HostMemory(slab=5)), Reading(memory=memory), MOMENT)
    assert (found.memory, found.growth) == (memory, None)
    growth = HostGrowth(1.7e9, 2.5)
    whole = merge(replace(found, memory=HostMemory(slab=5), growth=HostGrowth(1.6e9)), replace(found, growth=growth))
    assert (whole.memory, whole.growth) == (memory, growth)


def test_a_snapshot_finds_its_inspections_by_their_kind() -> None:
    callers, stacks = (Inspection(cache(1).cache, kind) for kind in (InspectionKind.CALLERS, InspectionKind.STACKS))
    taken = snapshot(inspections=(callers, stacks))
    assert {kind: found for kind in InspectionKind if (found := taken.inspection(kind))} == {
        InspectionKind.CALLERS: callers,
        InspectionKind.STACKS: stacks,
    }


def test_a_new_cache_appears_whole_and_how_it_grew_is_unknown() -> None:
    new = replace(totals(2, allocs=7), live=9, total_frees=3)
    (row,) = difference(Reading(), Reading((new,)), MOMENT).rows
    assert (row.allocs, row.bytes, row.frees, row.live, row.live_delta) == (7, 7 * 64, 3, 9, None)


@pytest.mark.parametrize(
    ("before", "after", "change"), [(0, 0, 0), (5, 7, 2), (7, 5, -2), (None, 7, None), (5, None, None)]
)
def test_a_change_is_known_where_both_readings_know_the_figure(
    before: int | None, after: int | None, change: int | None
) -> None:
    rows = [replace(totals(1), live=live) for live in (before, after)]
    found = difference(Reading((rows[0],), before, before), Reading((rows[1],), after, after), MOMENT)
    assert (found.rows[0].live_delta, found.lost, found.events) == (change, change, change)


def test_frees_that_were_not_counted_for_the_whole_interval_are_unknown() -> None:
    known, new = replace(totals(1), total_frees=3_120), replace(totals(2), total_frees=5)
    before = Reading((replace(totals(1), total_frees=0),), frees_begun=1)
    frees = [
        [row.frees for row in difference(before, Reading((known, new), frees_begun=begun), MOMENT).rows]
        for begun in (1, 2)
    ]
    assert frees == [[3_120, 5], [None, None]]
    unknown, counted = (snapshot(replace(cache(1), frees=frees)) for frees in (None, 5))
    assert merge(unknown, counted).rows[0].frees is merge(counted, unknown).rows[0].frees is None


def test_a_snapshot_sums_up_its_rows_and_finds_them_by_their_cache() -> None:
    taken = snapshot(cache(1, allocs=3, size=8), cache(2, allocs=4, size=100))
    assert (taken.allocs, taken.bytes) == (7, 424)
    assert taken.row(cache(2).cache) == cache(2, allocs=4, size=100)
    assert taken.row(cache(3).cache) is None


@pytest.mark.parametrize(("elapsed", "rate"), [(0.0, 0.0), (0.5, 14.0), (1.0, 7.0), (2.0, 3.5)])
def test_a_rate_is_per_second_and_0_in_no_time(elapsed: float, rate: float) -> None:
    assert replace(snapshot(), elapsed=elapsed).per_second(7) == rate


@pytest.mark.parametrize(
    ("events", "nanoseconds", "elapsed", "share"),
    [
        (1_000_000, 100.0, 1.0, 0.1),
        (1_000_000, 100.0, 2.0, 0.05),
        (0, 100.0, 1.0, 0.0),
        (5, 100.0, 0.0, 0.0),
        (None, 100.0, 1.0, None),
        (5, None, 1.0, None),
    ],
)
def test_the_share_of_a_cpu_is_events_per_second_times_their_cost(
    events: int | None, nanoseconds: float | None, elapsed: float, share: float | None
) -> None:
    taken = replace(snapshot(events=events, nanoseconds=nanoseconds), elapsed=elapsed)
    assert taken.cpu_share == (share if share is None else pytest.approx(share))


@pytest.mark.parametrize(
    ("changed", "active"), [({}, False), ({"allocs": 1}, True), ({"frees": 1}, True), ({"live_delta": -1}, True)]
)
def test_a_cache_is_active_if_anything_happened_in_it(changed: dict[str, int], active: bool) -> None:
    assert replace(cache(1), total_allocs=9, live=9, **changed).active is active
