"""Allocs and frees are held against the objects that live; what may lie at hand, and a small part, is let pass."""

import os
from dataclasses import replace

import pytest

from slabtui.kernel.consistency import Consistency
from slabtui.model.snapshot import CacheRow
from tests.support.fakes import cache

AT_HAND = 5 * 10 * (os.cpu_count() or 1)  # objects of the slabs that the CPUs keep, at 10 objects each


def row(allocs: int, frees: int, live: int, number: int = 1) -> CacheRow:
    return replace(cache(number, allocs=allocs), frees=frees, live=live)


def begun(start: CacheRow, hidden: int = 0) -> Consistency:
    agreement = Consistency()
    agreement.begin(start, objects_per_slab=10, hidden=hidden)
    return agreement


def test_a_cache_is_known_from_its_first_look_on() -> None:
    agreement = begun(row(0, 0, 0))
    assert agreement.knows(cache(1).cache)
    assert not agreement.knows(cache(2).cache)


def test_nothing_that_happens_agrees() -> None:
    start = row(5000, 3000, 100)
    assert not begun(start).disagrees(start)


@pytest.mark.parametrize(("allocs", "frees", "live"), [(100_000, 0, 100_000), (0, 900, -900), (10**6, 10**6, 0)])
def test_what_is_counted_explains_what_lives(allocs: int, frees: int, live: int) -> None:
    agreement = begun(row(7000, 3000, 1000))
    assert not agreement.disagrees(row(7000 + allocs, 3000 + frees, 1000 + live))


@pytest.mark.parametrize("sign", [1, -1])
def test_more_than_the_cpus_keep_at_hand_disagrees_in_either_direction(sign: int) -> None:
    agreement = begun(row(0, 0, 10_000))
    assert not agreement.disagrees(row(0, 0, 10_000 + sign * AT_HAND))
    assert agreement.disagrees(row(0, 0, 10_000 + sign * (AT_HAND + 1)))


def test_objects_that_may_be_hidden_elsewhere_are_let_pass_too() -> None:
    agreement = begun(row(0, 0, 0), hidden=300)
    assert not agreement.disagrees(row(0, 0, AT_HAND + 300))
    assert agreement.disagrees(row(0, 0, AT_HAND + 301))


def test_a_hundredth_of_the_traffic_since_then_is_let_pass() -> None:
    agreement = begun(row(10**9, 10**9, 0))  # what came before counts for nothing
    assert not agreement.disagrees(row(10**9 + 50_000, 10**9 + 50_000, AT_HAND + 1000))
    assert agreement.disagrees(row(10**9 + 50_000, 10**9 + 50_000, AT_HAND + 1001))


def test_what_is_not_seen_adds_up_however_little_it_is_at_a_time() -> None:
    agreement = begun(row(0, 0, 0))
    each = AT_HAND // 10
    told = [agreement.disagrees(row(0, 0, n * each)) for n in range(1, 13)]
    assert told == [False] * 10 + [True] * 2


def test_each_cache_is_held_against_its_own_beginning() -> None:
    agreement = begun(row(0, 0, 10_000))
    agreement.begin(row(0, 0, 0, number=2), objects_per_slab=10, hidden=0)
    assert not agreement.disagrees(row(0, 0, 10_000))
    assert agreement.disagrees(row(0, 0, 10_000, number=2))
