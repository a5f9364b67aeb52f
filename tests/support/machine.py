"""A simulated machine for BPF programs: its memory and its maps. tests/support/ebpf.py runs the programs."""

from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from errno import E2BIG, EBUSY, EEXIST, EINVAL, ENOENT

ANY, NOEXIST = 0, 1  # flags of an update

_HASH, _ARRAY, _PROGRAMS, _PER_CPU_ARRAY = 1, 2, 3, 6  # enum bpf_map_type
_FIRST_ADDRESS = 1 << 32  # far from small numbers, so that a wrong address leads to no memory
_DISTANCE = 1 << 16  # of the pieces of memory, for the same reason


class Memory:
    """Pieces of memory by their addresses: stacks, maps, and what a test puts there as memory of the kernel."""

    def __init__(self) -> None:
        self._addresses: list[int] = []
        self._pieces: list[bytearray] = []
        self._room = _FIRST_ADDRESS

    def place(self, content: bytes, address: int | None = None) -> int:
        """Put a piece of memory at an address, or at a free one, and return the address."""
        if address is None:
            address, self._room = self._room, self._room + -(-len(content) // _DISTANCE) * _DISTANCE
        at = bisect(self._addresses, address)
        self._addresses.insert(at, address)
        self._pieces.insert(at, bytearray(content))
        return address

    def read(self, address: int, size: int) -> bytes:
        """Return these bytes; LookupError: they are not all in one piece."""
        piece, at = self._find(address, size)
        return bytes(piece[at : at + size])

    def read_string(self, address: int, most: int) -> bytes:
        """Return the bytes before a zero, fewer than `most`, and a zero; LookupError: nothing is at the address."""
        piece, at = self._find(address, 1)
        return bytes(piece[at : at + most - 1]).partition(b"\0")[0] + b"\0"

    def write(self, address: int, content: bytes) -> None:
        """Write these bytes; LookupError: they are not all in one piece."""
        piece, at = self._find(address, len(content))
        piece[at : at + len(content)] = content

    def snapshot(self) -> bytes:
        """Return all bytes, in the order of their addresses."""
        return b"".join(self._pieces)

    def _find(self, address: int, size: int) -> tuple[bytearray, int]:
        which = bisect(self._addresses, address) - 1
        if which < 0 or address + size > self._addresses[which] + len(self._pieces[which]):
            raise LookupError(f"nothing at {address:#x}")
        return self._pieces[which], address - self._addresses[which]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a map is made with: its type, the bytes of a key and of a value, the number of elements."""

    map_type: int
    key_size: int
    value_size: int
    max_entries: int


class Array:
    """An array; `cpus` above 1: one for each CPU."""

    def __init__(self, memory: Memory, shape: Shape, cpus: int = 1) -> None:
        self.shape = shape
        self._memory = memory
        self._copies = [memory.place(bytes(shape.value_size * shape.max_entries)) for _ in range(cpus)]

    def lookup(self, cpu: int, key: bytes) -> int:
        """Return the address of a value; 0: there is none."""
        number = int.from_bytes(key, "little")
        copy = self._copies[cpu % len(self._copies)]
        return copy + number * self.shape.value_size if number < self.shape.max_entries else 0

    def update(self, cpu: int, key: bytes, value: bytes, flags: int) -> int:
        """Write a value; return 0, or an error number below 0."""
        if not (place := self.lookup(cpu, key)):
            return -E2BIG
        if flags == NOEXIST:
            return -EEXIST
        self._memory.write(place, value)
        return 0

    def delete(self, key: bytes) -> int:
        """Refuse, as the kernel does."""
        return -EINVAL

    def snapshot(self) -> object:
        """Return the state of the map other than its values."""
        return None


class Hash:
    """A hash whose elements exist from the start.

    To update a key that is there, the kernel fills the spare element of the CPU, and the old element is the new spare
    (alloc_htab_elem() in kernel/bpf/hashtab.c). The next update on that CPU overwrites it, even where a program on
    another CPU has looked it up before, and still reads it.

    Attributes:
        refusals: how many of the next updates it refuses, as the kernel does where the program has interrupted another
            one (EBUSY: htab_lock_bucket() in kernel/bpf/hashtab.c).
    """

    def __init__(self, memory: Memory, shape: Shape, cpus: int) -> None:
        elements = [memory.place(bytes(shape.value_size)) for _ in range(shape.max_entries + cpus)]
        self.shape = shape
        self._memory = memory
        self._spare, self._free = elements[:cpus], elements[cpus:]
        self._used: dict[bytes, int] = {}
        self.refusals = 0

    def lookup(self, cpu: int, key: bytes) -> int:
        """Return the address of a value; 0: there is none."""
        return self._used.get(key, 0)

    def update(self, cpu: int, key: bytes, value: bytes, flags: int) -> int:
        """Write or insert a value; return 0, or an error number below 0."""
        if self.refusals:
            self.refusals -= 1
            return -EBUSY
        element = self.lookup(cpu, key)
        if element and flags == NOEXIST:
            return -EEXIST
        if element:
            element, self._spare[cpu] = self._spare[cpu], element
        elif self._free:
            element = self._free.pop()
        else:
            return -E2BIG
        self._memory.write(element, value)
        self._used[key] = element
        return 0

    def delete(self, key: bytes) -> int:
        """Delete an element; return 0, or an error number below 0."""
        if key not in self._used:
            return -ENOENT
        self._free.append(self._used.pop(key))
        return 0

    def items(self) -> dict[int, bytes]:
        """Return the values, by their keys as numbers."""
        return {
            int.from_bytes(key, "little"): self._memory.read(element, self.shape.value_size)
            for key, element in self._used.items()
        }

    def snapshot(self) -> object:
        """Return the state of the map other than its values."""
        return tuple(self._used.items()), tuple(self._spare), tuple(self._free)


class Machine:
    """Memory, maps and CPUs.

    Args:
        maps: the number that programs have for a map -> its shape.
        cpus: how many.

    Attributes:
        memory: all of it.
        maps: by number.
        tail_calls: number of a map of programs and key -> instructions of the program.
        time: nanoseconds; a program that asks for the time finds that one has passed.
        random: what the next random number is made from.
    """

    def __init__(self, maps: Mapping[int, Shape], cpus: int = 2) -> None:
        self.memory = Memory()
        self.maps = {number: self._make(shape, cpus) for number, shape in maps.items()}
        self.tail_calls: dict[tuple[int, int], Sequence[tuple[int, int, int, int, int]]] = {}
        self.time = 0
        self.random = 0

    def snapshot(self) -> object:
        """Return all that programs can find: where two snapshots are equal, the same can happen afterwards."""
        return self.memory.snapshot(), tuple(map_.snapshot() for map_ in self.maps.values()), self.time, self.random

    def next_random(self) -> int:
        """Return a random number of 32 bits; the same ones in each machine."""
        self.random = (self.random * 6364136223846793005 + 1442695040888963407) % (1 << 64)  # Knuth's MMIX
        return self.random >> 32

    def _make(self, shape: Shape, cpus: int) -> Array | Hash:
        if shape.map_type == _HASH:
            return Hash(self.memory, shape, cpus)
        if shape.map_type in (_ARRAY, _PROGRAMS, _PER_CPU_ARRAY):
            return Array(self.memory, shape, cpus if shape.map_type == _PER_CPU_ARRAY else 1)
        raise NotImplementedError(f"maps of type {shape.map_type}")
