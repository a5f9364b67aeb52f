"""The counters of one BPF module, by cache: what table.bpf.h keeps, summed over the CPUs."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from slabtui.kernel.bpf.maps import Hash, PerCpuArray
from slabtui.kernel.bpf.module import BuildContext, Module
from slabtui.text import printable

SLOT_BITS = 12  # 4096 caches; kernels have 150 to 500. 128 KiB per CPU
LOWEST_ADDRESS = 1 << 32
CACHE = struct.Struct("=QQII128s")  # struct cache
_EPOCH = struct.Struct("=QQ")  # its first two members: address and epoch

_SIZE_CLASS_SHIFT = 8
_SLOT_WORDS = 4  # struct slot
_NAMED, _ADDRESSED = 2, 3  # words of struct slot


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache as the kernel describes it: see CacheRow for the attributes."""

    cache: int
    name: str
    size: int
    object_size: int
    approximate: bool = False


class Counters:
    """One module that counts by cache.

    Args:
        context: what every module is made with.
        files: the sources of its programs, after those that count.
        tallies: how many sums it keeps beside the table.
        macros: further options, that define what these files ask for.

    Attributes:
        module: the module.
        epochs: the interval in which each cache was described last, by its address, as read last.

    Raises:
        SlabtuiError: see Module.
    """

    def __init__(self, context: BuildContext, files: Sequence[str], tallies: int, macros: Sequence[str] = ()) -> None:
        macros = (f"-DSLOT_BITS={SLOT_BITS}", f"-DTALLIES={tallies}", *macros)
        self.epochs: dict[int, int] = {}
        self.module = Module(context, ("common.bpf.h", "table.bpf.h", *files), macros)
        maps = self.module.maps
        try:
            self._slots = maps.per_cpu_array("slots", _SLOT_WORDS)
            self._caches = maps.hash("caches", CACHE.size)
            self._tallies = maps.per_cpu_array("tallies", 1)
        except BaseException:
            self.module.close()
            raise

    def read(self) -> dict[Cache, int]:
        """Return what has been counted of each cache.

        Raises:
            OSError: the kernel refused.
        """
        owners = self._caches.read()
        self.epochs = dict(_EPOCH.unpack_from(cache) for cache in owners.values())
        return _sum(self._slots, owners)

    def tallies(self) -> list[int]:
        """Return the sums.

        Raises:
            OSError: the kernel refused.
        """
        return self._tallies.totals()


def counted(slots: PerCpuArray, caches: Hash) -> dict[Cache, int]:
    """Read the table, and return what has been counted of each cache.

    Raises:
        OSError: the kernel refused.
    """
    return _sum(slots, caches.read())


def _sum(slots: PerCpuArray, owners: Mapping[int, memoryview]) -> dict[Cache, int]:
    slots.read(owners)
    return {
        described(cache): slots.total(slot, _NAMED) + slots.total(slot, _ADDRESSED) for slot, cache in owners.items()
    }


def described(cache: memoryview) -> Cache:
    """Return the cache that a struct cache describes."""
    address, _, size, object_size, name = CACHE.unpack(cache)
    return _cache(address, size, object_size, name)


@lru_cache(maxsize=1 << SLOT_BITS)  # a description that is read anew says the same nearly always
def _cache(address: int, size: int, object_size: int, name: bytes) -> Cache:
    if address < LOWEST_ADDRESS:
        size = address >> _SIZE_CLASS_SHIFT
        return Cache(address, f"kmalloc-{size}", size, size, approximate=True)
    return Cache(address, printable(name.partition(b"\0")[0]) or f"{address:#x}", size, object_size)
