"""Which interpreters are tried for bcc, and in which order."""

import sys
from pathlib import Path

import pytest

from slabtui.kernel.bpf import interpreters


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """A directory with a distribution's interpreters: the first is a link to one of them, as usual."""
    for name in ("python3.9", "python3.11", "python3.11-config", "python3-config", "python3.x"):
        (tmp_path / name).touch()
    (tmp_path / "python3").symlink_to("python3.9")
    return tmp_path


def test_the_one_that_is_named_is_the_only_one(system: Path) -> None:
    assert interpreters.candidates({"SLABTUI_PYTHON": "/opt/python"}, system) == ("/opt/python",)


def test_each_of_the_systems_is_tried_once_the_default_first_and_ours_last(system: Path) -> None:
    platform = system / "platform-python"
    platform.touch()
    found = interpreters.candidates({}, system, platform)
    assert found == (str(system / "python3"), str(system / "python3.11"), str(platform), sys.executable)


def test_an_empty_setting_names_none(system: Path) -> None:
    assert len(interpreters.candidates({"SLABTUI_PYTHON": ""}, system, system / "none")) == 3


def test_without_any_of_the_systems_ours_is_left(tmp_path: Path) -> None:
    assert interpreters.candidates({}, tmp_path / "none", tmp_path / "none") == (sys.executable,)


@pytest.mark.parametrize(
    ("manager", "command"),
    [("dnf", "dnf install python3-bcc"), ("pacman", "pacman -S python-bcc"), (None, "apt-get install python3-bpfcc")],
)
def test_the_package_is_that_of_the_distribution(
    manager: str | None, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if manager:
        (tmp_path / manager).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert interpreters.installation() == command
