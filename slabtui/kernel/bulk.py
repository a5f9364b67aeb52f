"""Counts what is allocated and freed in bulk, on kernels that have probes on functions: the programs of bulk.bpf.c."""

import ctypes
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from slabtui.errors import SlabtuiError
from slabtui.kernel.abi.offsets import Functions
from slabtui.kernel.bpf.module import BuildContext, Module
from slabtui.kernel.bpf.records import BulkRecord
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.bpf.syscalls import AttachType
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
        self._functions = functions
        macros = [f"-DBULKS={_BULKS}", f"-DTALLIES={_TALLIES}", f"-DSHEAF_RESULT={functions.free_to_sheaf_arguments}"]
        # With bpf_rdonly_cast() in its loop the program is too complex for the verifier of Linux 6.18 (E2BIG).
        by_helper = replace(context, features=replace(context.features, rdonly_cast=False))
        self.module = Module(by_helper, ("common.bpf.h", "bulk.bpf.c"), macros)
        maps = self.module.maps
        self._bulks = maps.hash("bulks", ctypes.sizeof(BulkRecord))
        self._tallies = maps.per_cpu_array("tallies", 1)
        self._descriptors: list[int] = []

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
        return self._descriptors

    def attach(self, settings: Settings) -> None:
        """Begin to count, if the kernel lets it: one may have the code for such probes and refuse them even so."""
        probes = [
            (self._functions.free_bulk, "on_bulk_free", AttachType.FENTRY),
            (self._functions.alloc_bulk, "on_bulk_alloc", AttachType.FEXIT),
        ]
        if self._functions.free_to_sheaf:
            probes.append((self._functions.free_to_sheaf, "on_sheaf_free", AttachType.FEXIT))
        with suppress(SlabtuiError, OSError):
            try:
                self.module.put(settings)
                self._descriptors = [self.module.attach_to_function(*probe) for probe in probes]
            except BaseException:
                self.detach()
                raise

    def detach(self) -> None:
        """Stop counting and unload the programs."""
        self._descriptors = []
        self.module.unload_all()

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
        missed = self._context.misses(self._descriptors)
        lost = [None if missed is None else missed + tallies[which] for which in (_LOST_ALLOCS, _LOST_FREES)]
        return BulkCounts(Counts(allocs, caches, epochs), Counts(frees, caches, epochs), *lost)
