"""What a consumer asks to be counted beside allocations."""

from dataclasses import dataclass

from slabtui.model.identity import CacheKey
from slabtui.model.inspection import InspectionKind

MOST_SUSPECTS = 5  # each costs every event of the allocator some nanoseconds, and memory in the kernel


@dataclass(frozen=True, slots=True)
class InspectionRequest:
    """The inspection of one cache.

    Attributes:
        cache: its key, as a snapshot has it; or a name, or an alias, as a user types it.
        kinds: what is inspected; all of them count from the same moment.
    """

    cache: CacheKey | str
    kinds: tuple[InspectionKind, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What is counted only on request, because it costs more.

    Attributes:
        frees: whether frees are counted.
        inspection: the inspection; None: no cache is inspected.
        suspects: caches of which what is held is tracked at the same time, MOST_SUSPECTS at most; empty: none yet, but
            what tracks them is made ready; None: there will be none. A run that looks for leaks also needs
            HostMemory.cpu_free.
    """

    frees: bool = False
    inspection: InspectionRequest | None = None
    suspects: tuple[CacheKey, ...] | None = None
