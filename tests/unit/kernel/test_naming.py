"""How what the programs count becomes rows: call sites, stacks, processes, and which functions of a stack are shown."""

import math
import os
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from slabtui.kernel.naming import Counted, Naming, trim
from slabtui.kernel.procfs.symbols import Symbols
from slabtui.model.inspection import Context, InspectionTotals

TRACER, ALLOCATOR, CALLER, OUTER = 10, 20, 30, 40
IN_PROCESS, IN_KERNEL_THREAD, IN_INTERRUPT, ANYWHERE = range(4)  # as inspect.bpf.c numbers them
SIZE = 64
ROOT = "24 1 254:1 / / rw - ext4 /dev/vda1 rw\n"
STACK = (f"{ALLOCATOR:#x}", f"{CALLER:#x}", f"{OUTER:#x}")  # of functions without a name


def counted(identity: int, allocs: int = 3, **more: int | bytes) -> Counted:
    return replace(Counted(identity, allocs, 100, 0, 1, CALLER, 0, b"python3\0\0\0\0\0\0\0\0\0"), **more)


def process(context: int, pid: int, stack: int = 0) -> int:
    """Return the identity of a row, as the programs make it."""
    return stack << 34 | context << 32 | pid


@pytest.fixture
def stacks_taken() -> list[int]:
    return []


@pytest.fixture
def naming(tmp_path: Path, stacks_taken: list[int]) -> Naming:
    return make(tmp_path, stacks_taken)


def make(tmp_path: Path, stacks_taken: list[int], *, nested: bool = False) -> Naming:
    def take(number: int) -> Iterable[int]:
        stacks_taken.append(number)
        return [TRACER, ALLOCATOR, CALLER, OUTER, 0, 0]

    (tmp_path / "kallsyms").write_text("")
    naming = Naming(Symbols(tmp_path / "kallsyms"), None, nested, take)
    naming.begin(SIZE)
    return naming


def test_a_call_site_has_its_place_and_no_process(naming: Naming) -> None:
    assert naming.name_caller(counted(CALLER)) == InspectionTotals(
        (f"{CALLER:#x}",), total_allocs=3, total_bytes=3 * SIZE
    )


def test_bytes_are_those_that_were_counted_where_objects_differ_in_size(naming: Naming) -> None:
    naming.begin(0)
    assert naming.name_caller(counted(CALLER)).total_bytes == 100


def test_a_stack_has_the_process_that_allocated_and_its_error(naming: Naming, stacks_taken: list[int]) -> None:
    mine = counted(process(IN_PROCESS, os.getpid(), stack=4095), variance=49)
    naming.learn([], [mine])
    row = naming.name_stack(mine)
    assert (row.frames, row.pid, row.comm, row.context) == (STACK, os.getpid(), "python3", Context.PROCESS)
    assert (row.ended, row.standard_error) == (False, 7.0)
    assert row.cmdline.partition(" ")[0] == Path("/proc/self/cmdline").read_text().partition("\0")[0]
    naming.name_stack(counted(process(IN_KERNEL_THREAD, 2, stack=4095)))
    assert stacks_taken == [4095]  # it is read once


def test_the_largest_pid_and_the_last_stack_are_told_apart(naming: Naming, stacks_taken: list[int]) -> None:
    row = naming.name_stack(counted(process(IN_KERNEL_THREAD, (1 << 22) - 1, stack=7)))
    assert (row.pid, row.context, stacks_taken) == ((1 << 22) - 1, Context.KERNEL_THREAD, [7])


def test_a_stack_whose_processes_had_no_room_has_none(naming: Naming) -> None:
    row = naming.name_stack(counted(process(ANYWHERE, 0, stack=5), allocs=9))
    assert (row.frames, row.pid, row.comm, row.cmdline, row.ended, row.cgroup) == (STACK, None, "", "", None, "")
    assert row.total_allocs == 9


def test_a_row_that_did_not_change_is_the_same_until_its_process_ends(naming: Naming) -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        of_process, of_stack = counted(process(IN_PROCESS, sleeper.pid)), counted(process(IN_PROCESS, sleeper.pid, 3))
        named = []
        for _ in range(2):
            naming.learn([of_process], [of_stack])
            named.append((naming.name_process(of_process), naming.name_stack(of_stack)))
        sleeper.kill()
    naming.learn([of_process], [of_stack])
    assert [now is before for before, now in zip(*named, strict=True)] == [True, True]
    assert [row.ended for row in named[1]] == [False, False]
    assert [naming.name_process(of_process).ended, naming.name_stack(of_stack).ended] == [True, True]


def test_an_interrupt_has_no_name(naming: Naming) -> None:
    row = naming.name_process(counted(process(IN_INTERRUPT, 0), cgroup=1))
    assert (row.pid, row.comm, row.ended, row.context) == (0, "", None, Context.INTERRUPT)


@pytest.mark.parametrize(("context", "name"), [(IN_PROCESS, "other namespaces"), (IN_KERNEL_THREAD, "kernel threads")])
def test_processes_of_other_namespaces_share_a_name(context: int, name: str, tmp_path: Path) -> None:
    naming = make(tmp_path, [], nested=True)
    row = naming.name_process(counted(process(context, 0)))
    assert (row.pid, row.comm, row.ended) == (0, name, None)


def test_a_hostile_name_is_harmless(naming: Naming) -> None:
    row = naming.name_process(counted(process(IN_PROCESS, os.getpid()), comm=b"\x1b[2J\xff\0python3\0"))
    assert row.comm == r"\x1b[2J\xff"


def test_the_error_of_a_sum_is_the_root_of_its_variance(naming: Naming) -> None:
    assert naming.name_stack(counted(process(IN_PROCESS, 1), variance=2)).standard_error == math.sqrt(2)


def test_a_stack_begins_with_the_function_that_the_caller_calls() -> None:
    assert trim([TRACER, TRACER, ALLOCATOR, CALLER, OUTER, 0, 0], CALLER) == [ALLOCATOR, CALLER, OUTER]


def test_a_stack_that_begins_with_the_caller_is_whole() -> None:
    assert trim([CALLER, OUTER, 0], CALLER) == [CALLER, OUTER]


def test_a_stack_without_the_caller_is_shown_whole() -> None:
    assert trim([TRACER, ALLOCATOR, OUTER, 0], CALLER) == [TRACER, ALLOCATOR, OUTER]


def test_a_caller_that_calls_itself_is_found_at_its_innermost_place() -> None:
    assert trim([TRACER, ALLOCATOR, CALLER, CALLER, OUTER], CALLER) == [ALLOCATOR, CALLER, CALLER, OUTER]


def test_no_stack_has_no_functions() -> None:
    assert list(trim([0, 0, 0], CALLER)) == []
