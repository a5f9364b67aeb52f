"""A run that looks for leaks: what it chooses to track, what it reports, and what it does not claim."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.analysis.leaks import LeakWatch, find_first, find_interval, find_keepers, find_width
from slabtui.model.held import Held, Tracking
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow
from slabtui.model.leaks import LeakReport
from slabtui.model.request import MOST_SUSPECTS
from tests.support.hosts import Live, level, noisy, snapshots

LEAK, OPEN = ("kmem_cache_alloc", "do_eventfd"), ("kmem_cache_alloc", "do_sys_open")
Holding = Callable[[float], int]  # objects at a time, in seconds since the start
QUIET = {f"quiet-{number}": level(5, seed=number) for number in range(3)}


def key(name: str) -> CacheKey:
    return CacheKey(KeyKind.CACHE, name)


def holds(name: str, time: float, stacks: Mapping[tuple[str, ...], Holding], doubt: str = "") -> Inspection:
    """Return what is held of a cache by process 7, with the slope since tracking began."""
    rows = [
        InspectionRow(frames=stack, pid=7, comm="app", held=Held(objects=objects(time), growth_objects_s=rate(objects)))
        for stack, objects in stacks.items()
    ]
    return Inspection(key(name), InspectionKind.HELD, rows=tuple(rows), tracking=Tracking(seen=9, doubt=doubt))


def rate(objects: Holding) -> float:
    return (objects(60) - objects(50)) / 10


def run(
    caches: Mapping[str, Live],
    seconds: float = 60,
    held: Mapping[str, Mapping[tuple[str, ...], Holding]] | None = None,
    *,
    reclaimable: tuple[str, ...] = (),
    doubt: str = "",
) -> LeakWatch:
    """Return a watch that has followed a host to its end."""
    watch = LeakWatch(seconds)
    for one in snapshots(caches, seconds, find_interval(seconds), reclaimable=reclaimable):
        time = watch.elapsed + one.elapsed
        is_tracked = watch.elapsed >= find_first(seconds)
        found = [holds(name, time, stacks, doubt) for name, stacks in (held or {}).items() if is_tracked]
        watch.add(replace(one, inspections=tuple(found)))
    return watch


def report(watch: LeakWatch) -> LeakReport:
    found = watch.report()
    assert found is not None
    return found


def leaking(found: LeakReport) -> set[str]:
    return {one.row.name for leak in found.leaks for one in leak.caches}


def test_a_leak_is_reported_with_its_limits_its_stack_and_its_process() -> None:
    held = {"filp": {LEAK: lambda time: int(20 * (time - 20)), OPEN: lambda time: 3}}
    found = report(run({"filp": noisy(20, 30), **QUIET}, held=held))
    (leak,) = found.leaks
    (cache,) = leak.caches
    assert cache.low <= 20 <= cache.high
    assert cache.change == pytest.approx(20 * 60, rel=0.1)
    keeper = leak.keepers[0]
    assert (keeper.row.frames, keeper.steady, keeper.processes[0].pid) == (LEAK, True, 7)
    assert keeper.explains == pytest.approx(1, abs=0.1)
    assert found.growth_bytes_h == pytest.approx(20 * 256 * 3600, rel=0.1)
    assert (found.watched, found.tracked, found.is_short) == (4, (key("filp"),), False)


def test_who_kept_it_is_told_of_a_cache_that_is_no_longer_tracked() -> None:
    """In a recording, a page of the cache may have been open for some time only."""
    watch, held, until = LeakWatch(60), None, 0.0
    for one in snapshots({"filp": noisy(20, 30), **QUIET}, 60, find_interval(60)):
        time = watch.elapsed + one.elapsed
        if 20 <= time <= 40:
            held, until = holds("filp", time, {LEAK: lambda time: int(20 * time)}), one.time
        watch.add(replace(one, inspections=(held,) if held and until == one.time else ()))
    (leak,) = report(watch).leaks
    (keeper,) = leak.keepers
    assert (leak.held, leak.held_until) == (held, until)
    assert (keeper.row.frames, keeper.processes[0].pid, keeper.explains, keeper.steady) == (LEAK, 7, None, False)


def test_nothing_is_reported_where_nothing_grows() -> None:
    found = report(run(QUIET))
    assert (found.leaks, found.uncertain, found.explained, found.growth_bytes_h, found.full_in_s) == (
        (),
        (),
        (),
        0,
        None,
    )


def test_a_reclaimable_cache_is_no_leak() -> None:
    found = report(run({"dentry": noisy(500, 30), **QUIET}, reclaimable=("dentry",)))
    assert found.leaks == ()
    assert [one.row.name for one in found.explained] == ["dentry"]


@pytest.mark.parametrize("seconds", [1, 20])
def test_nothing_is_known_after_a_moment(seconds: int) -> None:
    watch = LeakWatch(60)
    for one in snapshots(QUIET, seconds):
        watch.add(one)
    assert watch.report() is None


def test_a_growth_that_is_small_beside_its_noise_is_confirmed_by_a_stack_that_holds_steadily_more() -> None:
    """The same host without what is held is not judged: the growth is less than 8 times the noise."""
    caches = {"filp": noisy(20, 1200), **QUIET}
    held = {"filp": {LEAK: lambda time: int(20 * (time - 20))}}
    assert leaking(report(run(caches))) == set()
    assert leaking(report(run(caches, held=held))) == {"filp"}
    assert leaking(report(run(caches, held=held, doubt="frees in bulk"))) == set()


def test_a_stack_that_holds_much_but_no_more_confirms_nothing() -> None:
    held: Mapping[str, Mapping[tuple[str, ...], Holding]] = {"filp": {OPEN: lambda time: 5000}}
    assert leaking(report(run({"filp": noisy(20, 1200), **QUIET}, held=held))) == set()


def test_in_a_short_run_growth_that_no_stack_keeps_is_not_certain() -> None:
    caches = {"filp": noisy(100, 5), **QUIET}
    steady = {"filp": {LEAK: lambda time: int(100 * (time - 5))}}
    turning: Mapping[str, Mapping[tuple[str, ...], Holding]] = {"filp": {OPEN: lambda time: 40}}
    assert leaking(report(run(caches, 15, steady))) == {"filp"}
    found = report(run(caches, 15, turning))
    assert (found.leaks, found.is_short) == ((), True)
    assert [one.row.name for one in found.uncertain] == ["filp"]


def test_caches_that_grow_together_are_one_leak() -> None:
    found = report(run({"filp": noisy(30, 5), "lsm_file_cache": noisy(30, 5, seed=9), "task": noisy(90, 5, seed=4)}))
    assert sorted(sorted(one.row.name for one in leak.caches) for leak in found.leaks) == [
        ["filp", "lsm_file_cache"],
        ["task"],
    ]


def chosen(caches: Mapping[str, Live], reclaimable: tuple[str, ...] = ()) -> list[str]:
    watch = LeakWatch(60)
    for one in snapshots(caches, find_first(60), reclaimable=reclaimable):
        watch.add(one)
    return [cache.name for cache in watch.choose()]


def test_one_cache_of_each_group_is_tracked_first_and_it_has_a_name_of_its_own() -> None:
    caches = {
        "kmalloc-256": noisy(50, 1),
        "filp": noisy(50, 1, seed=2),
        "lsm_file_cache": noisy(50, 1, seed=3),
        "task_struct": noisy(20, 1, seed=4),
        "dentry": noisy(900, 1, seed=5),
        "falls": noisy(-20, 1, seed=6),
    }
    names = chosen(caches, ("dentry",))
    assert set(names[:2]) in ({"filp", "task_struct"}, {"lsm_file_cache", "task_struct"})
    assert "falls" not in names
    assert len(names) == MOST_SUSPECTS


def test_what_certainly_grows_is_tracked_before_what_fluctuates() -> None:
    noise = {f"noise-{number}": noisy(10, 5000, seed=number) for number in range(MOST_SUSPECTS + 3)}
    assert "filp" in chosen({**noise, "filp": noisy(20, 5)})


def test_after_half_of_the_run_what_no_longer_grows_gives_its_place_to_what_does() -> None:
    """The cache that still grows keeps its place, so it is tracked on."""
    caches: dict[str, Live] = {
        "stops": lambda time: 9000 + 90 * min(time, 15) - 200 * max(0.0, time - 15),
        "filp": noisy(20, 5),
        "late": lambda time: 1000 + 300 * max(0.0, time - 7),
    }
    watch = LeakWatch(60)
    for one in snapshots(caches, 40):
        watch.add(one)
    again = watch.choose_again((key("stops"), key("filp")))
    assert [cache.name for cache in again] == ["late", "filp"]
    assert watch.choose_again(again) == again


@given(st.floats(10, 7 * 86400))
def test_a_run_of_any_length_has_eight_bins_after_what_is_tracked_was_chosen(seconds: float) -> None:
    width = find_width(seconds)
    assert 0.8 <= width <= 5
    assert seconds - find_first(seconds) >= 7.9 * width
    assert find_interval(seconds) * 3 <= width


@given(st.lists(st.tuples(st.sampled_from([LEAK, OPEN, ("a",)]), st.integers(0, 10**6), st.floats(-1e3, 1e3))))
def test_the_shares_of_keepers_are_possible_and_a_steady_one_comes_first(
    given_rows: list[tuple[tuple[str, ...], int, float]],
) -> None:
    rows = [
        InspectionRow(frames=stack, pid=pid, held=Held(objects=objects, growth_objects_s=slope))
        for pid, (stack, objects, slope) in enumerate(given_rows, 1)
    ]
    inspection = Inspection(key("filp"), InspectionKind.HELD, rows=tuple(rows))
    keepers = find_keepers(inspection, 10.0, {LEAK})
    assert all(keeper.explains is None or 0 <= keeper.explains <= 1 for keeper in keepers)
    if any(keeper.steady for keeper in keepers):
        assert keepers[0].row.frames == LEAK
    assert all(sum(row.rank for row in keeper.processes) == keeper.row.rank for keeper in keepers)
