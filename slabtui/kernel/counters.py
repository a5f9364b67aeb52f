"""The counters of one BPF module, by cache: what table.bpf.h keeps, summed over the CPUs."""

import ctypes
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from slabtui.kernel.bpf import records
from slabtui.kernel.bpf.maps import Hash, PerCpuArray
from slabtui.kernel.bpf.module import BuildContext, Module
from slabtui.kernel.bpf.records import CacheRecord, Slot
from slabtui.text import printable

SLOT_BITS = 12  # 4096 caches; kernels have 150 to 500. 128 KiB per CPU
SLOT_WORDS = ctypes.sizeof(Slot) // 8
CACHE_SIZE = ctypes.sizeof(CacheRecord)

_LARGE_ADDRESS = 1  # LARGE in common.bpf.h
_LOWEST_ADDRESS = 1 << 32  # LOWEST_ADDRESS in common.bpf.h
_SIZE_CLASS_SHIFT = 8  # SIZE_CLASS in common.bpf.h
_NAMED, _ADDRESSED = Slot.named.offset // 8, Slot.addressed.offset // 8
_CACHE = struct.Struct(records.pack_format(CacheRecord))


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache as a BPF program describes it.

    Attributes:
        address: of its struct kmem_cache, or the number that stands for a size class of kmalloc.
        name: its name, harmless to print.
        size: bytes that an object takes in its slab.
        object_size: bytes that the creator of the cache asked for.
        approximate: it is a size class.
    """

    address: int
    name: str
    size: int
    object_size: int
    approximate: bool = False


LARGE = Cache(_LARGE_ADDRESS, "kmalloc-large", 0, 0)  # what kmalloc takes from the page allocator; sizes differ


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted, by the address of the cache; it only grows.

    Attributes:
        sums: number of objects.
        caches: the last description of each cache.
        epochs: the interval of that description.
    """

    sums: dict[int, int] = field(default_factory=dict)
    caches: dict[int, Cache] = field(default_factory=dict)
    epochs: dict[int, int] = field(default_factory=dict)


class Counters:
    """One module that counts by cache.

    Args:
        context: what every module is made with.
        files: the sources of its programs, after those that count.
        tallies: how many sums it keeps beside the table.
        macros: further options, that define what these files ask for.

    Attributes:
        module: the module.

    Raises:
        SlabtuiError: see Module.
    """

    def __init__(self, context: BuildContext, files: Sequence[str], tallies: int, macros: Sequence[str] = ()) -> None:
        macros = (f"-DSLOT_BITS={SLOT_BITS}", f"-DTALLIES={tallies}", *macros)
        self.module = Module(context, ("common.bpf.h", "table.bpf.h", *files), macros)
        maps = self.module.maps
        try:
            self._slots = maps.per_cpu_array("slots", SLOT_WORDS)
            self._caches = maps.hash("caches", CACHE_SIZE)
            self._tallies = maps.per_cpu_array("tallies", 1)
        except BaseException:
            self.module.close()
            raise

    def read(self) -> Counts:
        """Return what was counted of each cache; OSError where the kernel refuses."""
        return count_caches(self._slots, self._caches)

    def tallies(self) -> list[int]:
        """Return the sums beside the table; OSError where the kernel refuses."""
        return self._tallies.totals()


def count_caches(slots: PerCpuArray, caches: Hash) -> Counts:
    """Read a table and return what was counted of each cache; OSError where the kernel refuses."""
    owners = caches.read()
    slots.read(owners)
    counts = Counts()
    for slot, record in owners.items():
        cache, epoch = describe(record)
        counts.sums[cache.address] = slots.total(slot, _NAMED) + slots.total(slot, _ADDRESSED)
        counts.caches[cache.address] = cache
        counts.epochs[cache.address] = epoch
    return counts


def describe(record: memoryview) -> tuple[Cache, int]:
    """Return the cache that a struct cache describes, and the interval in which it was described."""
    address, epoch, size, object_size, name = _CACHE.unpack(record)
    return _describe(address, size, object_size, name), epoch


@lru_cache(maxsize=1 << SLOT_BITS)  # nearly every description is the same as at the last reading
def _describe(address: int, size: int, object_size: int, name: bytes) -> Cache:
    if address < _LOWEST_ADDRESS:
        size = address >> _SIZE_CLASS_SHIFT
        return Cache(address, f"kmalloc-{size}", size, size, approximate=True)
    return Cache(address, printable(name.partition(b"\0")[0]) or f"{address:#x}", size, object_size)
