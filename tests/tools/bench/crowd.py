"""Artificial caches in the maps of a probe; reading them costs as much as reading real ones."""

import ctypes

from slabtui.kernel.bpf import syscalls
from slabtui.kernel.bpf.records import CacheRecord, Slot
from slabtui.kernel.counters import SLOT_BITS
from slabtui.kernel.probe import Probe
from slabtui.kernel.procfs.cpus import possible_cpus

_FIRST_ADDRESS = 0xFFFF_FE00_0000_0000  # in no kernel's direct map
_SLOT_SHIFT = 8  # SLOT_OF() in table.bpf.h
_STEP = 8  # the slots are spread over the table, as those of real caches
_SIZE = 64


class Crowd:
    """Artificial caches whose counters grow."""

    def __init__(self, probe: Probe, number: int) -> None:
        # A probe offers no way to write into its maps.
        counters = probe._allocs._counters
        self._maps = counters.module.descriptors
        self._slots = (Slot * possible_cpus())()
        taken = set(counters._table._caches.read())
        free = (slot for slot in range(0, 1 << SLOT_BITS, _STEP) if slot not in taken)
        self._places = [place for place, _ in zip(free, range(number), strict=False)]
        self._grown = 0
        for place in self._places:
            name = f"made-up-{place}".encode()
            self._put("caches", place, CacheRecord(_address(place), 0, _SIZE, _SIZE, name))
        self.grow()

    def grow(self) -> None:
        """Increase the counter of each cache, each by another number."""
        self._grown += 1
        for place in self._places:
            for slot in self._slots:
                slot.cache, slot.named = _address(place), self._grown * (1 + place * 7919 % 1000)
            self._put("slots", place, self._slots)

    def _put(self, name: str, place: int, value: "ctypes.Structure | ctypes.Array[Slot]") -> None:
        key = ctypes.c_uint32(place)
        syscalls.update(self._maps[name], ctypes.addressof(key), ctypes.addressof(value))


def _address(place: int) -> int:
    return _FIRST_ADDRESS | place << _SLOT_SHIFT
