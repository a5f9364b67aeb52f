"""The tool that records a busy host: what is left of a recording, and what a leak keeps."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from slabtui.analysis.growth import Growth
from slabtui.model.memory import HostMemory
from slabtui.model.snapshot import Snapshot
from slabtui.recording.reader import read
from tests.support import hosts
from tests.tools.busy import slim
from tests.tools.busy.leaks import CACHES


def test_a_slim_recording_has_the_same_judgement(tmp_path: Path) -> None:
    caches = {"filp": hosts.noisy(20, 100), "idle": lambda time: 7, "dentry": hosts.noisy(300, 100)}
    memory = HostMemory(total=8 << 30, unreclaimable=1 << 30)
    given = list(hosts.snapshots(caches, 60, reclaimable=("dentry",), memory=lambda time: memory))
    slim.write(tmp_path / "a.jsonl.zst", given)
    found = list(read(tmp_path / "a.jsonl.zst"))
    assert [one.name for one in found[0].rows] == ["filp", "dentry"]
    assert [(one.time, one.elapsed, one.memory, *(row.live for row in one.rows)) for one in found] == [
        (one.time, one.elapsed, one.memory, one.rows[0].live, one.rows[2].live) for one in given
    ]
    for name in ("filp", "dentry"):
        whole, slimmed = (hosts.find(last(recording), name) for recording in (given, found))
        assert slimmed == whole
        assert slimmed.growth_objects_s


def last(recording: list[Snapshot]) -> Snapshot:
    growth = Growth()
    for one in recording:
        judged = growth.judge(one)
    return judged


@pytest.mark.parametrize("kind", ["eventfd", "socket", "memfd", "pipe"])
def test_a_leak_keeps_so_many_files_per_second(kind: str) -> None:
    assert kind in CACHES
    with subprocess.Popen([sys.executable, "-m", "tests.tools.busy.leaks", kind, "200"]) as process:
        directory = Path(f"/proc/{process.pid}/fd")
        while len(list(directory.iterdir())) < 10:
            assert process.poll() is None
            time.sleep(0.01)
        begin, first = time.monotonic(), len(list(directory.iterdir()))
        time.sleep(0.5)
        seconds, kept = time.monotonic() - begin, len(list(directory.iterdir())) - first
        process.terminate()
    files = 2 if kind == "pipe" else 1
    assert 0 < kept < seconds * 200 * files * 1.5  # fewer on a busy machine


def test_a_leak_of_messages_removes_its_queues() -> None:
    def queues() -> int:
        return len(Path("/proc/sysvipc/msg").read_text().splitlines()) - 1

    before = queues()
    with subprocess.Popen([sys.executable, "-m", "tests.tools.busy.leaks", "message", "500"]) as process:
        while queues() < before + 2:
            assert process.poll() is None
            time.sleep(0.01)
        process.terminate()
    assert process.returncode == 0
    assert queues() == before
