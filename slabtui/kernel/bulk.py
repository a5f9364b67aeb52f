"""Counts what is allocated and freed in bulk, on kernels that have probes on functions: the programs of bulk.bpf.c."""

import struct
from dataclasses import dataclass, field, replace

from slabtui.kernel.abi.offsets import Functions
from slabtui.kernel.bpf.module import BuildContext, Module
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.bpf.syscalls import AttachType
from slabtui.kernel.counters import CACHE, Cache, described

_BULKS = 1024
_LOST_ALLOCS, _LOST_FREES, _TALLIES = range(3)
_COUNTS = struct.Struct("=QQ")  # what follows struct cache in struct bulk


@dataclass(frozen=True, slots=True)
class BulkCounts:
    """What was allocated and freed in bulk, by cache, and how many of both could not be counted, None if unknown."""

    allocs: dict[Cache, int] = field(default_factory=dict)
    frees: dict[Cache, int] = field(default_factory=dict)
    lost_allocs: int | None = 0
    lost_frees: int | None = 0


class Bulk:
    """Counts from `attach` until its module is closed.

    Args:
        context: what every module is made with.
        functions: those that allocate and free in bulk.

    Attributes:
        module: the programs, for the caller that hands them settings and closes them.
        descriptors: the file descriptor of each program that is attached.

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
        self._bulks = maps.hash("bulks", CACHE.size + _COUNTS.size)
        self._tallies = maps.per_cpu_array("tallies", 1)
        self.descriptors: list[int] = []

    def attach(self, settings: Settings) -> None:
        """Begin to count.

        Args:
            settings: those that allocations are counted with.

        Raises:
            SlabtuiError: the kernel refused; it may have no such probes. Nothing is left attached.
            OSError: a map could not be written.
        """
        self.module.put(settings)
        probes = [
            (self._functions.free_bulk, "on_bulk_free", AttachType.FENTRY),
            (self._functions.alloc_bulk, "on_bulk_alloc", AttachType.FEXIT),
        ]
        if self._functions.free_to_sheaf:
            probes.append((self._functions.free_to_sheaf, "on_sheaf_free", AttachType.FEXIT))
        try:
            self.descriptors = [self.module.attach_to_function(*probe) for probe in probes]
        except BaseException:
            self.module.unload_all()
            raise

    def put(self, settings: Settings) -> None:
        """Hand the settings to the programs; OSError where the kernel refuses."""
        self.module.put(settings)

    def read(self) -> BulkCounts:
        """Return what has been counted.

        Raises:
            OSError: a map could not be read.
        """
        allocs, frees = {}, {}
        for bulk in self._bulks.read().values():
            cache = described(bulk[: CACHE.size])
            allocs[cache], frees[cache] = _COUNTS.unpack(bulk[CACHE.size :])
        tallies = self._tallies.totals()
        missed = self._context.misses(self.descriptors)
        lost = [None if missed is None else missed + tallies[which] for which in (_LOST_ALLOCS, _LOST_FREES)]
        return BulkCounts(allocs, frees, *lost)
