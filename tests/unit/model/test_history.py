"""What came before: kept for 300 intervals, found again by cache and by step, drawn as bars."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.model.history import GROWING, LENGTH, MOST_LOOKS_BYTES, MOST_ROWS_BYTES, History, sparkline
from slabtui.model.inspection import Inspection, InspectionRow, Kind
from tests.support.fakes import cache, snapshot

A, B = cache(1).cache, cache(2).cache
SERIES = st.lists(st.integers(0, 20) | st.integers(0, 2**64 - 1), max_size=70)
LEVELS = {False: " ▁▂▃▄▅▆▇█", True: " ._-=+*%#"}


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


def test_one_can_step_back() -> None:
    kept = history((1,), (2,), (3,))
    assert [kept.back(steps).allocs for steps in range(3)] == [3, 2, 1]


def test_a_series_is_of_one_cache_and_the_newest_is_its_last() -> None:
    kept = history((1, 10), (2, 20), (3, 30), (4, 40))
    assert kept.series(A, 3) == [2, 3, 4]
    assert kept.series(B, 3) == [20, 30, 40]
    assert kept.series(B, 60) == [10, 20, 30, 40]
    assert kept.series(B, 0) == []


def test_a_series_ends_as_far_back_as_one_has_stepped() -> None:
    kept = history((1,), (2,), (3,), (4,))
    assert kept.series(A, 2, back=1) == [2, 3]
    assert kept.series(A, 60, back=3) == [1]
    assert kept.series(A, 60, back=4) == []


def test_a_cache_that_was_not_there_yet_or_is_idle_counts_as_nothing() -> None:
    kept = history((1,), (0, 5), (3, 0), (4, 7))
    assert kept.series(A, 60) == [1, 0, 3, 4]
    assert kept.series(B, 60) == [0, 5, 0, 7]
    assert kept.series(cache(99).cache, 60) == [0, 0, 0, 0]


@given(SERIES, st.integers(0, 80), st.booleans())
def test_bars_grow_with_their_values_up_to_the_full_block(series: list[int], width: int, plain: bool) -> None:
    drawn = sparkline(series, width, plain)
    assert len(drawn) == width
    shown = series[max(0, len(series) - width) :]
    blank, bars = drawn[: width - len(shown)], drawn[width - len(shown) :]
    assert not blank.strip(" ")
    levels = [LEVELS[plain].index(bar) for bar in bars]
    assert [level > 0 for level in levels] == [value > 0 for value in shown]
    assert {level for level, value in zip(levels, shown, strict=True) if value == max(shown) > 0} <= {8}
    by_value = [level for _, level in sorted(zip(shown, levels, strict=True))]
    assert by_value == sorted(levels)
    assert drawn.isascii() or not plain


@pytest.mark.parametrize("plain", [False, True])
def test_each_level_has_its_own_bar(plain: bool) -> None:
    assert sparkline(range(9), 9, plain) == LEVELS[plain]


@pytest.mark.parametrize(
    ("series", "width", "drawn"),
    [
        ([], 4, "    "),
        ([], 0, ""),
        ([1, 2], 0, ""),
        ([0, 0], 3, "   "),
        ([5], 3, "  █"),
        ([1, 1000000], 2, "▁█"),
        ([1000000, 1, 1], 2, "██"),
    ],
)
def test_a_series_stands_at_the_right_and_is_cut_at_its_old_end(series: list[int], width: int, drawn: str) -> None:
    assert sparkline(series, width) == drawn


def grown(*deltas: tuple[int | None, ...]) -> History:
    """Return a history with these changes of the live objects of cache 1, 2, ... in each interval."""
    kept = History()
    for changes in deltas:
        kept.add(snapshot(*(replace(cache(n), live_delta=delta) for n, delta in enumerate(changes, 1))))
    return kept


def test_a_cache_grows_when_it_grew_in_ten_intervals_in_a_row() -> None:
    assert GROWING == 10
    assert grown(*[(1,)] * 9).growing() == frozenset()
    assert grown(*[(1,)] * 10).growing() == {A}
    assert grown(*[(1, 2**40)] * 10).growing() == {A, B}


@pytest.mark.parametrize("pause", [0, -1, None])
def test_an_interval_in_which_it_did_not_grow_begins_the_row_anew(pause: int | None) -> None:
    for at in range(10):
        deltas: list[tuple[int | None, ...]] = [(1, 1)] * 10
        deltas[at] = (pause, 1)
        assert grown(*deltas).growing() == {B}
    assert grown(*[(1,)] * 10, (pause,), *[(1,)] * 9).growing() == frozenset()
    assert grown(*[(1,)] * 10, (pause,), *[(1,)] * 10).growing() == {A}


def test_what_grew_is_told_of_the_interval_that_one_has_stepped_back_to() -> None:
    kept = grown(*[(1,)] * 12, (0,))
    assert [kept.growing(back) for back in range(5)] == [frozenset(), {A}, {A}, {A}, frozenset()]
    assert kept.growing(13) == frozenset()


def test_a_cache_that_was_not_there_did_not_grow() -> None:
    assert grown((1,), *[(1, 1)] * 9).growing() == {A}


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


def test_old_looks_are_forgotten_where_they_are_large() -> None:
    cgroup = "/" + "x" * 10_000
    entries = tuple(InspectionRow(1, 1, 1, 1, pid=pid, cgroup=cgroup) for pid in range(MOST_LOOKS_BYTES // 4 // 10_400))
    history = History()
    for _ in range(6):
        history.add(snapshot(cache(1), detail=Inspection("dentry", Kind.PROCESSES, entries=entries)))
    assert [history.back(steps).detail is not None for steps in range(6)] == [True] * 4 + [False] * 2
    assert history.back(5).rows == (cache(1),)


def test_old_intervals_are_forgotten_where_they_are_large() -> None:
    history = History()
    for at in range(20):
        names = tuple("x" * 1000 for _ in range(50))
        history.add(snapshot(*(replace(cache(i, allocs=at + 1), aliases=names) for i in range(300))))
    kept = len(history)
    assert 2 <= kept == MOST_ROWS_BYTES // (300 * (50 * 1057 + 430)) < 20
    assert history.back(kept - 1).rows[0].allocs == 20 - kept + 1
    assert history.series(cache(1).cache, 300) == [float(at) for at in range(20 - kept + 1, 21)]


def test_what_a_real_host_has_is_kept_for_as_long_as_is_promised() -> None:
    history = History()
    for at in range(LENGTH):
        history.add(snapshot(*(cache(i, f"a-name-of-usual-length-{i}", allocs=at + 1) for i in range(450))))
    assert len(history) == LENGTH
