"""Tracks what is held of several caches at the same time, each by a part of its own."""

from collections.abc import Callable, Mapping, Sequence
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
        self._tracked: list[CacheKey | None] = [None] * MOST_SUSPECTS  # by each of them

    @property
    def parts(self) -> tuple[Part[Any], ...]:
        """The parts that track them, compiled or not."""
        return tuple(one.part for one in self._each)

    def request(self, wanted: Sequence[CacheKey] | None, settings: Settings) -> None:
        """Track these caches, and no others; those that are tracked already go on.

        Args:
            wanted: the caches; empty: none yet, but what tracks MOST_SUSPECTS is made ready; None: none.
            settings: those of all programs.
        """
        if wanted is not None and not wanted:
            for one in self._each:
                one.part.prepare()
        chosen = (wanted or ())[:MOST_SUSPECTS]
        others = iter([cache for cache in chosen if cache not in self._tracked])
        for place, (one, before) in enumerate(zip(self._each, self._tracked, strict=True)):
            if before is None or before not in chosen:
                after = self._tracked[place] = next(others, None)
                if after != before:
                    one.request(InspectionRequest(after, _KINDS) if after else None, settings)

    def read(self, slabs: Mapping[str, Slab]) -> tuple[InspectionReading, ...]:
        """Return what is held of each, and what the kernel says about it; see Inspections.read."""
        return tuple(reading for one in self._each for reading in one.read(slabs))

    def end_interval(self, settings: Settings) -> None:
        """Go on to the next interval; see Inspections.end_interval."""
        for one in self._each:
            one.end_interval(settings)
