"""Counts frees, while somebody looks at them: the programs of frees.bpf.c."""

from dataclasses import dataclass, field

from slabtui.kernel.bpf.module import BuildContext
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.counters import Cache, Counters

_LOST_NAMED, _LOST_ADDRESSED, _LARGE_FREES, _TALLIES = range(4)


@dataclass(frozen=True, slots=True)
class Freed:
    """What was freed while the programs were attached; it only grows.

    Attributes:
        by_cache: objects freed to each cache.
        large: frees of what kmalloc took from the page allocator.
        lost: frees that could not be counted, None if unknown.
    """

    by_cache: dict[Cache, int] = field(default_factory=dict)
    large: int = 0
    lost: int | None = 0


class Frees:
    """Counts frees, each time from `attach` to `detach`.

    Args:
        context: what every module is made with.

    Attributes:
        module: the programs, for whoever hands them settings and closes them.
        descriptors: the file descriptor of each program that is attached, by its tracepoint.

    Raises:
        SlabtuiError: see Module.
    """

    def __init__(self, context: BuildContext) -> None:
        self._context = context
        self._counters = Counters(context, ("frees.bpf.c",), _TALLIES)
        self.module = self._counters.module
        self._missed: int | None = 0  # by programs that are gone
        self.descriptors: dict[str, int] = {}

    def attach(self, settings: Settings) -> None:
        """Begin to count; without base_of_pages not what kfree() frees, whose cache is then unknown.

        Args:
            settings: those that allocations are counted with.

        Raises:
            SlabtuiError: the kernel refused; nothing is left attached.
            OSError: a map could not be written.
        """
        self.module.put(settings)
        handlers = {"kmem_cache_free": "on_cache_free"} | ({"kfree": "on_kfree"} if self._context.base_of_pages else {})
        try:
            self.descriptors = {
                tracepoint: self.module.attach(tracepoint, name) for tracepoint, name in handlers.items()
            }
        except BaseException:
            self.detach()
            raise

    def detach(self) -> None:
        """Stop counting; the programs are gone, their counters stay."""
        self._missed = self._misses()
        self.module.unload_all()
        self.descriptors = {}

    def read(self) -> Freed:
        """Return what has been freed so far.

        Raises:
            OSError: a map could not be read.
        """
        by_cache = self._counters.read()
        tallies = self._counters.tallies()
        missed = self._misses()
        lost = None if missed is None else missed + tallies[_LOST_NAMED] + tallies[_LOST_ADDRESSED]
        return Freed(by_cache, tallies[_LARGE_FREES], lost)

    def _misses(self) -> int | None:
        missed = self._context.misses(self.descriptors.values())
        return None if missed is None or self._missed is None else self._missed + missed
