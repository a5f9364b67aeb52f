"""Counts allocations: the programs of allocs.bpf.c, once it is known how to find the cache of an object."""

from collections.abc import Mapping
from dataclasses import dataclass

from slabtui.errors import SlabtuiError
from slabtui.kernel import calibration, inventory
from slabtui.kernel.bpf.module import BuildContext
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.counters import Cache, Counters, Counts
from slabtui.kernel.part import TracedPart
from slabtui.kernel.procfs.slabinfo import Slab
from slabtui.kernel.tracers import Tracers

_LOST_NAMED, _LOST_ADDRESSED, _LARGE_ALLOCS, _LARGE_BYTES, _TALLIES = range(5)
_HANDLERS = {"kmem_cache_alloc": "on_cache_alloc", "kmalloc": "on_kmalloc"}  # by tracepoint
_SLOW_PATHS = ("on_cache_alloc_slow", "on_kmalloc_slow")  # by their place in the map of programs


@dataclass(frozen=True, slots=True)
class Allocated:
    """What was allocated; it only grows.

    Attributes:
        by_cache: objects allocated from each cache.
        large: allocations of kmalloc beyond the largest cache.
        large_bytes: their bytes.
        lost: allocations that could not be counted, None if unknown.
    """

    by_cache: Counts
    large: int
    large_bytes: int
    lost: int | None


class Allocs(TracedPart[Allocated]):
    """Counts allocations.

    Attributes:
        base_of_pages: see the function of that name in common.bpf.h; 0: kmalloc is counted by size class.

    Args:
        context: what every module is made with.
        page_step: see Offsets.

    Raises:
        SlabtuiError: bcc or the kernel refused, or the cache of an object cannot be found; nothing is left loaded.
        OSError: a map could not be read or written.
    """

    def __init__(self, context: BuildContext, page_step: int) -> None:
        files = (calibration.FILE, inventory.FILE, "allocs.bpf.c")
        self._counters = Counters(context, files, _TALLIES, (f"-DCHUNK={inventory.CHUNK}",))
        module = self._counters.module
        handlers = {name: _HANDLERS[kind] for kind in _HANDLERS for name in context.tracepoints(kind)}
        super().__init__(module, Tracers(context, module, handlers))
        try:
            self.base_of_pages = calibration.calibrate(module) if page_step else 0
            if context.nests and not self.base_of_pages:
                raise SlabtuiError(
                    "tracepoints do not identify the cache, and it could not be derived", "use Linux 6.1 or newer"
                )
            module.base_of_pages = self.base_of_pages
            if context.features.jit:
                for place, name in enumerate(_SLOW_PATHS):
                    module.maps.put_descriptor("slow_path", place, module.load(name))
        except BaseException:
            self.close()
            raise

    def attach(self, settings: Settings) -> None:
        """Begin to count.

        Raises:
            SlabtuiError: the kernel refused; the part is closed.
            OSError: likewise.
        """
        try:
            super().attach(settings)
        except BaseException:
            self.close()
            raise

    def take_inventory(self, slabs: Mapping[str, Slab]) -> dict[str, Cache]:
        """Return the caches of the kernel by their name; see inventory.take_inventory()."""
        return inventory.take_inventory(self.module, slabs)

    def read(self) -> Allocated:
        """Return what was allocated so far; OSError where a map cannot be read."""
        by_cache = self._counters.read()
        tallies = self._counters.tallies()
        missed = self.tracers.misses()
        lost = None if missed is None else missed + tallies[_LOST_NAMED] + tallies[_LOST_ADDRESSED]
        return Allocated(by_cache, tallies[_LARGE_ALLOCS], tallies[_LARGE_BYTES], lost)
