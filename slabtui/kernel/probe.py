"""The running kernel as a source of totals: puts together what is counted, what slabinfo says, and what that costs."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar

from slabtui.errors import SlabtuiError
from slabtui.kernel import capabilities
from slabtui.kernel.abi.offsets import Offsets
from slabtui.kernel.allocs import Allocated, Allocs
from slabtui.kernel.bpf import features, remedies
from slabtui.kernel.bpf.compiler import Compiler
from slabtui.kernel.bpf.module import BuildContext
from slabtui.kernel.bpf.settings import Way
from slabtui.kernel.bulk import Bulk, BulkCounts
from slabtui.kernel.consistency import Consistency
from slabtui.kernel.deferred import Deferred
from slabtui.kernel.frees import Freed, Frees
from slabtui.kernel.handover import Handover
from slabtui.kernel.inspect import Inspector
from slabtui.kernel.overhead import Overhead
from slabtui.kernel.procfs import cgroups
from slabtui.kernel.procfs.slabinfo import Slab, Slabinfo
from slabtui.kernel.rows import Counted, Unseen, find_living, merged
from slabtui.kernel.scope import Scope
from slabtui.kernel.tracers import Tracers
from slabtui.model.inspection import Inspection, Kind, Request
from slabtui.model.snapshot import CacheRow, Totals
from slabtui.system.ending import WAIT

LARGE = CacheRow(cache=1, name="kmalloc-large", size=None, object_size=None, allocs=0, bytes=0)

_BULK, _FREES, _INSPECTION = "bulk", "frees", "inspection"  # the parts that are compiled later
_COST = "cost"  # what the programs take, which a thread measures
_Result = TypeVar("_Result")


class Probe:
    """Counts from the moment it is made until it is closed. Not thread-safe, except `close`.

    Args:
        where: the layout of the running kernel.
        whose: whose allocations are counted; closed with the probe.
        compiler: compiles the programs; closed with the probe.
        rdonly_cast: whether to use bpf_rdonly_cast() where the kernel has it.

    Raises:
        SlabtuiError: the kernel, bcc or the privileges are not enough; nothing is left attached.
    """

    def __init__(
        self, where: Offsets, whose: Scope | None = None, compiler: Compiler | None = None, *, rdonly_cast: bool = True
    ) -> None:
        self._whose = whose or Scope()
        self._layout = where
        self._slabinfo = Slabinfo()
        self._compiler = compiler or Compiler()
        capabilities.unlimit_locked_memory()
        try:
            self._context = self._build_context(rdonly_cast)
            self._allocs = Allocs(self._context, where.page_step)
        except OSError as error:
            self._release()
            what = f"the kernel refuses the maps ({error.strerror})"
            raise SlabtuiError(what, remedies.after(error, "check `ulimit -l`")) from error
        except BaseException:
            self._release()
            raise
        # What is compiled later may find the control group gone, which is no fault of it: `advance` lets it follow.
        self._context = replace(self._context, base_of_pages=self._allocs.base_of_pages, cgroup=None)
        self._settings = self._allocs.settings
        self._handover = Handover(self._settings)
        self.exact_kmalloc = bool(self._allocs.base_of_pages)
        self._meter = Overhead()
        self._wake: Callable[[], None] = lambda: None
        self._bulk = Deferred(lambda: Bulk(self._context, where.functions))
        self._frees = Deferred(lambda: Frees(self._context))
        self._look = Deferred(lambda: Inspector(self._context, cgroups.hierarchy(), nested=self._whose.nested))
        self._covers_bulk: bool | None = None  # None: not tried yet
        self._agreement = Consistency()
        self._watch = Request()
        self._learned_for: Request | None = None
        self._troubles: dict[str, str] = {}  # by the part that has it
        self._unseen = Unseen()
        self._living: dict[str, int] = {}  # address of the cache of that name which has not been destroyed
        self._rows: dict[int, CacheRow] = {}  # as read last
        self._earlier: dict[int, CacheRow] = {}  # as read before that
        self._was_read = False
        self._read_at = time.monotonic()
        self._seconds = 0.0  # between the two
        self._closing = threading.Lock()  # held for ever by the thread that closes the probe

    @property
    def bcc(self) -> str:
        """The version of the bcc that compiled the programs."""
        return self._compiler.bcc

    @property
    def way(self) -> Way:
        """Which programs count: those of raw or of classic tracepoints, or which step leads from one to the other."""
        return Way(self._settings.way)

    @property
    def lookup(self) -> str:
        """The function by which the programs read the cache of an object."""
        return "bpf_rdonly_cast" if self._context.features.rdonly_cast else "bpf_probe_read_kernel"

    @property
    def notes(self) -> tuple[str, ...]:
        """What cannot be told on this kernel, or no more, in words for the user."""
        by_size = () if self.exact_kmalloc else ("kmalloc by size class (~)",)
        look = self._look.part
        hidden = look.trouble if look and look.attached else ""
        unreadable = filter(None, (self._slabinfo.trouble, self._slabinfo.unlisted, hidden, self._handover.note))
        return (*by_size, *unreadable, *self._troubles.values(), *self._whose.notes)

    def begin(self, wake: Callable[[], None]) -> None:
        """Begin with what would delay the first screen: the probes on bulk functions, where the kernel has them.

        Args:
            wake: called in any thread when it is worth to call `advance`.
        """
        self._wake = wake
        if self._layout.functions.alloc_bulk:
            self._attempt(_BULK, lambda: self._bulk.begin(wake))
        else:
            self._covers_bulk = False
        self._measure()

    def watch(self, wanted: Request) -> None:
        """Begin and end what is counted on request only; `notes` say what could not begin."""
        before, self._watch = self._watch, wanted
        if wanted.frees != before.frees:
            self._troubles.pop(_FREES, None)
            self._attempt(_FREES, self._count_frees)
        if (wanted.cache, wanted.kind) != (before.cache, before.kind):
            self._troubles.pop(_INSPECTION, None)
            self._attempt(_INSPECTION, self._inspect)
        self._measure()

    def advance(self) -> None:
        """Attach what has been compiled since."""
        for name, part, attach in (
            (_BULK, self._bulk, self._count_bulk),
            (_FREES, self._frees, self._count_frees),
            (_INSPECTION, self._look, self._inspect),
        ):
            made = self._attempt(name, part.collect)
            if made is not None:
                self._whose.confine(made.module)
                self._attempt(name, attach)
                self._measure()

    def settle(self) -> None:
        """Wait until everything that has been asked for counts, or cannot."""
        for part in (self._bulk, self._frees, self._look):
            part.wait()
        if not self._was_read:
            self.totals()  # an inspection asks which cache has the name
        self.advance()

    def totals(self) -> Totals:
        """Read everything counted so far, and let the kernel read the caches' names anew from here on.

        Raises:
            OSError: a map could not be read.
        """
        self._whose.follow(part.module for part in self._parts())
        allocated = self._allocs.read()
        frees_part, bulk_part = self._frees.part, self._bulk.part
        freed = frees_part.read() if frees_part else Freed()
        bulk = bulk_part.read() if bulk_part else BulkCounts()
        slabs = self._slabinfo.read()
        if not self._was_read:
            self._learn_addresses(slabs)
            self._was_read = True
        aliases = self._slabinfo.aliases(slabs.keys())
        if not self._whose.everybody:
            slabs = {}  # what it says of objects is about everybody's
        frees = bool(frees_part and frees_part.counts)
        counted = Counted(allocated.by_cache, freed.by_cache if frees else None, bulk.allocs, bulk.frees)
        epochs = Counter(freed.epochs) | Counter(allocated.epochs)  # the later one of both
        self._living = find_living(counted.caches, epochs, self._living)
        rows = merged(counted, slabs, aliases, self._unseen, self._living)
        self._add_large(rows, allocated, freed.large if frees and self.exact_kmalloc else None)
        by_objects = bool(self._layout.partial_by_objects)
        self._agreement.mark(rows, slabs, partial(self._slabinfo.hidden, partial_by_objects=by_objects))
        self._earlier, self._rows = self._rows, rows
        self._seconds, self._read_at = time.monotonic() - self._read_at, time.monotonic()
        detail = self._detail(rows, slabs)
        if self._layout.preemptible and self.exact_kmalloc and self._handover.advance(self._tracers(), _allocs(rows)):
            self._measure()
        self._settings.begin_interval()
        for part in self._parts():
            part.put(self._settings)
        losses = (allocated.lost, freed.lost, bulk.lost_allocs, bulk.lost_frees)
        return Totals(
            rows=tuple(rows.values()),
            lost=None if None in losses else sum(filter(None, losses)),
            events=_events(rows, freed) if self._whose.everybody else None,
            nanoseconds=self._meter.nanoseconds,
            bulk=self._covers_bulk,
            detail=detail,
            frees_begun=freed.begun,
        )

    def close(self) -> None:
        """Detach everything; the kernel then frees the programs and their maps.

        May be called by any thread, also while another one uses the probe and hangs. A second call does nothing, also
        while the first has not returned: file descriptors that were closed twice could be those of other files.
        """
        if not self._closing.acquire(blocking=False):
            return
        self._meter.stop()
        for part in self._parts():
            part.module.close()
        self._compiler.close()
        for deferred in (self._bulk, self._frees, self._look):
            deferred.wait(WAIT)
            with suppress(SlabtuiError, OSError):
                deferred.collect()
        for part in self._parts():  # those that became ready meanwhile; the others have nothing left to close
            part.module.close()
        self._release()

    def program_descriptors(self) -> dict[str, int]:
        """Return the file descriptor of each attached program, by its tracepoint; their statistics are in fdinfo.

        An inspection has programs of its own at the tracepoints of allocations: these are named `look:
        kmem_cache_alloc`.
        """
        frees = self._frees.part.tracers.descriptors if self._frees.part else {}
        look = self._look.part.tracers.descriptors if self._look.part else {}
        return {
            **self._allocs.tracers.descriptors,
            **frees,
            **{f"look: {name}": program for name, program in look.items()},
        }

    def _parts(self) -> "Iterator[Allocs | Frees | Bulk | Inspector]":
        """Yield all that has been compiled so far."""
        for part in (self._look.part, self._frees.part, self._bulk.part, self._allocs):
            if part:
                yield part

    def _tracers(self) -> list[Tracers]:
        """Return the tracers that count, first those of allocations."""
        frees, look = self._frees.part, self._look.part
        others = (frees.tracers if frees and frees.counts else None, look.tracers if look and look.attached else None)
        return [self._allocs.tracers, *filter(None, others)]

    def _build_context(self, rdonly_cast: bool) -> BuildContext:
        functions = self._layout.functions
        return BuildContext(
            compiler=self._compiler,
            features=features.detect(functions.rdonly_cast if rdonly_cast else 0, functions.word_type),
            macros=[*self._layout.macros(), *self._whose.macros()],
            rdonly_cast=functions.rdonly_cast,
            word_type=functions.word_type,
            cgroup=self._whose.cgroup,
            nests=bool(self._layout.nests),
            node_events=bool(self._layout.node_events),
        )

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
        self._compiler.close()
        self._slabinfo.close()
        self._whose.close()

    def _measure(self) -> None:
        frees = self._frees.part.tracers.descriptors.values() if self._frees.part else ()
        bulk = self._bulk.part.descriptors if self._bulk.part else ()
        look = self._look.part.tracers.descriptors.values() if self._look.part else ()
        self._troubles.pop(_COST, None)
        try:
            self._meter.start([*self._allocs.tracers.descriptors.values(), *frees], [*bulk, *look])
        except SlabtuiError as error:
            self._troubles[_COST] = f"cost not measured: {error}"

    def _attempt(self, part: str, step: Callable[[], _Result]) -> _Result | None:
        """Carry out a step of a part, and note its trouble if it fails."""
        try:
            result = step()
        except (SlabtuiError, OSError) as error:
            self._troubles[part] = f"{part} not counted: {error}"
            return None
        return result

    def _count_bulk(self) -> None:
        assert self._bulk.part is not None
        self._covers_bulk = False
        # A kernel may have the code for such probes and refuse them even so.
        with suppress(SlabtuiError, OSError):
            self._bulk.part.attach(self._settings)
            self._covers_bulk = True

    def _count_frees(self) -> None:
        """Count frees if they are wanted, as soon as their programs are compiled."""
        frees = self._frees.part
        if not self._watch.frees:
            if frees:
                frees.tracers.detach()
        elif frees is None:
            self._frees.begin(self._wake)
        else:
            self._agreement = Consistency()
            frees.attach(self._settings)

    def _inspect(self) -> None:
        """End the last inspection; begin the one that is wanted, if its cache has an address and it is compiled."""
        look = self._look.part
        if look:
            look.detach()
        self._settings.target = 0
        kind = self._watch.kind
        if kind is None or kind is Kind.ABOUT:
            return
        if look is None:
            self._look.begin(self._wake)
        elif target := self._target():
            self._settings.target, self._settings.target_size = target
            self._pace(look, self._rows.get(self._settings.target))
            look.attach(kind, self._settings)

    def _target(self) -> tuple[int, int] | None:
        """Return address and object size of the cache to inspect; None: it has not allocated, and is not listed."""
        row = self._watched(self._rows)
        if row and (row.allocs or row.frees):
            return row.cache, row.size or 0
        if self._learned_for is not self._watch:  # it may have been destroyed and made anew since the list was read
            self._learned_for = self._watch
            self._learn_addresses(self._slabinfo.read())
        listed = self._unseen.listed
        name = row.name if row else str(self._watch.cache)
        merged_into = (main for main, names in self._slabinfo.aliases(listed.keys()).items() if name in names)
        cache = listed.get(name) or listed.get(next(merged_into, ""))
        return (cache.cache, cache.size) if cache else None

    def _learn_addresses(self, slabs: Mapping[str, Slab]) -> None:
        """Learn where the caches are that have not allocated yet."""
        with suppress(SlabtuiError, OSError):  # then they are known from their first allocation on
            self._unseen.listed = self._allocs.take_inventory(slabs)

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

    def _detail(self, rows: Mapping[int, CacheRow], slabs: Mapping[str, Slab]) -> Inspection | None:
        """Return what the inspection has found; None: nothing is inspected, or its programs are being compiled."""
        kind, row = self._watch.kind, self._watched(rows)
        if kind is None or row is None:
            return None
        if kind is Kind.ABOUT:
            about = self._slabinfo.about(row.name, slabs.get(row.name), row.aliases)
            return Inspection(row.name, kind, about=about)
        look = self._look.part
        if look and not self._settings.target and _INSPECTION not in self._troubles:
            self._attempt(_INSPECTION, self._inspect)
        if look is None or not look.attached:
            return Inspection(row.name, kind) if look or _INSPECTION in self._troubles else None
        detail = look.read(row.name, row.size)
        self._pace(look, row)
        return detail

    def _pace(self, look: Inspector, row: CacheRow | None) -> None:
        """Fit the taking of stacks to how fast a cache allocates, by what came between the last two readings."""
        earlier = self._earlier.get(row.cache) if row else None
        look.pace(self._settings, (row.allocs if row else 0) - (earlier.allocs if earlier else 0), self._seconds)


def _allocs(rows: Mapping[int, CacheRow]) -> int:
    return sum(row.allocs for row in rows.values())


def _events(rows: Mapping[int, CacheRow], freed: Freed) -> int:
    return _allocs(rows) + sum(freed.by_cache.values()) + freed.large
