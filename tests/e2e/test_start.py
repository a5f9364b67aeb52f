"""A signal at any moment after the start ends the program without a traceback, even during an import."""

import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests import ROOT

MOMENTS = [number * 0.02 for number in range(15)]  # seconds, in which everything is imported
DEMO = ["--demo", "--output", "json"]


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The console script as pip writes it."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        module, _, function = tomllib.load(file)["project"]["scripts"]["slabtui"].partition(":")
    path = tmp_path_factory.mktemp("bin") / "slabtui"
    path.write_text(
        f"import sys\nfrom {module} import {function}\nif __name__ == '__main__':\n    sys.exit({function}())\n"
    )
    return path


@pytest.fixture(scope="session")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """slabtui.pyz without the packages that slabtui imports."""
    path = tmp_path_factory.mktemp("pyz") / "slabtui.pyz"
    with ZipFile(path, "w") as archive:
        for file in (ROOT / "slabtui").rglob("*"):
            if "__pycache__" not in file.parts:
                archive.write(file, file.relative_to(ROOT))
        archive.write(ROOT / "slabtui" / "__main__.py", "__main__.py")
    return path


@pytest.fixture(params=["module", "script", "pyz"])
def command(request: pytest.FixtureRequest) -> list[str]:
    if request.param == "module":
        return [sys.executable, "-m", "slabtui"]
    return [sys.executable, str(request.getfixturevalue(request.param))]


def catches(pid: int, number: int) -> bool:
    """Return whether a process has a handler for a signal (proc_pid_status(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    return bool(int(re.search(r"SigCgt:\t(\w+)", status)[1], 16) & 1 << (number - 1))  # type: ignore[index]


def wait_for_first_line(process: "subprocess.Popen[str]") -> None:
    """Wait until slabtui has begun: before that, the interpreter decides what SIGINT does."""
    while not catches(process.pid, signal.SIGINT):  # Python's own handler is not set yet
        assert process.poll() is None
    end = time.monotonic() + 20
    while catches(process.pid, signal.SIGINT) and not catches(process.pid, signal.SIGALRM):
        assert time.monotonic() < end, "it never begins"


def end(command: Sequence[str], number: int, after: float) -> tuple[int, str]:
    """Start a program, send it a signal some time after its first line, and return its status and its output."""
    with subprocess.Popen(
        ["env", "--default-signal=INT,HUP", *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_for_first_line(process)
        time.sleep(after)
        process.send_signal(number)
        assert process.stderr
        said = process.stderr.read()
    return process.returncode, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_any_moment_ends_it_without_a_traceback(number: signal.Signals, command: list[str]) -> None:
    ended = [end([*command, *DEMO], number, moment) for moment in MOMENTS]
    assert [said for _, said in ended if said] == []
    assert {status for status, _ in ended} <= {-number, 128 + number, 0}


@pytest.mark.live
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_moment_of_a_live_start_ends_it(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "slabtui", "-C", "0.1"]
    ended = [end(command, number, moment * 3) for moment in MOMENTS]
    assert [said for _, said in ended if said] == []
    assert {status for status, _ in ended} <= {-number, 128 + number} | ({0} if number == signal.SIGINT else set())
