"""Processes by command: what a command sums up, what it lists, and whose stacks it stands for."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.model.inspection import Context, InspectionRow
from slabtui.views.commands import Command, Owner, gather, name_command, own, unfold


def process(pid: int, comm: str = "python3", total: int = 1, **more: object) -> InspectionRow:
    return InspectionRow(pid=pid, comm=comm, total_allocs=total, total_bytes=64 * total, allocs=1, bytes=64, **more)


PYTHON = tuple(process(pid, total=pid, ended=pid > 2, cgroup="/a") for pid in (1, 2, 3))
SHELL = process(9, "sh", 5, cgroup="/b")
ROWS = st.lists(
    st.builds(
        InspectionRow,
        pid=st.integers(0, 9),
        comm=st.sampled_from(("a", "b", "kworker/0:1", "kworker/1:2")),
        ended=st.none() | st.booleans(),
        context=st.sampled_from(Context),
        total_allocs=st.integers(0, 9),
        total_bytes=st.integers(0, 9),
        allocs=st.integers(0, 9),
        bytes=st.integers(0, 9),
    )
)


def test_the_processes_of_a_command_are_one_row_with_their_sum() -> None:
    python, shell = gather((*PYTHON, SHELL))
    assert (python.name, python.ended, len(python.rows)) == ("python3", 1, 3)
    assert [row.pid for row in python.rows] == [3, 2, 1]
    total = python.total
    assert (total.total_allocs, total.total_bytes, total.allocs, total.bytes) == (6, 384, 3, 192)
    assert (total.pid, total.comm, total.ended, total.cgroup) == (None, "python3", False, "/a")
    assert shell == Command("sh", (SHELL,), SHELL, 0)


@given(ROWS)
def test_nothing_is_lost_and_the_most_come_first(rows: list[InspectionRow]) -> None:
    commands = gather(rows)
    assert sorted(id(row) for one in commands for row in one.rows) == sorted(map(id, rows))
    sums = [one.total.total_allocs for one in commands]
    assert sums == sorted(sums, reverse=True)
    assert sum(sums) == sum(row.total_allocs for row in rows)
    assert sum(one.total.bytes for one in commands) == sum(row.bytes for row in rows)
    assert all(bool(one.total.ended) == all(row.ended for row in one.rows) for one in commands)
    assert len({one.key for one in commands}) == len(commands)
    listed = unfold(commands, {one.name for one in commands})
    assert [item for item in listed if isinstance(item, InspectionRow)] == [row for one in commands for row in one.rows]


def test_a_command_lists_its_processes_when_it_is_unfolded_and_one_process_is_itself() -> None:
    commands = gather((*PYTHON, SHELL))
    assert unfold(commands, ()) == (commands[0], SHELL)
    assert unfold(commands, {"python3", "sh", "gone"}) == (commands[0], *commands[0].rows, SHELL)


def test_processes_that_have_ended_do_not_pile_up() -> None:
    """A loop in a shell that ran 1000 programs had 1000 rows."""
    ended = [process(pid, "true", ended=True) for pid in range(2, 1002)]
    (only,) = unfold(gather(ended), ())
    assert isinstance(only, Command)
    assert (only.ended, only.total.ended) == (1000, True)


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (process(1, "cron"), "cron"),
        (process(1, "kworker/0:1-events", context=Context.KERNEL_THREAD), "[kworker]"),
        (process(1, "kswapd0", context=Context.KERNEL_THREAD), "[kswapd0]"),
        (process(1, "a/b"), "a/b"),
        (process(0, "", context=Context.INTERRUPT), "(interrupts)"),
    ],
)
def test_kernel_threads_of_several_cpus_are_one_command(row: InspectionRow, name: str) -> None:
    assert name_command(row) == name


def test_an_owner_has_the_stacks_of_its_process_or_of_its_command() -> None:
    (python,) = gather(PYTHON)
    all_of_it, one = own(python), own(PYTHON[0])
    assert (str(all_of_it), str(one)) == ("python3", "python3 1")
    stack = replace(PYTHON[0], frames=("a",))
    assert all_of_it.owns(stack)
    assert one.owns(stack)
    assert one.owns(replace(stack, comm="renamed"))
    assert not one.owns(replace(stack, pid=2))
    assert not all_of_it.owns(replace(stack, comm="sh"))
    interrupts = process(0, "", context=Context.INTERRUPT)
    assert own(interrupts) == Owner("(interrupts)")
    assert own(interrupts).owns(replace(interrupts, frames=("a",)))
