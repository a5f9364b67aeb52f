"""Inspects one cache: attaches the programs of inspect.bpf.c and reads which callers, stacks or processes allocate."""

import ctypes
import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from slabtui.kernel.bpf.module import BuildContext, Module
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.procfs.cgroups import Groups
from slabtui.kernel.procfs.symbols import Symbols
from slabtui.kernel.tracers import Tracers
from slabtui.model.inspection import Context, Inspection, InspectionRow, Kind
from slabtui.text import printable

ENTRIES = 16384  # processes of a look; callers and stacks are a few hundred
STACKS = 4096  # 1 KiB each
SHARE = 0.015  # of one CPU that taking stacks may cost: what one costs varies, and 2 % is the promise

_DEPTH = 127  # of a stack map of bcc
_ENTRY = struct.Struct("=QQQQQQ16s")  # struct entry
_LOST, _STACKS_TAKEN, _STOOD_FOR, _STACKS_NS, _TALLIES = range(5)
_PROGRAMS = {"kmem_cache_alloc": "alloc", "kmalloc": "kmalloc"}  # how their names end, by tracepoint
_CONTEXTS = (Context.PROCESS, Context.KERNEL_THREAD, Context.INTERRUPT)  # as numbered in inspect.bpf.c
_UNNUMBERED = {  # all that have no number here; the first is longer than the kernel lets the name of a process be
    Context.PROCESS: "other namespaces",
    Context.KERNEL_THREAD: "kernel threads",
}
_KINDS = (Kind.CALLERS, Kind.STACKS, Kind.PROCESSES)  # likewise
_NUMBERS = 1 << 14  # of inspections, until they begin anew: what key_of() in inspect.bpf.c has room for
_IDENTITY_BITS = 48  # likewise
_USUAL = 3_000  # ns that a stack costs, until it is known: should it be more, the program raises the period at once
_BESIDE = 200  # ns that goes with it: the note, and the reading of two clocks


class _Budget(ctypes.Structure):
    """struct budget in inspect.bpf.c."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("paid_at", "usual", "raised", "jiffies")]


class Inspector:
    """A close look, at one cache at a time.

    Args:
        context: what every module is made with.
        cgroups: where the unified hierarchy is mounted, None: nowhere.
        nested: whether there are processes without a number in slabtui's PID namespace; they are one entry.

    Attributes:
        module: the programs, for whoever hands them settings and closes them.
        tracers: its programs at their tracepoints.

    Raises:
        SlabtuiError: see Module.
    """

    def __init__(self, context: BuildContext, cgroups: Path | None, *, nested: bool = False) -> None:
        macros = [f"-DENTRIES={ENTRIES}", f"-DSTACKS={STACKS}", f"-DTALLIES={_TALLIES}"]
        macros += [f"-DRATE={math.ceil(1 / SHARE)}", f"-DBESIDE={_BESIDE}"]
        self._context = context
        self._nested = nested
        self.module = Module(context, ("common.bpf.h", "inspect.bpf.c"), macros)
        maps = self.module.maps
        self._entries = maps.hash("entries", _ENTRY.size)
        self._tallies = maps.per_cpu_array("tallies", 1)
        self._symbols = Symbols()
        self._symbols.load()
        self._groups = Groups(cgroups)
        self._kind = Kind.CALLERS
        self._stacks: dict[int, tuple[str, ...]] = {}
        self._before = [0] * _TALLIES  # the tallies when the look began
        self._number = 0
        self.tracers = Tracers(context, self.module, {})

    def attach(self, kind: Kind, settings: Settings) -> None:
        """Begin a new look at the cache that the settings name as their target.

        Raises:
            SlabtuiError: the kernel refused; nothing is left attached.
            OSError: a map could not be read or written.
        """
        self._kind = kind
        self._entries.clear()
        self._stacks.clear()
        self._before = self._tallies.totals()
        self._number += 1
        self.module.maps.clear("stacks")
        self.module.maps.put("budgets", 0, _Budget(usual=_USUAL))
        settings.inspection = self._number % _NUMBERS
        handlers = {
            tracepoint: f"{kind}_{program}"
            for event, program in _PROGRAMS.items()
            for tracepoint in self._context.tracepoints(event)
        }
        self.tracers = Tracers(self._context, self.module, handlers)
        self.tracers.attach(settings)

    def detach(self) -> None:
        """End the look; its programs are gone."""
        self.tracers.detach()

    @property
    def attached(self) -> bool:
        """Whether a look goes on."""
        return bool(self.tracers.descriptors)

    def put(self, settings: Settings) -> None:
        """Hand the settings to the programs; OSError where the kernel refuses."""
        self.tracers.put(settings)

    def read(self, cache: str, size: int | None) -> Inspection:
        """Return what the look has found since it began.

        Args:
            cache: the name of the cache.
            size: bytes of one of its objects, None if they differ.

        Raises:
            OSError: a map could not be read.
        """
        own = (self._number % _NUMBERS) << 2 | _KINDS.index(self._kind)
        found = {
            key & (1 << _IDENTITY_BITS) - 1: _ENTRY.unpack(value)
            for key, value in self._entries.read().items()
            if key >> _IDENTITY_BITS == own  # else it is a late one of an earlier inspection
        }
        if self._kind is Kind.PROCESSES:
            self._groups.learn({cgroup for *_, cgroup, _ in found.values()})
        merged: dict[tuple[object, ...], InspectionRow] = {}
        for identity, (allocs, bytes_, variance, _, call_site, cgroup, comm) in found.items():
            total_bytes = bytes_ if size is None else allocs * size
            total = InspectionRow(allocs, total_bytes, allocs, total_bytes, standard_error=math.sqrt(variance))
            entry = self._described(total, identity, call_site, cgroup, comm)
            same = merged.get(entry.key)
            merged[entry.key] = entry if same is None else _sum(same, entry)
        missed = self.tracers.misses()
        tallies = [now - before for now, before in zip(self._tallies.totals(), self._before, strict=True)]
        return Inspection(
            cache=cache,
            kind=self._kind,
            look=self._number,
            one_in=math.ceil(tallies[_STOOD_FOR] / tallies[_STACKS_TAKEN]) if tallies[_STACKS_TAKEN] else 1,
            lost=tallies[_LOST] + (missed or 0),
            entries=tuple(sorted(merged.values(), key=lambda entry: -entry.total_allocs)),
        )

    def pace(self, settings: Settings, allocs: int, seconds: float) -> None:
        """Fit the taking of stacks to how many allocations come in so many seconds; handing them on makes it known.

        Raises:
            OSError: a map could not be read.
        """
        tallies = self._tallies.totals()
        each = tallies[_STACKS_NS] / tallies[_STACKS_TAKEN] if tallies[_STACKS_TAKEN] else _USUAL
        settings.period = period(allocs, seconds, each)

    @property
    def trouble(self) -> str:
        """Why functions are shown as addresses, in words for the user; empty while they are not."""
        return "" if self._kind is Kind.PROCESSES else self._symbols.trouble

    @property
    def taking(self) -> int:
        """Nanoseconds that have gone into taking stacks, in all looks so far; OSError if that cannot be read."""
        return self._tallies.totals()[_STACKS_NS]

    def _described(
        self, total: InspectionRow, identity: int, call_site: int, cgroup: int, comm: bytes
    ) -> InspectionRow:
        """Return an entry with what tells it from others."""
        if self._kind is Kind.CALLERS:
            return replace(total, frames=(self._symbols.name(call_site, offset=True),))
        if self._kind is Kind.STACKS:
            if identity not in self._stacks:
                addresses = self.module.maps.get("stacks", identity, ctypes.c_uint64 * _DEPTH)
                self._stacks[identity] = tuple(map(self._symbols.name, trimmed(addresses, call_site)))
            return replace(total, frames=self._stacks[identity])
        context, pid = _CONTEXTS[identity >> 32], identity & 0xFFFFFFFF
        if context is Context.INTERRUPT:
            return replace(total, pid=pid, context=context)
        if self._nested and not pid:
            return replace(total, pid=pid, comm=_UNNUMBERED[context], context=context)
        name, group = printable(comm.partition(b"\0")[0]), self._groups.path(cgroup)
        return replace(total, pid=pid, comm=name, cgroup=group, context=context)


def period(allocs: int, seconds: float, nanoseconds: float) -> int:
    """Return in how many allocations one stack may be taken, if one costs so much, to stay within SHARE of one CPU."""
    if seconds <= 0:
        return 1
    return max(1, math.ceil(allocs / seconds * (nanoseconds + _BESIDE) / (SHARE * 1e9)))


def trimmed(addresses: Iterable[int], call_site: int) -> Sequence[int]:
    """Return the frames of a stack, the innermost first, from the function that allocates on.

    What lies inside of that is the tracer: the function that the tracepoint says is the caller comes next to it.
    """
    stack = [address for address in addresses if address]
    place = stack.index(call_site) if call_site in stack else 0
    return stack[max(0, place - 1) :]


def _sum(one: InspectionRow, other: InspectionRow) -> InspectionRow:
    allocs, bytes_ = one.allocs + other.allocs, one.bytes + other.bytes
    error = math.hypot(one.standard_error or 0, other.standard_error or 0)
    return replace(one, allocs=allocs, bytes=bytes_, total_allocs=allocs, total_bytes=bytes_, standard_error=error)
