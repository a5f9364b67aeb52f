"""Made-up maps of any size: what the kernel would give of so many CPUs and caches, without a kernel."""

import ctypes
from array import array

from slabtui.kernel.bpf.maps import Hash, PerCpuArray
from slabtui.kernel.bpf.records import CacheRecord
from slabtui.kernel.counters import SLOT_BITS

FIRST_ADDRESS = 0xFFFF_8881_0000_0000
SIZE = 64
_SLOTS = 1 << SLOT_BITS
_WORDS = 4  # of struct slot
_CACHE_WORD, _NAMED_WORD = 0, 2


class Bytes:
    """Stands in for bpf.maps.Batch: a copy of as many bytes, from memory, in the place of the system call."""

    def __init__(self, keys: "array[int]", values: bytearray) -> None:
        self.keys = keys
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
    """The table of counters, as kernel/counters.py reads it, of caches that all grow.

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
        counters = Bytes(array("I", range(_SLOTS)), bytearray(8 * _WORDS * cpus * _SLOTS))
        self._words = memoryview(counters.kernel).cast("Q")
        self.slots = PerCpuArray(counters, cpus, _WORDS)  # type: ignore[arg-type]
        self.caches = Hash(Bytes(array("I", places), described), ctypes.sizeof(CacheRecord))  # type: ignore[arg-type]
        for place in places:
            for cpu in range(cpus):
                self._words[(place * cpus + cpu) * _WORDS + _CACHE_WORD] = FIRST_ADDRESS + (place << 8)

    def grow(self) -> None:
        """Let every CPU allocate something from each cache, of each something else."""
        for number, place in enumerate(self._places):
            for cpu in range(self._cpus):
                self._words[(place * self._cpus + cpu) * _WORDS + _NAMED_WORD] += 1 + number * 7919 % 1000


def slabinfo(names: list[str], reading: int) -> bytes:
    """Return what /proc/slabinfo would say of these caches at a reading: all of them live, every second one grows."""
    lines = [
        f"{name:<17} {1000 + number % 2 * reading:>6} 2000 {SIZE:>6} 64 1 : tunables 0 0 0 : slabdata 32 32 0"
        for number, name in enumerate(names)
    ]
    return "\n".join(("slabinfo - version: 2.1", "# name", *lines)).encode() + b"\n"
