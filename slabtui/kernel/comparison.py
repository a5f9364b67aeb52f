"""Sets what seems to be held of a cache against its live objects, from the moment that tracking began."""

import os
from dataclasses import replace

from slabtui.analysis.held import add_up, judge
from slabtui.kernel.consistency import SLABS_AT_HAND
from slabtui.kernel.procfs.slabinfo import Slabinfo
from slabtui.model.inspection import InspectionReading
from slabtui.model.snapshot import CacheTotals


class Comparison:
    """Compares one cache at a time.

    Args:
        slabinfo: what the kernel says of its caches.
        partial_by_objects: whether the kernel limits the partial slabs of a CPU by objects, see Layout.
    """

    def __init__(self, slabinfo: Slabinfo, *, partial_by_objects: bool) -> None:
        self._slabinfo = slabinfo
        self._partial_by_objects = partial_by_objects
        self._began: int | None = None
        self._hidden = 0

    def begin(self, name: str) -> None:
        """Compare a cache with this moment from now on; OSError where /proc/slabinfo cannot be read."""
        slab = self._slabinfo.read().get(name)
        self._began = slab.live if slab else None
        if slab:
            at_hand = SLABS_AT_HAND * slab.objects_per_slab * (os.cpu_count() or 1)
            self._hidden = at_hand + self._slabinfo.count_hidden(name, partial_by_objects=self._partial_by_objects)

    def add(self, reading: InspectionReading, row: CacheTotals) -> InspectionReading:
        """Return what is held with the live objects, and the reason for doubt if there is one.

        They are not known where not all processes are counted.

        Args:
            reading: what is held.
            row: the cache, as read at the same time.
        """
        if reading.tracking is None:
            return reading
        if row.live is None:
            return replace(reading, tracking=replace(reading.tracking, net=None, seen=None))
        tracking = replace(reading.tracking, live_began=self._began, live=row.live)
        objects, error = add_up(one.held for one in reading.rows if one.held is not None)
        return replace(reading, tracking=judge(tracking, objects, error, self._hidden))
