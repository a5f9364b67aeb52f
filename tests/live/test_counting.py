"""Against the running kernel: the counts are exact, names and sizes are the kernel's own, nothing stays behind."""

import ctypes
import fcntl
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from slabtui.collector import Collector
from slabtui.kernel.abi import offsets
from slabtui.kernel.bpf import features, syscalls
from slabtui.kernel.bpf.features import statistics
from slabtui.kernel.procfs.slabinfo import SYSFS
from slabtui.kernel.rows import LARGE_KEY
from slabtui.model.inspection import InspectionKind
from slabtui.queues import SnapshotQueue, SnapshotsEndedError
from tests.support.bpf import gone, own_program_ids, program_ids
from tests.support.probes import (
    assert_exact,
    compiled,
    inspecting,
    interval,
    probing,
    program_descriptors,
    read,
    request,
)
from tests.support.workload import workload

pytestmark = pytest.mark.live

FILES = 500_000
SELECTS = 200_000
READINGS, MOST_PER_READING = 10, 60  # a call for each slot of the table would take thousands


def collected(kind: str, number: int) -> tuple[Counter[str], Counter[str], int]:
    """Count the process of a workload; return allocs and bytes by cache, and what was lost, over all snapshots."""
    allocs: Counter[str] = Counter()
    size: Counter[str] = Counter()
    lost = 0
    with workload(kind, number) as work, probing(work.pid) as source:
        collector, queue = Collector(source, 0.1), SnapshotQueue()
        collector.subscribe(queue)
        collector.start()
        assert queue.get(timeout=60) is not None  # it counts from here on: the workload waits
        try:
            work.run()
            collector.finish()  # one more reading from here on: that of the last snapshot may have begun before
            with suppress(SnapshotsEndedError):
                while (snapshot := queue.get(timeout=10)) is not None:
                    allocs.update({row.name: row.allocs for row in snapshot.rows})
                    size.update({row.name: row.bytes for row in snapshot.rows})
                    lost += snapshot.lost or 0
        finally:
            collector.stop()
    return allocs, size, lost


def test_every_file_of_a_process_is_counted_on_both_cpus() -> None:
    allocs, size, lost = collected("eventfd", FILES)
    assert_exact(allocs["filp"], FILES, lost)
    assert size["filp"] == allocs["filp"] * slabinfo()["filp"]


def test_every_kmalloc_of_a_process_is_counted_in_its_cache() -> None:
    allocs, size, lost = collected("select", SELECTS)
    served = {name: count for name, count in allocs.items() if name.endswith("-512") and count}
    assert_exact(sum(served.values()), SELECTS, lost)
    assert sum(size[name] for name in served) == sum(served.values()) * 512


def test_a_kernel_that_does_not_compile_programs_gets_some_without_tail_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """slabtui is made to assume this; `make test-kernels` switches the kernel's compiler off."""
    monkeypatch.setattr(features, "is_compiled", lambda program: False)
    counted, _, lost = collected("eventfd", 1000)
    assert_exact(counted["filp"], 1000, lost)
    counted, _, lost = collected("select", 1000)
    assert_exact(sum(count for name, count in counted.items() if name.endswith("-512")), 1000, lost)


def test_another_process_is_not_counted() -> None:
    with workload("eventfd", 1) as idle, workload("eventfd", 10_000) as busy, probing(idle.pid) as source:
        busy.run()
        assert "filp" not in {row.name for row in read(source).rows if row.total_allocs}


def test_the_caches_are_listed_once_also_while_nothing_is_counted() -> None:
    with workload("eventfd", 1) as work, probing(work.pid) as source:
        listed = []
        take_inventory = source._allocs.take_inventory
        source._allocs.take_inventory = lambda slabs: listed.append(found := take_inventory(slabs)) or found  # type: ignore[func-returns-value,method-assign]
        for _ in range(3):
            assert read(source).rows == ()
    assert ["filp" in found for found in listed] == [True]


def test_a_second_close_closes_nothing_while_the_first_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a descriptor is closed twice, its number may belong to another file by then."""
    begun, goes_on = threading.Event(), threading.Event()
    with probing() as source:
        descriptors = program_descriptors(source).values()
        stop = source._overhead.stop

        def wait() -> None:
            begun.set()
            goes_on.wait(20)
            stop()

        monkeypatch.setattr(source._overhead, "stop", wait)
        first = threading.Thread(target=source.close)
        first.start()
        assert begun.wait(20)
        source.close()
        for descriptor in descriptors:
            os.fstat(descriptor)
        goes_on.set()
        first.join()
        for descriptor in descriptors:
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(descriptor)


def test_a_pid_means_the_one_of_the_namespace_that_slabtui_runs_in() -> None:
    count = (
        "from slabtui.kernel.abi import offsets\n"
        "from slabtui.kernel.probe import Probe\n"
        "from slabtui.kernel.scope import Scope\n"
        "from tests.support.workload import workload\n"
        "with workload('eventfd', 1000) as work:\n"
        "    source = Probe(offsets.read(), Scope([work.pid]))\n"
        "    work.run()\n"
        "    print(work.pid, sum(row.total_allocs for row in source.read().rows if row.name == 'filp'))\n"
        "    source.close()\n"
    )
    command = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", count]
    pid, counted = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert int(pid) < 100  # a namespace of its own: PIDs begin at 1
    assert int(counted) == 1000


def test_names_and_sizes_are_those_of_slabinfo() -> None:
    with probing() as source:
        for _ in range(1000):
            os.stat("/proc/self/status")
            os.close(os.open("/dev/null", os.O_RDONLY))
        rows = [row for row in read(source).rows if row.total_allocs and row.size is not None]
    known = slabinfo()
    named = [row for row in rows if row.name in known]
    assert len(named) >= 5
    assert {row.name: row.size for row in named} == {row.name: known[row.name] for row in named}
    assert all(row.object_size is not None and 0 < row.object_size <= known[row.name] for row in named)
    assert {row.name for row in rows} - set(known) == set()


def test_what_the_kernel_can_reclaim_is_marked() -> None:
    with probing() as probe:
        reclaimable = {row.name: row.reclaimable for row in read(probe).rows if row.live is not None}
    assert reclaimable["dentry"] is True
    assert reclaimable["task_struct"] is False
    flags = {path.parent.name for path in SYSFS.glob("*/reclaim_account") if path.read_text() == "1\n"}
    assert {name for name, flag in reclaimable.items() if flag} == flags & reclaimable.keys()


def test_kmalloc_caches_are_exact_here() -> None:
    with probing() as source:
        assert source.exact_kmalloc
        assert source.notes == ()
        assert not [row for row in read(source).rows if row.approximate]


def test_kmalloc_beyond_the_largest_cache_is_a_row_of_its_own() -> None:
    with probing() as source:
        before = read(source)
        buffers = [os.pipe() for _ in range(50)]
        for _, writer in buffers:
            os.set_blocking(writer, False)
        grow_pipes([writer for _, writer in buffers])
        rows = interval(before, read(source)).rows
        for pair in buffers:
            for descriptor in pair:
                os.close(descriptor)
    large = next(row for row in rows if row.cache == LARGE_KEY)
    assert large.allocs >= 50
    assert large.bytes >= 50 * 16384
    assert large.size is None


def grow_pipes(writers: list[int]) -> None:
    """Give each pipe 256 buffers: an array of 256 struct pipe_buffer of 40 bytes, which no kmalloc cache holds."""
    for writer in writers:
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 256 * os.sysconf("SC_PAGE_SIZE"))


def test_totals_only_grow_and_nothing_is_lost_at_rest() -> None:
    with probing() as source:
        readings = [read(source) for _ in range(5)]
    for before, after in pairwise(readings):
        between = interval(before, after)
        assert all(row.allocs >= 0 and row.bytes >= 0 for row in between.rows)
        assert between.lost is not None
        assert between.lost >= 0


def test_reading_the_table_does_not_fill_it() -> None:
    with probing(os.getpid()) as source:
        read(source)
        before = read(source)
        for _ in range(READINGS - 1):
            read(source)
        rows = interval(before, read(source)).rows
    assert sum(row.allocs for row in rows) <= READINGS * MOST_PER_READING


def test_nothing_stays_loaded_after_the_end() -> None:
    before, own = program_ids(), own_program_ids()
    with probing():
        assert len(own_program_ids() - own) >= 3
    assert own_program_ids() == own
    assert gone(before)


def test_every_program_that_counts_reports_its_misses() -> None:
    with probing() as source:
        os.close(os.open(os.devnull, os.O_RDONLY))
        read(source)
        request(source, inspecting("filp", InspectionKind.CALLERS, frees=True))
        programs = program_descriptors(source)
        inspecting_ones = {"inspection: kmem_cache_alloc", "inspection: kmalloc"}
        assert programs.keys() >= {"kmem_cache_alloc", "kmalloc", "kmem_cache_free", "kfree"} | inspecting_ones
        for descriptor in programs.values():
            assert offsets.read().nests or statistics(descriptor)["recursion_misses"] >= 0
        assert read(source).lost is not None


@pytest.mark.parametrize(("kind", "keys"), [("u32", range(1, 9)), ("u64", range(1 << 32, 9 << 32, 1 << 32))])
def test_every_element_of_a_hash_is_read_whatever_the_size_of_its_keys(
    kind: str, keys: Iterable[int], tmp_path: Path
) -> None:
    source = tmp_path / "sums.c"
    source.write_text(f"#include <uapi/linux/bpf.h>\nBPF_HASH(sums, {kind}, u64, 16);\n")
    with compiled(source) as module:
        for key in keys:
            number, value = ctypes.c_uint64(key), ctypes.c_uint64(key + 1)
            place = ctypes.addressof(number), ctypes.addressof(value)
            syscalls.update(module.descriptors["sums"], *place)
        read = module.maps.hash("sums", 8).read()
    assert {key: int.from_bytes(value, sys.byteorder) for key, value in read.items()} == {key: key + 1 for key in keys}


def slabinfo() -> dict[str, int]:
    """Return the object size of each cache, by the kernel's own list."""
    lines = Path("/proc/slabinfo").read_text().splitlines()[2:]
    return {fields[0]: int(fields[3]) for fields in map(str.split, lines)}
