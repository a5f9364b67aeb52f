"""Which processes are counted: the options of the compiler, and the notes on processes that are missing or end."""

import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from slabtui.errors import SlabtuiError, Status
from slabtui.kernel import scope
from slabtui.kernel.procfs import cgroups
from slabtui.kernel.scope import Scope


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@pytest.fixture
def first_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scope, "_FIRST_PID_NS", Path("/proc/self/ns/pid").stat().st_ino)


@pytest.mark.usefixtures("first_namespace")
def test_all_processes_need_no_option() -> None:
    all_processes = Scope()
    assert all_processes.everything
    assert all_processes.macros() == []
    assert all_processes.notes == ()
    all_processes.close()


@pytest.mark.usefixtures("first_namespace")
def test_processes_are_alternatives_and_each_is_there_once() -> None:
    mine, parent = os.getpid(), os.getppid()
    some = Scope([mine, parent, mine])
    try:
        assert some.macros() == [f"-DPID_IS(pid)=((pid)=={mine}||(pid)=={parent})"]
        assert not some.everything
        assert some.notes == ()
    finally:
        some.close()


@pytest.mark.usefixtures("first_namespace")
def test_a_control_group_is_an_option_without_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "hierarchy", lambda: tmp_path)
    (tmp_path / "a b'$(x)").mkdir()
    group = Scope(cgroup=Path("/a b'$(x)"))
    try:
        assert group.macros() == ["-DCGROUP"]
        assert group.cgroup is not None
        assert os.fstat(group.cgroup).st_ino == (tmp_path / "a b'$(x)").stat().st_ino
        assert not group.everything
    finally:
        group.close()
    both = Scope([os.getpid()], Path("/a b'$(x)"))
    assert both.macros() == ["-DCGROUP", f"-DPID_IS(pid)=((pid)=={os.getpid()})"]
    both.close()


def test_in_a_namespace_of_its_own_the_numbers_are_those_of_that_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path("/proc/self/ns/pid").stat()
    monkeypatch.setattr(scope, "_FIRST_PID_NS", here.st_ino + 1)
    all_processes = Scope()
    assert all_processes.macros() == [f"-DPID_NS_DEV={here.st_dev}", f"-DPID_NS_INO={here.st_ino}"]
    all_processes.close()


def test_a_process_that_is_not_there_is_wrong_usage_and_leaves_nothing_open() -> None:
    before = descriptors()
    with pytest.raises(SlabtuiError, match=r"^no process 4194305: see ps -e$") as raised:
        Scope([os.getpid(), 4194305])
    assert raised.value.status == Status.USAGE
    assert descriptors() == before


def test_a_control_group_that_is_not_there_is_wrong_usage_and_leaves_nothing_open(tmp_path: Path) -> None:
    before = descriptors()
    with pytest.raises(SlabtuiError, match=f"^no control group {re.escape(str(tmp_path))}/none: ") as raised:
        Scope([os.getpid()], tmp_path / "none")
    assert raised.value.status == Status.USAGE
    assert descriptors() == before


def demand_a_note_of_an_end() -> None:
    """Demand a note when one of two processes ends, of that one only, each time."""
    with subprocess.Popen(["sleep", "60"]) as ending:
        both = Scope([os.getpid(), ending.pid])
        assert both.notes == ()
        ending.kill()
        ending.wait()
        assert both.notes == (f"process {ending.pid} has ended",)
        assert both.notes == (f"process {ending.pid} has ended",)
        both.close()


def test_the_end_of_a_process_is_reported_and_of_no_other() -> None:
    demand_a_note_of_an_end()


def test_the_end_of_a_process_is_reported_where_the_caller_has_opened_more_than_select_can_take() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    leaked = [os.open("/dev/null", os.O_RDONLY) for _ in range(1100)]
    try:
        demand_a_note_of_an_end()
    finally:
        for descriptor in leaked:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def words(pids: Sequence[int] = (), cgroup: Path | None = None) -> str:
    some = Scope(pids, cgroup)
    some.close()
    return some.words


def test_the_words_of_a_scope_name_its_process_and_its_control_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "hierarchy", lambda: tmp_path)
    (tmp_path / "a" / "b\x1b[2J").mkdir(parents=True)
    mine, parent, group = os.getpid(), os.getppid(), Path("/a/b\x1b[2J")
    name = Path("/proc/self/comm").read_text().strip()
    assert words() == ""
    assert words([mine, mine]) == f"pid {mine} {name}"
    assert words([mine, parent]) == f"pids {mine}, {parent}"
    for path in (group, tmp_path / "a" / "b\x1b[2J"):
        assert words(cgroup=path) == r"cgroup /a/b\x1b[2J"
    assert words(cgroup=tmp_path) == "cgroup /"
    assert words([mine], group) == rf"pid {mine} {name}, cgroup /a/b\x1b[2J"


def test_a_control_group_outside_the_hierarchy_has_its_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "hierarchy", lambda: None)
    assert words(cgroup=tmp_path) == f"cgroup {tmp_path}"


def test_of_many_processes_the_words_name_some() -> None:
    with ExitStack() as stack:
        pids = [stack.enter_context(subprocess.Popen(["sleep", "60"])).pid for _ in range(10)]
        found = words(pids)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    assert found == f"pids {', '.join(map(str, pids[:8]))} and 2 more"


def test_the_name_of_a_process_is_harmless() -> None:
    rename = "import sys; open('/proc/self/comm', 'wb').write(b'\\x1b[2J\\n'); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-S", "-c", rename]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        assert words([process.pid]) == rf"pid {process.pid} \x1b[2J\x0a"


def test_everything_is_closed_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    before = descriptors()
    some = Scope([os.getpid()], tmp_path)
    assert len(descriptors()) == len(before) + 2
    some.close()
    some.close()
    assert descriptors() == before
    assert some.everything
