"""Frees and live objects of the running kernel: frees are exact, a leak is found, untraced frees are not a leak."""

import errno
import mmap
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

import pytest

from slabtui.columns.caches import SORTS
from slabtui.columns.query import Order, arrange
from slabtui.kernel.abi import offsets
from slabtui.kernel.probe import Probe
from slabtui.model.request import Request
from slabtui.model.snapshot import CacheRow, CacheTotals, Snapshot
from tests.support import uring
from tests.support.probes import assert_exact, interval, probing, read, request
from tests.support.workload import workload

pytestmark = pytest.mark.live
Row = TypeVar("Row", bound=CacheTotals)

CALLS = 20_000
KEPT = 15_000  # below the usual limit of open files
EPOLL_ITEMS, ROUNDS = 2_000, 4
MAPPINGS = 20_000
RINGS = 100
PUT_OFF = 100  # frees by call_rcu(), of any kind, that an interrupt may do while the process runs
SETTLED = 0.5  # seconds: grace periods of RCU, after which the kernel frees


@contextmanager
def freeing(*pids: int) -> Iterator[Probe]:
    with probing(*pids) as probe:
        probe.begin(lambda: None)
        request(probe, Request(frees=True))
        assert probe.notes == ()
        yield probe


@pytest.fixture(scope="module")
def everything() -> Iterator[Probe]:
    """One probe of all processes for many tests: compiling takes 10 s on an emulated kernel."""
    with freeing() as probe:
        yield probe


def test_frees_of_a_named_cache_are_exact() -> None:
    with workload("stat", CALLS) as busy, freeing(busy.pid) as probe:
        busy.run()
        before = read(probe)
        busy.run()
        between = interval(before, read(probe))
    row = named(between, "names_cache")
    assert row.frees is not None
    assert_exact(row.frees, CALLS, between.lost)
    assert_exact(row.allocs, CALLS, between.lost)


def test_frees_of_a_kmalloc_cache_are_exact() -> None:
    with workload("select", CALLS) as busy, freeing(busy.pid) as probe:
        busy.run()
        before = read(probe)
        busy.run()
        between = interval(before, read(probe))
    row = max((row for row in between.rows if row.name.endswith("-512")), key=lambda row: row.allocs)
    assert row.frees is not None
    of_interrupts = max(0, row.frees - CALLS)
    assert of_interrupts <= PUT_OFF
    assert_exact(row.frees - of_interrupts, CALLS, between.lost)


def test_frees_are_unknown_until_they_have_been_counted_for_a_whole_interval() -> None:
    probe = Probe(offsets.read())
    try:
        os.stat("/")
        before = read(probe)
        assert {row.total_frees for row in before.rows} == {None}
        request(probe, Request(frees=True))
        after = read(probe)
        assert named(interval(before, after), "names_cache").frees is None
        os.stat("/")
        frees = named(interval(after, read(probe)), "names_cache").frees
        assert frees is not None
        assert frees > 0
    finally:
        probe.close()


def test_frees_that_are_switched_off_and_on_within_an_interval_are_unknown() -> None:
    with workload("stat", CALLS) as busy, freeing(busy.pid) as probe:
        before = read(probe)
        request(probe, Request(frees=False))
        busy.run()
        request(probe, Request(frees=True))
        between = interval(before, read(probe))
    row = named(between, "names_cache")
    assert (row.allocs >= CALLS, row.frees) == (True, None)


def test_frees_are_unknown_while_they_are_switched_off_and_their_total_stays() -> None:
    with workload("stat", CALLS) as busy, freeing(busy.pid) as probe:
        busy.run()
        counted = named_in(read(probe).rows, "names_cache").total_frees
        assert counted is not None
        assert counted > 0
        request(probe, Request(frees=False))
        before = read(probe)
        busy.run()
        after = read(probe)
        assert named_in(after.rows, "names_cache").total_frees == counted
        row = named(interval(before, after), "names_cache")
        assert (row.allocs, row.frees) == (CALLS, None)


def test_kmalloc_beyond_the_largest_cache_is_freed_too() -> None:
    with freeing(os.getpid()) as probe:
        large_message()
        before = read(probe)
        for _ in range(100):
            large_message()
        between = interval(before, read(probe))
    row = next(row for row in between.rows if row.name == "kmalloc-large")
    assert row.frees is not None
    assert_exact(row.frees, 100, between.lost)
    assert_exact(row.allocs, 200 if row.approximate else 100, between.lost)


def large_message() -> None:
    """Make the kernel copy the value of an attribute, 20,000 bytes, and free the copy."""
    with suppress(OSError):
        os.setxattr("/proc/self/stat", "user.x", bytes(20_000))


def test_live_objects_are_those_of_slabinfo(everything: Probe) -> None:
    rows = read(everything).rows
    with open("/proc/slabinfo") as slabinfo:
        known = {fields[0]: fields for fields in map(str.split, slabinfo.readlines()[2:])}
    row = next(row for row in rows if row.name == "dentry")
    assert row.live == pytest.approx(int(known["dentry"][1]), rel=0.1)
    assert {row.name for row in rows if row.live is not None} <= set(known)
    assert len(rows) >= len(known)  # the idle ones too


def test_a_leak_comes_first_within_three_intervals_and_shrinks_when_it_ends(everything: Probe) -> None:
    leak = (
        "import os, resource, sys\n"
        "most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        f"most = max(most, {KEPT + 100})\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))\n"
        f"kept = [os.eventfd(0) for _ in range({KEPT})]\n"
        "print(flush=True); sys.stdin.readline()\n"
    )
    readings = [read(everything)]
    with subprocess.Popen([sys.executable, "-c", leak], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        readings.append(read(everything))
        grown = by_growth(interval(*readings))
        assert process.stdin
        process.stdin.close()
        process.wait()
    time.sleep(SETTLED)
    after = interval(readings[-1], read(everything))
    leaked = [row for row in grown if (row.live_delta or 0) >= KEPT * 0.9]
    assert leaked == grown[: len(leaked)]
    assert "filp" in [row.name for row in leaked]  # each eventfd is an open file, and a few smaller objects
    assert len(leaked) < 6
    assert (named(after, "filp").live_delta or 0) <= -KEPT * 0.9


def test_items_of_epoll_that_no_tracepoint_sees_freed_are_no_leak(everything: Probe) -> None:
    add_and_remove_items(10)
    before = read(everything)
    for _ in range(ROUNDS):
        add_and_remove_items(EPOLL_ITEMS)
        time.sleep(SETTLED)
    between = interval(before, read(everything))
    row = named(between, "eventpoll_epi")
    assert row.allocs >= ROUNDS * EPOLL_ITEMS
    assert abs(row.live_delta or 0) < EPOLL_ITEMS / 2  # objects that wait to be freed, or are free in a CPU's own slabs
    untraced = row.allocs - (
        row.frees or 0
    )  # all of them, where kfree_rcu() frees them in batches that are not counted
    print(f"allocs {row.allocs}, frees {row.frees}, live {row.live_delta:+}, bulk counted: {between.bulk}")
    assert row.disagrees == (untraced > ROUNDS * EPOLL_ITEMS / 2)
    if between.bulk:  # also where kfree_rcu() frees by sheaves, Linux 6.18
        assert untraced < EPOLL_ITEMS / 2


def test_nodes_of_maple_trees_that_sheaves_take_back_are_counted(everything: Probe) -> None:
    """maple_node was the first cache with sheaves, Linux 6.18; kfree_rcu() frees most of its objects."""
    if "maple_node" not in {row.name for row in read(everything).rows}:
        return  # before Linux 6.1 there are no such trees
    before = read(everything)
    for _ in range(ROUNDS):
        map_and_unmap(MAPPINGS)
        time.sleep(SETTLED)
    between = interval(before, read(everything))
    row = named(between, "maple_node")
    print(f"allocs {row.allocs}, frees {row.frees}, live {row.live_delta:+}, bulk counted: {between.bulk}")
    assert row.allocs > ROUNDS * MAPPINGS / 16  # a node has room for 16 ranges
    untraced = abs(row.allocs - (row.frees or 0) - (row.live_delta or 0))
    assert row.disagrees == (untraced > row.allocs / 10)
    if between.bulk:
        assert not row.disagrees


def map_and_unmap(number: int) -> None:
    """Map pages that do not touch each other, and unmap them."""
    maps = [mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ if at % 2 else mmap.PROT_WRITE) for at in range(number)]
    for mapping in maps:
        mapping.close()


def add_and_remove_items(number: int) -> None:
    with select.epoll() as epoll:
        reader, writer = os.pipe()
        for _ in range(number):
            epoll.register(reader)
            epoll.unregister(reader)
        os.close(reader)
        os.close(writer)


def test_requests_of_io_uring_that_no_tracepoint_sees_allocated_do_not_shrink(everything: Probe) -> None:
    try:
        uring.submit(1)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EPERM):
            pytest.skip("this kernel has no io_uring for us")
        raise
    before = read(everything)
    for _ in range(RINGS):
        uring.submit(uring.ENTRIES)
    time.sleep(SETTLED)
    between = interval(before, read(everything))
    row = named(between, "io_kiocb")
    print(f"allocs {row.allocs}, frees {row.frees}, live {row.live_delta:+}, bulk counted: {between.bulk}")
    assert (row.frees or 0) >= RINGS * uring.ENTRIES / 2  # Linux 5.10 needs only half of them
    assert abs(row.live_delta or 0) < RINGS * uring.ENTRIES / 10
    if between.bulk:  # then nothing is untraced
        assert row.allocs == pytest.approx(row.frees, rel=0.1)
        assert not row.disagrees


def by_growth(between: Snapshot) -> list[CacheRow]:
    assert "growth" in SORTS
    return arrange(between.rows, Order.by("growth"), lambda name: True)


def named(between: Snapshot, name: str) -> CacheRow:
    return named_in(between.rows, name)


def named_in(rows: Sequence[Row], name: str) -> Row:
    """Return the row of a cache, found by its name or by any of its aliases."""
    return next(row for row in rows if name == row.name or name in row.aliases)
