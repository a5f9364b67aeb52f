"""The memory of the machine: /proc/meminfo."""

import re
from pathlib import Path

from slabtui.model.host import HostMemory
from slabtui.system.files import Repeated

MEMINFO = Path("/proc/meminfo")

_FIELDS = {
    b"MemTotal": "total",
    b"MemAvailable": "available",
    b"Slab": "slab",
    b"SReclaimable": "reclaimable",
    b"SUnreclaim": "unreclaimable",
}
_LINE = re.compile(rb"^(%b):[ \t]*([0-9]+)[ \t]+kB$" % b"|".join(_FIELDS), re.MULTILINE)  # proc_meminfo(5)


def parse(listing: bytes) -> HostMemory | None:
    """Return the memory that a /proc/meminfo describes; None: nothing of it."""
    found = {_FIELDS[name]: int(number) << 10 for name, number in _LINE.findall(listing)}
    return HostMemory(**found) if found else None


def read(file: Repeated) -> HostMemory | None:
    """Return the memory of the machine; None where the file is missing or cannot be read."""
    try:
        return parse(file.read())
    except OSError:
        return None
