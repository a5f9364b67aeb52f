"""Counts frees, while somebody looks at them: the programs of frees.bpf.c."""

from dataclasses import dataclass, field

from slabtui.kernel.bpf.module import BuildContext
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.counters import Cache, Counters
from slabtui.kernel.tracers import Tracers

_LOST_NAMED, _LOST_ADDRESSED, _LARGE_FREES, _TALLIES = range(4)


@dataclass(frozen=True, slots=True)
class Freed:
    """What was freed while the programs were attached; it only grows.

    Attributes:
        by_cache: objects freed to each cache.
        large: frees of what kmalloc took from the page allocator.
        lost: frees that could not be counted, None if unknown.
        epochs: the interval in which each cache was seen last, by its address.
        begun: how often the counting has begun; frees of two readings compare if that is the same.
    """

    by_cache: dict[Cache, int] = field(default_factory=dict)
    large: int = 0
    lost: int | None = 0
    epochs: dict[int, int] = field(default_factory=dict)
    begun: int = 0


class Frees:
    """Counts frees, each time from `attach` to `detach`.

    Args:
        context: what every module is made with.

    Attributes:
        module: the programs, for whoever hands them settings and closes them.
        tracers: its programs at their tracepoints.

    Raises:
        SlabtuiError: see Module.
    """

    def __init__(self, context: BuildContext) -> None:
        self._begun = 0
        self._counters = Counters(context, ("frees.bpf.c",), _TALLIES)
        self.module = self._counters.module
        # Without base_of_pages the cache of what kfree() frees is unknown.
        kfree = {"kfree": "on_kfree"} if context.base_of_pages else {}
        self.tracers = Tracers(context, self.module, {"kmem_cache_free": "on_cache_free", **kfree})

    @property
    def counts(self) -> bool:
        """Whether frees are counted now."""
        return bool(self.tracers.descriptors)

    def attach(self, settings: Settings) -> None:
        """Begin to count.

        Args:
            settings: those that allocations are counted with.

        Raises:
            SlabtuiError: the kernel refused; nothing is left attached.
            OSError: a map could not be written.
        """
        self._begun += 1
        self.tracers.attach(settings)

    def put(self, settings: Settings) -> None:
        """Hand the settings to the programs; OSError where the kernel refuses."""
        self.tracers.put(settings)

    def read(self) -> Freed:
        """Return what has been freed so far.

        Raises:
            OSError: a map could not be read.
        """
        by_cache = self._counters.read()
        tallies = self._counters.tallies()
        missed = self.tracers.misses()
        lost = None if missed is None else missed + tallies[_LOST_NAMED] + tallies[_LOST_ADDRESSED]
        return Freed(by_cache, tallies[_LARGE_FREES], lost, self._counters.epochs, self._begun)
