"""Tracks what is held of one cache: the programs of held.bpf.c, and how much each stack of a process keeps."""

import ctypes
import math
import secrets
import struct
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import dropwhile
from pathlib import Path

from slabtui.analysis.held import Growth, Sampled, estimate
from slabtui.errors import SlabtuiError
from slabtui.kernel.abi.offsets import Functions
from slabtui.kernel.bpf import records, syscalls
from slabtui.kernel.bpf.maps import Hash
from slabtui.kernel.bpf.module import BuildContext, Module
from slabtui.kernel.bpf.records import Checked, HeldBudget, HeldRecord, Lifetimes, Sample
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.bulk_functions import BulkFunctions
from slabtui.kernel.bulk_functions import macros as macros_of_bulk
from slabtui.kernel.counters import Cache
from slabtui.kernel.naming import Counted, Naming
from slabtui.kernel.part import CachePart
from slabtui.kernel.procfs.symbols import Symbols
from slabtui.kernel.tracers import Tracers
from slabtui.model.held import Tracking
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.inspection import InspectionKind, InspectionReading, InspectionTotals

ENTRIES = 65_536  # 8 MiB of the kernel's memory
# N doubles at this number of entries. A stack that holds 1 % of the objects has 80 entries or more then, so its error
# is 11 %. To read and sort them takes user space 40 ms. Six doublings fit into the table until user space drops
# the entries that left the sample, at the end of an interval.
GOAL = 16_384
STACKS = 4096  # 1 KiB each; they are a few hundred
STRATA = 8192  # 56 bytes each. Hundreds are busy on a busy machine, and a slow leak should not share its place with one
SHARE = 0.01  # of one CPU that taking stacks may cost: half of BUDGET
STRATUM_SHARE = 0.0025  # the same of one stratum: 300 to 800 stacks per second, enough for an error of 1 % in 30 s
BUDGET = 0.02  # of one CPU, for all that the events of the sample cost: N doubles where it is more
PATIENCE = 5.0  # seconds: what the budget allows in this time may be spent on top, so that no burst makes N double

_SLOPES = 200  # of the rows that hold most: one takes 0.1 ms
_DEPTH = 127  # of a stack map of bcc
_BESIDE = 100  # ns of each stack that are not measured: what is before its clock, and the end of its entry
_TIMED = 64  # one of this number of events of the sample is timed
_USUAL = 3_000  # ns that a stack costs, until it is known
_ENTRY = struct.Struct(records.pack_format(HeldRecord))
_PROGRAMS = {"kmem_cache_alloc": "held_alloc", "kmalloc": "held_kmalloc"}  # by tracepoint
_FREEING = {"kmem_cache_free": "held_cache_free", "kfree": "held_kfree"}  # these have no variant for a node
_CHECK = "held_check"
_OF_TRACER = "[bpf]"  # the module of compiled BPF programs in /proc/kallsyms
_ALLOCATES_IN_BULK = "kmem_cache_alloc_bulk"  # since Linux 6.10 kmem_cache_alloc_bulk_noprof
# The tallies, as in held.bpf.c.
_LOST_EVENTS, _DRAWN, _SKIPPED, _FREED, _REPLACED, _MOVED_ON, _LOST, _TAKEN, _NS, _TIMED_NS, _TALLIES = range(11)
_STACK_SHIFT = 34  # of an identity


@dataclass(slots=True)
class _Row:
    """The objects of the sample that one stack of one process holds."""

    totals: InspectionTotals
    sampled: Sampled = field(default_factory=lambda: Sampled([], []))
    stacks: set[int] = field(default_factory=set)


class Holder(CachePart):
    """Tracks one cache at a time.

    Args:
        context: what every module is made with.
        functions: those that allocate and free in bulk.
        cgroups: where the unified hierarchy is mounted, None: nowhere.
        nested: whether there are processes without a PID in slabtui's PID namespace; they share one row.
        symbols: the kernel's functions; None: they are read.
        shared_by: how many caches are tracked at the same time, each by a part of its own: they share the room of the
            table. Each of them may cost as much time as a single one: few are busy at the same time, and then N would
            be too large to find a leak beside the load.

    Raises:
        SlabtuiError: see Module; or the cache of an object cannot be found on this kernel.
    """

    def __init__(
        self,
        context: BuildContext,
        functions: Functions,
        cgroups: Path | None,
        *,
        nested: bool = False,
        symbols: Symbols | None = None,
        shared_by: int = 1,
    ) -> None:
        if not context.base_of_pages:
            raise SlabtuiError("the kernel does not show which cache an object lies in", "use --stacks instead")
        macros = [f"-DENTRIES={ENTRIES // shared_by}", f"-DGOAL={GOAL // shared_by}"]
        macros += [f"-DSTACKS={STACKS}", f"-DSTRATA={STRATA}"]
        macros += [f"-DRATE={math.ceil(1 / SHARE)}", f"-DSTRATUM_RATE={math.ceil(1 / STRATUM_SHARE)}"]
        macros += [
            f"-DBESIDE={_BESIDE}",
            f"-DTIMED={_TIMED}",
            f"-DUSUAL={_USUAL}",
            f"-DCHUNK={records.CHECKED}",
            f"-DTALLIES={_TALLIES}",
        ]
        macros += macros_of_bulk(functions)
        self._context = context
        module = Module(context, ("common.bpf.h", "origin.bpf.h", "held.bpf.c"), macros)
        super().__init__(module, Tracers(context, module, {}))
        self._bulk = BulkFunctions(
            module, functions, alloc="held_alloc_bulk", free="held_free_bulk", free_to_sheaf="held_free_to_sheaf"
        )
        self._table: Hash = module.maps.hash("held", _ENTRY.size)
        self._tallies = module.maps.per_cpu_array("tallies", 1)
        self._symbols = symbols or Symbols()
        self._symbols.load()
        self._naming = Naming(self._symbols, cgroups, nested, self._take_stack)
        self._growth = Growth()
        self._before = [0] * _TALLIES  # the tallies when tracking began
        self._paced = [0] * _TALLIES  # and at the end of the last interval
        self._stacks: set[int] = set()  # that have had a row
        self._doublings = 0
        self._spending = Spending()
        self._key: CacheKey | None = None
        self._cache = Cache(0, "", 0, 0)
        self._number = 0

    def aim(self, key: CacheKey, cache: Cache, kinds: Sequence[InspectionKind], number: int) -> None:
        """Choose the cache that `attach` tracks next; see CachePart."""
        self._key, self._cache, self._number = key, cache, number

    def attach(self, settings: Settings) -> None:
        """Begin to track the cache that `aim` chose.

        Raises:
            SlabtuiError: the kernel refused, or it is not a cache; nothing is left attached.
            OSError: a map could not be read or written.
        """
        if self._key is None or self._key.kind is not KeyKind.CACHE:
            raise SlabtuiError(f"{self._cache.name} is not a slab cache", "name one that /proc/slabinfo lists")
        self._begin()
        allocating = {
            tracepoint: program
            for event, program in _PROGRAMS.items()
            for tracepoint in self._context.tracepoints(event)
        }
        self._tracers = Tracers(self._context, self.module, {**_FREEING, **allocating})
        aimed = self._aim_settings(settings)
        try:
            self.module.load(_CHECK)
            self.module.put(aimed)
            # Frees first: without them, what is freed meanwhile would seem to be held.
            self._bulk.attach_frees()
            super().attach(aimed)
            self._bulk.attach_allocs()
        except BaseException:
            self.detach()
            raise
        self._before = self._paced = self._tallies.totals()

    def detach(self) -> None:
        """Stop tracking and unload the programs."""
        self._bulk.detach()
        super().detach()

    @property
    def descriptors(self) -> Sequence[int]:
        """The file descriptor of each program that tracks."""
        return (*super().descriptors, *self._bulk.descriptors)

    def read(self) -> tuple[InspectionReading, ...]:
        """Return what is held now.

        Raises:
            OSError: a map could not be read, or a program could not be run.
        """
        assert self._key is not None
        entries = self._read_entries() if self.attached else {}
        one_in, now = 1 << self._doublings, time.monotonic()
        rows = self._sort(entries.values(), now)
        self._growth.add(now, {key: one_in * sum(row.sampled.draws) for key, row in rows.items()})
        freed = {
            stack: self._read_lifetimes(stack) for stack in {stack for row in rows.values() for stack in row.stacks}
        }
        ordered = sorted(rows.items(), key=lambda item: -sum(item[1].sampled.draws))
        slopes = {key: self._growth.find(key) for key, _ in ordered[:_SLOPES]}
        named = [self._estimate(row, one_in, freed, slopes.get(key)) for key, row in ordered]
        tallies = self._since(self._before)
        allocated = tallies[_DRAWN] + tallies[_SKIPPED]
        return (
            InspectionReading(
                cache=self._key,
                kind=InspectionKind.HELD,
                number=self._number,
                one_in=one_in,
                lost=tallies[_LOST] + tallies[_LOST_EVENTS] + self._count_misses(),
                rows=tuple(named),
                tracking=Tracking(
                    net=allocated - tallies[_FREED],
                    seen=allocated + tallies[_FREED],
                    gone=tallies[_REPLACED] + tallies[_MOVED_ON],
                    skipped=tallies[_SKIPPED],
                    bulk=self._bulk.complete,
                ),
            ),
        )

    def put(self, settings: Settings) -> None:
        """Hand the settings to the programs, with the cache of this part; OSError where the kernel refuses."""
        super().put(self._aim_settings(settings))

    def pace(self, settings: Settings, allocs: int, seconds: float) -> None:
        """Double N as often as needed where the events of the sample cost more than the budget."""
        spent = self._since(self._paced)
        self._paced = self._tallies.totals()
        if seconds <= 0 or not self.attached:
            return
        nanoseconds = spent[_TIMED_NS] * _TIMED + spent[_NS] + spent[_TAKEN] * _BESIDE
        more = self._spending.add(nanoseconds / 1e9, seconds)
        if more:
            self._check((), least=self._doublings + more)

    @property
    def runs_per_event(self) -> bool:
        """False: its programs run for some events, beside those that count them."""
        return False

    @property
    def trouble(self) -> str:
        """Why functions are shown as addresses, in words for the user; empty while they are not."""
        return self._symbols.trouble if self.attached else ""

    def _aim_settings(self, settings: Settings) -> Settings:
        """Return the settings with the cache of this part as their target: other parts track others."""
        own = Settings.from_buffer_copy(settings)
        own.target, own.target_size = self._cache.address, self._cache.size
        return own

    def _begin(self) -> None:
        """Forget what was tracked before."""
        maps = self.module.maps
        self._table.clear()
        maps.clear("stacks")
        for stack in self._stacks:
            maps.put("lifetimes", stack, Lifetimes())
        for stratum in range(STRATA + 1):
            maps.put("held_budgets", stratum, HeldBudget())
        maps.put("sample", 0, Sample(salt=secrets.randbits(64)))
        self._stacks.clear()
        self._doublings = 0
        self._spending = Spending()
        self._naming.begin(self._cache.size)
        self._growth = Growth()

    def _since(self, before: Sequence[int]) -> list[int]:
        return [now - earlier for now, earlier in zip(self._tallies.totals(), before, strict=True)]

    def _count_misses(self) -> int:
        """Return how often the kernel skipped a program."""
        return (self.tracers.misses() or 0) + (self._context.misses(self._bulk.descriptors) or 0)

    def _read_entries(self) -> dict[int, bytes]:
        """Return the entries of the sample by address, without those whose object is gone; drop these."""
        entries = self._table.read()
        gone = self._check(tuple(entries))
        self._doublings = self.module.maps.get("sample", 0, Sample).doublings
        highest = (1 << 64) - 1 >> self._doublings
        hashes = struct.Struct("=Q")
        kept = {
            address: raw
            for address, raw in entries.items()
            if address not in gone and hashes.unpack_from(raw)[0] <= highest
        }
        self._check((), entries=len(kept))
        return kept

    def _check(self, addresses: Sequence[int], *, least: int = 0, entries: int = 0) -> set[int]:
        """Let the program delete the entries that are no longer of the sample, or of the cache; return which.

        Args:
            addresses: of entries.
            least: log2 of N is at least this from now on.
            entries: the number of entries that there are; 0: leave it.
        """
        maps, program, gone = self.module.maps, self.module.load(_CHECK), set[int]()
        for first in range(0, max(1, len(addresses)), records.CHECKED):
            some = addresses[first : first + records.CHECKED]
            request = Checked(doublings=least, entries=entries, number=len(some))
            request.addresses[: len(some)] = some
            maps.put("checked", 0, request)
            syscalls.run_program(program)
            if some:
                gone.update(maps.get("checked", 0, Checked).addresses[: len(some)])
        return gone - {0}

    def _sort(self, entries: Iterable[bytes], now: float) -> dict[tuple[object, ...], _Row]:
        """Return the row of each stack of a process in a control group, with its objects: a process may move."""
        found: dict[tuple[int, int], tuple[list[float], list[int], list[tuple[int, int, bytes]]]] = {}
        for _, at, identity, draws, _, call_site, cgroup, comm in map(_ENTRY.unpack, entries):
            row = found.get((identity, cgroup))
            if row is None:
                row = found[identity, cgroup] = [], [], [(at, call_site, comm)]
            elif at > row[2][0][0]:
                row[2][0] = at, call_site, comm  # a process may change its name
            row[0].append(max(0.0, now - at / 1e9))
            row[1].append(draws)
        counted = {
            (identity, cgroup): Counted(identity, sum(draws), 0, 0, 0, newest[0][1], cgroup, newest[0][2])
            for (identity, cgroup), (_, draws, newest) in found.items()
        }
        self._naming.learn((), tuple(counted.values()))
        rows: dict[tuple[object, ...], _Row] = {}
        for (identity, cgroup), (ages, draws, _) in found.items():
            totals = self._name(counted[identity, cgroup])
            key = *totals.key, cgroup  # stacks that differ only within a function have one
            row_ = rows.setdefault(key, _Row(totals))
            row_.sampled.ages.extend(ages)
            row_.sampled.draws.extend(draws)
            row_.stacks.add(identity >> _STACK_SHIFT)
        return rows

    def _name(self, counted: Counted) -> InspectionTotals:
        totals = self._naming.name_stack(counted)
        if counted.call_site:
            frames = totals.frames or (self._symbols.name(counted.call_site),)
        else:
            frames = trim_bulk(totals.frames)
        return replace(totals, frames=frames, total_allocs=0, total_bytes=0, standard_error=None)

    def _estimate(
        self, row: _Row, one_in: int, freed: Mapping[int, Mapping[int, int]], growth: float | None
    ) -> InspectionTotals:
        lived: dict[int, int] = {}
        for stack in row.stacks:
            for power, number in freed[stack].items():
                lived[power] = lived.get(power, 0) + number
        return replace(row.totals, held=estimate(row.sampled, one_in, self._cache.size, lived, growth))

    def _read_lifetimes(self, stack: int) -> dict[int, int]:
        self._stacks.add(stack)
        return dict(enumerate(self.module.maps.get("lifetimes", stack, Lifetimes).freed))

    def _take_stack(self, number: int) -> Iterable[int]:
        if number == STACKS:
            return ()  # it had no room: only its call site is known
        return self.module.maps.get("stacks", number, ctypes.c_uint64 * _DEPTH)


def trim_bulk(frames: Sequence[str]) -> tuple[str, ...]:
    """Return the frames of an allocation in bulk from the function that allocates on.

    The frames inside of it are those of the tracer. On some kernels (6.1, 6.12) the function is in the stack; on others
    (7.3) its caller follows them at once.
    """
    place = next((place for place, frame in enumerate(frames) if frame.startswith(_ALLOCATES_IN_BULK)), None)
    if place is not None:
        return tuple(frames[place:])
    return _ALLOCATES_IN_BULK, *dropwhile(lambda frame: frame.endswith(_OF_TRACER), frames)


class Spending:
    """What the events of the sample have cost beyond BUDGET.

    N never halves, since the objects that left the sample are not known: so it must not double for a moment. If it did,
    a busy machine would have an N of 8 after a minute at a mean cost that N = 1 has.
    """

    def __init__(self) -> None:
        self._debt = 0.0

    def add(self, cost: float, seconds: float) -> int:
        """Add an interval; return how often N must double now.

        Args:
            cost: seconds of one CPU.
            seconds: length of the interval, more than 0.
        """
        self._debt = max(0.0, self._debt + cost - BUDGET * seconds)
        if self._debt <= BUDGET * PATIENCE:
            return 0
        self._debt = 0.0
        return math.ceil(math.log2(cost / seconds / BUDGET))
