"""The records that BPF programs and slabtui share; a module is refused where C lays one out differently."""

import ctypes
import json
from typing import Any

from slabtui.kernel.bpf.settings import Settings

_PADDING = "__pad"  # how the names of members begin by which bcc describes gaps
_BASIC: dict[str, Any] = {  # by their names in C
    "char": ctypes.c_char,
    "unsigned int": ctypes.c_uint32,
    "unsigned long long": ctypes.c_uint64,
}
_CODES: dict[Any, str] = {ctypes.c_uint32: "I", ctypes.c_uint64: "Q"}  # of the module struct

NAME_SIZE = 128
LIFETIMES = 40  # of held.bpf.c
CHECKED = 128  # addresses, likewise


class CacheRecord(ctypes.Structure):
    """struct cache in common.bpf.h."""

    _fields_ = [
        ("address", ctypes.c_uint64),
        ("epoch", ctypes.c_uint64),
        ("size", ctypes.c_uint32),
        ("object_size", ctypes.c_uint32),
        ("name", ctypes.c_char * NAME_SIZE),
    ]


class Slot(ctypes.Structure):
    """struct slot in table.bpf.h."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("cache", "epoch", "named", "addressed")]


class BulkRecord(ctypes.Structure):
    """struct bulk in bulk.bpf.c."""

    _fields_ = [("cache", CacheRecord), ("allocs", ctypes.c_uint64), ("frees", ctypes.c_uint64)]


class OwnerRecord(ctypes.Structure):
    """struct owner in owned.bpf.c."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("number", "late", "left_out")]


class RowRecord(ctypes.Structure):
    """struct row in inspect.bpf.c."""

    _fields_ = [
        *((name, ctypes.c_uint64) for name in ("allocs", "bytes", "variance", "epoch", "call_site", "cgroup")),
        ("comm", ctypes.c_char * 16),
    ]


class Budget(ctypes.Structure):
    """struct budget in inspect.bpf.c."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("paid_at", "usual", "raised", "jiffies")]


class HeldRecord(ctypes.Structure):
    """struct entry in held.bpf.c."""

    _fields_ = [
        *((name, ctypes.c_uint64) for name in ("hash", "time", "identity")),
        *((name, ctypes.c_uint32) for name in ("draws", "stratum")),
        *((name, ctypes.c_uint64) for name in ("call_site", "cgroup")),
        ("comm", ctypes.c_char * 16),
    ]


class HeldBudget(ctypes.Structure):
    """struct held_budget in held.bpf.c."""

    _fields_ = [
        (name, ctypes.c_uint64) for name in ("paid_at", "usual", "raised", "jiffies", "pressure", "taken", "freed")
    ]


class Sample(ctypes.Structure):
    """struct sample in held.bpf.c."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("salt", "doublings", "entries")]


class Lifetimes(ctypes.Structure):
    """struct lifetimes in held.bpf.c."""

    _fields_ = [("freed", ctypes.c_uint64 * LIFETIMES)]


class Checked(ctypes.Structure):
    """struct checked in held.bpf.c."""

    _fields_ = [
        *((name, ctypes.c_uint64) for name in ("doublings", "entries", "number")),
        ("addresses", ctypes.c_uint64 * CHECKED),
    ]


class Calibration(ctypes.Structure):
    """struct calibration in calibration.bpf.c."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("centre", "next", "trial", "agreed")]


class Walk(ctypes.Structure):
    """struct walk in inventory.bpf.c."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("wanted", "first", "next", "read")]


BY_MAP: dict[str, type[ctypes.Structure]] = {  # the record that each map holds, by the map's name in the C files
    "settings": Settings,
    "caches": CacheRecord,
    "chunk": CacheRecord,
    "slots": Slot,
    "bulks": BulkRecord,
    "owners": OwnerRecord,
    "rows": RowRecord,
    "stack_rows": RowRecord,
    "budgets": Budget,
    "held": HeldRecord,
    "held_budgets": HeldBudget,
    "sample": Sample,
    "lifetimes": Lifetimes,
    "checked": Checked,
    "calibration": Calibration,
    "walk": Walk,
}


def pack_format(record: type[ctypes.Structure]) -> str:
    """Return the format by which the module struct reads a record without gaps; it is faster than ctypes."""
    return "=" + "".join(_format_member(member) for _, member, *_ in record._fields_)


def find_difference(record: type[ctypes.Structure], description: str) -> str:
    """Return the first member of a record that lies elsewhere in C than in Python; empty if there is none.

    Args:
        record: the record in Python.
        description: the struct in C, as bcc describes the values of a map: JSON.

    Raises:
        ValueError: it describes no struct of known members.
    """
    described = _build(json.loads(description))
    if not issubclass(described, ctypes.Structure):
        raise ValueError(f"{description} is no struct")
    here, there = _list_members(record), _list_members(described)
    for name, place in [*here.items(), *there.items()]:
        if here.get(name) != place or there.get(name) != place:
            return name
    return ""


def _format_member(member: Any) -> str:
    if member in _CODES:
        return _CODES[member]
    if issubclass(member, ctypes.Structure):
        return pack_format(member).removeprefix("=")
    return f"{ctypes.sizeof(member)}s"


def _list_members(record: Any, within: str = "", start: int = 0) -> dict[str, tuple[int, int]]:
    """Return offset and size of each member of a record and of the records in it, by its name."""
    found: dict[str, tuple[int, int]] = {}
    for name, member, *_ in record._fields_:
        at, size = start + getattr(record, name).offset, getattr(record, name).size
        if issubclass(member, ctypes.Structure):
            found |= _list_members(member, f"{within}{name}.", at)
        elif not name.startswith(_PADDING):
            found[within + name] = at, size
    return found


def _build(description: Any) -> Any:
    """Return the type that bcc describes: a name, or a list of a struct's name, its members and what it is."""
    if isinstance(description, str) and description in _BASIC:
        return _BASIC[description]
    match description:
        case [str(name), [*members], "struct" | "struct_packed" as kind]:
            fields = [_build_member(member) for member in members]
            # Gaps are members then. Python 3.14 and later ask which compiler's rules apply; without gaps they agree.
            packing = {"_pack_": 1, "_layout_": "ms"} if kind == "struct_packed" else {}
            return type(name, (ctypes.Structure,), {**packing, "_fields_": fields})
    raise ValueError(f"unknown type {description}")


def _build_member(description: Any) -> tuple[str, Any]:
    match description:
        case [str(name), kind]:
            return name, _build(kind)
        case [str(name), kind, [int(length)]]:
            return name, _build(kind) * length
    raise ValueError(f"unknown member {description}")
