"""Leaks that begin at any time, get faster, or end; and the memory of the host that they take."""

import math
from collections.abc import Callable, Mapping

import pytest

from slabtui.analysis.growth import Growth
from slabtui.model.host import HostGrowth
from slabtui.model.memory import HostMemory
from slabtui.model.snapshot import CacheRow
from tests.support.fakes import snapshot
from tests.support.hosts import Live, growing, level, noisy, row, snapshots

MINUTE = 60
GIB = 1 << 30
MIB = 1 << 20


def begins(at: float, rate: float, noise: float = 200) -> Live:
    """Return the objects of a cache that is level until a leak begins."""
    beside = level(noise, 7)
    return lambda time: (beside(time) or 0) + rate * max(0, time - at)


def marked_after(live: Live, begin: int, most: int) -> tuple[int, float]:
    """Return after how many seconds the cache is marked, and its growth two minutes after that."""
    growth, found = Growth(), 0
    for second, one in enumerate(snapshots({"filp": live}, begin + most + 2 * MINUTE), 1):
        (judged,) = growth.judge(one).rows
        assert not judged.growing or second > begin
        if judged.growing and not found:
            found = second - begin
    assert found
    return found, judged.growth_objects_s or 0


@pytest.mark.parametrize("begin", [0, 1, 10, 60, 240])
@pytest.mark.parametrize(("rate", "most"), [(200, 90), (50, 90), (20, 90), (5, 300)])
def test_a_leak_is_marked_soon_whenever_it_begins(begin: int, rate: float, most: int) -> None:
    seconds, growth = marked_after(begins(begin * MINUTE, rate), begin * MINUTE, most)
    assert seconds <= most
    assert growth == pytest.approx(rate, rel=0.25)


def test_caches_of_a_late_leak_are_marked_together() -> None:
    growth, begin = Growth(), 20 * MINUTE
    leak = {
        "filp": begins(begin, 20, 300),
        "lsm_file_cache": begins(begin, 20, 250),
        "kmalloc-64": begins(begin, 20, 9),
    }
    for one in snapshots(leak, begin + 90):
        judged = growth.judge(one)
    assert growing(judged) == set(leak)


def test_a_noisy_cache_is_marked_at_once_beside_one_of_its_group() -> None:
    growth, marked = Growth(), list[set[str]]()
    for one in snapshots({"filp": noisy(20, 1100, 5), "kmalloc-64": noisy(20, 20, 6)}, 90):
        marked.append(growing(growth.judge(one)))
    first = next(second for second, names in enumerate(marked) if names)
    assert marked[first + 20] == {"filp", "kmalloc-64"}


def after(caches: Mapping[str, Live], seconds: float) -> CacheRow:
    """Return the last row of the first cache."""
    growth = Growth()
    for one in snapshots(caches, seconds):
        judged = growth.judge(one)
    return judged.rows[0]


def test_the_growth_of_a_leak_that_got_faster_is_that_of_now() -> None:
    beside = noisy(5, 100)
    judged = after({"filp": lambda time: (beside(time) or 0) + 95 * max(0, time - 1800)}, 1800 + 100)
    assert judged.growth_objects_s == pytest.approx(100, rel=0.1)
    assert judged.growth_bytes_h == pytest.approx((judged.growth_objects_s or 0) * 256 * 3600, rel=0.001)


@pytest.mark.parametrize("begin", [0, 10 * MINUTE])
@pytest.mark.parametrize("lasts", [3 * MINUTE, 20 * MINUTE, 90 * MINUTE])
def test_a_mark_goes_within_two_bins_of_the_end_of_the_process(begin: int, lasts: int) -> None:
    leak, end, growth = begins(begin, 50), begin + lasts, Growth()
    host = snapshots({"msg_msg-192": lambda time: leak(time) if time <= end else 63}, end + 300)
    for second, one in enumerate(host, 1):
        (judged,) = growth.judge(one).rows
        assert second != end or judged.growing
        if second >= end + 10:
            assert not judged.growing, second
            assert (judged.growth_objects_s or 0) <= 0, second


def test_a_mark_goes_where_half_of_two_leaks_ends() -> None:
    """The other one is marked again."""
    kept, growth = begins(0, 20), Growth()
    both = {"filp": lambda time: (kept(time) or 0) + (50 * time if time <= 200 else 0)}
    states = [bool(growing(growth.judge(one))) for one in snapshots(both, 400)]
    assert not any(states[210:220])
    assert all(states[-20:])


def test_a_cache_that_takes_a_few_slabs_more_is_not_marked() -> None:
    """As kmalloc-cg-256 did under a heavy load: 200 objects in ten minutes."""
    growth = Growth()
    for one in snapshots({"kmalloc-cg-256": lambda time: 160 + 16 * (time // 48)}, 600):
        assert growing(growth.judge(one)) == set()


def test_few_objects_that_are_large_are_a_leak() -> None:
    growth, live = Growth(), noisy(1, 2)
    for at in range(1, 121):
        judged = growth.judge(snapshot(row("kmalloc-8k", live(at), size=8192), row("kmalloc-8", live(at), size=8)))
    assert growing(judged) == {"kmalloc-8k"}


def test_noise_alone_is_not_marked_in_two_hours() -> None:
    growth = Growth()
    for one in snapshots({f"cache-{noise}": level(noise, noise) for noise in (3, 30, 300, 3000)}, 7200):
        assert growing(growth.judge(one)) == set()


def test_a_cache_that_rises_again_to_where_it_was_is_not_marked() -> None:
    """As with the load of each hour."""
    growth, noise = Growth(), level(100)
    wave = {"sock_inode_cache": lambda time: (noise(time) or 0) - 2000 * math.cos(time / 1200 * math.tau)}
    for second, one in enumerate(snapshots(wave, 7200)):
        judged = growth.judge(one)
        assert second < 1200 or growing(judged) == set(), second


def hosts(
    caches: dict[str, Live], unreclaimable: Callable[[float], float], seconds: float
) -> list[tuple[bool | None, HostGrowth]]:
    """Return whether caches are marked, and how the memory grows, in each second."""

    def memory(time: float) -> HostMemory:
        size = round(unreclaimable(time))
        return HostMemory(8 * GIB, 4 * GIB, GIB + size, GIB, size)

    growth, found = Growth(), []
    for one in snapshots(caches, seconds, memory=memory):
        judged = growth.judge(one)
        assert judged.growth is not None
        found.append((bool(growing(judged)), judged.growth))
    return found


def test_the_growth_of_the_host_does_not_flicker() -> None:
    noise = noisy(20_000, 3 * MIB, 9)
    found = [growth.growing for _, growth in hosts({"idle": lambda time: 7}, lambda time: noise(time) or 0, 1200)]
    first = found.index(True)
    assert all(found[first:])


def test_the_growth_of_the_host_follows_its_caches() -> None:
    """Its own noise hides the leak, but the caches show it."""
    noise = level(200 * MIB, 9)
    for marked, growth in hosts({"filp": noisy(20, 50)}, lambda time: noise(time) or 0, 300):
        assert bool(growth.growing) == marked
        if marked:
            assert growth.full_in_s == pytest.approx(4 * GIB / (20 * 256), rel=0.1)


def test_memory_is_full_by_the_faster_of_the_host_and_its_caches() -> None:
    growth = hosts({"filp": noisy(20, 50)}, lambda time: 1_000_000 * time, 120)[-1][1]
    assert growth.full_in_s == pytest.approx(4 * GIB / 1e6, rel=0.05)


def test_the_memory_of_the_host_is_full_by_a_leak_that_begins_late() -> None:
    growth = hosts({"idle": lambda time: 7}, lambda time: 1_000_000 * max(0, time - 1800), 1900)[-1][1]
    assert growth.full_in_s == pytest.approx(4 * GIB / 1e6, rel=0.1)
    assert growth.unreclaimable_bytes_s == pytest.approx(0, abs=10)


def test_the_growth_of_the_host_ends_with_the_process() -> None:
    def size(time: float) -> float:
        return 1_000_000 * time if time <= 300 else 0

    found = hosts({"filp": lambda time: 3000 * time if time <= 300 else 0}, size, 320)
    assert found[299][1].growing is True
    assert found[312][1].growing is False


def test_a_cache_that_appears_late_is_judged_from_then_on() -> None:
    leak = begins(1200, 50)
    assert after({"fuse_inode": lambda time: leak(time) if time > 1200 else None}, 1320).growing is True
