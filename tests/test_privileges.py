"""slabtui runs with the few capabilities that it says it needs, and gives up all others."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from slabtui.kernel.capabilities import COUNTING, SCREEN, Capability
from tests.interpreters import interpreter, naming
from tests.terminal import Terminal
from tests.unprivileged import OTHER_USER, reachable

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
        entries = json.loads(process.stdout.read())["detail"]["entries"]
    assert entries
    assert any(entry["frames"][0].startswith("getname_flags") for entry in entries)


def test_it_says_why_callers_have_no_names() -> None:
    without = with_only(*(COUNTING - {Capability.SYSLOG}))
    command = [*without, *SCRIPT, "--callers", "names_cache", "--output", "json", "0.5", "2"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert "no names of functions (no CAP_SYSLOG): run it as root" in json.loads(found.stdout.splitlines()[-1])["notes"]
    assert found.stderr.count("no names of functions") == 1


def test_without_leave_to_read_slabinfo_it_counts_and_says_what_is_missing() -> None:
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
        terminal.wait_for(lambda: "STACK" in terminal.text and "%" in terminal.lines[5])
        terminal.type("q")
        assert terminal.wait_for_exit() == 0
    assert has <= set(SCREEN)
