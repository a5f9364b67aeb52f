"""The running kernel as a source: reads all parts that count, and hands the settings to them once per interval."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from slabtui.errors import SlabtuiError
from slabtui.kernel.abi.offsets import Offsets
from slabtui.kernel.allocs import Allocs
from slabtui.kernel.bpf import features, remedies
from slabtui.kernel.bpf.compiler import Compiler
from slabtui.kernel.bpf.copies import CopyingCompiler
from slabtui.kernel.bpf.module import BuildContext
from slabtui.kernel.bpf.settings import Settings, Way
from slabtui.kernel.bulk import Bulk, BulkCounts
from slabtui.kernel.comparison import Comparison
from slabtui.kernel.consistency import Consistency, mark_scoped
from slabtui.kernel.counters import Counts
from slabtui.kernel.deferred import Deferred
from slabtui.kernel.frees import Freed, Frees
from slabtui.kernel.handover import Handover
from slabtui.kernel.held import Holder
from slabtui.kernel.inspect import Inspector
from slabtui.kernel.inspections import Inspections
from slabtui.kernel.overhead import Overhead
from slabtui.kernel.part import Part
from slabtui.kernel.procfs import cgroups
from slabtui.kernel.procfs.memory import MemoryFiles
from slabtui.kernel.procfs.slabinfo import Slab, Slabinfo
from slabtui.kernel.procfs.symbols import Symbols
from slabtui.kernel.rows import Counted, Rows
from slabtui.kernel.scope import Scope
from slabtui.kernel.suspects import Suspects
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import InspectionKind
from slabtui.model.request import MOST_SUSPECTS, Request
from slabtui.model.snapshot import CacheTotals, Reading
from slabtui.system.ending import WAIT


class Probe:
    """Counts from the moment it is made until it is closed. Not thread-safe, except `close`.

    Args:
        where: the layout of the running kernel.
        scope: which processes are counted; closed with the probe.
        compiler: compiles the programs; closed with the probe.
        rdonly_cast: whether to use bpf_rdonly_cast() where the kernel has it.

    Attributes:
        exact_kmalloc: whether kmalloc is counted by cache, rather than by size class.
        handover: replaces raw tracepoints by classic ones.
        inspections: carries out what is requested of inspections, but not of what is held.
        holdings: carries out what is requested of that.
        suspects: carries out what is requested of what several caches hold.

    Raises:
        SlabtuiError: the kernel, bcc or the privileges are not enough; nothing is left attached.
    """

    def __init__(
        self, where: Offsets, scope: Scope | None = None, compiler: Compiler | None = None, *, rdonly_cast: bool = True
    ) -> None:
        self._layout = where
        self._scope = scope or Scope()
        self._compiler = compiler or Compiler()
        self._slabinfo = Slabinfo()
        self._memory = MemoryFiles()
        self._settings = Settings()
        self._settings.begin_interval()
        try:
            context = self._build_context(rdonly_cast)
            self._allocs = Allocs(context, where.page_step)
            self._allocs.attach(self._settings)
        except OSError as error:
            self._release()
            what = f"the kernel refuses the maps ({error.strerror})"
            raise SlabtuiError(what, remedies.after(error, "check `ulimit -l`")) from error
        except BaseException:
            self._release()
            raise
        self._features = context.features
        self.exact_kmalloc = bool(self._allocs.base_of_pages)
        # A control group may be gone when a part is compiled later, which is no error: `_prepare` confines the part.
        context = replace(context, base_of_pages=self._allocs.base_of_pages, cgroup=None)
        self._frees = Deferred(
            "frees", lambda: Frees(context, scoped=not self._scope.everything), Freed(), self._call_wake, self._attach
        )
        self._bulk = Deferred(
            "bulk", lambda: Bulk(context, where.functions), BulkCounts(), self._call_wake, self._attach
        )
        self._rows = Rows(large_twice=bool(where.large_twice))
        make_inspections = partial(
            Inspections,
            ready=self._call_wake,
            prepare=self._prepare,
            rows=self._rows,
            slabinfo=self._slabinfo,
            learn=self._learn_addresses,
        )
        self.inspections = make_inspections(
            set(InspectionKind) - {InspectionKind.HELD},
            lambda: Inspector(context, cgroups.hierarchy(), nested=self._scope.nested),
        )
        make_holder = partial(Holder, functions=where.functions, cgroups=cgroups.hierarchy(), nested=self._scope.nested)
        make_holdings = partial(make_inspections, name="what is held")
        make_comparison = partial(Comparison, self._slabinfo, partial_by_objects=bool(where.partial_by_objects))
        self.holdings = make_holdings({InspectionKind.HELD}, lambda: make_holder(context), comparison=make_comparison())
        copying, symbols = replace(context, compiler=CopyingCompiler(self._compiler)), Symbols()
        make_suspect = partial(make_holder, copying, symbols=symbols, shared_by=MOST_SUSPECTS)
        self.suspects = Suspects(
            lambda: make_holdings(
                {InspectionKind.HELD, InspectionKind.ABOUT}, make_suspect, comparison=make_comparison()
            )
        )
        self.handover = Handover(self._settings)
        self._overhead = Overhead()
        self._consistency = Consistency()
        self._wake: Callable[[], None] = lambda: None
        self._requested = Request()
        self._learned = False
        self._closing = threading.Lock()  # never released by the thread that closes the probe

    @property
    def parts(self) -> tuple[Part[Any], ...]:
        """All parts, compiled or not; first the one of allocations."""
        counting = self._allocs, self._frees, self._bulk
        return (*counting, self.inspections.part, self.holdings.part, *self.suspects.parts)

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
        return "bpf_rdonly_cast" if self._features.rdonly_cast else "bpf_probe_read_kernel"

    @property
    def scope(self) -> str:
        """Which processes are counted, in words for the user; empty: all."""
        return self._scope.words

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not known on this kernel, or no longer, in words for the user."""
        by_size = "" if self.exact_kmalloc else "kmalloc by size class (~)"
        general = (by_size, self._slabinfo.trouble, self._slabinfo.unlisted, self.handover.note)
        troubles = (*(part.trouble for part in self.parts), self._overhead.trouble)
        return (*filter(None, (*general, *troubles)), *self._scope.notes)

    def begin(self, wake: Callable[[], None]) -> None:
        """Begin with what would delay the first screen: the probes on bulk functions, where the kernel has them.

        Args:
            wake: called in any thread when `advance` has something to do.
        """
        self._wake = wake
        if self._layout.functions.alloc_bulk:
            self._bulk.attach(self._settings)
        self.measure()

    def request(self, wanted: Request) -> None:
        """Begin and end what is counted on request only; `notes` say what could not begin."""
        before, self._requested = self._requested, wanted
        if wanted.frees != before.frees:
            if wanted.frees:
                self._frees.attach(self._settings)
            else:
                self._frees.detach()
        if wanted.inspection != before.inspection:
            self._settings.target = 0
            for each in (self.inspections, self.holdings):
                each.request(wanted.inspection, self._settings)
        self.suspects.request(wanted.suspects, self._settings)
        self.measure()

    def measure(self) -> None:
        """Measure again what an event costs."""
        counting: list[int] = []
        others: list[int] = []
        for part in self.parts:
            (counting if part.runs_per_event else others).extend(part.descriptors)
        self._overhead.start(counting, others)

    def advance(self) -> None:
        """Attach what has been compiled since."""
        compiled = [part.advance(self._settings) for part in self.parts]
        if any(compiled):
            self.measure()

    def settle(self) -> None:
        """Wait until everything that was requested counts, or cannot; OSError where a map cannot be read."""
        for part in self.parts:
            part.wait()
        if not self._learned:
            self.end_interval(self.read())  # an inspection needs the row of its cache
        self.advance()

    def read(self) -> Reading:
        """Return everything counted so far; OSError where a map cannot be read."""
        counted = Counted(self._allocs.read(), self._frees.read(), self._bulk.read())
        of_all = self._slabinfo.read()
        aliases = self._slabinfo.aliases(of_all.keys())
        everything = self._scope.everything
        slabs = of_all if everything else {}  # it has the objects of all processes
        if not everything:  # who allocated what is freed in bulk is not known
            counted = replace(counted, bulk=replace(counted.bulk, frees=Counts()))
        rows = self._rows.merge(counted, slabs, aliases)
        if everything:
            hidden = partial(self._slabinfo.count_hidden, partial_by_objects=bool(self._layout.partial_by_objects))
            self._consistency.mark(rows, counted.freed.begun, slabs, hidden)
        else:
            self._mark_scoped(rows, counted, of_all)
        return Reading(
            rows=tuple(rows.values()),
            lost=_count_lost(counted),
            events=_count_events(rows, counted.freed) if everything else None,
            nanoseconds=self._overhead.nanoseconds,
            bulk=None if self._bulk.pending else self._bulk.attached,
            inspections=self.holdings.read(slabs) + self.suspects.read(slabs) + self.inspections.read(slabs),
            memory=self._memory.read(cpu_free=self._requested.suspects is not None),
            cgroup_memory=self._scope.read_memory(),
            frees_begun=counted.freed.begun,
        )

    def end_interval(self, reading: Reading) -> None:
        """Begin a new interval: hand the settings that fit this reading to the programs.

        Raises:
            OSError: a map could not be read or written.
        """
        self._scope.follow(module for part in self.parts for module in part.modules)
        if not self._learned:
            self._learned = True
            self._learn_addresses()
        self.inspections.end_interval(self._settings)
        self.holdings.end_interval(self._settings)
        self.suspects.end_interval(self._settings)
        if self._layout.preemptible and self.exact_kmalloc:
            tracers = [part.tracers for part in self.parts if part.attached and part.tracers]
            if self.handover.advance(tracers, sum(row.total_allocs for row in reading.rows)):
                self.measure()
        self._settings.begin_interval()
        for part in self.parts:
            part.put(self._settings)

    def close(self) -> None:
        """Detach everything; the kernel then frees the programs and their maps.

        May be called by any thread, also while another one uses the probe and hangs. A second call does nothing, also
        while the first has not returned: file descriptors that were closed twice could be those of other files.
        """
        if not self._closing.acquire(blocking=False):
            return
        self._overhead.stop()
        for part in self.parts:
            part.close()
        self._compiler.close()
        for part in self.parts:
            part.wait(WAIT)
        self._release()

    def _build_context(self, rdonly_cast: bool) -> BuildContext:
        functions = self._layout.functions
        return BuildContext(
            compiler=self._compiler,
            features=features.detect(functions.rdonly_cast if rdonly_cast else 0, functions.word_type),
            macros=[*self._layout.macros(), *self._scope.macros()],
            rdonly_cast=functions.rdonly_cast,
            word_type=functions.word_type,
            cgroup=self._scope.cgroup,
            nests=bool(self._layout.nests),
            node_events=bool(self._layout.node_events),
        )

    def _mark_scoped(self, rows: dict[CacheKey, CacheTotals], counted: Counted, slabs: Mapping[str, Slab]) -> None:
        """Mark the rows whose allocations - frees are not what the scope holds."""
        find = self._rows.find_owner
        owners = {key: owner for at, owner in counted.freed.owners.items() if (key := find(at)) is not None}
        bulk = {key for at, number in counted.bulk.allocs.sums.items() if number and (key := find(at)) is not None}
        mark_scoped(rows, owners, slabs, counted=counted.freed.begun is not None, bulk=bulk)

    def _call_wake(self) -> None:
        self._wake()

    def _prepare(self, part: Part[Any]) -> None:
        """Confine a part to the control group, as it is now."""
        for module in part.modules:
            self._scope.confine(module)

    def _attach(self, part: Part[Any], settings: Settings) -> None:
        self._prepare(part)
        part.attach(settings)

    def _learn_addresses(self) -> None:
        """Learn where the caches are that have not allocated yet."""
        with suppress(SlabtuiError, OSError):  # then they are known from their first allocation on
            self._rows.listed = self._allocs.take_inventory(self._slabinfo.read())

    def _release(self) -> None:
        self._compiler.close()
        self._slabinfo.close()
        self._memory.close()
        self._scope.close()


def _count_lost(counted: Counted) -> int | None:
    """Return how many events could not be counted; None where a part does not know."""
    bulk = counted.bulk
    losses = (counted.allocated.lost, counted.freed.lost, bulk.lost_allocs, bulk.lost_frees)
    return None if None in losses else sum(filter(None, losses))


def _count_events(rows: Mapping[Any, CacheTotals], freed: Freed) -> int:
    """Return how many events the programs have seen."""
    allocs = sum(row.total_allocs for row in rows.values())
    return allocs + sum(freed.by_cache.sums.values()) + (freed.large or 0)
