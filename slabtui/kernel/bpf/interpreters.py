"""Which Python interpreters of this system may have bcc, and how to install it where none has."""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

SETTING = "SLABTUI_PYTHON"  # environment variable that names the one interpreter to use

_SYSTEM = Path("/usr/bin")
_PLATFORM = Path("/usr/libexec/platform-python")  # of Red Hat's distributions
_INSTALL = {  # package manager -> the command that installs bcc for the distribution's Python
    "apt-get": "apt-get install python3-bpfcc",
    "dnf": "dnf install python3-bcc",
    "pacman": "pacman -S python-bcc",
    "zypper": "zypper install python3-bcc",
}


def candidates(
    environment: Mapping[str, str] = os.environ, system: Path = _SYSTEM, platform: Path = _PLATFORM
) -> tuple[str, ...]:
    """Return the paths of the interpreters to try, in order: each of the system's once, that of slabtui last."""
    if named := environment.get(SETTING):
        return (named,)
    versions = sorted(system.glob("python3.*"), key=_minor_version, reverse=True)
    found: dict[Path, str] = {}
    for path in (system / "python3", *(path for path in versions if _minor_version(path)), platform):
        if path.exists():
            found.setdefault(path.resolve(), str(path))
    own = [sys.executable] if sys.executable and sys.executable not in found.values() else []
    return (*found.values(), *own)


def installation() -> str:
    """Return the command that installs bcc here."""
    manager = next((name for name in _INSTALL if shutil.which(name)), "apt-get")
    return _INSTALL[manager]


def _minor_version(path: Path) -> int:
    """Return N of python3.N, 0 for other files such as python3.11-config."""
    found = re.fullmatch(r"python3\.(\d+)", path.name)
    return int(found[1]) if found else 0
