"""Inspects one cache: the programs of inspect.bpf.c, and which callers, stacks and processes they found to allocate."""

import ctypes
import math
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from slabtui.kernel.bpf import records
from slabtui.kernel.bpf.maps import Hash
from slabtui.kernel.bpf.module import BuildContext, Module
from slabtui.kernel.bpf.records import Budget, RowRecord
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.counters import Cache
from slabtui.kernel.naming import Counted, Naming
from slabtui.kernel.part import CachePart
from slabtui.kernel.procfs.symbols import Symbols
from slabtui.kernel.tracers import Tracers
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import InspectionKind, InspectionReading, InspectionTotals

ROWS = 16384  # processes of an inspection, and callers, which are a few hundred
STACK_ROWS = 4096  # stacks, each with its processes: beyond that without them. A line of a recording has room for all
STACKS = 4096  # 1 KiB each; they are a few hundred
SHARE = 0.015  # of one CPU that taking stacks may cost: what one costs varies, and 2 % is the promise

_DEPTH = 127  # of a stack map of bcc
_ROW = struct.Struct(records.pack_format(RowRecord))
_PROGRAMS = {"kmem_cache_alloc": "inspect_alloc", "kmalloc": "inspect_kmalloc"}  # by tracepoint
_KINDS = (InspectionKind.CALLERS, InspectionKind.STACKS, InspectionKind.PROCESSES)  # as numbered in inspect.bpf.c
# Of the tallies the first are what each kind has lost.
_LOST_EVENTS, _STACKS_TAKEN, _STOOD_FOR, _STACKS_NS, _TALLIES = range(len(_KINDS), len(_KINDS) + 5)
_NUMBERS = 1 << 14  # of inspections, until they begin again: what key_of() in inspect.bpf.c has room for
_IDENTITY_BITS = 48  # likewise
_USUAL = 3_000  # ns that a stack costs, until it is known: should it be more, the program raises the period at once
_BESIDE = 300  # ns of each stack that are not measured: its two rows, its process, and the reading of two clocks


class Inspector(CachePart):
    """Inspects one cache at a time: all kinds that are wanted count from the same moment.

    Args:
        context: what every module is made with.
        cgroups: where the unified hierarchy is mounted, None: nowhere.
        nested: whether there are processes without a PID in slabtui's PID namespace; they share one row.

    Raises:
        SlabtuiError: see Module.
    """

    def __init__(self, context: BuildContext, cgroups: Path | None, *, nested: bool = False) -> None:
        macros = [f"-DROWS={ROWS}", f"-DSTACK_ROWS={STACK_ROWS}", f"-DSTACKS={STACKS}", f"-DTALLIES={_TALLIES}"]
        macros += [f"-DRATE={math.ceil(1 / SHARE)}", f"-DBESIDE={_BESIDE}"]
        self._context = context
        module = Module(context, ("common.bpf.h", "origin.bpf.h", "inspect.bpf.c"), macros)
        super().__init__(module, Tracers(context, module, {}))
        self._rows = module.maps.hash("rows", _ROW.size)
        self._stack_rows = module.maps.hash("stack_rows", _ROW.size)
        self._tallies = module.maps.per_cpu_array("tallies", 1)
        self._symbols = Symbols()
        self._symbols.load()
        self._naming = Naming(self._symbols, cgroups, nested, self._take_stack)
        self._known: dict[int, tuple[bytes, Counted]] = {}  # the rows, as read last
        self._before = [0] * _TALLIES  # the tallies when the inspection began
        self._key: CacheKey | None = None
        self._cache = Cache(0, "", 0, 0)
        self._kinds: Sequence[InspectionKind] = ()
        self._number = 0

    def aim(self, key: CacheKey, cache: Cache, kinds: Sequence[InspectionKind], number: int) -> None:
        """Choose what `attach` inspects next; see CachePart."""
        self._key, self._cache, self._kinds, self._number = key, cache, kinds, number

    def attach(self, settings: Settings) -> None:
        """Begin the inspection that `aim` chose.

        Raises:
            SlabtuiError: the kernel refused; nothing is left attached.
            OSError: a map could not be read or written.
        """
        self._rows.clear()
        self._stack_rows.clear()
        self._known.clear()
        self._naming.begin(self._cache.size)
        self._before = self._tallies.totals()
        self.module.maps.clear("stacks")
        self.module.maps.put("budgets", 0, Budget(usual=_USUAL))
        settings.target, settings.target_size = self._cache.address, self._cache.size
        settings.kinds = sum(1 << _KINDS.index(kind) for kind in self._kinds)
        settings.inspection = self._number % _NUMBERS
        handlers = {
            tracepoint: program
            for event, program in _PROGRAMS.items()
            for tracepoint in self._context.tracepoints(event)
        }
        self._tracers = Tracers(self._context, self.module, handlers)
        super().attach(settings)

    def read(self) -> tuple[InspectionReading, ...]:
        """Return what each kind of the inspection has found since it began; OSError where a map cannot be read."""
        assert self._key is not None
        found: dict[InspectionKind, list[Counted]] = {kind: [] for kind in _KINDS}
        if InspectionKind.STACKS in self._kinds:
            self._sort(self._stack_rows, found)
        if set(self._kinds) - {InspectionKind.STACKS}:
            self._sort(self._rows, found)
        self._naming.learn(found[InspectionKind.PROCESSES], found[InspectionKind.STACKS])
        missed = self.tracers.misses() or 0
        tallies = [now - before for now, before in zip(self._tallies.totals(), self._before, strict=True)]
        one_in = math.ceil(tallies[_STOOD_FOR] / tallies[_STACKS_TAKEN]) if tallies[_STACKS_TAKEN] else 1
        return tuple(
            InspectionReading(
                cache=self._key,
                kind=kind,
                number=self._number,
                one_in=one_in if kind is InspectionKind.STACKS else 1,
                lost=tallies[_KINDS.index(kind)] + tallies[_LOST_EVENTS] + missed,
                rows=_add_up(map(self._namer(kind), found[kind])),
            )
            for kind in self._kinds
        )

    def pace(self, settings: Settings, allocs: int, seconds: float) -> None:
        """Fit the period of stacks to how fast the cache allocates; see CachePart."""
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
        shows_functions = set(self._kinds) - {InspectionKind.PROCESSES}
        return self._symbols.trouble if self.attached and shows_functions else ""

    def _sort(self, table: Hash, found: dict[InspectionKind, list[Counted]]) -> None:
        """Read the rows of a table, each into the list of its kind; one that did not change is the same object."""
        for key, raw in table.read().items():
            number, kind = divmod(key >> _IDENTITY_BITS, len(_KINDS) + 1)
            if number != self._number % _NUMBERS:
                continue  # a late one of an earlier inspection
            before, counted = self._known.get(key, (None, None))
            if counted is None or before != raw:
                counted = Counted(key & (1 << _IDENTITY_BITS) - 1, *_ROW.unpack(raw))
                self._known[key] = raw, counted
            found[_KINDS[kind]].append(counted)

    def _namer(self, kind: InspectionKind) -> Callable[[Counted], InspectionTotals]:
        if kind is InspectionKind.CALLERS:
            return self._naming.name_caller
        return self._naming.name_stack if kind is InspectionKind.STACKS else self._naming.name_process

    def _take_stack(self, number: int) -> Iterable[int]:
        return self.module.maps.get("stacks", number, ctypes.c_uint64 * _DEPTH)


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


def _add_up(rows: Iterable[InspectionTotals]) -> tuple[InspectionTotals, ...]:
    """Return one row for all of the same key, as stacks that differ only within a function; the largest first."""
    found: dict[tuple[object, ...], InspectionTotals] = {}
    for row in rows:
        if not row.total_allocs:  # a stack whose processes all have rows of their own
            continue
        same = found.get(row.key)
        found[row.key] = row if same is None else _add(same, row)
    return tuple(sorted(found.values(), key=lambda row: -row.total_allocs))


def _add(one: InspectionTotals, other: InspectionTotals) -> InspectionTotals:
    return replace(
        one,
        total_allocs=one.total_allocs + other.total_allocs,
        total_bytes=one.total_bytes + other.total_bytes,
        standard_error=math.hypot(one.standard_error or 0, other.standard_error or 0),
    )
