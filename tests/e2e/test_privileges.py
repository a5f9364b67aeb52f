"""slabtui runs with the few capabilities that it says it needs, and gives up all others."""

import json
import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from slabtui.kernel.capabilities import COUNTING, SCREEN, Capability
from slabtui.recording.reader import read
from tests.support.interpreters import interpreter, naming
from tests.support.terminal import Terminal
from tests.support.unprivileged import OTHER_USER, reachable

pytestmark = pytest.mark.live

SCRIPT = [sys.executable, "-m", "slabtui"]


def with_only(*capabilities: Capability) -> list[str]:
    """Return the command that runs a command as another user with these capabilities and no other."""
    names = ",".join(f"+{capability.name.lower()}" for capability in capabilities)
    return [
        *reachable(),
        "setpriv",
        f"--reuid={OTHER_USER}",
        f"--regid={OTHER_USER}",
        "--clear-groups",
        f"--inh-caps=-all,{names}",
        f"--ambient-caps=-all,{names}",
        f"--bounding-set=-all,{names}",
    ]


def held(pid: int) -> set[int]:
    """Return the numbers of the capabilities that a process has permitted."""
    return numbers(Path(f"/proc/{pid}/status").read_text(), "CapPrm")


def numbers(status: str, kind: str) -> set[int]:
    """Return the numbers of the capabilities in one of the sets of a process."""
    bits = int(next(line.split()[1] for line in status.splitlines() if line.startswith(f"{kind}:")), 16)
    return {number for number in range(64) if bits >> number & 1}


def test_it_counts_with_only_what_it_says_it_needs() -> None:
    command = [*with_only(*COUNTING), *SCRIPT, "--output", "json", "0.5", "1"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (found.returncode, found.stderr) == (0, "")
    snapshot = json.loads(found.stdout)
    assert snapshot["notes"] == []
    assert any(row["live"] is not None for row in snapshot["caches"])


def test_it_names_callers_with_only_what_it_says_it_needs() -> None:
    command = [*with_only(*COUNTING), *SCRIPT, "--callers", "names_cache", "--output", "json", "0.5", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            os.stat("/")
        assert process.stdout
        (found,) = json.loads(process.stdout.read())["inspections"]
    assert found["rows"]
    assert any(row["frames"][0].startswith("getname_flags") for row in found["rows"])


def test_it_says_why_callers_have_no_names() -> None:
    without = with_only(*(COUNTING - {Capability.SYSLOG}))
    command = [*without, *SCRIPT, "--callers", "names_cache", "--output", "json", "0.5", "2"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert "no names of functions (no CAP_SYSLOG): run it as root" in json.loads(found.stdout.splitlines()[-1])["notes"]
    assert found.stderr.count("no names of functions") == 1


def test_without_permission_to_read_slabinfo_it_counts_and_says_what_is_missing() -> None:
    command = [*with_only(Capability.BPF, Capability.PERFMON), *SCRIPT, "--output", "json", "0.5", "1"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert found.returncode == 0
    snapshot = json.loads(found.stdout)
    assert snapshot["notes"] == [
        "live objects unknown: /proc/slabinfo: Permission denied"
    ]  # kmalloc is exact: the bases
    # of the kernel's memory are found without CAP_SYSLOG
    assert {row["live"] for row in snapshot["caches"]} == {None}
    assert sum(row["allocs"] for row in snapshot["caches"]) > 0


def test_a_child_process_gets_no_more_than_what_is_kept(tmp_path: Path) -> None:
    """Root's children would, and those of another user would get nothing."""
    found = tmp_path / "status"
    found.touch()
    found.chmod(0o666)
    tmp_path.chmod(0o755)
    python = interpreter(tmp_path, f"open({str(found)!r}, 'w').write(open('/proc/self/status').read())")
    (tmp_path / "runs").touch()
    (tmp_path / "runs").chmod(0o666)
    for command in ([], with_only(*COUNTING)):
        ended = subprocess.run(
            [*command, *SCRIPT, "-C", "0.1", "1"],
            env={**os.environ, **naming(python)},
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, b"")
        for kind in ("CapPrm", "CapEff"):
            assert numbers(found.read_text(), kind) == set(COUNTING)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Return a directory of another user, into which root may write by CAP_DAC_OVERRIDE only."""
    directory = tmp_path / "foreign"
    directory.mkdir(mode=0o700)
    os.chown(directory, OTHER_USER, OTHER_USER)
    return directory


@pytest.mark.parametrize("front", [["-C"], ["--output", "json"], []])
def test_root_can_record_into_a_directory_of_another_user(foreign: Path, front: list[str]) -> None:
    path = foreign / "night.jsonl.gz"
    with Terminal([*SCRIPT, *front, "--record", str(path), "0.1", "3"], size=(120, 24)) as terminal:
        assert terminal.wait_for_exit() == 0
    assert len(list(read(path))) == 3
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_thread_keeps_what_only_the_creation_of_a_recording_needs(tmp_path: Path) -> None:
    path = tmp_path / "night.jsonl"
    with subprocess.Popen([*SCRIPT, "-C", "--record", str(path), "0.1"], stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and not (path.exists() and path.stat().st_size):
            time.sleep(0.05)
        permitted = []
        for task in Path(f"/proc/{process.pid}/task").iterdir():
            with suppress(OSError):  # the thread has ended
                permitted.append(numbers((task / "status").read_text(), "CapPrm"))
        process.terminate()
    assert len(permitted) >= 4  # the main thread, the collector's, and those that write the output and the recording
    assert all(each == set(COUNTING) for each in permitted)


def test_the_screen_can_export_into_a_directory_of_another_user(foreign: Path) -> None:
    with Terminal([*SCRIPT, "0.1"], size=(120, 24)) as terminal:
        terminal.wait_for(lambda: "allocs/s" in terminal.text)
        terminal.type("e" + "\x7f" * 40 + f"{foreign}/a.csv\r")
        terminal.wait_for((foreign / "a.csv").exists)
        terminal.type("q")
        assert terminal.wait_for_exit() == 0


def test_a_directory_that_cannot_be_written_to_is_reported_with_a_remedy(foreign: Path) -> None:
    path = foreign / "night.jsonl"
    command = [*with_only(*COUNTING - {Capability.DAC_READ_SEARCH}), *SCRIPT, "-C", "--record", str(path), "0.1", "1"]
    os.chown(foreign, 0, 0)
    foreign.chmod(0o755)
    for parent in foreign.parents:
        if parent.is_relative_to("/tmp") and parent != Path("/tmp"):
            parent.chmod(0o755)
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    reported = (
        f"slabtui: cannot record to {path} (Permission denied): name a file in a directory that you can write to\n"
    )
    assert (ended.returncode, ended.stderr) == (2, reported)


def test_what_prints_and_records_keeps_only_what_counting_needs(tmp_path: Path) -> None:
    command = [*SCRIPT, "--output", "json", "--record", str(tmp_path / "a"), "0.5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        status = Path(f"/proc/{process.pid}/status").read_text()
        process.terminate()
    for kind in ("CapPrm", "CapEff", "CapInh", "CapBnd", "CapAmb"):
        assert numbers(status, kind) <= set(COUNTING)


def test_what_prints_keeps_only_what_counting_needs() -> None:
    with subprocess.Popen([*SCRIPT, "--output", "json", "0.5"], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()  # it is past its start
        has = held(process.pid)
        process.terminate()
    assert has <= set(COUNTING)


def test_the_screen_keeps_only_what_its_keys_need() -> None:
    with Terminal([*SCRIPT, "-f", "names_cache"]) as terminal:
        terminal.wait_for(lambda: "allocs/s" in terminal.text)
        has = held(terminal.pid)
        terminal.type("\r2")  # a tab still opens
        terminal.wait_for(
            lambda: "STACK" in terminal.text and bool(re.search(r"^ *[\d.]+% ", terminal.text, re.MULTILINE))
        )
        terminal.type("Q")
        assert terminal.wait_for_exit() == 0
    assert has <= set(SCREEN)
