"""Inspects one cache: the programs of inspect.bpf.c, and which callers, stacks or processes they found to allocate."""

import ctypes
import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from slabtui.kernel.bpf import records
from slabtui.kernel.bpf.module import BuildContext, Module
from slabtui.kernel.bpf.records import Budget, RowRecord
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.counters import Cache
from slabtui.kernel.part import TracedPart
from slabtui.kernel.procfs.cgroups import Groups
from slabtui.kernel.procfs.symbols import Symbols
from slabtui.kernel.tracers import Tracers
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import Context, InspectionKind, InspectionReading, InspectionTotals
from slabtui.text import printable

ROWS = 16384  # processes of an inspection; callers and stacks are a few hundred
STACKS = 4096  # 1 KiB each
SHARE = 0.015  # of one CPU that taking stacks may cost: what one costs varies, and 2 % is the promise

_DEPTH = 127  # of a stack map of bcc
_ROW = struct.Struct(records.pack_format(RowRecord))
_LOST, _STACKS_TAKEN, _STOOD_FOR, _STACKS_NS, _TALLIES = range(5)
_PROGRAMS = {"kmem_cache_alloc": "alloc", "kmalloc": "kmalloc"}  # how their names end, by tracepoint
_CONTEXTS = (Context.PROCESS, Context.KERNEL_THREAD, Context.INTERRUPT)  # as numbered in inspect.bpf.c
_UNNUMBERED = {  # all that have no PID here; the first is longer than the kernel lets the name of a process be
    Context.PROCESS: "other namespaces",
    Context.KERNEL_THREAD: "kernel threads",
}
_KINDS = (InspectionKind.CALLERS, InspectionKind.STACKS, InspectionKind.PROCESSES)  # as numbered in inspect.bpf.c
_NUMBERS = 1 << 14  # of inspections, until they begin again: what key_of() in inspect.bpf.c has room for
_IDENTITY_BITS = 48  # likewise
_USUAL = 3_000  # ns that a stack costs, until it is known: should it be more, the program raises the period at once
_BESIDE = 200  # ns of each stack that are not measured: the row, and the reading of two clocks


class Inspector(TracedPart[InspectionReading]):
    """Inspects one cache at a time.

    Args:
        context: what every module is made with.
        cgroups: where the unified hierarchy is mounted, None: nowhere.
        nested: whether there are processes without a PID in slabtui's PID namespace; they share one row.

    Raises:
        SlabtuiError: see Module.
    """

    def __init__(self, context: BuildContext, cgroups: Path | None, *, nested: bool = False) -> None:
        macros = [f"-DROWS={ROWS}", f"-DSTACKS={STACKS}", f"-DTALLIES={_TALLIES}"]
        macros += [f"-DRATE={math.ceil(1 / SHARE)}", f"-DBESIDE={_BESIDE}"]
        self._context = context
        self._nested = nested
        module = Module(context, ("common.bpf.h", "inspect.bpf.c"), macros)
        super().__init__(module, Tracers(context, module, {}))
        self._rows = module.maps.hash("rows", _ROW.size)
        self._tallies = module.maps.per_cpu_array("tallies", 1)
        self._symbols = Symbols()
        self._symbols.load()
        self._groups = Groups(cgroups)
        self._stacks: dict[int, tuple[str, ...]] = {}
        self._before = [0] * _TALLIES  # the tallies when the inspection began
        self._key: CacheKey | None = None
        self._cache = Cache(0, "", 0, 0)
        self._kind = InspectionKind.CALLERS
        self._number = 0

    def aim(self, key: CacheKey, cache: Cache, kind: InspectionKind, number: int) -> None:
        """Choose what `attach` inspects next.

        Args:
            key: the key of the cache.
            cache: the cache; its size is 0 where its objects differ in size.
            kind: what is inspected.
            number: the number of the inspection, from 1; another one than before.
        """
        self._key, self._cache, self._kind, self._number = key, cache, kind, number

    def attach(self, settings: Settings) -> None:
        """Begin the inspection that `aim` chose.

        Raises:
            SlabtuiError: the kernel refused; nothing is left attached.
            OSError: a map could not be read or written.
        """
        self._rows.clear()
        self._stacks.clear()
        self._before = self._tallies.totals()
        self.module.maps.clear("stacks")
        self.module.maps.put("budgets", 0, Budget(usual=_USUAL))
        settings.target, settings.target_size = self._cache.address, self._cache.size
        settings.inspection = self._number % _NUMBERS
        handlers = {
            tracepoint: f"{self._kind}_{program}"
            for event, program in _PROGRAMS.items()
            for tracepoint in self._context.tracepoints(event)
        }
        self._tracers = Tracers(self._context, self.module, handlers)
        super().attach(settings)

    def read(self) -> InspectionReading:
        """Return what the inspection has found since it began; OSError where a map cannot be read."""
        assert self._key is not None
        own = (self._number % _NUMBERS) << 2 | _KINDS.index(self._kind)
        found = {
            key & (1 << _IDENTITY_BITS) - 1: _ROW.unpack(value)
            for key, value in self._rows.read().items()
            if key >> _IDENTITY_BITS == own  # else it is a late one of an earlier inspection
        }
        if self._kind is InspectionKind.PROCESSES:
            self._groups.learn({cgroup for *_, cgroup, _ in found.values()})
        rows: dict[tuple[object, ...], InspectionTotals] = {}
        size = self._cache.size
        for identity, (allocs, bytes_, variance, _, call_site, cgroup, comm) in found.items():
            amounts = InspectionTotals(
                total_allocs=allocs, total_bytes=allocs * size if size else bytes_, standard_error=math.sqrt(variance)
            )
            row = self._name(amounts, identity, call_site, cgroup, comm)
            same = rows.get(row.key)
            rows[row.key] = row if same is None else _add(same, row)
        missed = self.tracers.misses()
        tallies = [now - before for now, before in zip(self._tallies.totals(), self._before, strict=True)]
        return InspectionReading(
            cache=self._key,
            kind=self._kind,
            number=self._number,
            one_in=math.ceil(tallies[_STOOD_FOR] / tallies[_STACKS_TAKEN]) if tallies[_STACKS_TAKEN] else 1,
            lost=tallies[_LOST] + (missed or 0),
            rows=tuple(sorted(rows.values(), key=lambda row: -row.total_allocs)),
        )

    def pace(self, settings: Settings, allocs: int, seconds: float) -> None:
        """Fit the period of stacks to how fast the cache allocates; it takes effect when the settings are handed over.

        Args:
            settings: those of all programs.
            allocs: allocations of the cache in the last interval.
            seconds: length of that interval.

        Raises:
            OSError: a map could not be read.
        """
        tallies = self._tallies.totals()
        each = tallies[_STACKS_NS] / tallies[_STACKS_TAKEN] if tallies[_STACKS_TAKEN] else _USUAL
        settings.period = find_period(allocs, seconds, each)

    @property
    def runs_per_event(self) -> bool:
        """False: its programs run for some events, beside those that count them."""
        return False

    @property
    def trouble(self) -> str:
        """Why functions are shown as addresses, in words for the user; empty while they are not."""
        return self._symbols.trouble if self.attached and self._kind is not InspectionKind.PROCESSES else ""

    def _name(
        self, amounts: InspectionTotals, identity: int, call_site: int, cgroup: int, comm: bytes
    ) -> InspectionTotals:
        """Return the row of a caller, stack or process, with these amounts."""
        if self._kind is InspectionKind.CALLERS:
            return replace(amounts, frames=(self._symbols.name(call_site, offset=True),))
        if self._kind is InspectionKind.STACKS:
            if identity not in self._stacks:
                addresses = self.module.maps.get("stacks", identity, ctypes.c_uint64 * _DEPTH)
                self._stacks[identity] = tuple(map(self._symbols.name, trim(addresses, call_site)))
            return replace(amounts, frames=self._stacks[identity])
        context, pid = _CONTEXTS[identity >> 32], identity & 0xFFFFFFFF
        if context is Context.INTERRUPT:
            return replace(amounts, pid=pid, context=context)
        if self._nested and not pid:
            return replace(amounts, pid=pid, comm=_UNNUMBERED[context], context=context)
        name, group = printable(comm.partition(b"\0")[0]), self._groups.path(cgroup)
        return replace(amounts, pid=pid, comm=name, cgroup=group, context=context)


def find_period(allocs: int, seconds: float, nanoseconds: float) -> int:
    """Return in how many allocations one stack may be taken, to stay within SHARE of one CPU.

    Args:
        allocs: allocations in an interval.
        seconds: length of the interval.
        nanoseconds: what one stack costs.
    """
    if seconds <= 0:
        return 1
    return max(1, math.ceil(allocs / seconds * (nanoseconds + _BESIDE) / (SHARE * 1e9)))


def trim(addresses: Iterable[int], call_site: int) -> Sequence[int]:
    """Return the frames of a stack, the innermost first, from the function that allocates on.

    The frames inside of that belong to the tracer: the allocating function is the one before the caller that the
    tracepoint names.
    """
    stack = [address for address in addresses if address]
    place = stack.index(call_site) if call_site in stack else 0
    return stack[max(0, place - 1) :]


def _add(one: InspectionTotals, other: InspectionTotals) -> InspectionTotals:
    return replace(
        one,
        total_allocs=one.total_allocs + other.total_allocs,
        total_bytes=one.total_bytes + other.total_bytes,
        standard_error=math.hypot(one.standard_error or 0, other.standard_error or 0),
    )
