"""The kernel's file systems that slabtui reads: checks that /proc and /sys are mounted completely."""

from pathlib import Path

from slabtui.errors import SlabtuiError
from slabtui.kernel.procfs.cpus import possible_cpus

_MOUNTS = {  # what each has wherever it is mounted -> the command that mounts it
    Path("/proc/self"): "mount -t proc proc /proc",
    Path("/sys/kernel"): "mount -t sysfs sysfs /sys",
}


def demand() -> None:
    """Check that both are mounted, with the directory of the CPUs, which no map can be read without.

    Raises:
        SlabtuiError: one is not.
    """
    for path, command in _MOUNTS.items():
        if not path.is_dir():
            raise SlabtuiError(f"{path.parent} is not mounted", command)
    possible_cpus()
