"""What lies between two readings of a source: nothing is lost, nothing is counted twice."""

from collections import Counter
from dataclasses import fields, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.model.inspection import Inspection, InspectionRow, Kind
from slabtui.model.snapshot import CacheRow, Totals, difference
from tests.support.fakes import cache, snapshot

AMOUNTS = st.integers(0, 10**9)


@st.composite
def readings(draw: st.DrawFn) -> list[Totals]:
    """Return what a source may tell: caches of any size join at any time and grow."""
    sizes = draw(st.dictionaries(st.integers(0, 4), st.none() | st.integers(1, 2**22), min_size=1))
    rows, told = {}, []
    for _ in range(draw(st.integers(2, 6))):
        for number, size in sizes.items():
            if number not in rows and draw(st.booleans()):
                rows[number] = cache(number, size=size)
            if number in rows:
                allocs = rows[number].allocs + draw(AMOUNTS)
                grown = rows[number].bytes + draw(AMOUNTS) if size is None else allocs * size
                rows[number] = replace(rows[number], allocs=allocs, bytes=grown)
        told.append(Totals(tuple(rows.values()), draw(st.none() | AMOUNTS)))
    return told


@given(readings())
def test_the_intervals_add_up_to_what_the_last_reading_has_more_than_the_first(told: list[Totals]) -> None:
    allocs, sizes = Counter(), Counter()
    for before, after in pairwise(told):
        for row in difference(before, after).rows:
            allocs[row.cache] += row.allocs
            sizes[row.cache] += row.bytes
    first = {row.cache: row for row in told[0].rows}
    for row in told[-1].rows:
        start = first.get(row.cache, replace(row, allocs=0, bytes=0))
        assert allocs[row.cache] == row.allocs - start.allocs
        assert sizes[row.cache] == row.bytes - start.bytes
    assert set(allocs) == {row.cache for row in told[-1].rows}


def since(before: Totals, after: Totals) -> tuple:
    return difference(before, after).rows


def test_bytes_are_allocs_times_size_where_the_size_is_fixed() -> None:
    (row,) = since(Totals((cache(1, allocs=10, size=96),), 0), Totals((cache(1, allocs=13, size=96),), 0))
    assert (row.allocs, row.bytes, row.size) == (3, 3 * 96, 96)


def test_all_that_is_not_counted_is_as_the_later_reading_has_it() -> None:
    earlier = cache(1, allocs=1)
    later = CacheRow(earlier.cache, "new", 96, 90, 3, 288, True, 4, 5, 6, 7, True, ("alias",))
    (row,) = since(Totals((earlier,), 0), Totals((later,), 0))
    counted = {"allocs", "bytes", "frees", "live_delta"}
    kept = [field.name for field in fields(CacheRow) if field.name not in counted]
    assert [getattr(row, name) for name in kept] == [getattr(later, name) for name in kept]


def test_bytes_are_the_counters_own_where_sizes_differ() -> None:
    before, after = (replace(cache(1, allocs=n, size=None), bytes=n * n) for n in (10, 13))
    (row,) = since(Totals((before,), 0), Totals((after,), 0))
    assert (row.allocs, row.bytes, row.size) == (3, 169 - 100, None)


def test_a_reused_address_has_the_name_and_the_size_of_its_new_cache() -> None:
    (row,) = since(Totals((cache(1, "old", 10, 64),), 0), Totals((cache(1, "new", 13, 192),), 0))
    assert (row.name, row.size, row.object_size) == ("new", 192, 192)
    assert (row.allocs, row.bytes) == (3, 3 * 192)


def test_a_new_cache_appears_whole() -> None:
    new = cache(2, allocs=7, size=32)
    rows = since(Totals((cache(1, allocs=5),), 0), Totals((cache(1, allocs=5), new), 0))
    assert rows == (cache(1, allocs=0), new)


def test_a_cache_that_the_later_reading_lacks_is_left_out() -> None:
    assert since(Totals((cache(1), cache(2)), 0), Totals((cache(2),), 0)) == (cache(2),)


@pytest.mark.parametrize(
    ("before", "after", "lost"), [(0, 0, 0), (5, 7, 2), (None, 7, None), (5, None, None), (None, None, None)]
)
def test_what_was_lost_is_told_where_both_readings_know_it(before: int | None, after: int | None, lost: object) -> None:
    assert difference(Totals((), before), Totals((), after)).lost == lost


def test_a_snapshot_sums_up_its_rows() -> None:
    taken = snapshot(cache(1, allocs=3, size=8), cache(2, allocs=4, size=100))
    assert (taken.allocs, taken.bytes) == (7, 424)
    assert (snapshot().allocs, snapshot().bytes) == (0, 0)


@pytest.mark.parametrize(("elapsed", "rate"), [(0.0, 0.0), (0.5, 14.0), (1.0, 7.0), (2.0, 3.5)])
def test_a_rate_is_per_second_and_none_in_no_time(elapsed: float, rate: float) -> None:
    assert replace(snapshot(), elapsed=elapsed).per_second(7) == rate


def one(before: CacheRow, after: CacheRow) -> CacheRow:
    (row,) = since(Totals((before,), 0), Totals((after,), 0))
    return row


@pytest.mark.parametrize(
    ("before", "after", "found"), [(0, 0, 0), (5, 12, 7), (12, 5, -7), (None, 5, None), (5, None, None)]
)
def test_what_changed_is_known_where_both_readings_know_it(
    before: int | None, after: int | None, found: int | None
) -> None:
    assert one(replace(cache(1), live=before), replace(cache(1), live=after)).live_delta == found
    if found is None or found >= 0:  # frees are a counter
        assert one(replace(cache(1), frees=before), replace(cache(1), frees=after)).frees == found
        assert difference(Totals((), 0, before), Totals((), 0, after)).events == found


def test_live_objects_memory_names_and_the_verdict_are_those_of_the_later_reading() -> None:
    before = replace(cache(1), live=5, mem=1, disagrees=False, aliases=("old",))
    row = one(before, replace(cache(1), live=9, mem=2, disagrees=True, aliases=("new",)))
    assert (row.live, row.mem, row.disagrees, row.aliases) == (9, 2, True, ("new",))


def test_of_a_cache_that_is_new_it_is_not_known_how_it_grew() -> None:
    (row,) = since(Totals((), 0), Totals((replace(cache(1), live=9, frees=3),), 0))
    assert (row.live, row.live_delta, row.frees) == (9, None, 3)


def test_the_cost_and_what_goes_in_bulk_are_as_known_last_and_a_look_is_of_the_interval() -> None:
    def totals(allocs: int, nanoseconds: float | None, bulk: bool | None) -> Totals:
        look = Inspection("a", Kind.CALLERS, entries=(InspectionRow(allocs, allocs, allocs, allocs, frames=("f",)),))
        return Totals((), 0, allocs, nanoseconds, bulk, look)

    found = difference(totals(5, 100.0, None), totals(7, None, True))
    assert (found.events, found.nanoseconds, found.bulk) == (2, None, True)
    assert found.detail is not None
    assert found.detail.entries == (InspectionRow(2, 2, 7, 7, frames=("f",)),)
    assert difference(totals(5, None, None), Totals((), 0)).detail is None


@pytest.mark.parametrize(
    ("events", "nanoseconds", "elapsed", "share"),
    [
        (1_000_000, 100.0, 1.0, 0.1),
        (1_000_000, 100.0, 2.0, 0.05),
        (20_000_000, 100.0, 1.0, 2.0),
        (0, 100.0, 1.0, 0.0),
        (5, 0.0, 1.0, 0.0),
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


def test_a_row_is_found_by_its_cache() -> None:
    taken = snapshot(cache(1), cache(2, "two"))
    assert taken.row(cache(2).cache) == cache(2, "two")
    assert taken.row(cache(3).cache) is None


def test_frees_that_were_not_counted_for_a_part_of_the_interval_are_unknown() -> None:
    known, new = replace(cache(1, allocs=13_130), frees=3_120), replace(cache(2, allocs=5), frees=5)
    before = Totals((replace(cache(1), frees=0),), 0, frees_begun=1)
    assert [row.frees for row in difference(before, Totals((known, new), 0, frees_begun=1)).rows] == [3_120, 5]
    assert [row.frees for row in difference(before, Totals((known, new), 0, frees_begun=2)).rows] == [None, None]
