"""Tracks what is held of several caches at the same time, each by a part of its own."""

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.inspections import Inspections
from slabtui.kernel.part import Part
from slabtui.kernel.procfs.slabinfo import Slab
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import InspectionKind, InspectionReading
from slabtui.model.request import MOST_SUSPECTS, InspectionRequest

_KINDS = (InspectionKind.HELD, InspectionKind.ABOUT)


class Suspects:
    """The caches that are tracked together.

    Args:
        make: makes what tracks one of them.
    """

    def __init__(self, make: Callable[[], Inspections]) -> None:
        self._each = tuple(make() for _ in range(MOST_SUSPECTS))
        self._wanted: tuple[CacheKey, ...] = ()

    @property
    def parts(self) -> tuple[Part[Any], ...]:
        """The parts that track them, compiled or not."""
        return tuple(one.part for one in self._each)

    def request(self, wanted: Sequence[CacheKey] | None, settings: Settings) -> None:
        """Track these caches, and no others; those that are tracked already go on if their place is the same.

        Args:
            wanted: the caches; None: nothing needs to be ready for any.
            settings: those of all programs.
        """
        before, self._wanted = self._wanted, tuple((wanted or ())[:MOST_SUSPECTS])
        if wanted is not None:
            for one in self._each:
                one.part.prepare()
        for one, old, new in zip_longest(self._each, before, self._wanted):
            if old != new:
                one.request(InspectionRequest(new, _KINDS) if new else None, settings)

    def read(self, slabs: Mapping[str, Slab]) -> tuple[InspectionReading, ...]:
        """Return what is held of each, and what the kernel says about it; see Inspections.read."""
        return tuple(reading for one in self._each for reading in one.read(slabs))

    def end_interval(self, settings: Settings) -> None:
        """Go on to the next interval; see Inspections.end_interval."""
        for one in self._each:
            one.end_interval(settings)
