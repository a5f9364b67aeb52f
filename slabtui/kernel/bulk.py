"""Counts what is allocated and freed in bulk, on kernels that have probes on functions: the programs of bulk.bpf.c."""

import ctypes
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from slabtui.kernel.abi.offsets import Functions
from slabtui.kernel.bpf.module import BuildContext, Module
from slabtui.kernel.bpf.records import BulkRecord
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.bulk_functions import BulkFunctions, macros
from slabtui.kernel.counters import CACHE_SIZE, Cache, Counts, describe
from slabtui.kernel.part import Part

_BULKS = 1024
_LOST_ALLOCS, _LOST_FREES, _TALLIES = range(3)
_COUNTS = struct.Struct("=QQ")  # the members of struct bulk after struct cache


@dataclass(frozen=True, slots=True)
class BulkCounts:
    """What was allocated and freed in bulk, by cache, and how many of both could not be counted, None if unknown."""

    allocs: Counts = field(default_factory=Counts)
    frees: Counts = field(default_factory=Counts)
    lost_allocs: int | None = 0
    lost_frees: int | None = 0


class Bulk(Part[BulkCounts]):
    """Counts from `attach` until its module is closed.

    Args:
        context: what every module is made with.
        functions: those that allocate and free in bulk.

    Attributes:
        module: its programs and maps.

    Raises:
        SlabtuiError: see Module.
    """

    def __init__(self, context: BuildContext, functions: Functions) -> None:
        self._context = context
        options = [f"-DBULKS={_BULKS}", f"-DTALLIES={_TALLIES}", *macros(functions)]
        # With bpf_rdonly_cast() in its loop the program is too complex for the verifier of Linux 6.18 (E2BIG).
        by_helper = replace(context, features=replace(context.features, rdonly_cast=False))
        self.module = Module(by_helper, ("common.bpf.h", "bulk.bpf.c"), options)
        maps = self.module.maps
        self._bulks = maps.hash("bulks", ctypes.sizeof(BulkRecord))
        self._tallies = maps.per_cpu_array("tallies", 1)
        self._functions = BulkFunctions(
            self.module, functions, alloc="on_bulk_alloc", free="on_bulk_free", free_to_sheaf="on_sheaf_free"
        )

    @property
    def runs_per_event(self) -> bool:
        """False: its programs run for many events at a time, or for none."""
        return False

    @property
    def modules(self) -> Sequence[Module]:
        """Its programs and maps."""
        return (self.module,)

    @property
    def descriptors(self) -> Sequence[int]:
        """The file descriptor of each program that is attached."""
        return self._functions.descriptors

    def attach(self, settings: Settings) -> None:
        """Begin to count, if the kernel lets it."""
        with suppress(OSError):
            self.module.put(settings)
            self._functions.attach_frees()
            self._functions.attach_allocs()

    def detach(self) -> None:
        """Stop counting and unload the programs."""
        self._functions.detach()

    def put(self, settings: Settings) -> None:
        """Hand the settings to the programs; OSError where the kernel refuses."""
        self.module.put(settings)

    def read(self) -> BulkCounts:
        """Return what was counted so far; OSError where a map cannot be read."""
        allocs: dict[int, int] = {}
        frees: dict[int, int] = {}
        caches: dict[int, Cache] = {}
        epochs: dict[int, int] = {}
        for address, bulk in self._bulks.read().items():
            caches[address], epochs[address] = describe(bulk[:CACHE_SIZE])
            allocs[address], frees[address] = _COUNTS.unpack(bulk[CACHE_SIZE:])
        tallies = self._tallies.totals()
        missed = self._context.misses(self.descriptors)
        lost = [None if missed is None else missed + tallies[which] for which in (_LOST_ALLOCS, _LOST_FREES)]
        return BulkCounts(Counts(allocs, caches, epochs), Counts(frees, caches, epochs), *lost)
