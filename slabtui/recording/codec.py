"""slabtui/1: a snapshot as one line of JSON, for scripts and recordings, and back; docs/output.md defines it."""

import json
import math
import reprlib
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from slabtui.columns.caches import COLUMNS, Column
from slabtui.model.inspection import About, Context, Inspection, InspectionRow, Kind
from slabtui.model.snapshot import CacheRow, Origin, Snapshot
from slabtui.text import escaped

NAME = "slabtui/1"

_Kind = type | tuple[type, ...]
_Choice = TypeVar("_Choice", Kind, Context)
_AMOUNTS = ("allocs", "bytes", "total_allocs", "total_bytes")
_NULLABLE_COUNT = (int, type(None))
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)  # a time in any zone
_ROW_TYPES: dict[str, _Kind] = {
    "name": str,
    "cache": str,
    "object_size": _NULLABLE_COUNT,
    "size": _NULLABLE_COUNT,
    "allocs": int,
    "bytes": int,
    "approximate": bool,
}
# What came later: a line without them is older.
_LATER_ROW_TYPES: dict[str, _Kind] = {
    "frees": _NULLABLE_COUNT,
    "live": _NULLABLE_COUNT,
    "live_delta": _NULLABLE_COUNT,
    "mem": _NULLABLE_COUNT,
    "disagrees": (bool, type(None)),
    "aliases": list,
}
_ABSENT = object()

# What no real host exceeds; a line that does was not written by slabtui, and would take memory and time.
_MOST_CACHES = 16384  # the table has 4096 slots; a kernel lists some hundred caches, idle ones included
_MOST_ENTRIES = 32768  # twice what an inspection has room for
_MOST_FRAMES = 128  # a stack map of bcc has 127
_MOST_ALIASES = 1024  # names of one size; a kernel has some hundred caches in all
_MOST_NODES = 1024  # MAX_NUMNODES of the kernel
_MOST_NOTES = 4096  # one for each process of -p that has ended
_LONGEST_TEXT = 4 * 1024  # characters: twice the 512 bytes of a symbol's name (KSYM_NAME_LEN), each one escaped
_LONGEST_PATH = 4 * 4096  # PATH_MAX, each byte escaped: the path of a control group
_LONGEST_ADDRESS = len("0x") + 16
_MOST_CONTAINERS = 4 * (_MOST_CACHES + _MOST_ENTRIES)  # objects and lists in a line; each takes some 100 bytes
_MOST_MEMBERS = 12 * (_MOST_CACHES + _MOST_ENTRIES)  # of objects
_MOST_TEXTS = 12 * (_MOST_CACHES + _MOST_ENTRIES)  # names of members included; each takes 57 bytes and its characters
_BRIEF = 80  # characters of a value in a message


class SchemaError(ValueError):
    """The line is no snapshot of this schema; `str()` says why."""


def fields(chosen: Iterable[Column]) -> tuple[str, ...]:
    """Return the names of the fields that belong to these columns, in their order."""
    return tuple(name for column in chosen for name in column.fields)


ALL_FIELDS = fields(COLUMNS)


def values(row: CacheRow, names: Iterable[str]) -> dict[str, Any]:
    """Return these fields of a row; the identity of the cache as hexadecimal."""
    return {name: f"{row.cache:#x}" if name == "cache" else getattr(row, name) for name in names}


def detail(found: Inspection | None) -> dict[str, Any] | None:
    """Return a close look as JSON has it: with the fields that its kind has."""
    if found is None:
        return None
    look = {"cache": found.cache, "kind": found.kind, "look": found.look, "one_in": found.one_in, "lost": found.lost}
    if found.about is not None:
        return look | {"about": asdict(found.about)}
    return look | {"entries": [entry_values(found.kind, entry) for entry in found.entries]}


def entry_fields(kind: Kind) -> tuple[str, ...]:
    """Return the names of the fields that an entry of a look has."""
    who = ("pid", "comm", "cgroup", "context") if kind is Kind.PROCESSES else ("frames",)
    return (*who, *_AMOUNTS, *(("standard_error",) if kind is Kind.STACKS else ()))


def entry_values(kind: Kind, entry: InspectionRow) -> dict[str, Any]:
    """Return the fields of an entry."""
    values = {name: getattr(entry, name) for name in entry_fields(kind)}
    error = values.get("standard_error")
    return values if error is None else values | {"standard_error": round(error, 1)}


def iso(time: float) -> str:
    """Write a time as UTC in ISO 8601, to the millisecond."""
    return datetime.fromtimestamp(round(time, 3), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dumps(snapshot: Snapshot, rows: Iterable[CacheRow]) -> str:
    """Return the line, without its newline, with these rows of the snapshot."""
    return json.dumps(
        {
            "schema": NAME,
            "time": iso(snapshot.time),
            "elapsed_s": round(snapshot.elapsed, 6),
            "source": snapshot.origin.source,
            "host": snapshot.origin.host,
            "kernel": snapshot.origin.kernel,
            "loadavg": snapshot.loadavg,
            "lost": snapshot.lost,
            "events": snapshot.events,
            "ns_per_event": None if snapshot.nanoseconds is None else round(snapshot.nanoseconds, 1),
            "bulk": snapshot.bulk,
            "error": snapshot.error,
            "notes": list(snapshot.notes),
            "caches": [values(row, ALL_FIELDS) for row in rows],
            "detail": detail(snapshot.detail),
        },
        separators=(",", ":"),
    )


def loads(line: str | bytes) -> Snapshot:
    """Return the snapshot that a line was made from; its origin is a replay.

    Raises:
        SchemaError: it is no JSON, no snapshot, or one of a schema that this version does not know.
    """
    _demand_simple(line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line)
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"not JSON ({error})") from error
    if not isinstance(found, dict) or not isinstance(found.get("schema"), str):
        raise SchemaError("not a snapshot of slabtui")
    if found["schema"] != NAME:
        raise SchemaError(f"schema {_brief(found['schema'])}, and this slabtui knows {NAME}")
    return Snapshot(
        time=_time(_field(found, "time", str)),
        elapsed=_elapsed(_field(found, "elapsed_s", (int, float))),
        loadavg=_field(found, "loadavg", str),
        rows=tuple(_row(row) for row in _list(found, "caches", _MOST_CACHES)),
        lost=_count("lost", _field(found, "lost", _NULLABLE_COUNT)),
        events=_count("events", _field(found, "events", _NULLABLE_COUNT, None)),
        nanoseconds=_nanoseconds(_field(found, "ns_per_event", (int, float, type(None)), None)),
        bulk=_field(found, "bulk", (bool, type(None)), None),
        detail=_detail(_field(found, "detail", (dict, type(None)), None)),
        error=_field(found, "error", (str, type(None))),
        notes=_texts("a note", _list(found, "notes", _MOST_NOTES)),
        origin=Origin("replay", _field(found, "host", str), _field(found, "kernel", str)),
    )


def _demand_simple(line: bytes) -> None:
    """Refuse a line of which Python would make far more than it is long.

    Characters within texts count too, of which real names have few.
    """
    containers, members, texts = line.count(b"[") + line.count(b"{"), line.count(b":"), line.count(b'"') // 2
    if containers > _MOST_CONTAINERS or members > _MOST_MEMBERS or texts > _MOST_TEXTS:
        raise SchemaError("more than any host has")


def _brief(value: object) -> str:
    """Return how a value is written, as far as it fits into a message."""
    text = reprlib.repr(value)
    return text if len(text) <= _BRIEF else f"{text[: _BRIEF - 3]}..."


def _row(found: Any) -> CacheRow:
    if not isinstance(found, dict):
        raise SchemaError("a cache that is no object")
    fields = {name: _field(found, name, kind) for name, kind in _ROW_TYPES.items()}
    fields |= {name: _field(found, name, kind) for name, kind in _LATER_ROW_TYPES.items() if name in found}
    try:
        fields["cache"] = int(fields["cache"][: _LONGEST_ADDRESS + 1], 16)  # one more is out of range
    except ValueError as error:
        raise SchemaError(f"cache {_brief(fields['cache'])} is no address") from error
    for name in ("cache", "object_size", "size", "allocs", "bytes", "frees", "live", "mem"):
        _count(name, fields.get(name))
    if not -1 << 64 < (fields.get("live_delta") or 0) < 1 << 64:
        raise SchemaError(f"live_delta is {_brief(fields['live_delta'])}")
    fields["aliases"] = _texts("aliases", _limited("aliases", fields.get("aliases", []), _MOST_ALIASES))
    return CacheRow(**fields)


def _detail(found: dict[str, Any] | None) -> Inspection | None:
    if found is None:
        return None
    kind = _one_of(Kind, "kind", _field(found, "kind", str))
    is_about = kind is Kind.ABOUT
    return Inspection(
        cache=_field(found, "cache", str),
        kind=kind,
        look=_whole(found, "look"),
        one_in=_whole(found, "one_in"),
        lost=_whole(found, "lost"),
        entries=() if is_about else tuple(_entry(kind, entry) for entry in _list(found, "entries", _MOST_ENTRIES)),
        about=_about(_field(found, "about", dict)) if is_about else None,
    )


def _entry(kind: Kind, found: Any) -> InspectionRow:
    if not isinstance(found, dict):
        raise SchemaError("an entry that is no object")
    entry = InspectionRow(
        allocs=_whole(found, "allocs"),
        bytes=_whole(found, "bytes"),
        total_allocs=_whole(found, "total_allocs"),
        total_bytes=_whole(found, "total_bytes"),
        standard_error=_standard_error(found) if kind is Kind.STACKS else 0.0,
    )
    if kind is not Kind.PROCESSES:
        return replace(entry, frames=_texts("frames", _list(found, "frames", _MOST_FRAMES)))
    return replace(
        entry,
        pid=_whole(found, "pid"),
        comm=_field(found, "comm", str),
        cgroup=_field(found, "cgroup", str, longest=_LONGEST_PATH),
        context=_one_of(Context, "context", _field(found, "context", str)),
    )


def _standard_error(found: dict[str, Any]) -> float | None:
    """Return that of a stack; older recordings do not have it."""
    error = _field(found, "standard_error", (int, float, type(None)), None)
    if error is not None and not 0 <= error < 1 << 64:
        raise SchemaError(f"standard_error is {_brief(error)}")
    return None if error is None else round(float(error), 1)  # as it is written


def _about(found: dict[str, Any]) -> About:
    def number(name: str) -> int | None:
        return _count(name, _field(found, name, _NULLABLE_COUNT))

    nodes = [_checked("a node", node, list) for node in _list(found, "nodes", _MOST_NODES)]
    if not all(len(node) == 2 for node in nodes):
        raise SchemaError("a node that is no pair")
    return About(
        aliases=_texts("aliases", _list(found, "aliases", _MOST_ALIASES)),
        object_size=number("object_size"),
        size=number("size"),
        objects_per_slab=number("objects_per_slab"),
        slab_bytes=number("slab_bytes"),
        flags=_texts("flags", _list(found, "flags", _MOST_ALIASES)),
        nodes=tuple((_number("node", node), _number("slabs", slabs)) for node, slabs in nodes),
        live=number("live"),
        mem=number("mem"),
    )


def _one_of(kinds: type[_Choice], name: str, text: str) -> _Choice:
    try:
        return kinds(text)
    except ValueError as error:
        raise SchemaError(f"{name} is {_brief(text)}") from error


def _list(found: dict[str, Any], name: str, most: int) -> list[Any]:
    return _limited(name, _field(found, name, list), most)


def _limited(name: str, values: list[Any], most: int) -> list[Any]:
    if len(values) > most:
        raise SchemaError(f"{name} has {len(values)} members, and may have {most}")
    return values


def _texts(name: str, found: Iterable[Any]) -> tuple[str, ...]:
    return tuple(_checked(name, text, str) for text in found)


def _whole(found: dict[str, Any], name: str) -> int:
    return _number(name, _field(found, name, int))


def _number(name: str, value: Any) -> int:
    number: int = _checked(name, value, int)
    _count(name, number)
    return number


def _field(
    found: dict[str, Any], name: str, kind: _Kind, absent: Any = _ABSENT, *, longest: int = _LONGEST_TEXT
) -> Any:
    if name not in found:
        if absent is _ABSENT:
            raise SchemaError(f"{name} is missing")
        return absent
    return _checked(name, found[name], kind, longest)


def _checked(name: str, value: Any, kind: _Kind, longest: int = _LONGEST_TEXT) -> Any:
    """Return the value; whoever wrote a text, it is harmless to print."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kind) or (isinstance(value, bool) and bool not in kinds):
        raise SchemaError(f"{name} is {_brief(value)}")
    if isinstance(value, str) and len(value) > longest:
        raise SchemaError(f"{name} has {len(value)} characters, and may have {longest}")
    if isinstance(value, str) and not value.isprintable():
        return escaped(value.encode("utf-8", "surrogatepass"))
    return value


def _count(name: str, count: int | None) -> int | None:
    if count is not None and not 0 <= count < 1 << 64:  # the kernel counts in 64 bits
        raise SchemaError(f"{name} is {_brief(count)}")
    return count


def _elapsed(seconds: float) -> float:
    try:
        elapsed = round(float(seconds), 6)
    except (ValueError, OverflowError):
        elapsed = math.nan
    if not 0 <= elapsed < math.inf:
        raise SchemaError(f"elapsed_s is {_brief(seconds)}")
    return elapsed


def _nanoseconds(found: float | None) -> float | None:
    if found is not None and not 0 <= found < 1 << 64:  # more is no number that floats can hold
        raise SchemaError(f"ns_per_event is {_brief(found)}")
    return None if found is None else round(found, 1)  # as it is written


def _time(text: str) -> float:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise SchemaError(f"time is {_brief(text)}") from error
    if time.tzinfo is None or not _EARLIEST <= time < _LATEST:
        raise SchemaError(f"time is {_brief(text)}")
    return time.timestamp()
