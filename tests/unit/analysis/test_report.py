"""A run for a report: its sum, the slab memory over time, and what went wrong."""

from dataclasses import replace

from slabtui.analysis.leaks import LeakWatch, find_interval
from slabtui.analysis.report import RunSummary
from slabtui.model.memory import HostMemory
from slabtui.model.report import Report
from slabtui.model.snapshot import Snapshot
from tests.support.fakes import cache, snapshot
from tests.support.hosts import level, noisy, snapshots

MIB = 1 << 20


def memory(time: float) -> HostMemory:
    return HostMemory(1024 * MIB, 512 * MIB, round((100 + time) * MIB), 60 * MIB, round((40 + time) * MIB))


def report(*given: Snapshot) -> Report:
    summary = RunSummary()
    for one in given:
        summary.add(one)
    found = summary.report(None, "why")
    assert found is not None
    return found


def test_a_run_is_the_sum_of_its_intervals() -> None:
    given = [
        replace(
            snapshot(replace(cache(1, "a", allocs=at), live=10 * at), time=100.0 + 2 * at, lost=1),
            elapsed=2.0,
        )
        for at in (1, 2)
    ]
    found = report(*given)
    (row,) = found.run.rows
    assert (row.allocs, row.live, found.run.lost, found.run.elapsed, found.run.time) == (3, 20, 2, 4.0, 104.0)
    assert (found.intervals, found.leaks, found.unknown) == (2, None, "why")


def test_the_slab_memory_of_each_moment_is_kept() -> None:
    found = report(*snapshots({"a": level(0)}, 3, memory=memory))
    assert [(one.seconds, one.slab) for one in found.moments] == [(at, (100 + at) * MIB) for at in (1.0, 2.0, 3.0)]
    assert [one.unreclaimable for one in found.moments] == [41 * MIB, 42 * MIB, 43 * MIB]


def test_a_long_run_keeps_a_bounded_number_of_moments_over_all_of_it() -> None:
    found = report(*snapshots({"a": level(0)}, 1000, memory=memory))
    assert 100 < len(found.moments) <= 241
    assert (found.moments[0].seconds, found.moments[-1].seconds) == (1.0, 1000.0)
    steps = {after.seconds - one.seconds for one, after in zip(found.moments, found.moments[1:-1], strict=False)}
    assert steps == {8.0}


def test_notes_and_errors_are_kept_once_and_an_interval_without_time_is_none() -> None:
    bad = replace(snapshot(time=101.0), elapsed=0.0, error="no slabinfo", notes=("old kernel",))
    found = report(replace(snapshot(cache(1), time=100.0), notes=("old kernel",)), bad, bad)
    assert found.notes == ("old kernel", "an interval could not be read: no slabinfo")
    assert found.intervals == 1
    assert RunSummary().report(None) is None


def test_the_rows_have_the_judgement_of_the_whole_run() -> None:
    watch, summary = LeakWatch(60), RunSummary()
    for one in snapshots({"filp": noisy(20, 30), "quiet": level(5)}, 60, find_interval(60), memory=memory):
        watch.add(one)
        summary.add(one)
    leaks = watch.report()
    found = summary.report(leaks)
    assert leaks is not None
    assert found is not None
    assert {row.name for row in found.run.rows if row.growing} == {"filp"}
    assert [row.growth_bytes_h for row in found.run.rows] == [row.growth_bytes_h for row in leaks.last.rows]
    assert found.run.growth == leaks.last.growth


def test_a_recording_that_was_made_up_is_no_longer_than_a_host_is_up() -> None:
    found = report(*(replace(one, elapsed=1e308) for one in snapshots({"a": level(0)}, 3, memory=memory)))
    assert found.run.elapsed == found.moments[-1].seconds == 1e9
    assert found.began == found.run.time - 1e9
