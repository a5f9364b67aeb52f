"""Inspections on the running kernel: exact callers and processes, estimated shares of stacks, nothing stays behind."""

import ctypes
import math
import os
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from slabtui.kernel.bpf import syscalls
from slabtui.kernel.probe import Probe
from slabtui.model.inspection import (
    ON_PAGE,
    Context,
    Inspection,
    InspectionKind,
    InspectionRow,
    difference,
    difference_of_inspections,
    merge_stacks,
)
from slabtui.model.request import Request
from tests.support import probes, tasks
from tests.support.bpf import gone, own_program_ids, program_ids
from tests.support.estimates import ERRORS, error_at
from tests.support.groups import cgroup_root, enter, own_group
from tests.support.probes import assert_exact, counting_notes, inspecting, interval, nanoseconds_of_stacks, read
from tests.support.workload import EVENTFD, MIXES, OPEN, PIPE, Workload, workload
from tests.tools.bench import events

pytestmark = pytest.mark.live

CALLS = 20_000
SLOW = 0.00005  # seconds for a stack: as many as these tests take cost more than the budget allows
QUIET, BURST = "RAW", 150  # the cache of raw sockets
OPEN_RAW = (  # a program that allocates from it
    "import socket, sys\n"
    "for _ in range({}): socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP).close()\n"
)
SELECT = (
    "core_sys_select",
    "__kvmalloc_node",
)  # the call site of select(2) in the event: the second on arm64, Linux 6.12
GETNAME = ("getname_flags", "do_getname")  # in fs/namei.c: who allocates for stat(2), by Linux 6.18 and by 7.3
ROUNDS = 40  # of a mix: about a second
SHORT_ROUNDS = 10
RUNS = 100
PATIENCE = 30  # seconds
SAMPLED = (InspectionKind.STACKS,)
LATE = 1 << 40  # allocations, more than any inspection of a test sees
PROMISED = 0.02  # of one CPU
HOSTILE = b"\x1b[2J\xff\n;\x07\xe2\x80\xae"  # 11 bytes; the kernel keeps 15


@contextmanager
def probing(*pids: int, cgroup: Path | None = None) -> Iterator[Probe]:
    """Yield a probe that has seen the cache of path names."""
    with probes.probing(*pids, cgroup=cgroup) as probe:
        os.stat("/")
        read(probe)
        yield probe


@pytest.fixture(scope="module")
def shared() -> Iterator[Probe]:
    """One probe of all processes for many tests: compiling takes 10 s on an emulated kernel."""
    with probing() as probe:
        yield probe


@pytest.fixture
def everything(shared: Probe) -> Iterator[Probe]:
    os.stat("/")
    read(shared)
    yield shared
    shared.request(Request())


def inspect(probe: Probe, cache: str, *kinds: InspectionKind) -> None:
    probes.request(probe, inspecting(cache, *kinds))
    assert counting_notes(probe) == ()


def found(probe: Probe, kind: InspectionKind | None = None) -> Inspection:
    """Return what an inspection has found of a kind, or of its only one."""
    return difference(None, probes.find(read(probe), kind))


def found_all(probe: Probe) -> tuple[Inspection, ...]:
    """Return what an inspection of all kinds has found, in one reading."""
    return difference_of_inspections((), read(probe).inspections)


@contextmanager
def inspected(*kinds: InspectionKind, work: str = "stat", number: int = CALLS) -> Iterator[tuple[Workload, Probe]]:
    """Inspect the cache that a workload allocates from, counting that process only."""
    with workload(work, number) as busy, probing(busy.pid) as probe:
        busy.run()  # so that the probe has seen the cache
        read(probe)
        inspect(probe, "names_cache", *kinds)
        yield busy, probe


@pytest.mark.parametrize("kind", [InspectionKind.CALLERS, InspectionKind.PROCESSES])
@pytest.mark.parametrize("alone", [False, True])
def test_the_first_allocations_of_a_quiet_cache_are_seen(kind: InspectionKind, alone: bool) -> None:
    """Other processes may use the cache, too, such as the same test in another one."""
    with probes.probing(*([os.getpid()] if alone else [])) as probe:
        inspect(probe, QUIET, kind)
        for _ in range(BURST):
            socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP).close()
        inspection = found(probe)
    own = [row.allocs for row in inspection.rows if row.pid in (None, os.getpid())]
    assert sum(own) == BURST if alone or kind is InspectionKind.PROCESSES else sum(own) >= BURST


def test_every_call_is_in_its_caller() -> None:
    with inspected(InspectionKind.CALLERS) as (busy, probe):
        busy.run()
        inspection = found(probe)
        size = next(row.size for row in read(probe).rows if row.name == "names_cache")
    assert_whole(inspection, CALLS)
    assert inspection.rows[0].frames[0].startswith(GETNAME)
    assert inspection.rows[0].total_bytes == inspection.rows[0].total_allocs * size


def test_all_kinds_count_the_same_allocations_from_the_same_moment(everything: Probe) -> None:
    """Of two processes, while others run: each kind has the same sum, stacks as an estimate."""
    with workload("stat", CALLS) as one, workload("stat", CALLS) as other:
        kinds = InspectionKind.CALLERS, InspectionKind.STACKS, InspectionKind.PROCESSES, InspectionKind.ABOUT
        inspect(everything, "names_cache", *kinds)
        for _ in range(2):
            one.run()
            other.run()
            callers, stacks, processes, about = found_all(everything)
            other.run()
        callers, stacks, processes, about = found_all(everything)
        exact = {row.pid: row.total_allocs for row in processes.rows if row.pid in (one.pid, other.pid)}
        merged = by_process(stacks, one.pid), by_process(stacks, other.pid)
    assert [found.number for found in (callers, stacks, processes, about)] == [callers.number] * 4
    assert about.about is not None
    assert_exact(exact[one.pid], 2 * CALLS, processes.lost)
    assert_exact(exact[other.pid], 4 * CALLS, processes.lost)
    # The maps are read one after the other, and other processes go on: a difference of some allocations.
    assert callers.total_allocs == pytest.approx(processes.total_allocs, rel=0.01)
    for (estimate, error), happened in zip(merged, (2 * CALLS, 4 * CALLS), strict=True):
        print(f"stacks of a process: {estimate} of {happened}, standard error {error:.0f}, one in {stacks.one_in}")
        assert abs(estimate - happened) <= ERRORS * error_at(happened, estimate, error) + stacks.lost
    assert {row.comm for row in stacks.rows if row.pid == one.pid} == {Path(sys.executable).name[:15]}


def by_process(stacks: Inspection, pid: int) -> tuple[int, float]:
    """Return the allocations of a process by its stacks, and their standard error."""
    rows = [row for row in stacks.rows if row.pid == pid]
    return sum(row.total_allocs for row in rows), math.hypot(*(row.standard_error or 0.0 for row in rows))


def test_a_stack_whose_processes_have_no_room_is_counted_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen rows: one for the stack, and one for each of its first 15 processes. Taking stacks may cost a whole CPU.

    While the kernel's statistics are on, the program returns to another place in the tracer, and the same functions are
    another stack, which would find no room. Any program may switch them on: keep them on all the time. Only a control
    group is counted, because any other process may open a raw socket meanwhile.
    """
    monkeypatch.setattr("slabtui.kernel.inspect.STACK_ROWS", 16)
    monkeypatch.setattr("slabtui.kernel.inspect.SHARE", 1.0)
    processes, each, with_rows = 40, 3, 15
    with own_group() as group, events.statistics_on(), probes.probing(cgroup=group) as probe:
        inspect(probe, QUIET, InspectionKind.STACKS, InspectionKind.PROCESSES)
        command = [*tasks.inside(group), sys.executable, "-S", "-c", OPEN_RAW.format(each)]
        for _ in range(processes):
            subprocess.run(command, check=True)
        stacks, rows = found_all(probe)
    assert [row.total_allocs for row in rows.rows] == [each] * processes  # exact
    assert all(row.ended and row.comm for row in rows.rows)
    assert stacks.total_allocs == processes * each
    assert [row.total_allocs for row in stacks.rows if row.pid] == [each] * with_rows
    assert [row.total_allocs for row in stacks.rows if row.pid is None] == [(processes - with_rows) * each]


def test_a_process_has_its_command_line_and_whether_it_has_ended(everything: Probe) -> None:
    inspect(everything, QUIET, InspectionKind.STACKS, InspectionKind.PROCESSES)
    options = ["-S", "-X", "two words"]  # before the code: a long command line is cut
    command = [sys.executable, *options, "-c", OPEN_RAW.format(1) + "print(flush=True); sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        during = found_all(everything)
    after = found_all(everything)
    for inspections, ended in ((during, False), (after, True)):
        for inspection in inspections:
            row = of_process(inspection, process.pid)
            assert row.ended is ended
            assert row.cmdline.startswith(f"{sys.executable} -S -X two words -c import")


@pytest.mark.parametrize("kind", [InspectionKind.STACKS, InspectionKind.PROCESSES])
def test_a_process_that_runs_another_program_and_ends_has_the_name_of_that_program(
    everything: Probe, kind: InspectionKind
) -> None:
    """Within one interval. Before, it had the name that it had at its first allocation."""
    inspect(everything, "filp", kind)
    opens = "i=0; while [ $i -lt 500 ]; do : </dev/null; i=$((i + 1)); done"
    with subprocess.Popen(["sh", "-c", opens]) as process:
        pass
    rows = [row for row in found(everything, kind).rows if row.pid == process.pid]
    assert max(rows, key=lambda row: row.total_allocs).comm == "sh"


def test_every_call_is_in_its_process(everything: Probe) -> None:
    with workload("stat", CALLS) as one, workload("stat", CALLS) as other:
        inspect(everything, "names_cache", InspectionKind.PROCESSES)
        one.run()
        other.run()
        other.run()
        inspection = found(everything)
        mine = {pid: of_process(inspection, pid) for pid in (one.pid, other.pid)}
    assert_exact(mine[one.pid].total_allocs, CALLS, inspection.lost)
    assert_exact(mine[other.pid].total_allocs, 2 * CALLS, inspection.lost)
    assert mine[one.pid].comm == Path(sys.executable).name[:15]
    assert mine[one.pid].context is Context.PROCESS
    assert mine[one.pid].cgroup == own_cgroup()


def test_the_stack_of_the_system_call_comes_first_with_its_share() -> None:
    with inspected(InspectionKind.STACKS) as (busy, probe):
        for _ in range(5):
            busy.run()
            inspection = found(probe)
    first = merge_stacks(inspection.rows)[0]
    total = sum(row.total_allocs for row in inspection.rows)
    assert any("newfstatat" in frame or "statx" in frame for frame in first.frames)
    assert first.frames[0].startswith("kmem_cache_alloc")  # the functions of the tracer itself are left out
    assert first.frames[1].startswith(GETNAME)
    assert first.total_allocs / total > 0.95
    assert total == pytest.approx(5 * CALLS, rel=0.25)  # an estimate, of some hundred stacks


@pytest.mark.parametrize("mix", MIXES)
def test_the_share_of_a_stack_is_right_whatever_comes_before_it(mix: str) -> None:
    """Five standard errors: by chance, one run in a million is beyond them. Six times the share is beyond."""
    with mixed(mix, ROUNDS) as (busy, probe):
        for _ in range(3):
            busy.run()
            inspection = found(probe)
    happened = {file: 3 * ROUNDS * each for file, each in MIXES[mix].items()}
    assert by_file(inspection) == pytest.approx(happened, rel=2)
    for file, counted in by_file(inspection).items():
        error = error_at(happened[file], counted, errors(inspection)[file])
        print(f"{mix}: {file} counted {counted} of {happened[file]}, standard error {error:.1f}")
        assert abs(counted - happened[file]) < ERRORS * error
        assert error < 0.8 * happened[file]
    assert inspection.lost < happened[OPEN] / 100


@pytest.mark.slow
@pytest.mark.parametrize("mix", MIXES)
def test_no_stack_has_a_bias_in_many_inspections(mix: str) -> None:
    """The mean of 100 inspections is within three of its own standard errors, of every count and of every share."""
    counts: dict[str, list[int]] = {file: [] for file in MIXES[mix]}
    variances: dict[str, list[float]] = {file: [] for file in MIXES[mix]}
    shares: dict[str, list[float]] = {file: [] for file in MIXES[mix]}
    with mixed(mix, SHORT_ROUNDS) as (busy, probe):
        for _ in range(RUNS):
            probe.request(Request())
            read(probe)
            inspect(probe, "filp", InspectionKind.STACKS)
            busy.run()
            inspection = found(probe)
            estimates, of_estimates = by_file(inspection), errors(inspection)
            for file in MIXES[mix]:
                counted = estimates.get(file, 0)
                counts[file].append(counted)
                variances[file].append(of_estimates.get(file, 0.0) ** 2)
                shares[file].append(counted / inspection.total_allocs)
    each_round = sum(MIXES[mix].values())
    for file, each in MIXES[mix].items():
        assert_unbiased(f"{mix}: share of {file}", shares[file], each / each_round)
        assert_unbiased(f"{mix}: count of {file}", counts[file], SHORT_ROUNDS * each)
        claimed, seen = statistics.mean(variances[file]), statistics.variance(counts[file])
        print(f"{mix}: standard error of {file} {math.sqrt(claimed):.1f}, deviation {math.sqrt(seen):.1f}")
        assert claimed / 2 < seen < claimed * 2


@contextmanager
def mixed(mix: str, rounds: int) -> Iterator[tuple[Workload, Probe]]:
    """Inspect the stacks that allocate files, counting a process only that opens several kinds of them."""
    with workload(mix, rounds) as busy, probes.probing(busy.pid) as probe:
        busy.run()
        read(probe)
        inspect(probe, "filp", InspectionKind.STACKS)
        yield busy, probe


def file_of(row: InspectionRow) -> str:
    """Return the kind of file that a stack allocates, by its functions."""
    return next((kind for kind in (PIPE, EVENTFD) if any(kind in frame for frame in row.frames)), OPEN)


def by_file(inspection: Inspection) -> dict[str, int]:
    """Return how many files of each kind were counted."""
    counted: dict[str, int] = {}
    for row in inspection.rows:
        counted[file_of(row)] = counted.get(file_of(row), 0) + row.total_allocs
    return counted


def errors(inspection: Inspection) -> dict[str, float]:
    """Return the standard error of each of these counts."""
    found: dict[str, float] = {}
    for row in inspection.rows:
        assert row.standard_error is not None
        found[file_of(row)] = math.hypot(found.get(file_of(row), 0.0), row.standard_error)
    return found


def assert_unbiased(what: str, estimates: list[int] | list[float], truth: float) -> None:
    mean = statistics.mean(estimates)
    error = statistics.stdev(estimates) / math.sqrt(len(estimates))
    print(f"{what} {mean:.5g}, in truth {truth:.5g}: {(mean - truth) / error:+.1f} standard errors")
    assert abs(mean - truth) <= 3 * error


def test_stacks_of_a_rare_allocation_are_all_taken() -> None:
    """Where a stack takes long, as in an emulator, the counts are an estimate."""
    with workload("stat", 2) as rare, probing(rare.pid) as probe:
        rare.run()
        read(probe)
        inspect(probe, "names_cache", InspectionKind.STACKS)
        for _ in range(21):
            time.sleep(0.02)
            rare.run()
        inspection = found(probe)
        each = nanoseconds_of_stacks(probe) / 1e9 * inspection.one_in / 42  # seconds
    if each <= SLOW:
        assert inspection.one_in == 1
        assert_whole(inspection, 42)
        assert all(row.standard_error == 0 for row in inspection.rows)


def test_what_one_inspection_owes_is_not_paid_by_the_next() -> None:
    with workload("stat", 3 * CALLS) as busy, workload("select", 40) as rare, probing(busy.pid, rare.pid) as probe:
        busy.run()
        rare.run()
        name = next(row.name for row in read(probe).rows if row.name.endswith("-512") and row.total_allocs >= 40)
        inspect(probe, "names_cache", InspectionKind.STACKS)
        for _ in range(3):
            busy.run()
            assert found(probe).rows
        read(probe)
        inspect(probe, name, InspectionKind.STACKS)
        rare.run()
        inspection = found(probe)
    # Where a stack takes long, some of the 40 count for several; what the last inspection owed would be thousands.
    assert sum(row.total_allocs for row in inspection.rows) < CALLS / 10


@pytest.mark.parametrize("late", [InspectionKind.CALLERS, InspectionKind.STACKS, InspectionKind.PROCESSES])
@pytest.mark.parametrize("kind", [InspectionKind.CALLERS, InspectionKind.STACKS, InspectionKind.PROCESSES])
def test_a_late_row_of_an_earlier_inspection_is_no_part_of_the_next(
    everything: Probe, late: InspectionKind, kind: InspectionKind
) -> None:
    """An event cannot be delayed on purpose: put a row of the earlier inspection back once the next has begun."""
    inspect(everything, "filp", late)
    part = everything.inspections.part.part
    assert part is not None
    tables = {"rows": part._rows, "stack_rows": part._stack_rows}
    name, table = next((name, tables[name]) for name in tables if (late in SAMPLED) == (name == "stack_rows"))
    repeat_until(lambda: os.close(os.open("/dev/null", os.O_RDONLY)), lambda: len(table.read()) > 1)
    key, value = next((key, bytes(value)) for key, value in table.read().items())
    inspect(everything, "names_cache", kind)
    value = LATE.to_bytes(8, sys.byteorder) + value[8:]  # its first member: allocations
    where = ctypes.c_uint64(key), ctypes.create_string_buffer(value)
    syscalls.update(part.module.descriptors[name], *map(ctypes.addressof, where))
    repeat_until(lambda: os.stat("/"), lambda: found(everything).total_allocs > 0)
    assert LATE in [struct.unpack_from("Q", value)[0] for value in table.read().values()]
    assert 0 < found(everything).total_allocs < LATE


def repeat_until(act: Callable[[], object], done: Callable[[], bool]) -> None:
    """Repeat an allocation until it is noted: of stacks, one in some is."""
    give_up = time.monotonic() + PATIENCE
    while not done() and time.monotonic() < give_up:
        act()


def test_taking_stacks_stays_within_its_share_of_a_cpu() -> None:
    """The clock of a stack also runs while the hypervisor has stopped the machine: take the least of some runs."""
    with workload("stat", 3 * CALLS) as busy, probing(busy.pid) as probe:
        busy.run()
        read(probe)
        inspect(probe, "names_cache", InspectionKind.STACKS)
        busy.run()
        read(probe)  # the probe knows the cost of a stack here
        shares = [share_of_stacks(probe, busy) for _ in range(4)]
        assert min(shares) < PROMISED, shares
        assert found(probe).one_in > 1


def share_of_stacks(probe: Probe, busy: Workload) -> float:
    """Return the share of one CPU that taking stacks costs in a run of a workload after a quiet interval."""
    time.sleep(0.5)
    read(probe)  # the probe assumes a low rate
    before, began = nanoseconds_of_stacks(probe), time.monotonic_ns()
    busy.run()
    return (nanoseconds_of_stacks(probe) - before) / (time.monotonic_ns() - began)


def test_kmalloc_has_its_callers_too() -> None:
    with workload("select", CALLS) as busy, probing(busy.pid) as probe:
        busy.run()
        name = next(row.name for row in read(probe).rows if row.name.endswith("-512") and row.total_allocs >= CALLS / 2)
        inspect(probe, name, InspectionKind.CALLERS)
        busy.run()
        inspection = found(probe)
    assert_whole(inspection, CALLS)
    assert inspection.rows[0].frames[0].startswith(SELECT)


def test_interrupts_have_rows_of_their_own(everything: Probe) -> None:
    connections = 200
    connect(1)
    read(everything)
    inspect(everything, "request_sock_TCP", InspectionKind.PROCESSES)
    connect(connections)
    inspection = found(everything)
    interrupts = [row for row in inspection.rows if row.context is Context.INTERRUPT]
    threads = [row for row in inspection.rows if row.context is Context.KERNEL_THREAD]
    assert all(row.comm.startswith("ksoftirqd/") for row in threads)  # work that the interrupt deferred
    assert sum(row.total_allocs for row in (*interrupts, *threads)) >= connections - inspection.lost
    assert [row.pid for row in interrupts] == [0]


def connect(times: int) -> None:
    """Connect over the loopback: the request is allocated where the packet arrives, in a softirq."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        for _ in range(times):
            with socket.create_connection(server.getsockname()), server.accept()[0]:
                pass


def test_kernel_threads_have_rows_of_their_own(everything: Probe, tmp_path: Path) -> None:
    source = tmp_path / "threads.c"
    source.write_text("#include <uapi/linux/bpf.h>\nBPF_CPUMAP(threads, 1);\n")
    with probes.compiled(source) as module:
        subprocess.run(["true"], check=True)
        read(everything)
        inspect(everything, "task_struct", InspectionKind.PROCESSES)
        module.maps.put_descriptor("threads", 0, 192)  # the map starts a thread for each CPU: kthreadd does
        subprocess.run(["true"], check=True)
        inspection = found(everything)
    by_name = {row.comm: row for row in inspection.rows}
    assert by_name["kthreadd"].context is Context.KERNEL_THREAD
    assert by_name["kthreadd"].pid == 2
    assert of_process(inspection, os.getpid()).context is Context.PROCESS


def test_a_hostile_name_of_a_process_is_harmless(everything: Probe) -> None:
    rename = (
        "import os, sys\n"
        f"open('/proc/self/comm', 'wb').write({HOSTILE!r})\n"
        "print(flush=True); sys.stdin.readline()\n"
        "for _ in range(100): os.stat('/')\n"
        "print(flush=True); sys.stdin.readline()\n"
    )
    with (
        subprocess.Popen([sys.executable, "-c", rename], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
    ):
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        inspect(everything, "names_cache", InspectionKind.PROCESSES)
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.readline()
        row = of_process(found(everything), process.pid)
        process.stdin.close()
    assert row.comm == r"\x1b[2J\xff\x0a;\x07\u202e"
    assert row.total_allocs >= 100


def test_only_a_control_group_is_counted(tmp_path: Path) -> None:
    with (
        own_group() as group,
        workload("stat", CALLS) as inside,
        workload("stat", CALLS) as outside,
        probing(cgroup=group) as probe,
    ):
        enter(group, inside.pid)
        before = read(probe)
        inside.run()
        outside.run()
        between = interval(before, read(probe))
        enter(cgroup_root(), inside.pid)
    (counted,) = [row.allocs for row in between.rows if row.name == "names_cache"]
    assert_exact(counted, CALLS, between.lost)


def test_a_control_group_that_is_created_again_is_counted_again() -> None:
    """As when a container restarts: by every loaded program, and by one that is loaded while the group is gone."""
    path = Path(f"/slabtui-test-{os.getpid()}")
    group = cgroup_root() / path.name
    group.mkdir()
    try:
        with workload("stat", CALLS) as inside, probing(cgroup=path) as probe:
            enter(group, inside.pid)
            inside.run()
            read(probe)
            inspect(probe, "names_cache", InspectionKind.CALLERS)
            for wanted in (inspecting("names_cache", InspectionKind.CALLERS), Request(frees=True)):
                enter(cgroup_root(), inside.pid)
                group.rmdir()
                read(probe)
                probes.request(probe, wanted)
                assert counting_notes(probe) == (f"control group gone: {path}",)
                group.mkdir()
                before = read(probe)
                assert counting_notes(probe) == (
                    f"control group created again: {path}; its first allocations may be missing",
                )
                enter(group, inside.pid)
                inside.run()
                between = interval(before, read(probe))
                (row,) = [row for row in between.rows if row.name == "names_cache"]
                assert_exact(row.allocs, CALLS, between.lost)
                if wanted.frees:
                    assert row.frees is not None
                    assert_exact(row.frees, CALLS, between.lost)
                else:
                    (inspection,) = between.inspections
                    assert_exact(sum(row.allocs for row in inspection.rows), CALLS, inspection.lost)
            enter(cgroup_root(), inside.pid)
    finally:
        group.rmdir()


def test_two_processes_are_counted_and_a_third_is_not() -> None:
    with (
        workload("stat", CALLS) as one,
        workload("stat", CALLS) as two,
        workload("stat", CALLS) as other,
        probing(one.pid, two.pid) as probe,
    ):
        for each in (one, two, other):
            each.run()
        totals = read(probe)
    counted = sum(row.total_allocs for row in totals.rows if row.name == "names_cache")
    assert_exact(counted, 2 * CALLS, totals.lost)


def test_the_programs_of_an_inspection_are_gone_when_it_ends(everything: Probe) -> None:
    loaded, before = program_ids(), own_program_ids()
    for kinds in (*((kind,) for kind in (InspectionKind.CALLERS, InspectionKind.STACKS)), ON_PAGE[1:]):
        inspect(everything, "filp", *kinds)
        assert len(own_program_ids() - before) == 2
    inspect(everything, "filp", InspectionKind.ABOUT)
    assert own_program_ids() == before
    assert gone(loaded)


def test_beginning_and_ending_inspections_leaves_nothing_behind(everything: Probe) -> None:
    turn(everything)
    programs, descriptors = own_program_ids(), open_files()
    for _ in range(50):
        turn(everything)
    assert own_program_ids() == programs
    assert open_files() == descriptors


def turn(probe: Probe) -> None:
    """Inspect each kind alone, then all of them, count frees, and leave."""
    for kinds in (*((kind,) for kind in ON_PAGE), ON_PAGE):
        probes.request(probe, inspecting("filp", *kinds, frees=True))
        read(probe)
    probe.request(Request())
    read(probe)


def test_what_the_kernel_says_of_a_cache_is_shown(everything: Probe) -> None:
    inspect(everything, "dentry", InspectionKind.ABOUT)
    about = found(everything).about
    assert about is not None
    directory = Path("/sys/kernel/slab/dentry")
    assert about.object_size == int((directory / "object_size").read_text())
    assert about.objects_per_slab == int((directory / "objs_per_slab").read_text())
    assert "reclaimable" in about.flags
    assert about.live
    assert about.mem
    assert sum(slabs for _, slabs in about.nodes) > 0


def test_files_that_are_opened_while_a_cache_is_inspected_are_counted_beside_it(everything: Probe) -> None:
    inspect(everything, "filp", InspectionKind.ABOUT)
    found(everything)
    kept = [os.eventfd(0) for _ in range(400)]
    about = found(everything).about
    for each in kept:
        os.close(each)
    assert about is not None
    (count,) = about.counts
    assert count.name == "open files"
    assert count.number - count.began > 300  # others close some, and each CPU counts some for itself


def test_aliases_are_those_that_share_a_directory(everything: Probe) -> None:
    merged = {row.name: row.aliases for row in read(everything).rows if row.aliases}
    assert merged
    for name, aliases in merged.items():
        shared = Path("/sys/kernel/slab", name).resolve()
        assert all(Path("/sys/kernel/slab", alias).resolve() == shared for alias in aliases)


def assert_whole(inspection: Inspection, happened: int) -> None:
    assert_exact(sum(row.total_allocs for row in inspection.rows), happened, inspection.lost)


def of_process(inspection: Inspection, pid: int) -> InspectionRow:
    return next(row for row in inspection.rows if row.pid == pid)


def own_cgroup() -> str:
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    return next(line for line in lines if line.startswith("0::")).removeprefix("0::")


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))
