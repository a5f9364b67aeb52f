"""Checks that the Python and bcc of an old release work as the child process of the Python that runs this program."""

import platform
import shlex
import sys
from pathlib import Path

from tests.tools.distros import steps
from tests.tools.distros.results import Child
from tests.tools.distros.root import Root
from tests.tools.distros.steps import StepError
from tests.tools.kernels.results import live_tests

_BCC = "python3-bpfcc"
_TESTS = "tests/live/test_counting.py"
_INSTALL, _RUN, _TEST = 600, 60, 600  # seconds
_TESTS_FAILED = 1  # exit status of pytest


def test(root: Root, checkout: Path, run: Path, logs: Path) -> Child:
    """Install bcc in the root, then run slabtui and its live tests here, with the root's Python as the child.

    `SLABTUI_PYTHON` names a script that starts the Python of the root by its own loader and libraries, ld.so(8).
    It does not enter the root, because slabtui drops CAP_SYS_CHROOT before it starts the child.

    Raises:
        StepError: bcc cannot be installed, slabtui does not start with it, or used another Python.
    """
    for command in (("update", "-qq"), ("install", "-qq", "-y", "--no-install-recommends", _BCC)):
        apt = root.command("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *command)
        steps.run(apt, logs / "child-install.log", seconds=_INSTALL)
    script, used = run / "python", run / "used"
    script.write_text(f'#!/bin/sh\ntouch {shlex.quote(str(used))}\nexec {shlex.join(_python(root))} "$@"\n')
    script.chmod(0o755)
    junit = run / "child.xml"
    settings = {"SLABTUI_PYTHON": str(script), "SLABTUI_LIVE": "required"}
    python = ["env", "-C", str(checkout), *(f"{name}={value}" for name, value in settings.items()), sys.executable]
    steps.run([*python, "-m", "slabtui", "-C", "1", "2"], logs / "child.log", seconds=_RUN)
    if not used.exists():
        raise StepError("slabtui did not start the Python that SLABTUI_PYTHON names")
    tests = [*python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={junit}", _TESTS]
    steps.run(tests, logs / "child-test.log", seconds=_TEST, statuses=(0, _TESTS_FAILED))
    return Child(platform.python_version(), live_tests(junit.read_text()))


def _python(root: Root) -> list[str]:
    """Return the command that starts the root's Python from outside."""
    (loader,) = root.file("/lib").glob("*-linux-gnu/ld-[0-9]*.so")
    libraries = (loader.parent, root.file("/usr/lib") / loader.parent.name)
    return [str(loader), "--library-path", ":".join(map(str, libraries)), str(root.file("/usr/bin/python3"))]
