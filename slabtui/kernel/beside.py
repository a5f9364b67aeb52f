"""What the kernel counts beside one cache while it is inspected: side counts, and the code that it knows itself."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from slabtui.kernel.procfs import cgroups, kernel_sites, side_counts
from slabtui.model.beside import KernelSite, SideCount
from slabtui.model.holders import name_site
from slabtui.model.inspection import About, InspectionKind, InspectionReading
from slabtui.model.snapshot import CacheTotals


class Beside:
    """The counts of one inspection, with what they were when it began; the code that allocated is read once, then."""

    def __init__(self) -> None:
        self._began: dict[str, int] = {}
        self._traces: tuple[KernelSite, ...] | None = None
        self._allocinfo: tuple[KernelSite, ...] = ()

    def add(self, about: About, row: CacheTotals, found: Iterable[InspectionReading]) -> About:
        """Return what is known of a cache, with what the kernel counts beside it.

        Args:
            about: what is known.
            row: the cache.
            found: what its inspection has found so far: its call sites tell which code allocates from it.
        """
        counts = side_counts.read((row.name, *row.aliases), hierarchy=self._hierarchy)
        counted = (SideCount(name, number, self._began.setdefault(name, number)) for name, number in counts.items())
        return replace(about, counts=tuple(counted), sites=self._find_sites(row, found))

    @cached_property
    def _hierarchy(self) -> Path | None:
        return cgroups.hierarchy()

    def _find_sites(self, row: CacheTotals, found: Iterable[InspectionReading]) -> tuple[KernelSite, ...]:
        if row.size is None:
            return ()
        if self._traces is None:
            self._traces = kernel_sites.read_traces(row.name, row.size)
            self._allocinfo = kernel_sites.read_allocinfo()
        callers = {site for each in found for site in _name_sites(each)}
        return (*self._traces, *kernel_sites.match(self._allocinfo, callers, row.size))


def _name_sites(found: InspectionReading) -> Iterable[str]:
    """Yield the functions that called the allocator."""
    if found.kind is InspectionKind.CALLERS:
        return (row.frames[0] for row in found.rows)
    if found.kind is InspectionKind.HELD:
        return map(name_site, found.rows)
    return ()
