"""Counters never decrease, and the sum of all increases is the increase of the totals, whoever scrapes when."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from slabtui.columns import query
from slabtui.metrics.listing import OTHER, Activity, Listing
from slabtui.metrics.series import HOLD, CacheSeries, Exposed, Series
from slabtui.model.host import Origin
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.snapshot import CacheRow, Snapshot, merge
from tests.support.fakes import snapshot

COUNTERS = ("allocs", "bytes", "frees")
LONGEST = 12  # intervals
# Two caches of one name, a size class of the name of a cache, and a cache with the name of the series of all others.
KEYS = (
    CacheKey(KeyKind.CACHE, "a"),
    CacheKey(KeyKind.CACHE, "a", 2),
    CacheKey(KeyKind.CACHE, "b"),
    CacheKey(KeyKind.SIZE_CLASS, "b"),
    CacheKey(KeyKind.CACHE, "c"),
    CacheKey(KeyKind.CACHE, "d"),
    CacheKey(KeyKind.CACHE, OTHER),
)


class Chosen(Listing):
    """A list with any names at any time."""

    def __init__(self, choices: Sequence[frozenset[str]]) -> None:
        super().__init__()
        self._choices = iter(choices)

    def choose(self, activities: Mapping[str, Activity], elapsed: float) -> frozenset[str]:
        return next(self._choices) & activities.keys()


# For each interval of a history, and more.
CHOICES = st.lists(st.frozensets(st.sampled_from("abcd")), min_size=LONGEST, max_size=LONGEST)


@st.composite
def histories(draw: st.DrawFn) -> list[Snapshot]:
    """Return the snapshots of a host whose caches come, and are large and busy in turn."""
    totals: dict[CacheKey, list[int]] = {}
    found = []
    time = 1.7e9
    for _ in range(draw(st.integers(1, LONGEST))):
        elapsed = draw(st.sampled_from((1.0, 20.0, 60.0, 150.0)))
        time += elapsed
        rows = []
        for key in KEYS:
            if key not in totals and key != KEYS[0] and not draw(st.booleans()):  # no host is without caches
                continue
            known = totals.setdefault(key, [0, 0])
            before = list(known)
            known[0] += draw(st.integers(0, 1000) | st.just(0))
            known[1] += draw(st.integers(0, 1000) | st.just(0))
            is_exact = key.kind is KeyKind.CACHE
            rows.append(
                CacheRow(
                    cache=key,
                    name=key.name,
                    total_allocs=known[0],
                    total_bytes=known[0] * 64,
                    total_frees=known[1] if is_exact else None,
                    allocs=known[0] - before[0],
                    bytes=(known[0] - before[0]) * 64,
                    frees=known[1] - before[1] if is_exact else None,
                    mem=draw(st.none() | st.integers(0, 10**6)),
                    live=draw(st.none() | st.integers(0, 1000)),
                    growing=known[1] % 5 == 0,
                )
            )
        found.append(snapshot(*rows, time=time, elapsed=elapsed))
    return found


def by_name(exposed: Exposed) -> dict[str, CacheSeries]:
    named = {one.name: one for one in exposed.caches}
    assert len(named) == len(exposed.caches)
    return named


def counters(exposed: Exposed) -> dict[tuple[str, str], int]:
    """Return the values of the counters, by name and series."""
    found = ((name, kind, getattr(one, kind)) for name, one in by_name(exposed).items() for kind in COUNTERS)
    return {(name, kind): value for name, kind, value in found if value is not None}


def total(one: Snapshot, kind: str) -> int:
    return sum(getattr(row, f"total_{kind}") or 0 for row in one.rows)


@settings(max_examples=20)
@given(histories(), CHOICES)
def test_no_counter_ever_decreases(history: list[Snapshot], choices: list[frozenset[str]]) -> None:
    series, last = Series(Chosen(choices)), {}
    for one in history:
        exposed = series.add(one)
        for name, value in counters(exposed).items():
            assert value >= last.get(name, 0)
            last[name] = value
        assert all(one.created <= exposed.time for one in exposed.caches)


def scrapes(history: Sequence[Snapshot], every: float, first: float) -> list[int]:
    """Return after which of the snapshots a scraper comes, by their places."""
    seen, now = [], history[0].time + first
    for place, following in enumerate(history[1:]):
        if now < following.time:
            seen.append(place)
            now += math.ceil((following.time - now) / every) * every
    return [*seen, len(history) - 1]


@settings(max_examples=100)
@given(histories(), CHOICES, st.sampled_from((1.0, 40.0, 70.0, HOLD)), st.sampled_from((0.0, 5.0, 30.0, 80.0)))
def test_for_every_scraper_the_sum_of_the_increases_is_that_of_the_totals(
    history: list[Snapshot], choices: list[frozenset[str]], every: float, first: float
) -> None:
    """PromQL's increase() takes nothing from the first value of a series, or of one that comes back."""
    series = Series(Chosen(choices))
    exposures = [series.add(one) for one in history]
    seen = scrapes(history, every, first)
    last = counters(exposures[seen[0]])
    increases = dict.fromkeys(COUNTERS, 0)
    for place in seen[1:]:
        now = counters(exposures[place])
        for (name, kind), value in now.items():
            increases[kind] += value - last.get((name, kind), value)
        last |= now
    for kind in COUNTERS:
        assert increases[kind] == total(history[-1], kind) - total(history[seen[0]], kind)


@settings(max_examples=20)
@given(histories(), st.data())
def test_a_slow_consumer_misses_nothing(history: list[Snapshot], data: st.DataObject) -> None:
    """What its queue merges counts the same."""
    merged: list[Snapshot] = []
    for one in history:
        if merged and data.draw(st.booleans()):
            merged[-1] = merge(merged[-1], one)
        else:
            merged.append(one)
    series = Series(Listing(included=lambda _: True))  # each keeps its series, also when it is neither large nor busy
    for one in merged:
        exposed = series.add(one)
    for kind in COUNTERS:
        assert sum(getattr(one, kind) or 0 for one in exposed.caches) == total(history[-1], kind)


@settings(max_examples=20)
@given(histories(), CHOICES)
def test_what_caches_hold_is_exposed_once(history: list[Snapshot], choices: list[frozenset[str]]) -> None:
    series = Series(Chosen(choices))
    for one in history:
        exposed = series.add(one)
        for name in ("live", "mem"):
            held = sum(getattr(row, name) or 0 for row in one.rows)
            assert sum(getattr(found, name) or 0 for found in exposed.caches) == held


def row(name: str, total_allocs: int, mem: int, **more: object) -> CacheRow:
    return CacheRow(cache=CacheKey(KeyKind.CACHE, name), name=name, total_allocs=total_allocs, mem=mem, **more)


def test_a_cache_that_becomes_the_largest_is_announced_before_it_counts() -> None:
    series = Series(Listing(1))
    seen = {}
    for second in range(300):
        rows = row("old", second, 10), row("new", 3 * second if second >= 10 else 0, 20 if second >= 10 else 0)
        seen[second] = by_name(series.add(snapshot(*rows, time=1000.0 + second, origin=Origin(since=999.0))))
    assert set(seen[9]) == {"old", OTHER}
    assert set(seen[10]) == {"old", "new", OTHER}
    assert seen[10]["new"] == CacheSeries("new", 1010.0, mem=20)
    assert seen[129]["new"].allocs == 0
    assert seen[129][OTHER].allocs == 3 * 129
    assert seen[130]["new"].allocs == 3
    assert seen[299][OTHER].allocs == 3 * 129
    assert seen[299]["old"].created == 999.0


def test_a_cache_that_loses_its_series_keeps_them_for_a_while_and_continues_where_they_ended() -> None:
    """It is large at first, from 10 to 400 s the smallest of three, and then large again; the third is the busiest."""
    series = Series(Listing(1))
    seen = []
    for second in range(700):
        mem = 1 if 10 <= second < 400 else 100
        rows = row("a", second, mem), row("b", 9 * second, 50), row("c", 3 * second, 40)
        seen.append(by_name(series.add(snapshot(*rows, time=1000.0 + second))))
    assert [place for place in range(1, 700) if ("a" in seen[place]) != ("a" in seen[place - 1])] == [129, 400]
    assert seen[128]["a"].allocs == seen[400]["a"].allocs == 9
    assert seen[128]["a"].created == seen[400]["a"].created
    assert seen[519]["a"].allocs == 9
    assert seen[699]["a"].allocs == 9 + (699 - 519)


def test_two_caches_of_one_name_are_one_series_and_their_properties_are_known_where_they_agree() -> None:
    one, same, other = (
        CacheRow(cache=CacheKey(KeyKind.CACHE, "a", number), name="a", total_allocs=1, mem=2, reclaimable=known)
        for number, known in ((1, True), (2, True), (3, False))
    )
    found = by_name(Series(Listing()).add(snapshot(one, same)))["a"]
    assert (found.allocs, found.mem, found.reclaimable) == (2, 4, True)
    assert by_name(Series(Listing()).add(snapshot(one, other)))["a"].reclaimable is None
    assert by_name(Series(Listing()).add(snapshot(one, replace(other, growing=True))))["a"].growing is True


def test_an_interval_without_a_reading_counts_as_an_error_only() -> None:
    series = Series(Listing())
    before = series.add(snapshot(row("a", 5, 1)))
    assert series.add(snapshot(elapsed=0.0, error="gone")) == replace(before, errors=1)
    assert by_name(series.add(snapshot(row("a", 9, 1))))["a"].allocs == 9


def test_the_list_does_not_flicker_where_two_caches_change_places() -> None:
    list_ = Listing(1)
    names = [list_.choose({"a": Activity(10, 0, ("a",)), "b": Activity(mem, 0, ("b",))}, 1.0) for mem in (9, 11, 9, 11)]
    assert names == [{"a"}, {"a", "b"}, {"a", "b"}, {"a", "b"}]


def test_a_cache_that_grows_as_a_leak_does_has_series_though_it_is_small() -> None:
    list_ = Listing(1)
    names = {
        "large": Activity(99, 0, ("large",)),
        "busy": Activity(1, 99, ("busy",)),
        "small": Activity(1, 1, ("small",)),
    }
    assert list_.choose(names, 1.0) == {"large", "busy"}
    assert list_.choose(names | {"small": Activity(1, 1, ("small",), growing=True)}, 1.0) == {"large", "busy", "small"}


def test_patterns_choose_and_refuse_names_and_aliases() -> None:
    list_ = Listing(1, query.matcher("~^fuse|alias"), query.matcher("kmalloc"))
    found = list_.choose(
        {
            "kmalloc-64": Activity(100, 100, ("kmalloc-64",)),
            "filp": Activity(50, 0, ("filp",)),
            "fuse_inode": Activity(0, 0, ("fuse_inode",)),
            "merged": Activity(0, 0, ("merged", "alias")),
            "fuse_kmalloc": Activity(1, 0, ("fuse_kmalloc",)),
            OTHER: Activity(1000, 1000, (OTHER,)),
        },
        1.0,
    )
    assert found == {"filp", "fuse_inode", "merged"}


@settings(max_examples=50)
@given(st.lists(st.dictionaries(st.sampled_from("abcdefghijklmnop"), st.integers(0, 99), min_size=1), min_size=1))
def test_the_list_is_bounded(intervals: list[dict[str, int]]) -> None:
    list_ = Listing(2)
    for one in intervals:
        names = {name: Activity(mem, 99 - mem, (name,), growing=mem % 3 == 0) for name, mem in one.items()}
        assert len(list_.choose(names, 1.0)) <= 10
