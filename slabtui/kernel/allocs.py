"""Counts allocations: attaches the programs of allocs.bpf.c, once it is known how to find the cache of an object."""

import ctypes
import os
from dataclasses import asdict, dataclass

from slabtui.errors import SlabtuiError
from slabtui.kernel import directmap
from slabtui.kernel.counters import Cache, Counters
from slabtui.kernel.module import Kit, is_compiled
from slabtui.kernel.settings import Settings

_AGREED, _DISAGREED, _LOST_NAMED, _LOST_ADDRESSED, _LARGE_ALLOCS, _LARGE_BYTES, _TALLIES = range(7)
_CALIBRATION_EVENTS = 500
_FAST, _SLOW, _WHOLE, _KMALLOC = "on_cache_alloc", "on_cache_alloc_slow", "on_cache_alloc_whole", "on_kmalloc"


@dataclass(frozen=True, slots=True)
class Allocated:
    """What was allocated; it only grows.

    Attributes:
        by_cache: objects allocated from each cache.
        large: allocations of kmalloc beyond the largest cache.
        large_bytes: their bytes.
        lost: allocations that could not be counted, None if unknown.
    """

    by_cache: dict[Cache, int]
    large: int
    large_bytes: int
    lost: int | None


class Allocs:
    """Counts allocations from the moment it is made until its module is closed.

    Attributes:
        module: the programs, for whoever hands them settings and closes them.
        settings: those that were found to be right; whoever reads the counters counts the epochs.
        descriptors: the file descriptor of each program that counts, by its tracepoint.

    Raises:
        SlabtuiError: bcc or the kernel refused; nothing is left attached.
        OSError: a map could not be read or written.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._counters = Counters(kit, "allocs.bpf.c", _TALLIES)
        self.module = self._counters.module
        try:
            self.settings = self._calibrated()
            if kit.nests and not self.settings.calibrated:
                raise SlabtuiError(
                    "this kernel's events do not name their cache, and it cannot be told", "use Linux 6.1 or newer"
                )
            self.descriptors = self._attach()
        except BaseException:
            self.module.close()
            raise

    def read(self) -> Allocated:
        """Return what has been allocated so far.

        Raises:
            OSError: a map could not be read.
        """
        by_cache = self._counters.read()
        tallies = self._counters.tallies()
        missed = self._kit.misses(self.descriptors.values())
        lost = None if missed is None else missed + tallies[_LOST_NAMED] + tallies[_LOST_ADDRESSED]
        return Allocated(by_cache, tallies[_LARGE_ALLOCS], tallies[_LARGE_BYTES], lost)

    def _calibrated(self) -> Settings:
        """Return where the direct map lies; uncalibrated if no guess agrees: kmalloc's caches are unknown then."""
        counters, module = self._counters, self.module
        module.load("on_calibration")
        for guess in directmap.guesses():
            module.put(Settings(epoch=1, **asdict(guess)))
            before = counters.tallies()
            module.attach("kmem_cache_alloc", "on_calibration")
            for _ in range(_CALIBRATION_EVENTS):
                os.stat("/")  # allocates a buffer for the path
            module.detach("kmem_cache_alloc")
            after = counters.tallies()
            agreed, disagreed = (after[which] - before[which] for which in (_AGREED, _DISAGREED))
            if agreed >= _CALIBRATION_EVENTS and not disagreed:
                # The bases may be those that the program read from the kernel's own variables.
                found = module.maps.get("settings", 0, Settings)
                return Settings(epoch=1, page_offset=found.page_offset, vmemmap=found.vmemmap, calibrated=1)
        return Settings(epoch=1)

    def _attach(self) -> dict[str, int]:
        self.module.put(self.settings)
        handlers = {"kmem_cache_alloc": self._cache_alloc_handler(), "kmalloc": _KMALLOC}  # by tracepoint
        for name in handlers.values():  # first all of them, so that the counts begin together
            self.module.load(name)
        return {
            tracepoint: self.module.attach(tracepoint, name)
            for kind, name in handlers.items()
            for tracepoint in self._kit.tracepoints(kind)
        }

    def _cache_alloc_handler(self) -> str:
        """Return the program that is safe to attach: one with a tail call crashes a kernel that does not compile it."""
        slow = self.module.load(_SLOW)
        self.module.maps.put("slow_path", 0, ctypes.c_int(slow))
        return _FAST if is_compiled(slow) and is_compiled(self.module.load(_FAST)) else _WHOLE
