"""How many CPUs the kernel has room for: a per-CPU map has a value for each of them."""

from pathlib import Path

from slabtui.errors import SlabtuiError

POSSIBLE = Path("/sys/devices/system/cpu/possible")


def possible_cpus(path: Path = POSSIBLE) -> int:
    """Return the number of possible CPUs: num_possible_cpus() in the kernel.

    Args:
        path: ranges such as `0-3,8`; Documentation/admin-guide/cputopology.rst.

    Raises:
        SlabtuiError: it cannot be read.
    """
    try:
        ranges = [part.partition("-") for part in path.read_text().strip().split(",")]
        return sum(int(last or first) - int(first) + 1 for first, _, last in ranges)
    except (OSError, ValueError) as error:
        raise SlabtuiError(f"cannot read {path}", "mount -t sysfs sysfs /sys") from error
