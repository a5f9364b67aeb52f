"""The shape of every part that counts: BPF programs that are attached, read and detached together."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from slabtui.kernel.bpf.module import Module
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.counters import Cache
from slabtui.kernel.tracers import Tracers
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import InspectionKind, InspectionReading

Result = TypeVar("Result")


class Part(ABC, Generic[Result]):
    """One thing that is counted."""

    @property
    @abstractmethod
    def modules(self) -> Sequence[Module]:
        """Its programs and maps; none while they are not compiled."""

    @property
    @abstractmethod
    def descriptors(self) -> Sequence[int]:
        """The file descriptor of each program that counts; none while it is not attached."""

    @property
    def attached(self) -> bool:
        """Whether it counts now."""
        return bool(self.descriptors)

    @property
    def runs_per_event(self) -> bool:
        """Whether one of its programs runs for each event, so that their runs are the number of events."""
        return True

    @property
    def tracers(self) -> Tracers | None:
        """Its programs at the tracepoints of the allocator; None: it has none, or is not compiled."""
        return None

    @property
    def trouble(self) -> str:
        """What it cannot do although it was asked to, in words for the user; empty if there is nothing."""
        return ""

    @abstractmethod
    def attach(self, settings: Settings) -> None:
        """Begin to count.

        Raises:
            SlabtuiError: the kernel refused; nothing is left attached.
            OSError: a map could not be read or written.
        """

    @abstractmethod
    def detach(self) -> None:
        """Stop counting; what was counted can still be read."""

    @abstractmethod
    def put(self, settings: Settings) -> None:
        """Hand the settings to the programs; OSError where the kernel refuses."""

    @abstractmethod
    def read(self) -> Result:
        """Return what was counted so far; OSError where a map cannot be read."""

    def advance(self, settings: Settings) -> bool:
        """Attach if the part has become ready to; return whether it has."""
        return False

    def wait(self, seconds: float | None = None) -> None:
        """Wait until it is ready, or has failed, for `seconds` at most (None: without limit)."""

    def close(self) -> None:
        """Detach it and release its maps; in any thread, and more than once."""
        for module in self.modules:
            module.close()


class TracedPart(Part[Result]):
    """A part whose programs run at tracepoints.

    Attributes:
        module: its programs and maps.
    """

    def __init__(self, module: Module, tracers: Tracers) -> None:
        self.module = module
        self._tracers = tracers

    @property
    def modules(self) -> Sequence[Module]:
        """Its programs and maps."""
        return (self.module,)

    @property
    def descriptors(self) -> Sequence[int]:
        """The file descriptor of each program that counts."""
        return tuple(self._tracers.descriptors.values())

    @property
    def tracers(self) -> Tracers:
        """Its programs at the tracepoints."""
        return self._tracers

    def attach(self, settings: Settings) -> None:
        """Begin to count.

        Raises:
            SlabtuiError: the kernel refused; nothing is left attached.
            OSError: a map could not be written.
        """
        self._tracers.attach(settings)

    def detach(self) -> None:
        """Stop counting and unload the programs."""
        self._tracers.detach()

    def put(self, settings: Settings) -> None:
        """Hand the settings to the programs; OSError where the kernel refuses."""
        self._tracers.put(settings)


class CachePart(TracedPart[tuple[InspectionReading, ...]]):
    """A part that inspects one cache at a time."""

    @abstractmethod
    def aim(self, key: CacheKey, cache: Cache, kinds: Sequence[InspectionKind], number: int) -> None:
        """Choose what `attach` inspects next.

        Args:
            key: the key of the cache.
            cache: the cache; its size is 0 where its objects differ in size.
            kinds: what is inspected; each of those that the programs of this part count.
            number: the number of the inspection, from 1; another one than before.
        """

    @abstractmethod
    def pace(self, settings: Settings, allocs: int, seconds: float) -> None:
        """Fit the sample to what the events cost.

        Args:
            settings: those of all programs; what changes takes effect when they are handed over.
            allocs: allocations of the cache in the last interval.
            seconds: length of that interval.

        Raises:
            OSError: a map could not be read.
        """
