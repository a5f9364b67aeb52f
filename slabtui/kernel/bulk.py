"""Counts what is allocated and freed in bulk, on kernels that have probes on functions: the programs of bulk.bpf.c."""

import struct
from dataclasses import dataclass, field
from types import ModuleType

from slabtui.kernel.counters import CACHE, Cache, described
from slabtui.kernel.module import Kit, Module, version
from slabtui.kernel.settings import Settings

_BULKS = 1024
_LOST_ALLOCS, _LOST_FREES, _TALLIES = range(3)
_COUNTS = struct.Struct("=QQ")  # what follows struct cache in struct bulk
_FIRST_NAMING_MODULE = (0, 28)  # version of bcc


@dataclass(frozen=True, slots=True)
class Bulked:
    """What was allocated and freed in bulk, by cache, and how many of both could not be counted, None if unknown."""

    allocs: dict[Cache, int] = field(default_factory=dict)
    frees: dict[Cache, int] = field(default_factory=dict)
    lost_allocs: int | None = 0
    lost_frees: int | None = 0


class Bulk:
    """Counts from the moment it is made until its module is closed.

    Args:
        kit: what every module is made with.
        settings: those that allocations are counted with.

    Attributes:
        module: the programs, for whoever hands them settings and closes them.
        descriptors: their file descriptors.

    Raises:
        SlabtuiError: bcc or the kernel refused; the kernel may have no such probes.
        OSError: a map could not be written.
    """

    def __init__(self, kit: Kit, settings: Settings) -> None:
        self._kit = kit
        macros = [f"-DBULKS={_BULKS}", f"-DTALLIES={_TALLIES}", f"-DNAMES_MODULE={int(names_module(kit.bcc))}"]
        self.module = Module(kit, ("common.bpf.h", "bulk.bpf.c"), macros)
        maps = self.module.maps
        self._bulks = maps.hash("bulks", CACHE.size + _COUNTS.size, _BULKS)
        self._tallies = maps.per_cpu_array("tallies", 1, _TALLIES)
        self.descriptors = [program.fd for program in self.module.bpf.funcs.values()]
        self.module.put(settings)

    def read(self) -> Bulked:
        """Return what has been counted.

        Raises:
            OSError: a map could not be read.
        """
        allocs, frees = {}, {}
        for bulk in self._bulks.read().values():
            cache = described(bulk[: CACHE.size])
            allocs[cache], frees[cache] = _COUNTS.unpack(bulk[CACHE.size :])
        tallies = self._tallies.totals()
        missed = self._kit.misses(self.descriptors)
        lost = [None if missed is None else missed + tallies[which] for which in (_LOST_ALLOCS, _LOST_FREES)]
        return Bulked(allocs, frees, *lost)


def names_module(bcc: ModuleType) -> bool:
    """Return whether this bcc wants the module of a function in the name of its fentry program.

    Since bcc 0.28 the name is kfunc__MODULE__FUNCTION, before that kfunc__FUNCTION; attach_kfunc() in
    src/python/bcc/__init__.py. A bcc without a version number is taken to be newer.
    """
    found = version(bcc)
    return found is None or found >= _FIRST_NAMING_MODULE
