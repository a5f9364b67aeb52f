"""The interpreters of this machine, and modified ones for the child process (`SLABTUI_PYTHON`)."""

import shutil
import subprocess
import sys
from pathlib import Path

from slabtui.kernel.bpf import interpreters

_SCRIPT = """#!{python} -I
import os, sys
place = {place!r}
with open(place, "a") as runs:
    runs.write("x")
number = os.path.getsize(place)  # of this run, from 1

{code}

_, _, _, boot, socket = sys.argv  # as the interpreter is called: -I -c BOOT SOCKET
sys.argv = ["-c", socket]
exec(boot)
"""


def with_bcc() -> str:
    """Return the path of the interpreter that slabtui tries first: a distribution's own, which has bcc here."""
    return interpreters.candidates({})[0]


def newer_pythons() -> list[str]:
    """Return the interpreters from 3.13 on that this machine has, beside the one that runs this."""
    names = (f"python3.{minor}" for minor in range(13, 30) if (3, minor) != sys.version_info[:2])
    found = filter(None, map(shutil.which, names))
    return [python for python in found if _starts(python)]


def _starts(python: str) -> bool:
    """Return whether an interpreter starts: it may be a wrapper of one that is not there."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def bcc_version() -> str:
    """Return the version of that bcc."""
    command = [with_bcc(), "-c", "import bcc; print(bcc.__version__)"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def interpreter(directory: Path, code: str) -> Path:
    """Write an interpreter that runs some code, in which `number` says how often it has been started, and then goes on.

    The code may change bcc, break the process, or end it.
    """
    path = directory / "python"
    path.write_text(_SCRIPT.format(python=with_bcc(), place=str(directory / "runs"), code=code))
    path.chmod(0o755)
    return path


def naming(path: Path | str) -> dict[str, str]:
    """Return the setting with which slabtui uses this interpreter."""
    return {interpreters.SETTING: str(path)}


def with_package(directory: Path, content: str) -> Path:
    """Write an interpreter whose bcc is a package with this content."""
    (directory / "bcc").mkdir()
    (directory / "bcc" / "__init__.py").write_text(content)
    return interpreter(directory, f"sys.path.insert(0, {str(directory)!r})")
