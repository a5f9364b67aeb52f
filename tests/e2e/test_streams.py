"""The exit status and the one line are right where a standard stream is closed, full or hung up.

The interpreter flushes both streams when it ends, unless PYTHONUNBUFFERED is set: each test runs with and without it.
"""

import os
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from tests import ROOT
from tests.support.interpreters import newer_pythons
from tests.support.terminal import Terminal

SLABTUI = f"{sys.executable} -m slabtui"
PYTHONS = [sys.executable, *newer_pythons()]  # from 3.13 on the interpreter ends with 120 if its last flush fails
USAGE, FAILURE, DEMO = "--frobnicate", "--replay /dev/null -C", "--demo -C 1 2"  # an empty file is no recording

pytestmark = pytest.mark.parametrize("buffered", [["env", "-u", "PYTHONUNBUFFERED"], ["env", "PYTHONUNBUFFERED=1"]])


def run(buffered: list[str], script: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*buffered, "bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)


def pipe_without_reader() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", "2>&$BROKEN"])
@pytest.mark.parametrize(("arguments", "status"), [(USAGE, 2), (FAILURE, 1), (DEMO, 0)])
def test_the_status_is_right_where_standard_error_takes_nothing(
    buffered: list[str], redirection: str, arguments: str, status: int
) -> None:
    broken = pipe_without_reader()
    try:
        script = f"BROKEN={broken}; {SLABTUI} {arguments} {redirection}"
        ended = subprocess.run(
            [*buffered, "bash", "-c", script], capture_output=True, timeout=60, check=False, pass_fds=[broken]
        )
    finally:
        os.close(broken)
    assert (ended.returncode, ended.stderr) == (status, b"")


@pytest.mark.parametrize(
    ("arguments", "status"), [(USAGE, 2), (FAILURE, 1), (DEMO, 1), ("--help", 1), ("-V", 1), ("--demo --output csv", 1)]
)
def test_the_status_is_right_where_both_streams_are_full(buffered: list[str], arguments: str, status: int) -> None:
    assert run(buffered, f"{SLABTUI} {arguments} >/dev/full 2>/dev/full").returncode == status


@pytest.mark.parametrize("arguments", [DEMO, "--help", "-V", "--demo --output csv"])
def test_a_full_standard_output_is_one_line(buffered: list[str], arguments: str) -> None:
    ended = run(buffered, f"{SLABTUI} {arguments} >/dev/full")
    remedy = "check the file or the pipe that it is redirected to"
    line = f"slabtui: cannot write to standard output (No space left on device): {remedy}\n"
    assert (ended.returncode, ended.stderr) == (1, line)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("{slabtui} --demo -C 1 2 >&-", 1),
        ("{slabtui} --demo -C 1 2 >&- 2>&-", 1),
        ("{slabtui} --frobnicate 2>&-", 2),
        ("{slabtui} --frobnicate 2>/dev/full", 2),
        ("{slabtui} --demo --output csv 1 2 >/dev/full 2>/dev/full", 1),
        ("{slabtui} --help >/dev/full 2>&-", 1),
        ("{slabtui} --demo -C 1 40 | true; exit ${{PIPESTATUS[0]}}", 128 + signal.SIGPIPE),
        ("{slabtui} --demo -C 1 40 2>&- | head -1; exit ${{PIPESTATUS[0]}}", 128 + signal.SIGPIPE),
    ],
)
def test_the_status_is_the_same_under_every_python(
    buffered: list[str], python: str, script: str, status: int, tmp_path: Path
) -> None:
    """The other interpreters import the packages of this one: those that slabtui needs are pure Python."""
    packages = ":".join([str(ROOT), sysconfig.get_path("purelib")])
    slabtui = f"env PYTHONPATH={packages} PYTHONPYCACHEPREFIX={tmp_path} {python} -m slabtui"
    assert run(buffered, script.format(slabtui=slabtui)).returncode == status


@pytest.mark.parametrize("keys", ["", "p"], ids=["drawing", "paused"])
@pytest.mark.parametrize("ignored", [False, True])
def test_a_screen_whose_terminal_is_gone_ends_with_the_status_of_a_hangup(
    buffered: list[str], ignored: bool, keys: str, tmp_path: Path
) -> None:
    """The kernel signals the leader of the session only, here a shell: reading or drawing fails first.

    Also where the signal is ignored, as under nohup(1).
    """
    status, errors = tmp_path / "status", tmp_path / "errors"
    script = f"trap : HUP; {SLABTUI} --demo 2>{errors}; echo $? >{status}.new; mv {status}.new {status}"
    shell = ["env", "--ignore-signal=HUP"] if ignored else []
    with Terminal([*buffered, *shell, "bash", "-c", script]) as terminal:
        terminal.wait_for(lambda: "names_cache" in terminal.text)
        terminal.type(keys)
        terminal.draw_for(0.3)
        terminal.hang_up()
        terminal.wait_for(status.exists)
    assert int(status.read_text()) == 128 + signal.SIGHUP
    assert errors.read_text() == ""


def test_text_to_a_terminal_that_is_gone_ends_with_the_status_of_a_hangup(buffered: list[str]) -> None:
    with Terminal([*buffered, sys.executable, "-m", "tests.support.faulty", "many", "-C", "0.1"]) as terminal:
        terminal.wait_for(lambda: "cache-1" in terminal.text)
        terminal.hang_up()
        assert terminal.wait_for_exit() == 128 + signal.SIGHUP


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_the_status_where_nothing_can_be_written(buffered: list[str], number: signal.Signals) -> None:
    command = [*buffered, sys.executable, "-m", "tests.support.faulty", "failing", "-C", "0.1"]
    with Path("/dev/full").open("w") as full, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=full) as process:
        assert process.stdout
        process.stdout.readline()
        time.sleep(1)  # some intervals, each with a complaint
        process.send_signal(number)
        process.stdout.read()
    assert process.returncode == 128 + number
