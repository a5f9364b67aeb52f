"""Carries out requests for inspections, one cache at a time: finds it, begins once it is known, paces the stacks."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from slabtui.kernel.beside import Beside
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.comparison import Comparison
from slabtui.kernel.counters import Cache
from slabtui.kernel.deferred import Deferred
from slabtui.kernel.part import CachePart, Part
from slabtui.kernel.procfs.slabinfo import Slab, Slabinfo
from slabtui.kernel.rows import Rows
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import InspectionKind, InspectionReading
from slabtui.model.request import InspectionRequest
from slabtui.model.snapshot import CacheTotals

_DESTROYED = "the cache was destroyed"


class Inspections:
    """The inspection that is wanted, if any, as far as it is of kinds that one part counts.

    Args:
        kinds: these kinds, and those that no programs count.
        make: makes the part; runs in a thread.
        ready: called in that thread when `part.advance` has something to do.
        prepare: called before the part is attached.
        rows: those of all caches.
        slabinfo: what the kernel says of its caches.
        learn: reads the addresses of the caches again, into `rows`.
        comparison: sets what is held against the live objects; None: not needed.
        name: what is not counted where the part fails, in words for the user.

    Attributes:
        part: what inspects.
    """

    def __init__(
        self,
        kinds: Collection[InspectionKind],
        make: Callable[[], CachePart],
        ready: Callable[[], None],
        prepare: Callable[[Part[tuple[InspectionReading, ...]]], None],
        *,
        rows: Rows,
        slabinfo: Slabinfo,
        learn: Callable[[], None],
        comparison: Comparison | None = None,
        name: str = "inspection",
    ) -> None:
        self.part: Deferred[CachePart, tuple[InspectionReading, ...]] = Deferred(name, make, (), ready, self._begin)
        self._kinds = kinds
        self._comparison = comparison
        self._prepare = prepare
        self._rows = rows
        self._slabinfo = slabinfo
        self._learn = learn
        self._wanted: InspectionRequest | None = None
        self._number = 0
        self._learned = True  # the addresses, for this request
        self._cache: CacheKey | None = None  # what the request names, once its inspection has begun
        self._address = 0  # where that cache is
        self._destroyed = False  # it was, while it was inspected
        self._beside = Beside()
        self._before: Mapping[CacheKey, CacheTotals] = {}  # the rows at the beginning of the last interval
        self._now: Mapping[CacheKey, CacheTotals] = {}  # and at its end
        self._read_at = time.monotonic()
        self._seconds = 0.0  # length of the last interval

    def request(self, wanted: InspectionRequest | None, settings: Settings) -> None:
        """End the last inspection, and begin the one that is wanted as soon as it can."""
        self._wanted, self._cache, self._destroyed = wanted, None, False
        self.part.detach()
        if wanted is not None:
            self._number += 1
            self._beside = Beside()
            self._learned = False
            if self._traced:
                self.part.attach(settings)

    def read(self, slabs: Mapping[str, Slab]) -> tuple[InspectionReading, ...]:
        """Return what was found, of each kind that is wanted; none while the cache is unknown.

        What the kernel says of the cache is there at once; the other kinds are left out while their programs are being
        compiled.

        Args:
            slabs: what /proc/slabinfo says, by name.

        Raises:
            OSError: a map could not be read.
        """
        wanted, row = self._wanted, self._find()
        if wanted is None or row is None:
            return ()
        found = {reading.kind: reading for reading in self._read_traced(row.cache)}
        if self._comparison:
            found = {kind: self._comparison.add(reading, row) for kind, reading in found.items()}
        if InspectionKind.ABOUT in self.kinds:
            slab = slabs.get(row.name) if row.live is not None else None
            about = self._slabinfo.about(row.name, slab, row.aliases)
            about = self._beside.add(about, row, found.values())
            found[InspectionKind.ABOUT] = InspectionReading(row.cache, InspectionKind.ABOUT, self._number, about=about)
        return tuple(found[kind] for kind in wanted.kinds if kind in found)

    @property
    def kinds(self) -> tuple[InspectionKind, ...]:
        """The kinds of those that are wanted that belong here."""
        return tuple(kind for kind in self._wanted.kinds if kind in self._kinds) if self._wanted else ()

    def end_interval(self, settings: Settings) -> None:
        """Begin an inspection whose cache has become known; fit the period of stacks to what the cache allocates.

        End an inspection if another cache is at the address of its own: that one was destroyed.

        Raises:
            OSError: a map could not be read.
        """
        now = time.monotonic()
        self._seconds, self._read_at = now - self._read_at, now
        self._before, self._now = self._now, self._rows.by_key
        if self.part.attached and self._rows.find_owner(self._address) not in (None, self._cache):
            self._destroyed = True
            self.part.detach()
        elif self.part.attached:
            assert self.part.part is not None
            self._pace(self.part.part, settings)
        elif self._counts_nothing_yet():
            self.part.attach(settings)

    def _counts_nothing_yet(self) -> bool:
        """Return whether an inspection is wanted that only waits for its cache."""
        return bool(self._traced) and not (self.part.pending or self.part.failure or self._destroyed)

    @property
    def _traced(self) -> tuple[InspectionKind, ...]:
        """The kinds that are wanted and that programs count."""
        return tuple(kind for kind in self.kinds if kind is not InspectionKind.ABOUT)

    def _read_traced(self, cache: CacheKey) -> tuple[InspectionReading, ...]:
        """Return what the programs found; while they do not count, why that is so."""
        if not self._traced or self.part.pending:
            return ()
        if self.part.attached:
            return self.part.read()
        if self._destroyed and (found := self.part.read()):
            return tuple(replace(one, trouble=_DESTROYED) for one in found)
        trouble = self.part.failure
        return tuple(InspectionReading(cache, kind, self._number, trouble=trouble) for kind in self._traced)

    def _begin(self, part: CachePart, settings: Settings) -> None:
        """Attach the part if it is known where the cache is; else `end_interval` tries again."""
        target = self._locate()
        if target is None and not self._learned:  # it may have been created since the list was read
            self._learned = True
            self._learn()
            target = self._locate()
        if target is not None:
            self._cache, cache = target
            self._address = cache.address
            part.aim(self._cache, cache, self._traced, self._number)
            self._pace(part, settings)
            self._prepare(part)
            part.attach(settings)
            if self._comparison:
                self._comparison.begin(cache.name)

    def _find(self) -> CacheTotals | None:
        """Return the row of the cache that is wanted."""
        wanted = self._cache or (self._wanted and self._wanted.cache)
        return self._rows.find(wanted) if wanted else None

    def _locate(self) -> tuple[CacheKey, Cache] | None:
        """Return the cache that is wanted; None: it is not known where it is."""
        row = self._find()
        if row is not None:
            cache = self._rows.locate(row.cache)
            return (row.cache, cache) if cache else None
        wanted = self._wanted.cache if self._wanted else None
        if not isinstance(wanted, str):
            return None
        aliases = self._slabinfo.aliases(self._rows.listed.keys())
        name = next((name for name, others in aliases.items() if wanted in others), wanted)
        return self._rows.locate_listed(name)

    def _pace(self, part: CachePart, settings: Settings) -> None:
        assert self._cache is not None
        before, now = self._before.get(self._cache), self._now.get(self._cache)
        allocs = (now.total_allocs if now else 0) - (before.total_allocs if before else 0)
        part.pace(settings, allocs, self._seconds)
