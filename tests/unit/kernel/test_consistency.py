"""Compares allocs and frees with live objects, and tolerates the free objects of CPUs and a share of the traffic."""

import os
from dataclasses import replace

import pytest

from slabtui.kernel.consistency import Consistency, mark_scoped
from slabtui.kernel.frees import Owner
from slabtui.kernel.procfs.slabinfo import Slab
from slabtui.model.snapshot import CacheTotals
from tests.support.fakes import key, totals

AT_HAND = 5 * 10 * (os.cpu_count() or 1)  # objects of the slabs that the CPUs keep, at 10 objects each


def row(allocs: int, frees: int, live: int, number: int = 1) -> CacheTotals:
    return replace(totals(number, allocs=allocs), total_frees=frees, live=live)


def begun(start: CacheTotals, hidden: int = 0) -> Consistency:
    consistency = Consistency()
    consistency.begin(start, objects_per_slab=10, hidden=hidden)
    return consistency


def test_a_cache_is_known_once_it_was_compared() -> None:
    consistency = begun(row(0, 0, 0))
    assert consistency.knows(key(1))
    assert not consistency.knows(key(2))


def test_nothing_that_happens_agrees() -> None:
    start = row(5000, 3000, 100)
    assert not begun(start).disagrees(start)


@pytest.mark.parametrize(("allocs", "frees", "live"), [(100_000, 0, 100_000), (0, 900, -900), (10**6, 10**6, 0)])
def test_what_is_counted_explains_what_lives(allocs: int, frees: int, live: int) -> None:
    consistency = begun(row(7000, 3000, 1000))
    assert not consistency.disagrees(row(7000 + allocs, 3000 + frees, 1000 + live))


@pytest.mark.parametrize("sign", [1, -1])
def test_more_than_the_cpus_keep_at_hand_disagrees_in_either_direction(sign: int) -> None:
    consistency = begun(row(0, 0, 10_000))
    assert not consistency.disagrees(row(0, 0, 10_000 + sign * AT_HAND))
    assert consistency.disagrees(row(0, 0, 10_000 + sign * (AT_HAND + 1)))


def test_objects_that_may_be_hidden_elsewhere_are_tolerated_too() -> None:
    consistency = begun(row(0, 0, 0), hidden=300)
    assert not consistency.disagrees(row(0, 0, AT_HAND + 300))
    assert consistency.disagrees(row(0, 0, AT_HAND + 301))


def test_a_hundredth_of_the_traffic_since_then_is_tolerated() -> None:
    consistency = begun(row(10**9, 10**9, 0))  # earlier events do not count
    assert not consistency.disagrees(row(10**9 + 50_000, 10**9 + 50_000, AT_HAND + 1000))
    assert consistency.disagrees(row(10**9 + 50_000, 10**9 + 50_000, AT_HAND + 1001))


def test_what_is_not_seen_adds_up_however_little_it_is_at_a_time() -> None:
    consistency = begun(row(0, 0, 0))
    each = AT_HAND // 10
    marked = [consistency.disagrees(row(0, 0, n * each)) for n in range(1, 13)]
    assert marked == [False] * 10 + [True] * 2


def test_each_cache_is_held_against_its_own_beginning() -> None:
    consistency = begun(row(0, 0, 10_000))
    consistency.begin(row(0, 0, 0, number=2), objects_per_slab=10, hidden=0)
    assert not consistency.disagrees(row(0, 0, 10_000))
    assert consistency.disagrees(row(0, 0, 10_000, number=2))


SLABS = {"cache-1": Slab(live=0, size=64, objects_per_slab=10, mem=0)}


def mark(consistency: Consistency, marked: CacheTotals, begun: int | None) -> bool | None:
    rows = {marked.cache: marked}
    consistency.mark(rows, begun, SLABS, lambda name: 0)
    return rows[marked.cache].disagrees


def test_a_cache_is_compared_from_the_beginning_each_time_that_the_counting_of_frees_begins() -> None:
    consistency = Consistency()
    assert mark(consistency, row(0, 0, 0), 1) is False
    assert mark(consistency, row(0, 0, AT_HAND + 1), 1) is True
    assert mark(consistency, row(0, 0, AT_HAND + 1), 2) is False


def test_nothing_is_compared_while_frees_are_not_counted_or_live_objects_are_unknown() -> None:
    consistency = Consistency()
    assert mark(consistency, row(0, 0, 0), 1) is False
    assert mark(consistency, row(0, 0, AT_HAND + 1), None) is None
    assert mark(consistency, replace(row(0, 0, 0), live=None), 1) is None
    assert mark(consistency, replace(row(0, 0, 0), total_frees=None), 1) is None


KEY, OTHER = key(1), key(2)


@pytest.mark.parametrize(
    ("owner", "live", "disagrees"),
    [
        (Owner(5000, 0, 0), 5000, False),
        (Owner(5000, 0, 0), None, False),
        (Owner(5000, 0, 1), 5000, True),  # one object had no room
        (Owner(0, 116, 0), 0, False),  # 1 % of 10,000 frees, and a few
        (Owner(0, 117, 0), 0, True),
        (Owner(5000, 0, 0), 4834, False),
        (Owner(5000, 0, 0), 4833, True),  # no more can be owned than are live in all processes
    ],
)
def test_what_a_scope_owns_is_marked_where_it_cannot_be_right(owner: Owner, live: int | None, disagrees: bool) -> None:
    slabs = {} if live is None else {"cache-1": Slab(live, size=64, objects_per_slab=10, mem=0)}
    rows = {KEY: replace(totals(1, allocs=15_000), name="cache-1", total_frees=10_000)}
    mark_scoped(rows, {KEY: owner, OTHER: Owner(0, 10**6, 10**6)}, slabs, counted=True, bulk=set())
    assert rows[KEY].disagrees is disagrees


def test_of_a_scope_that_allocates_in_bulk_or_without_frees_nothing_is_known() -> None:
    rows = {KEY: replace(totals(1), total_frees=0), OTHER: replace(totals(2), total_frees=0, approximate=True)}
    mark_scoped(rows, {}, {}, counted=True, bulk={KEY})
    assert (rows[KEY].disagrees, rows[OTHER].disagrees) == (True, None)
    mark_scoped(rows, {}, {}, counted=True, bulk=set())
    assert rows[KEY].disagrees is False
    mark_scoped(rows, {}, {}, counted=False, bulk=set())
    assert rows[KEY].disagrees is None
