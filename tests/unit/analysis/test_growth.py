"""The judgement: which caches grow, how fast, and with which others; on artificial hosts."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.analysis.growth import Growth
from slabtui.model.host import HostGrowth
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.memory import HostMemory
from slabtui.model.snapshot import UNJUDGED, CacheRow, Snapshot, judge_row, merge, unjudged_values
from tests.support.fakes import snapshot
from tests.support.hosts import START, find, growing, judge, level, noisy, row, snapshots

LEAK = {"filp": noisy(20, 100), "task_struct": level(100)}


def judge_all(growth: Growth, host: Iterable[Snapshot]) -> Snapshot:
    for one in host:
        judged = growth.judge(one)
    return judged


def test_a_steady_leak_in_noise_is_marked_within_a_minute() -> None:
    judged = judge(LEAK, 60)
    leak, other = find(judged, "filp"), find(judged, "task_struct")
    assert leak.growing is True
    assert leak.growth_objects_s == pytest.approx(20, rel=0.1)
    assert leak.recent_objects_s == pytest.approx(20, rel=0.1)
    assert leak.growth_bytes_h == pytest.approx(leak.growth_objects_s * 256 * 3600, rel=0.001)
    assert other.growing is False
    assert abs(other.growth_objects_s or 0) < 2


@pytest.mark.parametrize("seconds", [1, 14, 24])
def test_what_is_not_known_yet_is_not_said(seconds: int) -> None:
    judged = judge(LEAK, seconds)
    assert find(judged, "filp").growing is None
    assert (find(judged, "filp").growth_objects_s is None) == (seconds < 20)
    assert judged.growth == HostGrowth(since=START)


def test_a_cache_that_never_changes_does_not_grow() -> None:
    idle = find(judge({"idle": lambda time: 7}, 60), "idle")
    assert (idle.growing, idle.growth_objects_s, idle.recent_objects_s, idle.growth_bytes_h) == (False, 0, 0, 0)


def test_a_slow_leak_is_found_over_a_longer_time() -> None:
    slow = {"filp": noisy(5, 1000)}
    assert growing(judge(slow, 60)) == set()
    assert growing(judge(slow, 1800)) == {"filp"}


@pytest.mark.parametrize("interval", [0.2, 1.0, 3.0, 10.0, 60.0])
def test_the_interval_does_not_matter(interval: float) -> None:
    judged = judge(LEAK, 1800, interval)
    assert growing(judged) == {"filp"}
    assert find(judged, "filp").growth_objects_s == pytest.approx(20, rel=0.1)


def test_merged_snapshots_are_judged_by_their_real_time() -> None:
    growth, judged, waiting = Growth(), None, None
    for at, one in enumerate(snapshots(LEAK, 600)):
        waiting = merge(waiting, one) if waiting else one
        if at % 37 in (0, 5, 6, 36):
            judged, waiting = growth.judge(waiting), None
    assert judged is not None
    assert growing(judged) == {"filp"}
    assert find(judged, "filp").growth_objects_s == pytest.approx(20, rel=0.1)


def test_a_clock_that_is_set_changes_nothing() -> None:
    growth = Growth()
    for one in snapshots(LEAK, 60):
        moved = replace(one, time=one.time - 1e6) if one.time > START + 30 else one
        judged = growth.judge(moved)
    assert growing(judged) == {"filp"}
    assert judged.growth is not None
    assert judged.growth.since == START


def test_a_snapshot_that_covers_no_time_passes_as_it_is() -> None:
    growth = Growth()
    for one in snapshots(LEAK, 60):
        judged = growth.judge(one)
        failed = replace(one, elapsed=0.0, rows=(), error="cannot read")
        assert growth.judge(failed) is failed
    assert growing(judged) == {"filp"}


def test_a_ramp_that_has_ended_is_not_marked_any_more() -> None:
    ramp = {"kmalloc-64": lambda time: 1000 + 50 * min(time, 100)}
    assert growing(judge(ramp, 60)) == {"kmalloc-64"}
    assert growing(judge(ramp, 240)) == set()


def test_a_mark_begins_a_new_baseline() -> None:
    growth = Growth()
    growth.mark()  # before the first one: it begins then anyway
    host = list(snapshots({"filp": lambda time: 50 * min(time, 60), "idle": lambda time: 7}, 240))
    judge_all(growth, host[:60])
    growth.mark()
    first = growth.judge(host[60])
    assert first.growth == HostGrowth(since=START + 60)
    for name in ("filp", "idle"):
        assert find(first, name).growth_objects_s is None
        assert find(first, name).growing is None
    last = judge_all(growth, host[61:])
    assert find(last, "filp").growth_objects_s == 0
    assert growing(last) == set()


def test_a_cache_that_is_created_again_is_judged_anew() -> None:
    """Its key has another generation; the row of the destroyed one stays, without live objects."""

    def rows(time: float) -> list[CacheRow]:
        old = row("fuse_inode", 1000 + 20 * time if time <= 100 else None)
        if time <= 130:
            return [old]
        return [old, replace(row("fuse_inode", 5), cache=CacheKey(KeyKind.CACHE, "fuse_inode", 2))]

    growth = Growth()
    for at in range(1, 301):
        judged = growth.judge(snapshot(*rows(at), time=START + at))
        if at == 100:
            assert growing(judged) == {"fuse_inode"}
        elif at == 101:
            assert growing(judged) == set()
    old, new = judged.rows
    assert (old.growing, old.growth_objects_s) == (None, None)
    assert (new.growing, new.growth_objects_s) == (False, 0)
    assert len(growth._caches) == 1


def test_a_cache_without_live_objects_has_no_judgement() -> None:
    judged = judge({"size class": lambda time: None}, 60)
    assert find(judged, "size class").growing is None


def test_a_moment_without_live_objects_is_bridged() -> None:
    gap = {"filp": lambda time: None if 30 < time < 34 else 1000 + 20 * time}
    assert growing(judge(gap, 80)) == {"filp"}


def test_reclaimable_caches_are_not_marked() -> None:
    judged = judge({"dentry": noisy(300, 100)}, 60, reclaimable=("dentry",))
    assert growing(judged) == set()
    assert find(judged, "dentry").growth_objects_s == pytest.approx(300, rel=0.1)


def test_caches_of_one_leak_are_a_group() -> None:
    leak = {
        "filp": noisy(20, 100, 1),
        "lsm_file_cache": noisy(20, 60, 2),
        "kmalloc-64": noisy(21, 30, 3),
        "kmalloc-2k": noisy(35, 30, 4),
    }
    judged = judge(leak, 90)
    assert growing(judged) == set(leak)
    assert set(find(judged, "filp").grows_with) == {"lsm_file_cache", "kmalloc-64"}
    assert set(find(judged, "kmalloc-64").grows_with) == {"lsm_file_cache", "filp"}
    assert find(judged, "kmalloc-2k").grows_with == ()


def test_a_noisy_cache_is_marked_earlier_beside_a_certain_one() -> None:
    together = {"filp": noisy(20, 1100, 5), "kmalloc-64": noisy(20, 20, 6)}
    assert growing(judge({"filp": together["filp"]}, 80)) == set()
    assert growing(judge(together, 80)) == {"filp", "kmalloc-64"}


def uneven(time: float) -> float:
    """Objects that come in bursts, as where a disk is searched."""
    return 1000 + 300 * time + 8000 * (int(time / 7) % 5) * (time % 7) / 7


def test_a_cache_in_step_with_a_reclaimable_one_goes_with_it() -> None:
    judged = judge({"dentry": uneven, "kmalloc-96": lambda time: uneven(time) + 7}, 240, reclaimable=("dentry",))
    assert growing(judged) == set()
    assert find(judged, "kmalloc-96").grows_with == ("dentry",)


def test_steady_growth_at_the_rate_of_a_reclaimable_cache_goes_with_it() -> None:
    judged = judge({"dentry": noisy(20, 9, 1), "kmalloc-96": noisy(20, 9, 2)}, 60, reclaimable=("dentry",))
    assert growing(judged) == set()
    assert find(judged, "kmalloc-96").grows_with == ("dentry",)
    assert find(judged, "dentry").grows_with == ("kmalloc-96",)


def test_steady_growth_is_not_in_step_with_bursts_of_the_same_mean() -> None:
    both = {"dentry": uneven, "kmalloc-96": noisy(300, 9)}
    judged = judge(both, 240, reclaimable=("dentry",))
    assert growing(judged) == {"kmalloc-96"}


def test_open_files_hold_their_dentries() -> None:
    """On a quiet host all caches of a leak of files grow at one rate, the dentries too: they cannot be reclaimed."""
    leak = {"filp": noisy(20, 9, 1), "kmalloc-64": noisy(20, 9, 2), "dentry": noisy(20, 9, 3)}
    judged = judge(leak, 60, reclaimable=("dentry",))
    assert growing(judged) == {"filp", "kmalloc-64"}
    assert find(judged, "filp").grows_with == ("dentry", "kmalloc-64")


INODES = {"ext4_inode_cache": noisy(100, 50, 1), "proc_inode_cache": noisy(60, 50, 2)}


def test_the_security_part_of_inodes_grows_with_all_inodes_together() -> None:
    caches = INODES | {"lsm_inode_cache": noisy(160, 50, 3)}
    judged = judge(caches, 60, reclaimable=tuple(INODES))
    assert growing(judged) == set()
    assert find(judged, "lsm_inode_cache").grows_with == ("ext4_inode_cache", "proc_inode_cache")


def test_the_security_part_of_inodes_in_memory_leaks_with_them() -> None:
    """As of files made by memfd_create(2), beside a search of the disk."""
    caches = INODES | {"shmem_inode_cache": noisy(50, 9, 4), "lsm_inode_cache": noisy(210, 50, 3)}
    judged = judge(caches, 120, reclaimable=tuple(INODES))
    assert growing(judged) == {"shmem_inode_cache", "lsm_inode_cache"}


@pytest.mark.parametrize("begin", [0, 50, 130, 200, 400])
def test_sockets_in_time_wait_are_not_marked_when_a_load_becomes_heavier(begin: float) -> None:
    def level(time: float) -> float:
        return 5000 + 200 * max(0, min(time - begin, 60))

    growth = Growth()
    for one in snapshots({"tw_sock_TCP": level, "tcp_bind_bucket": level}, 600):
        assert growing(growth.judge(one)) == set()


def test_sockets_in_time_wait_that_do_not_end_are_marked() -> None:
    assert growing(judge({"tw_sock_TCP": noisy(20, 50)}, 240)) == {"tw_sock_TCP"}


@pytest.mark.parametrize("judged", [False, True])
def test_a_recording_keeps_its_judgement(judged: bool) -> None:
    recorded = HostGrowth(since=START - 1000, growing=False) if judged else None
    growth = Growth()
    for one in snapshots(LEAK, 60):
        kept = replace(one, growth=recorded)
        found = growth.judge(kept)
        if judged:
            assert found is kept
    assert growing(found) == (set() if judged else {"filp"})


def test_a_mark_in_a_recording_judges_it_from_there_on() -> None:
    growth = Growth()
    host = [replace(one, growth=HostGrowth(since=START - 1000)) for one in snapshots(LEAK, 120)]
    judge_all(growth, host[:60])
    growth.mark()
    found = judge_all(growth, host[60:])
    assert growing(found) == {"filp"}
    assert found.growth is not None
    assert found.growth.since == START + 60


def test_recordings_without_the_flag_get_it_by_the_name() -> None:
    growth = Growth()
    for at in range(60):
        rows = [row(name, 300 * at, reclaimable=None) for name in ("dentry", "kmalloc-rcl-96", "TCP")]
        rows[2] = replace(rows[2], live=20 * at)
        judged = growth.judge(snapshot(*rows, time=START + at))
    assert [one.reclaimable for one in judged.rows] == [True, True, None]
    assert growing(judged) == {"TCP"}


GIB = 1 << 30


def memory(rate: int) -> HostMemory:
    return HostMemory(8 * GIB, 4 * GIB, 2 * GIB + 3 * rate, GIB, GIB + rate)


def test_the_memory_of_the_host_grows_and_will_be_full() -> None:
    judged = judge({"filp": noisy(20, 9)}, 60, memory=lambda time: memory(round(1_000_000 * time)))
    growth = judged.growth
    assert growth is not None
    assert growth.growing is True
    assert growth.slab_bytes_s == pytest.approx(3e6, rel=0.01)
    assert growth.unreclaimable_bytes_s == pytest.approx(1e6, rel=0.01)
    assert growth.full_in_s == pytest.approx(4 * GIB / 1e6, rel=0.01)


def test_the_memory_of_a_host_that_does_not_grow_is_never_full() -> None:
    wave = judge({"filp": level(9)}, 300, memory=lambda time: memory(4_000_000 * (round(time) % 20)))
    assert wave.growth is not None
    assert wave.growth.growing is False
    assert wave.growth.full_in_s is None


def test_unknown_memory_is_not_judged() -> None:
    judged = judge({"filp": level(9)}, 60, memory=lambda time: HostMemory())
    assert judged.growth == HostGrowth(since=START)


def test_the_work_of_one_interval_is_bounded() -> None:
    """500 caches that all change are examined in turns; each gets its judgement."""
    growth = Growth()
    caches = {f"cache-{number}": noisy(number, 9, number) for number in range(500)}
    waiting = 0
    for one in snapshots(caches, 120):
        judged = growth.judge(one)
        waiting = max(waiting, len(growth._due))
    assert 400 < waiting <= 500
    assert all(row.growing is not None for row in judged.rows)


def test_an_unchanged_row_stays_the_same_object() -> None:
    """So that the history keeps it once."""
    growth = Growth()
    found = [growth.judge(one).rows[0] for one in snapshots({"idle": lambda time: 7}, 90)]
    assert found[-1] is found[-2]


def test_open_pipes_hold_one_inode_for_two_files() -> None:
    leak = {"filp": noisy(40, 9, 1), "kmalloc-cg-1k": noisy(20, 9, 2), "inode_cache": noisy(20, 9, 3)}
    leak["lsm_inode_cache"] = noisy(20, 9, 4)
    judged = judge(leak, 60, reclaimable=("inode_cache",))
    assert growing(judged) == {"filp", "kmalloc-cg-1k", "lsm_inode_cache"}


def test_a_cache_that_falls_back_again_and_again_does_not_leak() -> None:
    """Each mark after a fall takes longer: the first three times it looks like a leak."""
    growth = Growth()
    for at, one in enumerate(snapshots({"kmalloc-64": lambda time: 1000 + 20 * (time % 200)}, 2400)):
        judged = growth.judge(one)
        assert at < 610 or growing(judged) == set(), at


@pytest.mark.parametrize("elapsed", [1e-6, 1e300, 1.7e308])
def test_a_recording_that_was_made_up_is_judged_without_a_failure(elapsed: float) -> None:
    growth = Growth()
    for at in range(100):
        odd = replace(row("odd", (at % 7) << 63), size=1 << 63)
        memory = HostMemory(available=1 << 63, slab=(at % 5) << 62, unreclaimable=at << 56)
        one = replace(snapshot(odd, time=0.0, memory=memory), elapsed=elapsed if at % 3 else 1.0)
        assert growth.judge(one).growth is not None


def test_a_leak_is_found_although_a_load_began_after_the_baseline() -> None:
    leak = noisy(20, 100)
    assert growing(judge({"filp": lambda time: (leak(time) or 0) + 60 * min(time, 30)}, 150)) == {"filp"}


def test_a_mark_does_not_flicker() -> None:
    """It comes with the second verdict, and stays where a load hides the leak for a while."""
    growth, leak = Growth(), noisy(20, 100)
    burst = {"filp": lambda time: (leak(time) or 0) + (500 if 100 < time < 130 else 0)}
    states = [bool(growing(growth.judge(one))) for one in snapshots(burst, 300)]
    assert states.index(True) >= 44
    assert all(states[states.index(True) :])


INTERVALS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.1, 1.0, 5.0, 77.0]),
        st.dictionaries(st.sampled_from(["filp", "dentry", "lsm_inode_cache"]), st.none() | st.integers(0, 1 << 40)),
        st.booleans(),
    ),
    max_size=80,
)


@given(INTERVALS)
def test_whatever_comes_a_judgement_keeps_what_was_counted(intervals: list[tuple[float, dict[str, int], bool]]) -> None:
    growth = Growth()
    for elapsed, caches, marks in intervals:
        rows = [row(name, live, reclaimable=name == "dentry") for name, live in caches.items()]
        one = replace(snapshot(*rows), elapsed=elapsed)
        if marks:
            growth.mark()
        judged = growth.judge(one)
        assert [judge_row(unjudged_values(each), UNJUDGED) for each in judged.rows] == rows
        assert not any(each.growing and each.reclaimable for each in judged.rows)
        assert (judged.growth is None) == (elapsed == 0)
