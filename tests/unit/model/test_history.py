"""The history: keeps 300 intervals within a limit of memory, and finds them by step and caches by key."""

from dataclasses import replace

import pytest

from slabtui.model.history import LENGTH, MOST_INSPECTIONS_BYTES, MOST_ROWS_BYTES, History
from slabtui.model.host import Origin
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow
from tests.support.fakes import cache, snapshot

A, B = cache(1).cache, cache(2).cache


def history(*allocs: tuple[int, ...]) -> History:
    """Return a history with these allocs of cache 1, 2, ... in each interval; 0 is an idle cache."""
    kept = History()
    for at, counts in enumerate(allocs):
        kept.add(snapshot(*(cache(n, allocs=count) for n, count in enumerate(counts, 1)), time=1000.0 + at))
    return kept


def test_nothing_came_before_the_start() -> None:
    kept = History()
    assert len(kept) == 0
    assert kept.series(A, 60) == []
    with pytest.raises(IndexError):
        kept.back(0)


def test_the_last_300_snapshots_are_kept() -> None:
    kept = history(*((at,) for at in range(350)))
    assert LENGTH == len(kept) == 300
    assert kept.back(0).time == 1349
    assert kept.back(299).time == 1050
    with pytest.raises(IndexError):
        kept.back(300)
    assert kept.series(A, 1000) == list(range(50, 350))


def test_a_row_that_says_the_same_as_before_is_kept_once() -> None:
    kept = history((0, 1), (0, 2), (0, 2))
    idle, busy = ([kept.back(steps).row(one) for steps in range(3)] for one in (A, B))
    assert idle[0] is idle[1] is idle[2]
    assert busy[0] is busy[1]
    assert [row.allocs for row in busy if row] == [2, 2, 1]


def test_stepping_back_finds_the_intervals_before() -> None:
    kept = history((1,), (2,), (3,))
    assert [kept.back(steps).allocs for steps in range(3)] == [3, 2, 1]


def test_a_series_is_of_one_cache_and_the_newest_is_its_last() -> None:
    kept = history((1, 10), (2, 20), (3, 30), (4, 40))
    assert kept.series(A, 3) == [2, 3, 4]
    assert kept.series(B, 3) == [20, 30, 40]
    assert kept.series(B, 60) == [10, 20, 30, 40]
    assert kept.series(B, 0) == []


def test_a_series_ends_as_far_back_as_was_stepped() -> None:
    kept = history((1,), (2,), (3,), (4,))
    assert kept.series(A, 2, back=1) == [2, 3]
    assert kept.series(A, 60, back=3) == [1]
    assert kept.series(A, 60, back=4) == []


def test_a_cache_that_was_not_there_yet_or_is_idle_counts_as_nothing() -> None:
    kept = history((1,), (0, 5), (3, 0), (4, 7))
    assert kept.series(A, 60) == [1, 0, 3, 4]
    assert kept.series(B, 60) == [0, 5, 0, 7]
    assert kept.series(cache(99).cache, 60) == [0, 0, 0, 0]


def test_the_past_of_a_cache_has_its_row_of_every_interval() -> None:
    kept = history((1,), (2, 20), (3, 30), (0, 40))
    assert [row and row.allocs for row in kept.past(B)] == [None, 20, 30, 40]
    assert [row and row.allocs for row in kept.past(A)] == [1, 2, 3, 0]
    assert [row and row.allocs for row in kept.past(B, back=1)] == [None, 20, 30]
    assert kept.past(B, back=4) == []
    assert kept.past(cache(99).cache) == [None] * 4
    assert History().past(A) == []


def test_the_past_is_no_longer_than_what_is_kept() -> None:
    kept = history(*((at,) for at in range(350)))
    assert [row and row.allocs for row in kept.past(A)] == list(range(50, 350))


def test_another_run_begins_a_new_history() -> None:
    """As where a demo begins again, or recordings were joined."""
    kept = History()
    for since in (None, 1.0, 1.0, 2.0, 2.0, 2.0):
        kept.add(snapshot(cache(1, allocs=1), origin=Origin(since=since)))
    assert len(kept) == 3
    assert kept.series(A, 10) == [1, 1, 1]


def test_old_inspections_are_dropped_where_they_are_large() -> None:
    cgroup = "/" + "x" * 10_000
    rows = tuple(InspectionRow(pid=pid, cgroup=cgroup) for pid in range(MOST_INSPECTIONS_BYTES // 4 // 10_400))
    history = History()
    for _ in range(6):
        history.add(snapshot(cache(1), inspections=(Inspection(A, InspectionKind.PROCESSES, rows=rows),)))
    assert [bool(history.back(steps).inspections) for steps in range(6)] == [True] * 4 + [False] * 2
    assert history.back(5).rows == (cache(1),)


def test_old_intervals_are_dropped_where_they_are_large() -> None:
    history = History()
    for at in range(20):
        names = tuple("x" * 1000 for _ in range(50))
        history.add(snapshot(*(replace(cache(i, allocs=at + 1), aliases=names) for i in range(300))))
    kept = len(history)
    assert 2 <= kept == MOST_ROWS_BYTES // (300 * (50 * 1057 + 410 + 60 + 7)) < 20
    assert history.back(kept - 1).rows[0].allocs == 20 - kept + 1
    assert history.series(cache(1).cache, 300) == [float(at) for at in range(20 - kept + 1, 21)]


def test_what_a_real_host_has_is_kept_for_as_long_as_is_promised() -> None:
    history = History()
    for at in range(LENGTH):
        history.add(snapshot(*(cache(i, f"a-name-of-usual-length-{i}", allocs=at + 1) for i in range(450))))
    assert len(history) == LENGTH


def test_idle_caches_do_not_shorten_the_history() -> None:
    history = History()
    names = tuple("x" * 1000 for _ in range(50))
    for _ in range(LENGTH):
        history.add(snapshot(*(replace(cache(i), aliases=names) for i in range(300))))
    assert len(history) == LENGTH
