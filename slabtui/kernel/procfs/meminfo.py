"""The memory of the machine: /proc/meminfo."""

from pathlib import Path

from slabtui.model.host import HostMemory

MEMINFO = Path("/proc/meminfo")

_KIB = b"kB"  # so it is named there; proc_meminfo(5)
_FIELDS = {
    b"MemTotal": "total",
    b"MemAvailable": "available",
    b"Slab": "slab",
    b"SReclaimable": "reclaimable",
    b"SUnreclaim": "unreclaimable",
}


def parse(listing: bytes) -> HostMemory | None:
    """Return the memory that a /proc/meminfo describes; None: nothing of it."""
    found: dict[str, int] = {}
    for line in listing.splitlines():
        name, _, rest = line.partition(b":")
        if name in _FIELDS:
            match rest.split():
                case [number, unit] if number.isdigit() and unit == _KIB:
                    found[_FIELDS[name]] = int(number) << 10
    return HostMemory(**found) if found else None


def read(path: Path = MEMINFO) -> HostMemory | None:
    """Return the memory of the machine; None where the file is missing or cannot be read."""
    try:
        return parse(path.read_bytes())
    except OSError:
        return None
