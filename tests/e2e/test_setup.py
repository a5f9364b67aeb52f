"""The set-up: it replaces an environment that no longer works, and reports an error in one line."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import ROOT

WORK = shutil.ignore_patterns(".git", ".venv", "dist", "build", "__pycache__", ".*_cache", ".hypothesis")
SYSTEM = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
# Port 9 refuses, and neither pip's settings nor its cache offer another way.
NO_PYPI = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_NO_CACHE_DIR": "1",
}
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def set_up(
    where: Path, *prefix: str, level: str = "demo", umask: int = 0o022, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Do what make does before each of its targets, with the Pythons of the distribution."""
    return subprocess.run(
        [*prefix, "make", "-s", f".venv/.{level}"],
        cwd=where,
        env=os.environ | SYSTEM | variables,
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )


def copied() -> Path:
    """Return a copy of the project that other users may enter."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    return Path(shutil.copytree(ROOT, directory / "slabtui", ignore=WORK))


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A copy with an environment; each test leaves it in working order."""
    where = copied()
    first = set_up(where, umask=0o077)
    assert first.returncode == 0, first.stderr
    assert "setup: making .venv with /usr/bin/python3 (" in first.stdout
    assert "it does not exist" in first.stdout
    assert "setup: installing slabtui and what it imports, from PyPI" in first.stdout
    yield where
    shutil.rmtree(where.parent)


def lose_interpreter(where: Path) -> Path:
    for link in (where / ".venv" / "bin").glob("python*"):
        link.unlink()
        link.symlink_to("/usr/bin/python3.0")
    return where


def upgrade(where: Path) -> Path:
    """Leave an environment of another version, as an upgrade of the distribution does."""
    stamp = where / ".venv" / ".demo"
    stamp.write_text(f"{stamp.read_text().split()[0]} 3.9\n")
    return where


def move(where: Path) -> Path:
    """Move the project away, and back when the test has ended."""
    moved = where.with_name("elsewhere")
    where.rename(moved)
    return moved


def close(where: Path) -> Path:
    (where / ".venv").chmod(0o700)
    return where


def interrupt(where: Path) -> Path:
    (where / ".venv" / ".demo").unlink()
    shutil.rmtree(next((where / ".venv").glob("lib/python3*/site-packages/urwid")))
    return where


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lose_interpreter, "the Python of the existing one is gone"),
        (upgrade, "the existing one was made for"),
        (move, "the existing one was made for"),
        (close, "other users cannot read the existing one"),
        (interrupt, "the existing one is incomplete"),
    ],
)
def test_an_environment_that_does_not_work_is_replaced(made: Path, damage: Callable[[Path], Path], why: str) -> None:
    where = damage(made)
    try:
        again = set_up(where, umask=0o077)
        assert again.returncode == 0, again.stderr
        assert why in again.stdout
        program = f"{where}/.venv/bin/slabtui"
        shown = subprocess.run([*AS_NOBODY, program, "-V"], capture_output=True, text=True, check=True)
        assert shown.stdout.startswith("slabtui ")
    finally:
        if where != made:
            where.rename(made)


def test_an_environment_that_works_is_left_alone_and_needs_no_network(made: Path) -> None:
    set_up(made)
    again = set_up(made, **NO_PYPI)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_another_users_environment_that_cannot_be_read_is_one_line(made: Path) -> None:
    set_up(made)
    close(made)
    refused = set_up(made, *AS_NOBODY)
    (made / ".venv").chmod(0o755)
    assert refused.returncode != 0
    assert f"setup: {made}/.venv is another user's: sudo rm -rf {made}/.venv\n" in refused.stderr


def test_a_pypi_that_cannot_be_reached_is_one_line_and_a_broken_python3_is_passed_over() -> None:
    where = copied()
    try:
        broken = where / "bin" / "python3"
        broken.parent.mkdir()
        broken.write_text("#!/bin/sh\nexit 1\n")
        broken.chmod(0o755)
        refused = set_up(where, PATH=f"{broken.parent}:{SYSTEM['PATH']}", **NO_PYPI)
    finally:
        shutil.rmtree(where.parent)
    assert refused.returncode != 0
    assert "setup: making .venv with /usr/bin/python3" in refused.stdout
    line, *others = refused.stderr.splitlines()
    assert line.startswith("setup: PyPI cannot be reached: name a mirror in PIP_INDEX_URL, or build slabtui.pyz")
    assert all(re.match(r"make(\[\d+\])?: ", line) for line in others)


def test_a_complete_set_up_says_which_python_has_bcc(made: Path) -> None:
    set_up(made)
    done = set_up(made, level="setup")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("setup: bcc found in /usr/")


def test_a_python_for_bcc_can_be_named(made: Path) -> None:
    set_up(made)
    (made / ".venv" / ".setup").unlink(missing_ok=True)
    done = set_up(made, level="setup", SLABTUI_PYTHON="/usr/bin/../bin/python3")
    assert "setup: bcc found in /usr/bin/../bin/python3" in done.stdout
