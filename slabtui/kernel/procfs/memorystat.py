"""The slab memory of one control group: memory.stat of the unified hierarchy, and why a group has none."""

import os
import re
import shlex
from pathlib import Path

from slabtui.kernel.procfs.cgroups import Group, hierarchy
from slabtui.model.memory import CgroupMemory
from slabtui.text import printable

_FIELDS = {
    b"slab": "slab",
    b"slab_reclaimable": "reclaimable",
    b"slab_unreclaimable": "unreclaimable",
    b"kernel": "kernel",  # since Linux 5.18, commit a8c49af3be5f
}
_LINE = re.compile(rb"^(%b) ([0-9]+)$" % b"|".join(_FIELDS), re.MULTILINE)  # memory.stat in cgroup-v2.rst
_NONE = "no slab figures of the cgroup"  # in a note, which a narrow screen cuts at its colon
_MEMORY = "memory"  # the controller's name


def parse(listing: bytes) -> CgroupMemory | None:
    """Return the memory that a memory.stat describes; None: nothing of it, as in version 1."""
    found = {_FIELDS[name]: int(number) for name, number in _LINE.findall(listing)}
    return CgroupMemory(**found) if found else None


class MemoryStat:
    """Reads memory.stat of a control group, also after another one has taken its place.

    Attributes:
        trouble: why there is none, and what enables it, in words for the user; empty: there is, or the group is gone.
    """

    def __init__(self, group: Group) -> None:
        self._group = group
        self.trouble = ""

    def read(self) -> CgroupMemory | None:
        """Return the memory of the group and those below it; None where the kernel does not say."""
        self.trouble = ""
        try:
            return parse(self._take("memory.stat"))
        except FileNotFoundError:
            self.trouble = self._explain()
        except OSError:
            pass  # the group is gone, which its own notes say
        return None

    def _explain(self) -> str:
        try:
            self._take("cgroup.controllers")
        except OSError:
            return ""
        root = hierarchy()
        if root is None or not _lists(root / "cgroup.controllers"):
            return f"{_NONE}: its memory controller is in cgroup v1, or off"
        above = reversed([one for one in self._group.directory.parents if one.is_relative_to(root)])
        parent = next(
            (one for one in above if not _lists(one / "cgroup.subtree_control")), self._group.directory.parent
        )
        target = shlex.quote(printable(os.fsencode(parent / "cgroup.subtree_control")))
        return f"{_NONE}: echo +memory >{target}"

    def _take(self, name: str) -> bytes:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._group.descriptor)
        with os.fdopen(descriptor, "rb") as file:
            return file.read()


def _lists(file: Path) -> bool:
    """Return whether a file names the memory controller."""
    try:
        return _MEMORY in file.read_text().split()
    except OSError:
        return False
