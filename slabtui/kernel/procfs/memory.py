"""The memory of the machine: /proc/meminfo, and what it leaves out: zram devices, and free pages that CPUs keep."""

import re
import resource
from collections.abc import Iterable
from pathlib import Path

from slabtui.model.memory import HostMemory
from slabtui.system.files import Repeated

MEMINFO = Path("/proc/meminfo")
BLOCK = Path("/sys/block")
ZONEINFO = Path("/proc/zoneinfo")

_FIELDS = {  # several lines of one field are added up
    b"MemTotal": "total",
    b"MemAvailable": "available",
    b"MemFree": "free",
    b"Slab": "slab",
    b"SReclaimable": "reclaimable",
    b"SUnreclaim": "unreclaimable",
    b"KReclaimable": "kernel_reclaimable",
    b"AnonPages": "anonymous",
    b"Mapped": "mapped",
    b"Shmem": "shared",
    b"Cached": "cached",
    b"Buffers": "buffers",
    b"Active": "listed",
    b"Inactive": "listed",
    b"Unevictable": "listed",
    b"SwapCached": "swap_cached",
    b"Percpu": "percpu",
    b"VmallocUsed": "vmalloc",
    b"KernelStack": "kernel_stacks",
    b"PageTables": "page_tables",
    b"SecPageTables": "secondary_page_tables",
    b"Hugetlb": "hugetlb",
    b"Bounce": "copies",
    b"WritebackTmp": "copies",
    b"GPUActive": "gpu",
    b"GPUReclaim": "gpu",
    b"HardwareCorrupted": "corrupted",
    b"Balloon": "balloon",
    b"Zswap": "zswap",
}
_LINE = re.compile(rb"^(%b):[ \t]*([0-9]+)[ \t]+kB$" % b"|".join(_FIELDS), re.MULTILINE)  # proc_meminfo(5)
_KEPT = re.compile(
    rb"^ +count: +([0-9]+)$", re.MULTILINE
)  # pages in a list of a CPU: mm/vmstat.c, zoneinfo_show_print()
_MEM_USED = 2  # field of mm_stat: mem_used_total, Documentation/admin-guide/blockdev/zram.rst


class MemoryFiles:
    """The files, kept open. A zram device that is created later is not read.

    Args:
        meminfo: the listing.
        block: where block devices are.
        zoneinfo: the zones of the memory.
    """

    def __init__(self, meminfo: Path = MEMINFO, block: Path = BLOCK, zoneinfo: Path = ZONEINFO) -> None:
        self._meminfo = Repeated(meminfo)
        self._zoneinfo = Repeated(zoneinfo)
        self._zram = [Repeated(path) for path in block.glob("zram*/mm_stat")]

    def read(self, *, cpu_free: bool = False) -> HostMemory | None:
        """Return the memory of the machine; None where /proc/meminfo is missing or cannot be read.

        Args:
            cpu_free: whether to read HostMemory.cpu_free, too. /proc/zoneinfo has six lines for each CPU and zone.
        """
        try:
            listing = self._meminfo.read()
        except OSError:
            return None
        zones = _read_rest(self._zoneinfo) if cpu_free else b""
        return parse(listing, [_read_rest(file) for file in self._zram], zones)

    def close(self) -> None:
        """Close the files."""
        for file in (self._meminfo, self._zoneinfo, *self._zram):
            file.close()


def parse(listing: bytes, zram: Iterable[bytes] = (), zones: bytes = b"") -> HostMemory | None:
    """Return the memory that a /proc/meminfo describes; None: nothing of it.

    Args:
        listing: its content.
        zram: the mm_stat of each zram device.
        zones: the content of /proc/zoneinfo; empty: it was not read.
    """
    found: dict[str, int] = {}
    for name, number in _LINE.findall(listing):
        found[_FIELDS[name]] = found.get(_FIELDS[name], 0) + (int(number) << 10)
    used = [int(words[_MEM_USED]) for words in map(bytes.split, zram) if len(words) > _MEM_USED]
    kept = [int(number) * resource.getpagesize() for number in _KEPT.findall(zones)]
    others = {"zram": sum(used) if used else None, "cpu_free": sum(kept) if kept else None}
    return HostMemory(**found, **others) if found else None


def _read_rest(file: Repeated) -> bytes:
    """Return the content of a file that adds to /proc/meminfo; nothing if it is gone, as with its zram device."""
    try:
        return file.read()
    except OSError:
        return b""
