"""Follows the README as a new user does: clones the project, runs the two commands, checks the table."""

import re
import subprocess
import time
from pathlib import Path

from tests.e2e.test_terminal import NAMED_ROW, restored
from tests.support.terminal import Terminal
from tests.tools.distros import steps
from tests.tools.distros.results import Start
from tests.tools.distros.root import HOME, USER, Root
from tests.tools.distros.steps import StepError
from tests.tools.kernels import debian
from tests.tools.kernels.results import LiveTests, live_tests

CHECKOUT = HOME / "slabtui"

_JUNIT = Path("/var/tmp/tests.xml")
_SET_UP, _TEST = 600, 1500  # seconds
_MAKE_FAILED = 2


def clone(root: Root, checkout: Path) -> None:
    """Clone this checkout into the user's home directory.

    Raises:
        SlabtuiError: it is not a git repository.
    """
    command = ("git", "-c", "advice.detachedHead=false", "clone", "-q", checkout, root.file(CHECKOUT))
    debian.run(*command, remedy="run it in a clone of the project")
    debian.run(*root.command("chown", "-R", f"{USER}:", str(CHECKOUT)))


def start(root: Root, logs: Path) -> Start:
    """Start the table twice, and leave it.

    Raises:
        StepError: there was no table, it did not change, or slabtui did not end as expected.
    """
    first, again = (_first_table(root, logs / name) for name in ("run.log", "run-again.log"))
    return Start(first, again)


def test(root: Root, logs: Path) -> LiveTests:
    """Run `sudo make test`, where live tests are required.

    Raises:
        StepError: it left no result, or failed although no test did.
    """
    settings = ("SLABTUI_LIVE=required", f"PYTEST_ADDOPTS=--junitxml={_JUNIT}")
    command = root.command("sudo", *settings, "make", "test", user=USER, directory=CHECKOUT)
    junit = root.file(_JUNIT)
    try:
        steps.run(command, logs / "test.log", seconds=_TEST)
    except StepError:
        tests = live_tests(junit.read_text()) if junit.exists() else None
        if tests is None or not tests.failed:  # the set-up, lint or pytest itself failed
            raise
        return tests
    return live_tests(junit.read_text())


def refusal(root: Root, logs: Path) -> str:
    """Return the line with which `sudo make run` refuses a release whose Python is too old.

    Raises:
        StepError: it does not refuse it, prints anything else, or has installed something.
    """
    before = _packages(root)
    command = root.command("sudo", "make", "run", user=USER, directory=CHECKOUT)
    output = steps.run(command, logs / "run.log", seconds=_SET_UP, statuses=(_MAKE_FAILED,))
    if _packages(root) != before or root.file(CHECKOUT / ".venv").exists():
        raise StepError(f"something was installed before it was refused ({steps.last_words(output)})")
    lines = steps.words(output)
    if len(lines) != 1 or "Python 3.11" not in lines[0]:
        raise StepError(f"it is not refused with one line that names Python 3.11 ({steps.last_words(output)})")
    return lines[0]


def versions(root: Root) -> tuple[str, str]:
    """Return the installed versions of Python and bcc; empty if not installed."""
    return _version(root, "python3"), _version(root, "python3-bpfcc")


def quit_table(terminal: Terminal, seconds: float) -> float:
    """Wait for a table with rows and for its next frame, then quit; return the seconds until the table."""
    begin = time.monotonic()
    terminal.wait_for(lambda: bool(NAMED_ROW.search(terminal.text)) or not terminal.running, seconds)
    shown = time.monotonic() - begin
    assert terminal.running, f"it ended with status {terminal.status} before a table was seen"
    first = terminal.text
    terminal.wait_for(lambda: terminal.text != first)
    terminal.type("q")
    status = terminal.wait_for_exit()
    assert status == 0, f"it ended with status {status}"
    assert restored(terminal), "it left the terminal on another screen"
    return shown


def _first_table(root: Root, log: Path) -> float:
    shown = []
    command = root.command("sudo", "make", "run", user=USER, directory=CHECKOUT)
    steps.watch(command, log, lambda terminal: shown.append(quit_table(terminal, _SET_UP)))
    return shown[0]


def _packages(root: Root) -> str:
    command = root.command("dpkg-query", "-W")
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _version(root: Root, package: str) -> str:
    command = root.command("dpkg-query", "-W", "-f", "${Version}", package)
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return re.split(r"[-+]", found)[0]
