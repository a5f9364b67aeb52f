"""Counts frees while a consumer asks for them: the programs of frees.bpf.c."""

from dataclasses import dataclass, field

from slabtui.kernel.bpf.module import BuildContext
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.counters import Counters, Counts
from slabtui.kernel.part import TracedPart
from slabtui.kernel.tracers import Tracers

_LOST_NAMED, _LOST_ADDRESSED, _LARGE_FREES, _TALLIES = range(4)


@dataclass(frozen=True, slots=True)
class Freed:
    """What was freed while the programs were attached; it only grows.

    Attributes:
        by_cache: objects freed to each cache.
        large: frees of what kmalloc took from the page allocator; None where these cannot be recognised.
        lost: frees that could not be counted, None if unknown.
        begun: how often the counting has begun; None: frees are not counted now.
    """

    by_cache: Counts = field(default_factory=Counts)
    large: int | None = 0
    lost: int | None = 0
    begun: int | None = None


class Frees(TracedPart[Freed]):
    """Counts frees, each time from `attach` to `detach`.

    Args:
        context: what every module is made with.

    Raises:
        SlabtuiError: see Module.
    """

    def __init__(self, context: BuildContext) -> None:
        self._begun = 0
        self._finds_caches = bool(context.base_of_pages)  # else the cache of what kfree() frees is unknown
        self._counters = Counters(context, ("frees.bpf.c",), _TALLIES)
        module = self._counters.module
        kfree = {"kfree": "on_kfree"} if self._finds_caches else {}
        super().__init__(module, Tracers(context, module, {"kmem_cache_free": "on_cache_free", **kfree}))

    def attach(self, settings: Settings) -> None:
        """Begin to count.

        Raises:
            SlabtuiError: the kernel refused; nothing is left attached.
            OSError: a map could not be written.
        """
        self._begun += 1
        super().attach(settings)

    def read(self) -> Freed:
        """Return what was freed so far; OSError where a map cannot be read."""
        by_cache = self._counters.read()
        tallies = self._counters.tallies()
        missed = self.tracers.misses()
        lost = None if missed is None else missed + tallies[_LOST_NAMED] + tallies[_LOST_ADDRESSED]
        large = tallies[_LARGE_FREES] if self._finds_caches else None
        return Freed(by_cache, large, lost, self._begun if self.attached else None)
