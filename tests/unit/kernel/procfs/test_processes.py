"""Command lines of processes, and whether they have ended, though their numbers are used again."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from slabtui.kernel.procfs import processes
from slabtui.kernel.procfs.processes import Processes, read_name

GONE = (1 << 22) + 1  # the kernel gives no process this number
START = b"1234"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Return an artificial procfs."""
    (tmp_path / "self").symlink_to(str(os.getpid()))
    return tmp_path


@pytest.fixture
def living(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Return the numbers that processes have; changed by the test."""
    numbers: set[int] = set()
    monkeypatch.setattr(processes, "exists", numbers.__contains__)
    return numbers


def put(proc: Path, pid: int, command: bytes, start: bytes = START, state: bytes = b"S") -> None:
    """Write the files of a process; its name has brackets and spaces."""
    (proc / str(pid)).mkdir(exist_ok=True)
    (proc / str(pid) / "cmdline").write_bytes(command)
    before = b" ".join([state, *[b"0"] * 18])
    (proc / str(pid) / "stat").write_bytes(b"%d (a) b () %b %b 0 0\n" % (pid, before, start))


@contextmanager
def sleeping() -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-S", "-c", "import sys; print(flush=True); sys.stdin.read()", "\x1b[2J", "two words"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield process


def test_a_real_process_has_its_command_line_until_it_has_ended_and_afterwards() -> None:
    found = Processes()
    with sleeping() as process:
        found.learn({process.pid: 1, GONE: 1})
        command, ended = found.find(process.pid)
        assert command.startswith(f"{sys.executable} -S -c ")
        assert command.endswith(r" \x1b[2J two words")
        assert ended is False
        assert read_name(process.pid) == Path(sys.executable).name[:15]
    found.learn({process.pid: 1, GONE: 1})
    assert found.find(process.pid) == (command, True)
    assert found.find(GONE) == ("", True)


def test_a_process_that_was_never_seen_is_unknown() -> None:
    assert Processes().find(1) == ("", None)


def test_a_command_line_is_read_once_while_its_process_lives(proc: Path, living: set[int]) -> None:
    put(proc, 5, b"python3\0a.py\0")
    living.add(5)
    found = Processes(proc)
    found.learn({5: 1})
    put(proc, 5, b"other\0")
    found.learn({5: 2})
    assert found.find(5) == ("python3 a.py", False)


def test_a_process_that_has_ended_stays_so_until_another_one_allocates_under_its_number(
    proc: Path, living: set[int]
) -> None:
    put(proc, 5, b"first\0")
    living.add(5)
    found = Processes(proc)
    found.learn({5: 1})
    living.remove(5)
    found.learn({5: 2})  # what it allocated before it ended
    assert found.find(5) == ("first", True)
    found.learn({5: 3})  # and this
    assert found.find(5) == ("first", True)
    put(proc, 5, b"second\0", b"5678")
    living.add(5)
    found.learn({5: 3})
    assert found.find(5) == ("first", True)
    found.learn({5: 4})
    assert found.find(5) == ("second", False)


@pytest.mark.parametrize(("allocs", "expected"), [(1, ("first", True)), (2, ("second", False))])
def test_a_number_that_is_used_again_between_two_readings_is_known_by_its_start(
    proc: Path, living: set[int], allocs: int, expected: tuple[str, bool]
) -> None:
    put(proc, 5, b"first\0")
    living.add(5)
    found = Processes(proc)
    found.learn({5: 1})
    put(proc, 5, b"second\0", b"5678")
    found.learn({5: allocs})
    assert found.find(5) == expected


@pytest.mark.parametrize("allocs", [1, 2])
def test_a_process_that_its_parent_has_not_waited_for_has_ended(proc: Path, living: set[int], allocs: int) -> None:
    put(proc, 5, b"first\0")
    living.add(5)
    found = Processes(proc)
    found.learn({5: 1})
    put(proc, 5, b"", state=b"Z")
    for _ in range(2):
        found.learn({5: allocs})
        assert found.find(5) == ("first", True)


def test_of_many_processes_those_that_allocate_most_are_read_first_and_all_in_the_end(
    proc: Path, living: set[int]
) -> None:
    most = 2 * processes.READS + 10
    for pid in range(1, most + 1):
        put(proc, pid, b"%d\0" % pid)
    living |= set(range(1, most + 1))
    found = Processes(proc)
    known = []
    for _ in range(3):
        found.learn({pid: pid for pid in living})
        known.append({pid for pid in living if found.find(pid)[1] is not None})
    assert known[0] == set(range(most - processes.READS + 1, most + 1))
    assert [len(each) for each in known] == [processes.READS, 2 * processes.READS, most]


def test_every_process_is_checked_in_the_end(proc: Path, living: set[int]) -> None:
    most = 3 * processes.CHECKS
    found = Processes(proc)
    for pid in range(1, most + 1):
        put(proc, pid, b"first\0")
    living |= set(range(1, most + 1))
    found.learn(dict.fromkeys(living, 1))
    for pid in range(1, most + 1):
        put(proc, pid, b"second\0", b"5678")
    for _ in range(3):
        found.learn(dict.fromkeys(living, 1))
    assert all(found.find(pid) == ("first", True) for pid in living)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"", ""),
        (b"nginx: worker process\0\0\0", "nginx: worker process"),
        (b"a\0\0b\0", "a  b"),
        (b"\x1b]0;\x07\0\xff\0", r"\x1b]0;\x07 \xff"),
        (b"x" * 200, "x" * 200),
        (b"x" * 201, "x" * 200 + "..."),
        ("ä".encode() * 200, "ä" * 100 + "..."),
        (b"x" + "ä".encode() * 200, "x" + "ä" * 99 + "..."),
    ],
)
def test_a_command_line_is_harmless_and_not_long(proc: Path, living: set[int], raw: bytes, shown: str) -> None:
    put(proc, 5, raw)
    living.add(5)
    found = Processes(proc)
    found.learn({5: 1})
    assert found.find(5) == (shown, False)


def test_a_procfs_of_another_namespace_is_not_read(proc: Path, living: set[int]) -> None:
    (proc / "self").unlink()
    (proc / "self").symlink_to(str(os.getpid() + 1))
    put(proc, 5, b"another\0")
    (proc / "5" / "comm").write_text("another\n")
    living.add(5)
    found = Processes(proc)
    found.learn({5: 1})
    assert found.find(5) == ("", False)
    assert read_name(5, proc) == ""


def test_a_process_without_files_is_not_taken_for_another(proc: Path, living: set[int]) -> None:
    """As with hidepid= of procfs."""
    living.add(5)
    found = Processes(proc)
    for allocs in (1, 2):
        found.learn({5: allocs})
        assert found.find(5) == ("", False)


def test_the_process_of_another_user_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert processes.exists(1)
