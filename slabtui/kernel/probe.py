"""The running kernel as a source of totals: puts together what is counted, what slabinfo says, and what that costs."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from slabtui.detail import Detail, Kind, Watch
from slabtui.errors import SlabtuiError
from slabtui.kernel import cgroups
from slabtui.kernel.agreement import Agreement
from slabtui.kernel.allocs import Allocated, Allocs
from slabtui.kernel.bulk import Bulk, Bulked
from slabtui.kernel.frees import Freed, Frees
from slabtui.kernel.layout import Layout
from slabtui.kernel.look import Look
from slabtui.kernel.meter import Meter
from slabtui.kernel.module import Kit, import_bcc, mend
from slabtui.kernel.rows import Counted, Unseen, merged
from slabtui.kernel.slabinfo import Slab, Slabinfo
from slabtui.kernel.whose import Whose
from slabtui.snapshot import CacheRow, Totals

LARGE = CacheRow(cache=1, name="kmalloc-large", size=None, object_size=None, allocs=0, bytes=0)


class Probe:
    """Counts from the moment it is made until it is closed. Not thread-safe.

    Args:
        where: the layout of the running kernel.
        whose: whose allocations are counted; closed with the probe.

    Raises:
        SlabtuiError: the kernel, bcc or the privileges are not enough; nothing is left attached.
    """

    def __init__(self, where: Layout, whose: Whose | None = None) -> None:
        bcc = import_bcc()
        self._whose = whose or Whose()
        self._layout = where
        self._slabinfo = Slabinfo()
        self._kit = Kit(
            bcc,
            [*where.macros(), *self._whose.macros()],
            self._whose.cgroup,
            nests=bool(where.nests),
            node_events=bool(where.node_events),
        )
        try:
            self._allocs = Allocs(self._kit)
        except OSError as error:
            self._release()
            what = f"the kernel refuses the maps ({error})"
            raise SlabtuiError(what, mend(str(error), "check `ulimit -l`")) from error
        except BaseException:
            self._release()
            raise
        self._settings = self._allocs.settings
        self.exact_kmalloc = bool(self._settings.calibrated)
        self._meter = Meter(bcc.lib)
        self._bulk: Bulk | None = None
        self._covers_bulk: bool | None = None  # None: not tried yet
        self._frees: Frees | None = None
        self._agreement = Agreement()
        self._look: Look | None = None
        self._watch = Watch()
        self._trouble: tuple[str, ...] = ()
        self._unseen = Unseen()
        self._rows: dict[int, CacheRow] = {}  # as read last
        self._earlier: dict[int, CacheRow] = {}  # as read before that
        self._read_at = time.monotonic()
        self._seconds = 0.0  # between the two

    @property
    def notes(self) -> tuple[str, ...]:
        """What cannot be told on this kernel, or no more, in words for the user."""
        by_size = () if self.exact_kmalloc else ("kmalloc by size class (~)",)
        unreadable = tuple(filter(None, (self._slabinfo.trouble, self._slabinfo.unlisted)))
        return (*by_size, *unreadable, *self._trouble, *self._whose.notes)

    def begin(self) -> None:
        """Attach what would delay the first screen: the probes on bulk functions, where there are such."""
        self._covers_bulk = False
        if self._layout.alloc_bulk:
            # A kernel may have the code for such probes and refuse them even so.
            with suppress(SlabtuiError, OSError):
                self._bulk = Bulk(self._kit, self._settings)
                self._covers_bulk = True
        self._measure()

    def watch(self, wanted: Watch) -> None:
        """Begin and end what is counted only while somebody looks; what cannot be begun is told in `notes`."""
        before, self._watch = self._watch, wanted
        self._trouble = ()
        if wanted.frees != before.frees:
            self._attempt(self._count_frees)
        if (wanted.cache, wanted.kind) != (before.cache, before.kind):
            self._attempt(self._look_at_watched)
        self._measure()

    def totals(self) -> Totals:
        """Read everything counted so far, and let the kernel read the caches' names anew from here on.

        Raises:
            OSError: a map could not be read.
        """
        allocated = self._allocs.read()
        freed = self._frees.read() if self._frees else Freed()
        bulk = self._bulk.read() if self._bulk else Bulked()
        slabs = self._slabinfo.read()
        aliases = self._slabinfo.aliases(slabs.keys())
        if not self._whose.everybody:
            slabs = {}  # what it says of objects is about everybody's
        frees = bool(self._frees and self._frees.descriptors)
        counted = Counted(allocated.by_cache, freed.by_cache if frees else None, bulk.allocs, bulk.frees)
        rows = merged(counted, slabs, aliases, self._unseen)
        self._add_large(rows, allocated, freed.large if frees and self.exact_kmalloc else None)
        self._judge(rows, slabs)
        self._earlier, self._rows = self._rows, rows
        self._seconds, self._read_at = time.monotonic() - self._read_at, time.monotonic()
        detail = self._detail(rows, slabs)
        self._settings.epoch += 1
        for part in self._parts():
            part.module.put(self._settings)
        losses = (allocated.lost, freed.lost, bulk.lost_allocs, bulk.lost_frees)
        return Totals(
            rows=tuple(rows.values()),
            lost=None if None in losses else sum(filter(None, losses)),
            events=_events(rows, freed) if self._whose.everybody else None,
            nanoseconds=self._meter.nanoseconds,
            bulk=self._covers_bulk,
            detail=detail,
        )

    def close(self) -> None:
        """Detach everything; the kernel then frees the programs and their maps."""
        self._meter.stop()
        for part in self._parts():
            part.module.close()
        self._release()

    def program_descriptors(self) -> dict[str, int]:
        """Return the file descriptor of each attached program, by its tracepoint; their statistics are in fdinfo.

        A look has programs of its own at the tracepoints of allocations: these are named `look: kmem_cache_alloc`.
        """
        frees = self._frees.descriptors if self._frees else {}
        look = self._look.descriptors if self._look else {}
        return {**self._allocs.descriptors, **frees, **{f"look: {name}": program for name, program in look.items()}}

    def _parts(self) -> "Iterator[Allocs | Frees | Bulk | Look]":
        """Yield all that has been compiled so far."""
        for part in (self._look, self._frees, self._bulk, self._allocs):
            if part:
                yield part

    def _add_large(self, rows: dict[int, CacheRow], allocated: Allocated, frees: int | None) -> None:
        """Add the row of what kmalloc takes from the page allocator."""
        if allocated.large or frees:
            rows[LARGE.cache] = replace(
                LARGE,
                allocs=allocated.large,
                bytes=allocated.large_bytes,
                frees=frees,
                approximate=bool(self._layout.large_twice),
            )

    def _release(self) -> None:
        self._slabinfo.close()
        self._whose.close()

    def _measure(self) -> None:
        frees = self._frees.descriptors.values() if self._frees else ()
        bulk = self._bulk.descriptors if self._bulk else ()
        look = self._look.descriptors.values() if self._look else ()
        self._meter.start([*self._allocs.descriptors.values(), *frees], [*bulk, *look])

    def _attempt(self, begin: Callable[[], None]) -> None:
        try:
            begin()
        except (SlabtuiError, OSError) as error:
            self._trouble = (*self._trouble, f"not counted: {error}")

    def _count_frees(self) -> None:
        if not self._watch.frees:
            if self._frees:
                self._frees.detach()
            return
        self._frees = self._frees or Frees(self._kit)
        self._agreement = Agreement()
        self._frees.attach(self._settings)

    def _look_at_watched(self) -> None:
        """End the last look, and begin the next if it is known already where the cache is."""
        if self._look:
            self._look.detach()
        self._settings.target = 0
        row = self._watched(self._rows)
        kind = self._watch.kind
        if kind is None or kind is Kind.ABOUT or row is None or self._unseen.name(row.cache):
            return
        self._look = self._look or Look(self._kit, cgroups.hierarchy())
        self._settings.target, self._settings.target_size = row.cache, row.size or 0
        self._pace(row)
        self._look.attach(kind, self._settings)

    def _watched(self, rows: Mapping[int, CacheRow]) -> CacheRow | None:
        """Return the row of the cache that is looked at closely; one of which only the name was known may have come."""
        wanted = self._watch.cache
        if isinstance(wanted, int):
            name = self._unseen.name(wanted)
            if name is None:
                return rows.get(wanted)
            wanted = name
        by_name = (row for row in rows.values() if wanted == row.name or wanted in row.aliases)
        return next(by_name, None)

    def _detail(self, rows: Mapping[int, CacheRow], slabs: Mapping[str, Slab]) -> Detail | None:
        kind, row = self._watch.kind, self._watched(rows)
        if kind is None or row is None:
            return None
        if kind is Kind.ABOUT:
            about = self._slabinfo.about(row.name, slabs.get(row.name), row.aliases)
            return Detail(row.name, kind, about=about)
        if not self._settings.target and not self._trouble:
            self._attempt(self._look_at_watched)
        if self._look is None or not self._look.descriptors:
            return Detail(row.name, kind)
        detail = self._look.read(row.name, row.size)
        self._pace(row)
        return detail

    def _pace(self, row: CacheRow) -> None:
        """Fit the taking of stacks to how fast a cache allocates, by what came between the last two readings."""
        assert self._look is not None
        earlier = self._earlier.get(row.cache)
        self._look.pace(self._settings, row.allocs - (earlier.allocs if earlier else 0), self._seconds)

    def _judge(self, rows: dict[int, CacheRow], slabs: Mapping[str, Slab]) -> None:
        """Mark the rows whose allocations and frees do not explain how many of their objects are live."""
        for cache, row in rows.items():
            if row.frees is not None and row.live is not None:
                if not self._agreement.knows(cache):
                    by_objects = bool(self._layout.partial_by_objects)
                    hidden = self._slabinfo.hidden(row.name, partial_by_objects=by_objects)
                    self._agreement.begin(row, slabs[row.name].objects_per_slab, hidden)
                rows[cache] = replace(row, disagrees=self._agreement.disagrees(row))


def _events(rows: Mapping[int, CacheRow], freed: Freed) -> int:
    return sum(row.allocs for row in rows.values()) + sum(freed.by_cache.values()) + freed.large
