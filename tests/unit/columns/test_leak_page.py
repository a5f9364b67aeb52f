"""The page about leaks: what it says, and that it fits the terminal whatever names there are."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.columns.leak_page import write
from slabtui.model.held import Held, Tracking
from slabtui.model.host import Origin
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow
from slabtui.model.leaks import GrowingCache, Keeper, Leak, LeakReport
from slabtui.model.memory import HostMemory
from slabtui.model.snapshot import CacheRow, Snapshot

KEY = CacheKey(KeyKind.CACHE, "filp")
STACK = ("kmem_cache_alloc_noprof", "alloc_empty_file", "do_eventfd", "__x64_sys_eventfd2")
CONTAINER = "3f1a2b3c4d5e" + "0" * 52
LAST = Snapshot(
    1.7e9, 1.0, "", memory=HostMemory(available=36 << 30), origin=Origin("live", "web7", "6.18.1", since=1.7e9 - 60)
)


def cache(name: str, rate: float = 10.0, keeper: Keeper | None = None, **more: object) -> GrowingCache:
    key = CacheKey(KeyKind.CACHE, name)
    row = CacheRow(key, name, 256, live=900, growth_objects_s=rate, growth_bytes_h=rate * 256 * 3600, **more)  # type: ignore[arg-type]
    return GrowingCache(row, rate, rate - 1, rate + 1, 600, keeper)


def process(pid: int, objects: int, **more: object) -> InspectionRow:
    held = Held(objects=objects, growth_objects_s=9.8, oldest=40.0, median=20.0)
    return InspectionRow(frames=STACK, pid=pid, comm="app", cmdline="app --serve", ended=False, held=held, **more)  # type: ignore[arg-type]


def leak(*processes: InspectionRow, doubt: str = "", lost: int = 0) -> Leak:
    inspection = Inspection(
        KEY, InspectionKind.HELD, lost=lost, rows=processes, tracking=Tracking(seen=1000, doubt=doubt)
    )
    return Leak(
        (cache("filp"), cache("lsm_file_cache", 9.9)),
        ("dentry",),
        inspection,
        (Keeper(processes[0], processes, 0.98, steady=True),),
    )


def report(*leaks: Leak, **more: object) -> LeakReport:
    values = {"seconds": 60.0, "tracked_after": 20.0, "watched": 236, "slowest_objects_s": 4.27, "tracked": (KEY,)}
    return LeakReport(LAST, leaks=leaks, **(values | more))  # type: ignore[arg-type]


def words(found: LeakReport, width: int = 80) -> str:
    return " ".join(write(found, width).split())


def test_a_leak_has_its_caches_its_rate_its_stack_its_process_and_the_end() -> None:
    text = words(report(leak(process(7, 400, cgroup=f"/docker/{CONTAINER}"), process(8, 2))))
    for part in (
        "web7, Linux 6.18.1: 1 min",
        "1 leak, in 2 caches: +17.5MiB/h. Memory is full in 87 d 20 h at this rate.",
        "CACHE filp, 256 bytes each",
        "GROWTH +8.79MiB/h, +10 objects/s (9 to 11 with 99.9 % confidence)",
        "SINCE +600 objects",
        "WITH IT lsm_file_cache +8.70MiB/h, dentry",
        "STACK alloc_empty_file < do_eventfd < __x64_sys_eventfd2",
        "explains 98% of the growth, holds 400 objects, +9.8/s, the oldest 40 s, half of them 20 s old",
        "PROCESS app 7, alive, holds 400, 3f1a2b3c4d5e app --serve and 1 other process",
    ):
        assert part in text
    assert "DOUBT" not in text


def test_several_places_of_a_stack_have_their_shares_and_removed_ones_are_named_so() -> None:
    rows = (process(7, 300, cgroup=f"/docker/{CONTAINER}", removed=True), process(8, 100, cgroup="/", removed=False))
    total = InspectionRow(frames=STACK, held=Held(objects=400))
    inspection = Inspection(KEY, InspectionKind.HELD, rows=rows)
    text = words(report(Leak((cache("filp"),), (), inspection, (Keeper(total, rows, 0.98, steady=True),))))
    assert "PROCESS app 7, alive, holds 300, 3f1a2b3c4d5e (removed) app" in text
    assert "PROCESS app 8, alive, holds 100 app" in text
    assert "PLACE 3f1a2b3c4d5e (removed) 75%, / 25%" in text
    assert "PLACE" not in words(report(leak(rows[0])))


def test_where_nothing_grows_the_page_says_so_and_what_was_looked_at() -> None:
    text = words(report())
    assert "Nothing grows as a leak does. 236 caches were watched for 1 min" in text
    since = time.strftime("%H:%M:%S", time.localtime(1.7e9 - 40))
    assert f"and what is held of filp was tracked, from {since} on at the earliest." in text
    assert "at the earliest. Growth of less than 4.27 objects/s needs a longer run." in text


def test_that_it_was_tracked_for_a_part_of_the_run_only_is_said() -> None:
    found = replace(leak(process(7, 400)), held_until=1.7e9)
    clock = time.strftime("%H:%M:%S", time.localtime(1.7e9))
    assert f"DOUBT it was tracked until {clock} only" in words(report(found))


@pytest.mark.parametrize(
    ("doubt", "lost", "words_"),
    [
        ("about 500 frees have no event", 0, "DOUBT about 500 frees have no event"),
        ("", 11, "DOUBT 11 allocations were not tracked"),
        ("", 10, ""),
    ],
)
def test_what_cannot_be_trusted_is_said(doubt: str, lost: int, words_: str) -> None:
    text = words(report(leak(process(7, 400), doubt=doubt, lost=lost)))
    assert words_ in text
    assert ("DOUBT" in text) == bool(words_)


def test_a_leak_that_was_not_tracked_names_the_command_that_tracks_it() -> None:
    text = words(report(Leak((cache("filp"),))))
    assert "HELD BY not known: others grew faster at first, or it began later. slabtui --held filp tracks it." in text
    assert "not known: nothing was tracked." in words(report(Leak((cache("filp"),)), tracked_after=None))


def test_a_short_run_says_that_it_is_short() -> None:
    assert "are short: a load that begins looks the same" in words(report(leak(process(7, 4)), is_short=True))
    assert "are short" not in words(report(leak(process(7, 4))))


def test_what_grows_beside_the_leaks_is_listed_with_who_keeps_it() -> None:
    keeper = Keeper(process(7, 400), (process(7, 400),), 0.9, steady=True)
    text = words(report(uncertain=(cache("pid"),), explained=(cache("dentry", keeper=keeper),)))
    assert "not certain that they go on: pid +8.79MiB/h." in text
    assert "or they follow such: dentry +8.79MiB/h (kept by app 7)." in text


@given(
    st.integers(1, 300),
    st.text("ab_ \\x", min_size=1, max_size=200),
    st.lists(st.text("fgh_", min_size=1, max_size=90), min_size=1, max_size=12),
)
def test_no_line_is_wider_than_the_terminal(width: int, name: str, frames: list[str]) -> None:
    held = Held(objects=10**9, standard_error=1e6, growth_objects_s=1e6, oldest=1e9, median=1e8)
    row = InspectionRow(frames=tuple(frames), pid=1, comm=name, cmdline=name * 3, cgroup=f"/{name}", held=held)
    inspection = Inspection(KEY, InspectionKind.HELD, one_in=64, rows=(row,), tracking=Tracking(doubt=name))
    caches = tuple(cache(f"{name}{number}") for number in range(9))
    found = report(Leak(caches, (name,), inspection, (Keeper(row, (row, row)),)), uncertain=caches, is_short=True)
    assert max(map(len, write(found, width).splitlines())) <= max(40, width)
