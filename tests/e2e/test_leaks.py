"""A process that leaks files is found by --leaks, by its name and its stack, and no other process is blamed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from slabtui.errors import Status
from tests.support.keeper import Keeper, keeping
from tests.tools.busy import loads

SLABTUI = (sys.executable, "-m", "slabtui", "--leaks")
RATE = 500  # files per second: much more than the LIVE of a busy machine varies in so short a run
SLOWER = 50  # the same in a longer run
EVENTFD = {"do_eventfd", "__x64_sys_eventfd2", "__do_sys_eventfd2", "__arm64_sys_eventfd2"}
SECONDS = 10
FILES = {"filp", "lsm_file_cache", "kmalloc-64", "kmalloc-cg-64"}  # each file of an eventfd has an object of three


def leaks(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*SLABTUI, *arguments], capture_output=True, text=True, check=False)


@contextmanager
def opening(keeper: Keeper) -> Iterator[None]:
    """Let a process open and close files during this block."""
    ending = threading.Event()

    def run() -> None:
        while not ending.wait(0.1):
            keeper.do("open", 1000)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def blamed(report: dict[str, Any]) -> dict[int, set[str]]:
    """Return the functions of the stacks with which each process keeps objects of a leak."""
    found: dict[int, set[str]] = {}
    for leak in report["leaks"]:
        for keeper in leak["keepers"]:
            for process in keeper["processes"]:
                found.setdefault(process["pid"], set()).update(keeper["frames"])
    return found


@pytest.mark.live
def test_a_process_that_leaks_files_is_named_with_its_stack_beside_one_that_closes_them(tmp_path: Path) -> None:
    """As JSON, and as text from the recording: what grows is the same."""
    record = tmp_path / "leaks.jsonl.gz"
    with keeping() as keeper, keeping() as busy, opening(busy):
        keeper.do("rate", RATE)
        ended = leaks(str(SECONDS), "--output", "json", "--record", str(record))
    print(ended.stdout, ended.stderr)
    assert ended.returncode == Status.GROWS
    report = json.loads(ended.stdout)
    assert report["elapsed_s"] == pytest.approx(SECONDS, abs=1)
    assert FILES & {cache["name"] for leak in report["leaks"] for cache in leak["caches"]}
    assert EVENTFD & blamed(report)[keeper.pid]
    assert busy.pid not in blamed(report)
    page = leaks(str(SECONDS), "--replay", str(record))
    assert (page.returncode, page.stderr) == (Status.GROWS, "")
    for part in ("do_eventfd", "tests.support.keeper", "objects/s", "Memory is full in"):
        assert part in page.stdout
    assert max(map(len, page.stdout.splitlines())) <= 80


@pytest.mark.live
@pytest.mark.parametrize("after", [0.2, 0.7, 2.0])
def test_an_interrupt_before_anything_is_known_does_not_say_that_nothing_grows(after: float) -> None:
    """It comes before Python handles SIGINT, before anything is counted, or in the run."""
    with subprocess.Popen([*SLABTUI, "60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert out == ""
    if process.returncode == Status.FAILED:
        assert err == "slabtui: no growth is known yet: let --leaks run for 40 s at least\n"
    else:
        assert process.returncode in (128 + signal.SIGINT, -signal.SIGINT)


@pytest.mark.slow
def test_nothing_grows_in_a_recording_of_a_host_where_nothing_does(tmp_path: Path) -> None:
    quiet = Path(__file__).parents[1] / "fixtures" / "busy-none-0.jsonl.zst"
    ended = leaks("--replay", str(quiet))
    assert (ended.returncode, ended.stderr) == (Status.OK, "")
    assert "Nothing grows as a leak does." in ended.stdout


def test_a_recording_without_what_is_held_names_the_caches_and_the_command_that_tracks_them() -> None:
    leaky = Path(__file__).parents[1] / "fixtures" / "busy-eventfd-50.jsonl.zst"
    ended = leaks("--replay", str(leaky))
    assert (ended.returncode, ended.stderr) == (Status.GROWS, "")
    assert "CACHE     filp" in ended.stdout
    assert "nothing was tracked. slabtui --held filp tracks it." in " ".join(ended.stdout.split())


def test_a_recording_that_is_too_short_is_refused_in_one_line(tmp_path: Path) -> None:
    short = tmp_path / "short.jsonl"
    lines = subprocess.run(
        [sys.executable, "-m", "slabtui", "--demo", "--output", "json", "-n", "20", "--all"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    short.write_text(lines)
    ended = leaks("--replay", str(short))
    assert (ended.returncode, ended.stdout) == (Status.FAILED, "")
    assert "name its length, as in --leaks 20" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.live
@pytest.mark.slow
def test_a_busy_host_without_a_leak_has_none_and_with_one_has_that() -> None:
    """A search of the disk, a compiler, TCP connections and short processes run meanwhile."""
    with loads.running(240), keeping() as keeper:
        time.sleep(20)
        before = leaks("60", "--output", "json")
        keeper.do("rate", SLOWER)
        after = leaks("60", "--output", "json")
    assert (before.returncode, json.loads(before.stdout)["leaks"]) == (Status.OK, [])
    assert after.returncode == Status.GROWS
    assert EVENTFD & blamed(json.loads(after.stdout))[keeper.pid]
    assert os.getpid() not in blamed(json.loads(after.stdout))
