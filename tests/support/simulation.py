"""The programs that count, compiled as slabtui does, on a simulated machine with artificial caches."""

import os
import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from slabtui.kernel.abi import offsets
from slabtui.kernel.bpf import sources
from slabtui.kernel.bpf.child import Compiled
from slabtui.kernel.bpf.compiler import Compiler
from slabtui.kernel.bpf.features import statistics
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.counters import Cache, describe
from tests.support.ebpf import Run, decode
from tests.support.machine import ANY, Hash, Machine, Shape

SLOT_BITS = 5
DIRECT_MAP, PAGES = 0xFFFF_8880_0000_0000, 0xFFFF_EA00_0000_0000  # where objects lie, and the array of struct page
TALLIES = 4
CPUS = 2
WORDS = 4  # struct slot
LOST_NAMED, LOST_ADDRESSED = 0, 1
PROGRAMS = {  # the files, and the programs that count by the named cache, and by the page that the object lies in
    "allocs": (("calibration.bpf.c", "allocs.bpf.c"), "on_cache_alloc", "on_kmalloc"),
    "frees": (("frees.bpf.c",), "on_cache_free", "on_kfree"),
}
SLOW_PATHS = ("on_cache_alloc_slow", "on_kmalloc_slow")  # by their place in the map of programs


def compile_source(source: str, options: Iterable[str]) -> tuple[Compiled, dict[str, Shape]]:
    """Return the compiled programs, whose maps the caller closes, and the shape of each map."""
    compiler = Compiler()
    try:
        compiled = compiler.compile(source, list(options))
    finally:
        compiler.close()
    fields = ("map_type", "key_size", "value_size", "max_entries")
    numbers = {name: statistics(descriptor) for name, descriptor in compiled.maps.items()}
    return compiled, {name: Shape(*(found[field] for field in fields)) for name, found in numbers.items()}


class Image:
    """The programs that count allocations or frees, compiled.

    Args:
        which: "allocs" or "frees".
        tail_calls: whether the hot path is a program of its own.
        old: as on a kernel before Linux 6.1, where events do not name the cache and a program may interrupt itself.

    Attributes:
        compiled: the result of the child process.
        shapes: of the maps, by name.
        programs: their instructions, by name.
        offsets: the kernel's offsets with which they were compiled.
        base: the value of base_of_pages().
    """

    def __init__(self, which: str, *, tail_calls: bool = True, old: bool = False) -> None:
        here = offsets.read()
        self.offsets = replace(here, nests=1, arg_cache=-1, arg_freed_cache=-1) if old else here
        files, self.named, self.addressed = PROGRAMS[which]
        pages = (DIRECT_MAP >> here.page_shift) * here.page_struct_size
        self.base = (PAGES - pages) % (1 << 64)
        options = (f"-DTAIL_CALLS={tail_calls:d}", f"-DBASE_OF_PAGES={self.base:#x}", "-Wno-unused-function")
        sizes = (f"-DSLOT_BITS={SLOT_BITS}", f"-DTALLIES={TALLIES}")
        source = sources.read("common.bpf.h", "table.bpf.h", *files)
        self.compiled, self.shapes = compile_source(source, (*self.offsets.macros(), *options, *sizes))
        self.programs = {name: decode(program) for name, program in self.compiled.programs.items()}

    def close(self) -> None:
        """Close the maps that the compilation made."""
        for descriptor in self.compiled.maps.values():
            os.close(descriptor)

    def arguments(self, program: str, object_: int, cache: int) -> list[int]:
        """Return the raw arguments of an event."""
        where = self.offsets
        by_place = {where.arg_ptr: object_}
        if program == "on_cache_alloc":
            by_place[where.arg_cache] = cache
        elif program == "on_cache_free":
            by_place[where.arg_freed_cache] = cache
        elif program == "on_kmalloc":
            by_place |= {where.arg_bytes_req: 100, where.arg_bytes_alloc: 128}
        return [by_place.get(place, 0) for place in range(6)]


class Simulation:
    """A machine with two CPUs, the programs of an image, and caches.

    Args:
        image: the programs.
        caches: addresses of the caches; each has one object.

    Attributes:
        machine: the machine.
    """

    def __init__(self, image: Image, caches: Iterable[int]) -> None:
        self._image = image
        self._where = image.offsets
        references = image.compiled.references
        self.machine = Machine({references[name]: shape for name, shape in image.shapes.items()}, CPUS)
        self._maps = {name: self.machine.maps[number] for name, number in references.items()}
        if "slow_path" in references:
            self.machine.tail_calls = {
                (references["slow_path"], place): image.programs[name] for place, name in enumerate(SLOW_PATHS)
            }
        self._objects: dict[int, int] = {}
        for address in caches:
            self._add_cache(address)
        self.begin_interval(1)

    def begin_interval(self, epoch: int) -> None:
        """Write the settings of an interval, as user space does."""
        self._maps["settings"].update(0, bytes(4), bytes(Settings(epoch=epoch)), ANY)

    def name(self, cache: int, name: str) -> None:
        """Let a cache have a name from now on."""
        text = self.machine.memory.place(name.encode() + b"\0")
        self.machine.memory.write(cache + self._where.cache_name, text.to_bytes(8, "little"))

    def describe_page(self, object_: int, cache: int) -> None:
        """Let an object lie in a slab of a cache."""
        where = self._where
        page = bytearray(where.page_struct_size)
        struct.pack_into("<I", page, where.page_type_at, where.page_type_slab << where.page_type_shift)
        struct.pack_into("<Q", page, where.page_slab_cache, cache)
        number = object_ >> where.page_shift
        self.machine.memory.place(page, (self._image.base + number * where.page_struct_size) % (1 << 64))

    def start(self, program: str, cache: int, cpu: int = 0, object_: int | None = None) -> Run:
        """Begin the run of a program for an event of a cache, with the cache's object or another one."""
        arguments = self._image.arguments(program, self._objects[cache] if object_ is None else object_, cache)
        return Run(self.machine, self._image.programs[program], arguments, cpu=cpu)

    def run(self, program: str, cache: int, cpu: int = 0, object_: int | None = None) -> None:
        """Run a program from its beginning to its end."""
        self.start(program, cache, cpu, object_).finish()

    def refuse_insert(self) -> None:
        """Let the hash of the slots' owners refuse the next insert."""
        self._hash("caches").refusals = 1

    def owners(self) -> dict[int, Cache]:
        """Return the owner of each slot that has one."""
        return {slot: describe(memoryview(value))[0] for slot, value in self.values("caches").items()}

    def values(self, name: str) -> dict[int, bytes]:
        """Return the values of a hash by their keys."""
        return self._hash(name).items()

    def slots(self, cpu: int) -> list[tuple[int, ...]]:
        """Return the words of a CPU's slots."""
        first = self._maps["slots"].lookup(cpu, bytes(4))
        table = self.machine.memory.read(first, (8 * WORDS) << SLOT_BITS)
        return list(struct.iter_unpack(f"<{WORDS}Q", table))

    def count_events(self) -> Counter[tuple[str, int]]:
        """Return how many events of each program and cache are in the slots that the cache owns."""
        counted: Counter[tuple[str, int]] = Counter()
        for slot, owner in self.owners().items():
            for cpu in range(CPUS):
                _, _, named, addressed = self.slots(cpu)[slot]
                counted += Counter(
                    {
                        (self._image.named, owner.address): named,
                        (self._image.addressed, owner.address): addressed,
                    }
                )
        return counted

    def tallies(self) -> list[int]:
        """Return the sums that belong to no cache."""
        keys = [number.to_bytes(4, "little") for number in range(TALLIES)]
        return [sum(self._word(self._maps["tallies"].lookup(cpu, key)) for cpu in range(CPUS)) for key in keys]

    def _word(self, place: int) -> int:
        return int.from_bytes(self.machine.memory.read(place, 8), "little")

    def _hash(self, name: str) -> Hash:
        map_ = self._maps[name]
        assert isinstance(map_, Hash)
        return map_

    def _add_cache(self, address: int) -> None:
        where = self._where
        cache = bytearray(max(where.cache_name, where.cache_size, where.cache_object_size) + 8)
        struct.pack_into("<I", cache, where.cache_size, 128)
        struct.pack_into("<I", cache, where.cache_object_size, 100)
        self.machine.memory.place(cache, address)
        self.name(address, f"cache-{address:x}")
        object_ = DIRECT_MAP + (1 << 30) + (len(self._objects) << self._where.page_shift) + 64
        self._objects[address] = object_
        self.describe_page(object_, address)
