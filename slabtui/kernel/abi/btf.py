"""Reads BTF, the kernel's own description of its types: struct offsets and function prototypes by name.

Format: Documentation/bpf/btf.rst in the kernel tree; kinds up to ENUM64 (Linux 6.0). Only what slabtui asks for is
decoded; the rest is stepped over.
"""

import struct
import sys
from array import array
from bisect import bisect_left
from dataclasses import dataclass

_MAGIC = 0xEB9F
_HEADER = struct.Struct("=HBBIIIII")
_VOID = 0
_MOST_LINKS = 32  # typedefs and qualifiers in a row, or anonymous structs inside each other; real kernels stay below 10

_INT, _PTR, _ARRAY, _STRUCT, _UNION, _ENUM, _FWD, _TYPEDEF, _VOLATILE, _CONST, _RESTRICT = range(1, 12)
_FUNC, _FUNC_PROTO, _VAR, _DATASEC, _FLOAT, _DECL_TAG, _TYPE_TAG, _ENUM64 = range(12, 20)
_QUALIFIERS = frozenset((_VOLATILE, _CONST, _RESTRICT, _TYPE_TAG))

# 32-bit words that follow the three of every type: a fixed number, and a number for each of its `vlen` members.
_FIXED_WORDS = {_INT: 1, _ARRAY: 3, _VAR: 1, _DECL_TAG: 1}
_MEMBER_WORDS = {_STRUCT: 3, _UNION: 3, _ENUM: 2, _FUNC_PROTO: 2, _DATASEC: 3, _ENUM64: 3}


class BTFError(Exception):
    """The data is not BTF, is cut short or corrupt, or lacks the type that is asked for; `str()` says which."""


@dataclass(frozen=True, slots=True)
class Struct:
    """The size of a struct and the offset of each member, in bytes, including those of anonymous structs and unions."""

    size: int
    offsets: dict[str, int]


class _Sizes(dict[int, int]):
    """The length of a type in words, by its second word: kind and number of members. Kernels have some 200 of these."""

    def __missing__(self, info: int) -> int:
        kind = info >> 24 & 31
        if not _INT <= kind <= _ENUM64:
            raise KeyError(kind)
        size = self[info] = 3 + _FIXED_WORDS.get(kind, 0) + _MEMBER_WORDS.get(kind, 0) * (info & 0xFFFF)
        return size


class BTF:
    """The types of one kernel.

    Args:
        data: the contents of /sys/kernel/btf/vmlinux.

    Raises:
        BTFError: it cannot be read as BTF of this machine's byte order.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) < _HEADER.size:
            raise BTFError("shorter than a BTF header")
        magic, _, _, header, types_at, types_size, strings_at, strings_size = _HEADER.unpack_from(data)
        if magic != _MAGIC:
            raise BTFError("not BTF")
        if (
            header < _HEADER.size
            or types_size % 4
            or max(types_at + types_size, strings_at + strings_size) > (len(data) - header)
        ):
            raise BTFError("cut short")
        self._strings = data[header + strings_at : header + strings_at + strings_size]
        self._types = data[header + types_at : header + types_at + types_size]
        self._words = memoryview(self._types).cast("I")  # faster to index 10^5 times than an array
        self._starts = self._walk()

    def struct(self, name: str) -> Struct:
        """Return the size and the member offsets of a struct.

        Raises:
            BTFError: there is no such struct.
        """
        start = self._find(name, _STRUCT)
        offsets: dict[str, int] = {}
        self._collect(start, 0, offsets, 0)
        return Struct(self._words[start + 2], offsets)

    def integer_size(self, name: str) -> int | None:
        """Return the size of an integer type in bytes; None if there is none of that name."""
        try:
            return self._words[self._find(name, _INT) + 2]
        except BTFError:
            return None

    def enumerators(self, name: str) -> dict[str, int]:
        """Return the names and values of an enum of 32 bits.

        Raises:
            BTFError: there is no such enum.
        """
        first = self._find(name, _ENUM) + 3
        members = range(first, first + 2 * self._members(first - 3), 2)
        return {self._name(member).decode(errors="replace"): self._words[member + 1] for member in members}

    def function_id(self, name: str) -> int:
        """Return the id of a function that is not inlined everywhere; 0: the kernel has none of that name."""
        return self._id(name, _FUNC)

    def struct_id(self, name: str) -> int:
        """Return the id of a struct; 0: the kernel has none of that name."""
        return self._id(name, _STRUCT)

    def has_variable(self, name: str) -> bool:
        """Return whether the kernel has a per-CPU variable of that name; BTF lists no others."""
        return bool(self._id(name, _VAR))

    def has_typedef(self, name: str) -> bool:
        """Return whether the kernel has a typedef of that name."""
        return bool(self._id(name, _TYPEDEF))

    def parameters(self, typedef: str) -> tuple[str, ...]:
        """Return the parameter types of the function that a `typedef void (*name)(...)` points to.

        Written as in C without qualifiers: `size_t`, `struct kmem_cache *`, `void *`; a type without a name is `?`.

        Raises:
            BTFError: there is no such typedef, or it is no pointer to a function.
        """
        start = self._find(typedef, _TYPEDEF)
        for kind in (_PTR, _FUNC_PROTO):
            start = self._start(self._words[start + 2])
            if self._kind(start) != kind:
                raise BTFError(f"{typedef} is no pointer to a function")
        return self._parameters(start)

    def function_parameters(self, name: str) -> tuple[str, ...]:
        """Return the parameter types of a function, in the same form.

        Raises:
            BTFError: the kernel has none of that name that is not inlined everywhere.
        """
        return self._parameters(self._start(self._words[self._find(name, _FUNC) + 2]))

    def _parameters(self, start: int) -> tuple[str, ...]:
        first = start + 3
        return tuple(self._spell(self._words[first + 2 * i + 1]) for i in range(self._members(start)))

    def _walk(self) -> "array[int]":
        """Return where each type begins, in words; types are numbered from 1 in their order, 0 is void."""
        words, sizes, end = self._words, _Sizes(), len(self._words)
        starts = array("I", [0])
        at = 0
        try:
            while at < end:
                starts.append(at)
                at += sizes[words[at + 1]]
        except (IndexError, KeyError):
            at = end + 1
        if at != end:
            raise BTFError(f"type {len(starts) - 1} is cut short or of an unknown kind")
        return starts

    def _find(self, name: str, kind: int) -> int:
        """Return where the type of that name and kind begins."""
        string = self._strings.find(b"\0" + name.encode() + b"\0") + 1
        if string:  # each string is stored once: search the bytes for the types that refer to it, at the speed of C
            wanted = string.to_bytes(4, sys.byteorder)
            at = self._types.find(wanted)
            while at >= 0:
                start = at // 4
                place = bisect_left(self._starts, start, lo=1)
                if at % 4 == 0 and self._starts[place : place + 1] == array("I", [start]) and self._kind(start) == kind:
                    return start
                at = self._types.find(wanted, at + 1)
        raise BTFError(f"no type named {name}")

    def _id(self, name: str, kind: int) -> int:
        """Return the number of a type; 0: there is none."""
        try:
            return bisect_left(self._starts, self._find(name, kind), lo=1)
        except BTFError:
            return 0

    def _collect(self, start: int, base: int, offsets: dict[str, int], depth: int) -> None:
        if depth > _MOST_LINKS:
            raise BTFError("structs nested without an end")
        packed = self._words[start + 1] >> 31  # the offset's upper byte is then the size of a bit field
        for i in range(self._members(start)):
            member = start + 3 + 3 * i
            offset = self._words[member + 2]
            bits = offset & 0xFFFFFF if packed else offset
            name = self._name(member)
            if name:
                offsets.setdefault(name.decode(errors="replace"), base + bits // 8)
                continue
            inner = self._plain(self._words[member + 1])
            if inner is not None and self._kind(inner) in (_STRUCT, _UNION):
                self._collect(inner, base + bits // 8, offsets, depth + 1)

    def _spell(self, number: int) -> str:
        start = self._plain(number)
        if start is None:
            return "void"
        kind = self._kind(start)
        if kind == _PTR:
            pointed = self._plain(self._words[start + 2])
            if pointed is not None and self._kind(pointed) == _PTR:
                return "void **"  # no prototype that slabtui reads has two kinds of pointers to pointers
            return ("void" if pointed is None else self._tagged(pointed)) + " *"
        return self._tagged(start)

    def _tagged(self, start: int) -> str:
        name = self._name(start).decode(errors="replace") or "?"
        tag = {_STRUCT: "struct ", _UNION: "union ", _ENUM: "enum "}.get(self._kind(start), "")
        return tag + name

    def _plain(self, number: int) -> int | None:
        """Return where a type begins once const, volatile and the like are taken off; None for void."""
        for _ in range(_MOST_LINKS):
            if number == _VOID:
                return None
            start = self._start(number)
            if self._kind(start) not in _QUALIFIERS:
                return start
            number = self._words[start + 2]
        raise BTFError(f"type {number} has qualifiers without an end")

    def _start(self, number: int) -> int:
        if not 0 < number < len(self._starts):
            raise BTFError(f"no type number {number}")
        return self._starts[number]

    def _kind(self, start: int) -> int:
        return self._words[start + 1] >> 24 & 31

    def _members(self, start: int) -> int:
        return self._words[start + 1] & 0xFFFF

    def _name(self, start: int) -> bytes:
        at = self._words[start]
        end = self._strings.find(b"\0", at)
        if end < 0:
            raise BTFError(f"no string at {at}")
        return self._strings[at:end]
