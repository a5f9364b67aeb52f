"""Reads and writes the maps of a module, after checking that C and Python lay out their values alike."""

import ctypes
import errno
from collections.abc import Collection, Mapping
from typing import Any, Literal, TypeVar

from slabtui.errors import SlabtuiError
from slabtui.kernel.bpf import records, syscalls
from slabtui.kernel.procfs.cpus import possible_cpus

_Value = TypeVar("_Value", bound="ctypes.Structure | ctypes.Array[Any]")
_REINSTALL = "install slabtui again: its files are of different versions"
_WORD = 8  # bytes
_GAP = 8192  # bytes of values that are not needed: reading them takes about as long as another system call
_KEYS: dict[int, type[ctypes.c_uint32 | ctypes.c_uint64]] = {4: ctypes.c_uint32, 8: ctypes.c_uint64}  # by size
_FORMATS: dict[type[ctypes.c_uint32 | ctypes.c_uint64], Literal["I", "Q"]] = {
    ctypes.c_uint32: "I",
    ctypes.c_uint64: "Q",
}


class Maps:
    """The maps of one module.

    Args:
        descriptors: file descriptor of each map, by its name in the source.
        descriptions: of the values of each map, by its name, as the compiler of the programs lays them out; see
            records.find_difference(). A map without one is checked by the size of its values only.

    Raises:
        OSError: the kernel does not describe a map.
        SlabtuiError: a record differs between C and Python; or see possible_cpus().
    """

    def __init__(self, descriptors: Mapping[str, int], descriptions: Mapping[str, str] | None = None) -> None:
        self._descriptors = descriptors
        self._info = {name: syscalls.describe_map(descriptor) for name, descriptor in descriptors.items()}
        self._cpus = possible_cpus()
        self._key = ctypes.c_uint32()
        for name, record in records.BY_MAP.items():
            if name in descriptors:
                self._demand_layout(name, record, (descriptions or {}).get(name, ""))

    def hash(self, name: str, value_size: int) -> "Hash":
        """Return a reader for a hash.

        Raises:
            SlabtuiError: its values have another size in C.
        """
        self._demand(name, value_size)
        info = self._info[name]
        return Hash(Batch(self._descriptors[name], value_size, info.max_entries, _KEYS[info.key_size]), value_size)

    def per_cpu_array(self, name: str, words: int) -> "PerCpuArray":
        """Return a reader for a per-CPU array; a value is `words` 64-bit words for each CPU.

        Raises:
            SlabtuiError: its values have another size in C.
        """
        self._demand(name, words * _WORD)
        batch = Batch(self._descriptors[name], self._cpus * words * _WORD, self._info[name].max_entries)
        return PerCpuArray(batch, self._cpus, words)

    def put_descriptor(self, name: str, key: int, descriptor: int) -> None:
        """Write one element of an array of programs or control groups.

        Raises:
            OSError: the kernel refused.
        """
        self._update(name, key, ctypes.c_int(descriptor))

    def put(self, name: str, key: int, value: ctypes.Structure) -> None:
        """Write one element of an array.

        Raises:
            OSError: the kernel refused.
            SlabtuiError: the value has another size in C.
        """
        self._demand(name, ctypes.sizeof(value))
        self._update(name, key, value)

    def get(self, name: str, key: int, kind: type[_Value]) -> _Value:
        """Read one element of an array.

        Raises:
            OSError: the kernel refused.
            SlabtuiError: the value has another size in C.
        """
        value = kind()
        self._demand(name, ctypes.sizeof(value))
        self._key.value = key
        syscalls.lookup(self._descriptors[name], ctypes.addressof(self._key), ctypes.addressof(value))
        return value

    def clear(self, name: str) -> None:
        """Delete every element of a map that only allows to delete one at a time, such as a map of stacks.

        Raises:
            OSError: the kernel refused.
        """
        descriptor, key = self._descriptors[name], ctypes.addressof(self._key)
        while syscalls.find_first_key(descriptor, key):
            syscalls.delete(descriptor, key)

    def _update(self, name: str, key: int, value: "ctypes.Structure | ctypes.Array[Any] | ctypes.c_int") -> None:
        self._key.value = key
        syscalls.update(self._descriptors[name], ctypes.addressof(self._key), ctypes.addressof(value))

    def _demand(self, name: str, size: int) -> None:
        """Refuse a record that C and Python define differently: the kernel would write beyond the buffer."""
        in_c = self._info[name].value_size
        if in_c != size:
            what = f"a value of the map {name} has {in_c} bytes in the BPF program and {size} in slabtui"
            raise SlabtuiError(what, _REINSTALL)

    def _demand_layout(self, name: str, record: type[ctypes.Structure], description: str) -> None:
        """Refuse a record whose members lie at other offsets in C than in Python."""
        self._demand(name, ctypes.sizeof(record))
        try:
            different = records.find_difference(record, description) if description else ""
        except ValueError as error:
            raise SlabtuiError(f"cannot check the values of the map {name} ({error})", _REINSTALL) from error
        if different:
            what = f"{different} lies elsewhere in the BPF program than in slabtui, in a value of the map {name}"
            raise SlabtuiError(what, _REINSTALL)


class Batch:
    """One map, read in few system calls: since Linux 5.6 for hashes, 5.13 for per-CPU arrays. Not thread-safe.

    Not one call per element, since each makes the kernel allocate: reading the table must not fill it. Of an array only
    the parts are read in which elements are asked for. Where the kernel has no such call for it, each of these elements
    is read by itself.

    Attributes:
        keys: the keys, as read last.
        values: the bytes of the values, one after the other, as read last.
    """

    def __init__(
        self,
        descriptor: int,
        value_size: int,
        most: int,
        key: type[ctypes.c_uint32 | ctypes.c_uint64] = ctypes.c_uint32,
    ) -> None:
        self._descriptor = descriptor
        self._size = value_size
        self._most = most
        self._whole = True
        self._keys = (key * most)()
        self.keys = memoryview(self._keys).cast("B").cast(_FORMATS[key])  # a list of them is made many times faster
        self._values = (ctypes.c_char * (most * value_size))()
        self.values = memoryview(self._values).cast("B")

    def read(self) -> int:
        """Read the map and return how many elements it has.

        Raises:
            OSError: the kernel refused.
        """
        keys, values = ctypes.addressof(self._keys), ctypes.addressof(self._values)
        return syscalls.lookup_batch(self._descriptor, keys, values, self._most)

    def read_array(self, wanted: Collection[int]) -> None:
        """Read at least these elements of an array, each to its place in `values`.

        Raises:
            OSError: the kernel refused.
        """
        if self._whole:
            try:
                keys, values = ctypes.addressof(self._keys), ctypes.addressof(self._values)
                for first, end in find_ranges(wanted, _GAP // self._size):
                    syscalls.lookup_batch(self._descriptor, keys, values + first * self._size, end - first, first)
            except OSError as error:
                if error.errno not in (errno.EINVAL, syscalls.ENOTSUPP):
                    raise
                self._whole = False
        if not self._whole:
            for key in wanted:
                number = ctypes.c_uint32(key)
                place = ctypes.addressof(self._values) + key * self._size
                syscalls.lookup(self._descriptor, ctypes.addressof(number), place)

    def clear(self) -> None:
        """Delete all elements of a hash.

        Raises:
            OSError: the kernel refused.
        """
        while found := self.read():
            syscalls.delete_batch(self._descriptor, ctypes.addressof(self._keys), found)


def find_ranges(keys: Collection[int], gap: int) -> list[tuple[int, int]]:
    """Return the first and the end of each range of keys; up to `gap` keys in a range are none of these."""
    ranges: list[tuple[int, int]] = []
    for key in sorted(keys):
        if ranges and key <= ranges[-1][1] + gap:
            ranges[-1] = ranges[-1][0], key + 1
        else:
            ranges.append((key, key + 1))
    return ranges


class Hash:
    """Reader for a hash."""

    def __init__(self, batch: Batch, value_size: int) -> None:
        self._batch = batch
        self._size = value_size

    def read(self) -> dict[int, bytes]:
        """Return the bytes of each value by its key.

        Raises:
            OSError: the kernel refused.
        """
        number, size = self._batch.read(), self._size
        values = self._batch.values[: number * size].tobytes()
        parts = [values[start : start + size] for start in range(0, len(values), size)]
        return dict(zip(self._batch.keys[:number].tolist(), parts, strict=True))

    def clear(self) -> None:
        """Delete all elements.

        Raises:
            OSError: the kernel refused.
        """
        self._batch.clear()


class PerCpuArray:
    """Reader for a per-CPU array of 64-bit words."""

    def __init__(self, batch: Batch, cpus: int, words: int) -> None:
        self._batch = batch
        self._values = batch.values.cast("Q")
        self._words = words
        self._stride = cpus * words

    def read(self, wanted: Collection[int]) -> None:
        """Read these elements at least, for `total`.

        Raises:
            OSError: the kernel refused.
        """
        self._batch.read_array(wanted)

    def raw(self, key: int) -> bytes:
        """Return the bytes of an element, on all CPUs, as read last."""
        size = self._stride * _WORD
        return self._batch.values[key * size : (key + 1) * size].tobytes()

    def total(self, key: int, word: int = 0) -> int:
        """Return the sum over all CPUs of one word of an element, as read last."""
        return sum(self._values[key * self._stride + word : (key + 1) * self._stride : self._words])

    def totals(self) -> list[int]:
        """Read all elements, and return of each the sum over all CPUs of its first word.

        Raises:
            OSError: the kernel refused.
        """
        keys = range(len(self._values) // self._stride)
        self.read(keys)
        return [self.total(key) for key in keys]
