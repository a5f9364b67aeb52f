"""Lists the kernel's caches with their addresses, idle ones too: the program of inventory.bpf.c."""

import os
from collections.abc import Mapping

from slabtui.kernel.bpf.module import Module
from slabtui.kernel.bpf.records import CacheRecord, Walk
from slabtui.kernel.counters import Cache, describe
from slabtui.kernel.procfs.slabinfo import Slab

FILE = "inventory.bpf.c"
CHUNK = 64

_PROGRAM = "on_inventory"
_TRACEPOINT = "kmem_cache_alloc"
_MOST_CHUNKS = 64  # kernels have 150 to 500 caches
_TRIES = 10  # allocations until one is seen: another program may be running on this CPU


def take_inventory(module: Module, slabs: Mapping[str, Slab]) -> dict[str, Cache]:
    """Return the caches of the kernel by their name, except those that /proc/slabinfo does not confirm.

    Args:
        module: has the program, attached to nothing.
        slabs: what /proc/slabinfo says, by name.

    Raises:
        SlabtuiError: the kernel refused the program.
        OSError: a map could not be read or written.
    """
    found = {}
    walk = Walk()
    module.attach(_TRACEPOINT, _PROGRAM)
    try:
        for _ in range(_MOST_CHUNKS):
            walk = _read_chunk(module, walk)
            for place in range(walk.read):
                cache, _ = describe(memoryview(module.maps.get("chunk", place, CacheRecord)).cast("B"))
                slab = slabs.get(cache.name)
                if slab and slab.size == cache.size:
                    found[cache.name] = cache
            if not walk.next:
                break
    finally:
        module.unload(_PROGRAM)
    return found


def _read_chunk(module: Module, walk: Walk) -> Walk:
    """Make an allocation, at which the program reads a chunk, and return how far the walk has come."""
    walk.wanted, walk.read = 1, 0
    module.maps.put("walk", 0, walk)
    for _ in range(_TRIES):
        os.stat("/")
        walk = module.maps.get("walk", 0, Walk)
        if not walk.wanted:
            break
    return walk
