"""Reads and writes the maps of the BPF program, by the system calls that bcc's library wraps."""

import ctypes
import errno
import os
from collections.abc import Iterable
from types import ModuleType
from typing import Any, TypeVar

_Value = TypeVar("_Value", bound="ctypes.Structure | ctypes.Array[Any]")
_ENOTSUPP = 524  # include/linux/errno.h; no number of user space
Key = ctypes.c_uint32 | ctypes.c_uint64


class Maps:
    """The maps of one compiled program.

    Args:
        bcc: the module.
        bpf: the compiled bcc.BPF.
    """

    def __init__(self, bcc: ModuleType, bpf: Any) -> None:
        self._lib = bcc.lib
        self._bpf = bpf
        self._cpus = len(bcc.utils.get_possible_cpus())
        self._key = ctypes.c_uint32()

    def hash(self, name: str, value_size: int, most: int) -> "Hash":
        """Return a reader for a hash of at most `most` elements, whose keys are what the program says."""
        key: type[Key] = self._bpf[name.encode()].Key
        return Hash(Batch(self._lib, self._descriptor(name), value_size, most, key), value_size)

    def per_cpu_array(self, name: str, words: int, length: int) -> "PerCpuArray":
        """Return a reader for a per-CPU array of `length` elements; a value is `words` 64-bit words for each CPU."""
        return PerCpuArray(Batch(self._lib, self._descriptor(name), self._cpus * words * 8, length), self._cpus, words)

    def put(self, name: str, key: int, value: ctypes.Structure | ctypes.Array[Any] | ctypes.c_int) -> None:
        """Write one element of an array.

        Raises:
            OSError: the kernel refused.
        """
        self._key.value = key
        if self._lib.bpf_update_elem(self._descriptor(name), ctypes.byref(self._key), ctypes.byref(value), 0):
            raise _failure(f"write of map {name}")

    def get(self, name: str, key: int, kind: type[_Value]) -> _Value:
        """Read one element of an array.

        Raises:
            OSError: the kernel refused.
        """
        self._key.value = key
        value = kind()
        if self._lib.bpf_lookup_elem(self._descriptor(name), ctypes.byref(self._key), ctypes.byref(value)):
            raise _failure(f"read of map {name}")
        return value

    def zero(self, name: str, words: int) -> None:
        """Set the one element of a per-CPU array, so many 64-bit words for each CPU, to 0.

        Raises:
            OSError: the kernel refused.
        """
        self.put(name, 0, (ctypes.c_uint64 * (self._cpus * words))())

    def clear(self, name: str) -> None:
        """Delete every element of a map whose elements can only be deleted one by one, such as one of stacks.

        Raises:
            OSError: the kernel refused.
        """
        descriptor = self._descriptor(name)
        while self._lib.bpf_get_first_key(descriptor, ctypes.byref(self._key), ctypes.sizeof(self._key)) == 0:
            if self._lib.bpf_delete_elem(descriptor, ctypes.byref(self._key)):
                raise _failure(f"clearing of map {name}")

    def _descriptor(self, name: str) -> int:
        descriptor: int = self._bpf[name.encode()].map_fd
        return descriptor


class Batch:
    """One map, read whole in one system call: Linux 5.6 has that for hashes, 5.13 for per-CPU arrays. Not thread-safe.

    One call, not one per element, since each call makes the kernel allocate: reading the table must not fill it. Where
    the kernel has no such call for an array, the elements are read that are asked for.

    Attributes:
        keys: the keys, as read last.
        values: the bytes of the values, one after the other, as read last.
    """

    def __init__(self, lib: Any, descriptor: int, value_size: int, most: int, key: type[Key] = ctypes.c_uint32) -> None:
        self._lookup, self._delete = lib.bpf_lookup_batch, lib.bpf_delete_batch
        self._look_up_one = lib.bpf_lookup_elem
        self._descriptor = descriptor
        self._size = value_size
        self._most = most
        self._whole = True
        self.keys = (key * most)()
        self._values = (ctypes.c_char * (most * value_size))()
        self.values = memoryview(self._values).cast("B")

    def read(self) -> int:
        """Read the map and return how many elements it has.

        Raises:
            OSError: the kernel refused.
        """
        read, after = ctypes.c_uint32(self._most), ctypes.c_uint32()
        refused = self._lookup(self._descriptor, None, ctypes.byref(after), self.keys, self._values, ctypes.byref(read))
        if refused and ctypes.get_errno() != errno.ENOENT:  # ENOENT: there is no more, which is what was asked for
            raise _failure("read of a map")
        return read.value

    def read_array(self, wanted: Iterable[int]) -> None:
        """Read the map, or at least these elements, each to its place in `values`.

        Raises:
            OSError: the kernel refused.
        """
        if self._whole:
            try:
                self.read()
            except OSError as error:
                if error.errno not in (errno.EINVAL, _ENOTSUPP):
                    raise
                self._whole = False
        if not self._whole:
            for key in wanted:
                self._read_one(key)

    def _read_one(self, key: int) -> None:
        at = ctypes.byref(self._values, key * self._size)
        if self._look_up_one(self._descriptor, ctypes.byref(ctypes.c_uint32(key)), at):
            raise _failure("read of a map")

    def clear(self) -> None:
        """Delete all elements of a hash, `keys` as read last included.

        Raises:
            OSError: the kernel refused.
        """
        while found := self.read():
            number = ctypes.c_uint32(found)
            if self._delete(self._descriptor, self.keys, ctypes.byref(number)):
                raise _failure("clearing of a map")


class Hash:
    """Reader for a hash."""

    def __init__(self, batch: Batch, value_size: int) -> None:
        self._batch = batch
        self._size = value_size

    def read(self) -> dict[int, memoryview]:
        """Return the bytes of each value by its key; the next read overwrites them.

        Raises:
            OSError: the kernel refused.
        """
        size, values, keys = self._size, self._batch.values, self._batch.keys
        return {keys[place]: values[place * size : (place + 1) * size] for place in range(self._batch.read())}

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

    def read(self, wanted: Iterable[int]) -> None:
        """Read these elements at least, for `total` to look at.

        Raises:
            OSError: the kernel refused.
        """
        self._batch.read_array(wanted)

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


def _failure(what: str) -> OSError:
    code = ctypes.get_errno()
    return OSError(code, f"{what}: {os.strerror(code)}")
