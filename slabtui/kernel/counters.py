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
from slabtui.kernel.procfs import slabinfo
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


LARGE = Cache(_LARGE_ADDRESS, slabinfo.LARGE, 0, 0)  # what kmalloc takes from the page allocator; sizes differ


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
            self._table = Table(maps.per_cpu_array("slots", SLOT_WORDS), maps.hash("caches", CACHE_SIZE))
            self._tallies = maps.per_cpu_array("tallies", 1)
        except BaseException:
            self.module.close()
            raise

    def read(self) -> Counts:
        """Return what was counted of each cache; OSError where the kernel refuses."""
        return self._table.read()

    def tallies(self) -> list[int]:
        """Return the sums beside the table; OSError where the kernel refuses."""
        return self._tallies.totals()


class Table:
    """Reads the two maps of a table, again and again.

    A slot that has not changed since the last reading is not parsed again: most caches are idle.
    """

    def __init__(self, slots: PerCpuArray, caches: Hash) -> None:
        self._slots = slots
        self._caches = caches
        self._known: dict[int, tuple[bytes, bytes, Cache, int, int]] = {}  # the bytes of a slot, and what they say

    def read(self) -> Counts:
        """Return what was counted of each cache; OSError where the kernel refuses."""
        owners = self._caches.read()
        self._slots.read(owners)
        counts = Counts()
        for slot, record in owners.items():
            values = self._slots.raw(slot)
            known = self._known.get(slot)
            if known is None or known[0] != record or known[1] != values:
                total = self._slots.total(slot, _NAMED) + self._slots.total(slot, _ADDRESSED)
                known = self._known[slot] = record, values, *describe(record), total
            _, _, cache, epoch, total = known
            counts.sums[cache.address] = total
            counts.caches[cache.address] = cache
            counts.epochs[cache.address] = epoch
        return counts


def describe(record: bytes | memoryview) -> tuple[Cache, int]:
    """Return the cache that a struct cache describes, and the interval in which it was described."""
    address, epoch, size, object_size, name = _CACHE.unpack(record)
    return _describe(address, size, object_size, name), epoch


@lru_cache(maxsize=1 << SLOT_BITS)  # nearly every description is the same as at the last reading
def _describe(address: int, size: int, object_size: int, name: bytes) -> Cache:
    if address < _LOWEST_ADDRESS:
        size = address >> _SIZE_CLASS_SHIFT
        return Cache(address, f"kmalloc-{size}", size, size, approximate=True)
    return Cache(address, printable(name.partition(b"\0")[0]) or f"{address:#x}", size, object_size)
