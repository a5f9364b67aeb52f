"""Control groups of the unified hierarchy: the path that belongs to an id, the directory that belongs to a path."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from slabtui.errors import SlabtuiError, Status
from slabtui.text import printable

MOUNTINFO = Path("/proc/self/mountinfo")
NAMESPACE = Path("/proc/self/ns/cgroup")

_FIRST_NAMESPACE = 0xEFFFFFFB  # PROC_CGROUP_INIT_INO, include/linux/proc_ns.h

_LONGEST, _BEGINNING = 30, 10  # characters of a path in a note, which then fits a screen of 80 columns
_REFUSED = "control group gone: another directory is at {}"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def hierarchy(mountinfo: Path = MOUNTINFO) -> Path | None:
    """Return where the unified hierarchy is mounted; proc_pid_mountinfo(5)."""
    mount = _find_mount(mountinfo)
    return Path(mount[4].replace(r"\040", " ")) if mount else None


def shows_all(mountinfo: Path = MOUNTINFO, namespace: Path = NAMESPACE) -> bool:
    """Return whether the mounted hierarchy has every group: not so in a container with a cgroup namespace or a part."""
    mount = _find_mount(mountinfo)
    try:
        first = namespace.stat().st_ino == _FIRST_NAMESPACE
    except OSError:
        return False
    return first and mount is not None and mount[3] == "/"


def _find_mount(mountinfo: Path) -> list[str] | None:
    """Return the fields of the mount of the unified hierarchy: the fourth is its root, the fifth the mount point."""
    try:
        lines = mountinfo.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    for line in lines:
        mount, _, kind = line.partition(" - ")
        if kind.startswith("cgroup2 "):
            return mount.split(" ")
    return None


class Group:
    """One control group, found again by its path if it is removed and created again, as when a container restarts.

    Args:
        path: its directory, or its path as in /proc/PID/cgroup.

    Attributes:
        descriptor: of its directory. The number stays the same for all that come under that path.
        directory: where that is.
        path: as in /proc/PID/cgroup if it is in the unified hierarchy, else its directory; harmless to print.

    Raises:
        SlabtuiError: there is none.
    """

    def __init__(self, path: Path) -> None:
        self._name = _shorten(printable(os.fsencode(path)))
        self.descriptor, self.directory = _open(path)
        self.path = printable(os.fsencode(_within_hierarchy(self.directory)))
        self._refused = False  # what has taken the place of the group is no control group
        self._trouble = ""
        self._returned = False

    @property
    def notes(self) -> tuple[str, ...]:
        """Whether the group is gone, or was for some time, in words for the user."""
        if self._trouble:
            return (self._trouble.format(self._name),)
        returned = f"control group created again: {self._name}; its first allocations may be missing"
        return (returned,) if self._returned else ()

    def follow(self) -> bool:
        """Return whether another group has taken the place of this one; the descriptor then refers to the new group.

        The inode of a group's directory is its id, which the kernel uses once: kernfs_new_node() in fs/kernfs/dir.c.
        """
        try:
            found = os.stat(self.directory)
            if os.path.samestat(found, os.fstat(self.descriptor)):
                self._trouble = _REFUSED if self._refused else ""
                return False
            descriptor = os.open(self.directory, _DIRECTORY)
        except OSError as error:
            gone = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENODEV)
            self._trouble = "control group gone: {}" if gone else f"control group lost: {{}} ({error.strerror})"
            return False
        os.dup2(descriptor, self.descriptor, inheritable=False)
        os.close(descriptor)
        self._trouble = ""
        self._refused = False
        self._returned = True
        return True

    def refuse(self) -> None:
        """Note that what has taken the place of the group is no control group."""
        self._refused = True
        self._trouble = _REFUSED

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.descriptor)


def _shorten(path: str) -> str:
    """Leave out the middle of a long path: containers differ in its end."""
    return path if len(path) <= _LONGEST else f"{path[:_BEGINNING]}...{path[_BEGINNING + 3 - _LONGEST :]}"


def _open(path: Path) -> tuple[int, Path]:
    """Return a descriptor of a group's directory, and where that is.

    Raises:
        SlabtuiError: there is none.
    """
    root = hierarchy()
    below = [root / str(path).lstrip("/")] if root else []
    for directory in (*below, path.absolute()):
        try:
            return os.open(directory, _DIRECTORY), directory
        except (OSError, ValueError):
            continue
    raise SlabtuiError(f"no control group {path}", "see systemd-cgls, or cat /proc/PID/cgroup", Status.USAGE)


def _within_hierarchy(directory: Path) -> Path:
    """Return the path of a group as in /proc/PID/cgroup; the directory itself if it is somewhere else."""
    root = hierarchy()
    if root is None or not directory.is_relative_to(root):
        return directory
    return Path("/", directory.relative_to(root))


class Groups:
    """The paths of the control groups, by the id that the kernel gives them: the inode of their directory.

    Args:
        root: where the unified hierarchy is mounted, None: nowhere.
    """

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._directories: dict[int, str] = {}  # of those that have been found
        self._found: dict[int, tuple[str, bool | None]] = {}

    def learn(self, ids: set[int]) -> None:
        """Search for the groups of unknown ids, once for each id, and find out which of the others are removed.

        An id is used once: kernfs_new_node() in fs/kernfs/dir.c. To ask for one group takes a microsecond.
        """
        unknown = ids - self._found.keys()
        if unknown and self._root:
            for number, directory in _list_directories(self._root):
                self._directories[number] = directory
                self._found[number] = _name(directory, self._root), False
        if left := unknown - self._found.keys():
            gone = True if self._root and shows_all() else None
            self._found.update(dict.fromkeys(left, ("", gone)))
        for number in ids & self._directories.keys():
            if not _is_there(self._directories[number], number):
                del self._directories[number]
                self._found[number] = self._found[number][0], True

    def find(self, number: int) -> tuple[str, bool | None]:
        """Return the path as in /proc/PID/cgroup, harmless to print, and whether the group has been removed.

        The path is empty where it is not known, as of a group that was removed before it was asked for.
        """
        return self._found.get(number, ("", None))


def _list_directories(root: Path) -> Iterator[tuple[int, str]]:
    for directory, _, _ in os.walk(root):
        try:
            yield os.stat(directory).st_ino, directory
        except OSError:
            continue  # it has been removed


def _name(directory: str, root: Path) -> str:
    below = os.path.relpath(directory, root)
    return printable(os.fsencode("/" if below == "." else f"/{below}"))


def _is_there(directory: str, number: int) -> bool:
    try:
        return os.stat(directory).st_ino == number
    except OSError:
        return False
