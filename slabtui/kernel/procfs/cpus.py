"""The number of CPUs that the kernel can have: the length of each value of a per-CPU map."""

from pathlib import Path

from slabtui.errors import SlabtuiError

POSSIBLE = Path("/sys/devices/system/cpu/possible")

_MOST = 1 << 16  # CPUs; NR_CPUS is at most 8192, arch/x86/Kconfig in Linux 6.18


def possible_cpus(path: Path = POSSIBLE) -> int:
    """Return how many CPUs the kernel can have: its num_possible_cpus().

    The file lists their numbers, such as 0-3 or 0,2-5: Documentation/admin-guide/cputopology.rst. A CPU that is offline
    counts, and so does one that may be plugged in later.

    Args:
        path: the list.

    Raises:
        SlabtuiError: it cannot be read, or is no such list.
    """
    try:
        return _count(path.read_text())
    except OSError as error:
        why = error.strerror
    except ValueError:
        why = "not a list of CPUs"
    raise SlabtuiError(f"cannot read {path} ({why})", f"umount {path.parent}, or mount -t sysfs sysfs /sys")


def _count(listed: str) -> int:
    """Return how many numbers a list of ranges has.

    Raises:
        ValueError: it is no such list.
    """
    count, end = 0, -1
    for part in listed.strip().split(","):
        first, dash, last = part.partition("-")
        low = int(first)
        high = int(last) if dash else low
        if not end < low <= high < _MOST:
            raise ValueError(part)
        count, end = count + high - low + 1, high
    return count
