"""Counts frees while a consumer asks for them: the programs of frees.bpf.c, or with a scope those of owned.bpf.c."""

import ctypes
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from slabtui.kernel.bpf import records
from slabtui.kernel.bpf.module import BuildContext
from slabtui.kernel.bpf.records import OwnerRecord
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.counters import Counters, Counts
from slabtui.kernel.part import TracedPart
from slabtui.kernel.tracers import Tracers

OWNED = 262_144  # objects, 64 bytes each in the kernel and their buckets: 20 MiB
MOST_OWNED = OWNED // 4  # of one cache: the dentries of a search of the disk leave room for other caches

_OWNER = struct.Struct(records.pack_format(OwnerRecord))
_OWNING = {"kmem_cache_alloc": "own_cache_alloc", "kmalloc": "own_kmalloc"}  # by tracepoint
_LOST_NAMED, _LOST_ADDRESSED, _LARGE_FREES, _TALLIES = range(4)


@dataclass(frozen=True, slots=True)
class Owner:
    """What is known of the owned objects of one cache: those that the scope allocated since frees are counted.

    Attributes:
        number: objects that are owned now: allocated and not freed.
        late: frees without an event, noticed when the address was handed out again.
        left_out: objects that had no room: their frees are not counted.
    """

    number: int
    late: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Freed:
    """What was freed while the programs were attached; it only grows.

    Attributes:
        by_cache: objects freed to each cache.
        large: frees of what kmalloc took from the page allocator; None where these cannot be recognised.
        lost: frees that could not be counted, None if unknown.
        begun: how often the counting has begun; None: frees are not counted now.
        owners: with a scope, by the address of the cache; it is empty again each time the counting begins.
    """

    by_cache: Counts = field(default_factory=Counts)
    large: int | None = 0
    lost: int | None = 0
    begun: int | None = None
    owners: Mapping[int, Owner] = field(default_factory=dict)


class Frees(TracedPart[Freed]):
    """Counts frees, each time from `attach` to `detach`.

    Args:
        context: what every module is made with.
        scoped: whether not all processes are counted: then it counts the frees, by any process, of what those of the
            scope have allocated since the counting began.

    Raises:
        SlabtuiError: see Module.
    """

    def __init__(self, context: BuildContext, *, scoped: bool = False) -> None:
        self._begun = 0
        self._finds_caches = bool(context.base_of_pages)  # else the cache of what kfree() frees is unknown
        macros = (f"-DOWNED={OWNED}", f"-DMOST_OWNED={MOST_OWNED}") if scoped else ()
        self._counters = Counters(context, ("owned.bpf.c" if scoped else "frees.bpf.c",), _TALLIES, macros)
        module = self._counters.module
        handlers = {"kmem_cache_free": "on_cache_free"}
        if self._finds_caches or scoped:
            handlers["kfree"] = "on_kfree"
        if scoped:  # after the frees: without these, what is freed meanwhile would seem to be owned
            handlers |= {name: program for event, program in _OWNING.items() for name in context.tracepoints(event)}
        super().__init__(module, Tracers(context, module, handlers))
        self._scoped = scoped
        self._owned = module.maps.hash("owned", ctypes.sizeof(ctypes.c_uint64)) if scoped else None
        self._owners = module.maps.hash("owners", _OWNER.size) if scoped else None

    @property
    def runs_per_event(self) -> bool:
        """Whether its programs run for frees only; with a scope they run for allocations too, which others count."""
        return not self._scoped

    def attach(self, settings: Settings) -> None:
        """Begin to count.

        Raises:
            SlabtuiError: the kernel refused; nothing is left attached.
            OSError: a map could not be written.
        """
        self._begun += 1
        for table in filter(None, (self._owned, self._owners)):
            table.clear()  # of what was owned before, it is not known what was freed meanwhile
        super().attach(settings)

    def read(self) -> Freed:
        """Return what was freed so far; OSError where a map cannot be read."""
        by_cache = self._counters.read()
        tallies = self._counters.tallies()
        missed = self.tracers.misses()
        lost = None if missed is None else missed + tallies[_LOST_NAMED] + tallies[_LOST_ADDRESSED]
        large = tallies[_LARGE_FREES] if self._finds_caches else None
        owners = self._owners.read() if self._owners else {}
        found = {address: Owner(*_OWNER.unpack(record)) for address, record in owners.items()}
        return Freed(by_cache, large, lost, self._begun if self.attached else None, found)
