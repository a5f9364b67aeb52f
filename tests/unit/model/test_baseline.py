"""What changed since the baseline: the start, or the last mark before an interval."""

from dataclasses import replace

from slabtui.model.baseline import Baseline, Baselines, Change
from slabtui.model.host import Origin
from slabtui.model.snapshot import CacheRow, Snapshot
from tests.support.fakes import cache, snapshot

START = 1.7e9  # the beginning of the first interval


def row(second: int, *, frees: bool = True, number: int = 1) -> CacheRow:
    """Return a row that had 10 allocations and 4 frees in each second, and one more object in use."""
    return replace(
        cache(number, f"c{number}"),
        allocs=10,
        bytes=640,
        frees=4 if frees else None,
        live=100 + second,
        live_delta=1,
        total_allocs=10 * second,
        total_bytes=640 * second,
        total_frees=4 * second if frees else None,
    )


def interval(second: int, *rows: CacheRow, **more: bool) -> Snapshot:
    return snapshot(*(rows or (row(second, **more),)), time=START + second)


def received(*intervals: Snapshot) -> Baselines:
    baselines = Baselines()
    for one in intervals:
        baselines.receive(one)
    return baselines


def test_the_start_is_before_the_first_interval() -> None:
    baseline = received(*map(interval, range(1, 4))).at(3)
    assert baseline is not None
    assert baseline.intervals == 0
    assert baseline.since(row(3)) == Change(30, 1920, 12, 3)


def test_the_start_of_a_recording_that_begins_later_is_before_its_first_interval() -> None:
    baseline = received(interval(50)).at(1)
    assert baseline is not None
    assert baseline.since(row(52)) == Change(30, 1920, 12, 3)


def test_another_run_has_its_own_start_and_forgets_the_marks() -> None:
    """As where a demo begins again."""
    baselines = received(interval(1), interval(2))
    baselines.mark(interval(2))
    again = replace(interval(1), time=START + 11, origin=Origin(since=START + 10))
    baselines.receive(again)
    baseline = baselines.at(3)
    assert baseline is not None
    assert baseline.intervals == 2
    assert baseline.since(row(1)) == Change(10, 640, 4, 1)
    assert baselines.net(3) == baseline


def test_a_cache_that_came_later_is_new_with_all_its_objects() -> None:
    baseline = received(interval(1)).at(9)
    assert baseline is not None
    assert baseline.since(row(5, number=2)) == Change(50, 3200, 20, 105)


def test_what_is_unknown_stays_unknown() -> None:
    unknown = replace(row(1, frees=False), live=None, live_delta=None)
    baseline = received(interval(1, unknown)).at(9)
    assert baseline is not None
    assert baseline.since(row(5)).live is None
    assert baseline.since(replace(unknown, live=7)).live is None
    assert baseline.since(unknown).frees is None


def test_a_first_interval_without_the_change_of_live_counts_from_its_end() -> None:
    baseline = received(interval(1, replace(row(1), live_delta=None))).at(9)
    assert baseline is not None
    assert baseline.since(row(5)).live == 4


def test_a_mark_is_the_baseline_of_what_comes_after_it_only() -> None:
    baselines = received(interval(1), interval(2))
    baselines.mark(interval(2))
    for second, since in ((1, 10), (3, 10), (5, 30)):
        baseline = baselines.at(second)
        assert baseline is not None
        assert baseline.since(row(second)).allocs == since


def test_the_start_is_kept_with_the_last_marks() -> None:
    baselines = Baselines()
    for second in range(1, 41):
        baselines.receive(interval(second))
        baselines.mark(interval(second))
    found = [baselines.at(number) for number in (0, 20, 39, 40)]
    assert [one.intervals for one in found if one] == [0, 0, 39, 40]
    assert len(baselines._all) <= 10


def test_the_order_of_marks_is_that_of_intervals_though_the_clock_was_set_back() -> None:
    baselines = received(interval(1), interval(2))
    baselines.mark(interval(2))
    baselines.receive(replace(interval(3), time=START - 3600))
    baseline, net = baselines.at(3), baselines.net(3)
    assert baseline is not None
    assert baseline.since(row(3)).allocs == 10
    assert net is baseline


def test_before_the_first_interval_there_is_no_baseline() -> None:
    assert Baselines().at(0) is None
    assert Baselines().net(0) is None


def test_allocations_minus_frees_begin_with_the_counting_of_frees() -> None:
    baselines = received(interval(1, frees=False), interval(2, frees=False), interval(3), interval(4))
    net = baselines.net(4)
    assert net is not None
    assert net.intervals == 2
    assert net.since(row(4)) == Change(20, 1280, 8, 2)
    assert baselines.net(1) is None  # stepping back: they were not counted then


def test_they_begin_with_the_mark_if_frees_are_counted_longer() -> None:
    baselines = received(interval(1), interval(2))
    assert baselines.net(2) is baselines.at(2)
    baselines.mark(interval(2))
    net = baselines.net(3)
    assert net is baselines.at(3)
    assert isinstance(net, Baseline)
    assert net.since(row(3)).frees == 4


def test_a_gap_in_the_counting_of_frees_begins_again() -> None:
    baselines = received(interval(1), interval(2, frees=False), interval(3))
    net = baselines.net(3)
    assert net is not None
    assert net.intervals == 2
