"""Counts allocations: attaches the programs of allocs.bpf.c, once it is known how to find the cache of an object."""

from collections.abc import Mapping
from dataclasses import dataclass

from slabtui.errors import SlabtuiError
from slabtui.kernel import calibration, inventory
from slabtui.kernel.bpf.module import BuildContext
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.counters import Cache, Counters
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
        epochs: the interval in which each cache was seen last, by its address.
    """

    by_cache: dict[Cache, int]
    large: int
    large_bytes: int
    lost: int | None
    epochs: dict[int, int]


class Allocs:
    """Counts allocations from the moment it is made until its module is closed.

    Attributes:
        module: the programs, for whoever hands them settings and closes them.
        settings: those of all programs; the reader of the counters counts the epochs.
        base_of_pages: see the function of that name in common.bpf.h; 0: kmalloc is counted by size class.
        tracers: its programs at their tracepoints.

    Args:
        context: what every module is made with.
        page_step: see Layout.

    Raises:
        SlabtuiError: bcc or the kernel refused; nothing is left attached.
        OSError: a map could not be read or written.
    """

    def __init__(self, context: BuildContext, page_step: int) -> None:
        files = (calibration.FILE, inventory.FILE, "allocs.bpf.c")
        self._counters = Counters(context, files, _TALLIES, (f"-DCHUNK={inventory.CHUNK}",))
        self.module = self._counters.module
        self.tracers = Tracers(
            context, self.module, {name: _HANDLERS[kind] for kind in _HANDLERS for name in context.tracepoints(kind)}
        )
        self.settings = Settings()
        self.settings.begin_interval()
        try:
            self.base_of_pages = calibration.calibrate(self.module) if page_step else 0
            if context.nests and not self.base_of_pages:
                raise SlabtuiError(
                    "tracepoints do not identify the cache, and it could not be derived", "use Linux 6.1 or newer"
                )
            self.module.base_of_pages = self.base_of_pages
            if context.features.jit:
                for place, name in enumerate(_SLOW_PATHS):
                    self.module.maps.put_descriptor("slow_path", place, self.module.load(name))
            self.tracers.attach(self.settings)
        except BaseException:
            self.module.close()
            raise

    def take_inventory(self, slabs: Mapping[str, Slab]) -> dict[str, Cache]:
        """Return the caches of the kernel by their name; see inventory.take_inventory()."""
        return inventory.take_inventory(self.module, slabs)

    def put(self, settings: Settings) -> None:
        """Hand the settings to the programs; OSError where the kernel refuses."""
        self.tracers.put(settings)

    def read(self) -> Allocated:
        """Return what has been allocated so far.

        Raises:
            OSError: a map could not be read.
        """
        by_cache = self._counters.read()
        tallies = self._counters.tallies()
        missed = self.tracers.misses()
        lost = None if missed is None else missed + tallies[_LOST_NAMED] + tallies[_LOST_ADDRESSED]
        return Allocated(by_cache, tallies[_LARGE_ALLOCS], tallies[_LARGE_BYTES], lost, self._counters.epochs)
