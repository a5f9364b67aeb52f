"""Artificial maps: the bytes that the kernel would return, for any number of CPUs and caches."""

import ctypes
from array import array

from slabtui.kernel.bpf.maps import Hash, PerCpuArray
from slabtui.kernel.bpf.records import CacheRecord, Slot
from slabtui.kernel.counters import CACHE_SIZE, SLOT_BITS, SLOT_WORDS

FIRST_ADDRESS = 0xFFFF_8881_0000_0000
SIZE = 64
_SLOTS = 1 << SLOT_BITS
_CACHE_WORD, _NAMED_WORD = Slot.cache.offset // 8, Slot.named.offset // 8


class Bytes:
    """Replaces bpf.maps.Batch: copies the same number of bytes from memory instead of a system call."""

    def __init__(self, keys: "array[int]", values: bytearray) -> None:
        self.keys = memoryview(keys)
        self.kernel = values
        self._values = (ctypes.c_char * len(values))()
        self._source = (ctypes.c_char * len(values)).from_buffer(values)
        self.values = memoryview(self._values).cast("B")

    def read(self) -> int:
        """Read all, and return how many elements there are."""
        ctypes.memmove(self._values, self._source, len(self._values))
        return len(self.keys)

    def read_array(self, wanted: object) -> None:
        """Read all."""
        self.read()


class Maps:
    """The table of counters, as kernel/counters.py reads it, with caches that all grow.

    Attributes:
        slots, caches: its two maps.
        names: of the caches.
    """

    def __init__(self, cpus: int, caches: int) -> None:
        places = [number * _SLOTS // caches for number in range(caches)]
        self.names = [f"made-up-{place}" for place in places]
        described = bytearray()
        for place, name in zip(places, self.names, strict=True):
            described += bytes(CacheRecord(FIRST_ADDRESS + (place << 8), 1, SIZE, SIZE, name.encode()))
        self._cpus, self._places = cpus, places
        counters = Bytes(array("I", range(_SLOTS)), bytearray(8 * SLOT_WORDS * cpus * _SLOTS))
        self._words = memoryview(counters.kernel).cast("Q")
        self.slots = PerCpuArray(counters, cpus, SLOT_WORDS)  # type: ignore[arg-type]
        self.caches = Hash(Bytes(array("I", places), described), CACHE_SIZE)  # type: ignore[arg-type]
        for place in places:
            for cpu in range(cpus):
                self._words[(place * cpus + cpu) * SLOT_WORDS + _CACHE_WORD] = FIRST_ADDRESS + (place << 8)

    def grow(self) -> None:
        """Increase the counter of each cache on every CPU, each by another number."""
        for number, place in enumerate(self._places):
            for cpu in range(self._cpus):
                self._words[(place * self._cpus + cpu) * SLOT_WORDS + _NAMED_WORD] += 1 + number * 7919 % 1000


def slabinfo(names: list[str], reading: int) -> bytes:
    """Return the text of /proc/slabinfo for these caches at a reading: all have objects, every second one grows."""
    lines = [
        f"{name:<17} {1000 + number % 2 * reading:>6} 2000 {SIZE:>6} 64 1 : tunables 0 0 0 : slabdata 32 32 0"
        for number, name in enumerate(names)
    ]
    return "\n".join(("slabinfo - version: 2.1", "# name", *lines)).encode() + b"\n"
