"""Lists the kernel's caches with their addresses, idle ones too: the program of inventory.bpf.c."""

import ctypes
import os
from collections.abc import Mapping

from slabtui.kernel.bpf.module import Module
from slabtui.kernel.counters import CACHE, Cache, described
from slabtui.kernel.procfs.slabinfo import Slab

FILE = "inventory.bpf.c"
CHUNK = 64

_PROGRAM = "on_inventory"
_TRACEPOINT = "kmem_cache_alloc"
_MOST_CHUNKS = 64  # kernels have 150 to 500 caches
_TRIES = 10  # allocations until one is seen: another program may be running on this CPU


class _Walk(ctypes.Structure):
    """struct walk."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("wanted", "first", "next", "read")]


def take_inventory(module: Module, slabs: Mapping[str, Slab]) -> dict[str, Cache]:
    """Return the caches of the kernel by their name; what is not as /proc/slabinfo says is left out.

    Args:
        module: has the program, attached to nothing.
        slabs: the caches by name, each of which only one has.

    Raises:
        SlabtuiError: the kernel refused the program.
        OSError: a map could not be read or written.
    """
    found = {}
    walk = _Walk()
    module.attach(_TRACEPOINT, _PROGRAM)
    try:
        for _ in range(_MOST_CHUNKS):
            walk = _read_chunk(module, walk)
            for place in range(walk.read):
                cache = described(memoryview(module.maps.get("chunk", place, ctypes.c_ubyte * CACHE.size)))
                slab = slabs.get(cache.name)
                if slab and slab.size == cache.size:
                    found[cache.name] = cache
            if not walk.next:
                break
    finally:
        module.unload(_PROGRAM)
    return found


def _read_chunk(module: Module, walk: _Walk) -> _Walk:
    """Let an allocation of ours read a chunk, and return how far the walk has come."""
    walk.wanted, walk.read = 1, 0
    module.maps.put("walk", 0, walk)
    for _ in range(_TRIES):
        os.stat("/")
        walk = module.maps.get("walk", 0, _Walk)
        if not walk.wanted:
            break
    return walk
