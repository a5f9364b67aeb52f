"""Control groups of the unified hierarchy: the path that belongs to an id, the directory that belongs to a path."""

import os
from collections.abc import Iterator
from pathlib import Path

from slabtui.errors import SlabtuiError, Status
from slabtui.text import printable

MOUNTINFO = Path("/proc/self/mountinfo")


def hierarchy(mountinfo: Path = MOUNTINFO) -> Path | None:
    """Return where the unified hierarchy is mounted; proc_pid_mountinfo(5)."""
    try:
        lines = mountinfo.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    for line in lines:
        mount, _, kind = line.partition(" - ")
        if kind.startswith("cgroup2 "):
            return Path(mount.split(" ")[4].replace(r"\040", " "))
    return None


def open_group(path: Path) -> int:
    """Return a descriptor of a control group's directory.

    Args:
        path: the directory, or the path of the group as in /proc/PID/cgroup.

    Raises:
        SlabtuiError: there is none.
    """
    root = hierarchy()
    below = [root / str(path).lstrip("/")] if root else []
    for directory in (*below, path):
        try:
            return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (OSError, ValueError):
            continue
    raise SlabtuiError(f"no control group {path}", "see systemd-cgls, or cat /proc/PID/cgroup", Status.USAGE)


class Groups:
    """The paths of the control groups, by the id that the kernel gives them: the inode of their directory."""

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._paths: dict[int, str] = {}

    def learn(self, ids: set[int]) -> None:
        """Look once for those that are not known yet; in vain for those that are gone."""
        unknown = ids - self._paths.keys()
        if unknown:
            self._paths.update(dict.fromkeys(unknown, ""))
            self._paths.update(_paths(self._root) if self._root else {})

    def path(self, number: int) -> str:
        """Return the path as in /proc/PID/cgroup, harmless to print; empty where it is not known."""
        return self._paths.get(number, "")


def _paths(root: Path) -> Iterator[tuple[int, str]]:
    for directory, _, _ in os.walk(root):
        try:
            inode = os.stat(directory).st_ino
        except OSError:
            continue  # gone meanwhile
        below = os.path.relpath(directory, root)
        yield inode, printable(os.fsencode("/" if below == "." else f"/{below}"))
