"""slabtui/1: a snapshot as one line of JSON, for scripts and recordings, and back; docs/output.md defines it."""

import json
import math
import reprlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from slabtui.columns import COLUMNS, Column
from slabtui.snapshot import CacheRow, Origin, Snapshot
from slabtui.text import printable

NAME = "slabtui/1"

_Kind = type | tuple[type, ...]
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


class SchemaError(ValueError):
    """The line is no snapshot of this schema; `str()` says why."""


def fields(chosen: Iterable[Column]) -> tuple[str, ...]:
    """Return the names of the fields that belong to these columns, in their order."""
    return tuple(name for column in chosen for name in column.fields)


ALL_FIELDS = fields(COLUMNS)


def values(row: CacheRow, names: Iterable[str]) -> dict[str, Any]:
    """Return these fields of a row; the identity of the cache as hexadecimal."""
    return {name: f"{row.cache:#x}" if name == "cache" else getattr(row, name) for name in names}


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
            "error": snapshot.error,
            "notes": list(snapshot.notes),
            "caches": [values(row, ALL_FIELDS) for row in rows],
        },
        separators=(",", ":"),
    )


def loads(line: str | bytes) -> Snapshot:
    """Return the snapshot that a line was made from; its origin is a replay.

    Raises:
        SchemaError: it is no JSON, no snapshot, or one of a schema that this version does not know.
    """
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"not JSON ({error})") from error
    if not isinstance(found, dict) or not isinstance(found.get("schema"), str):
        raise SchemaError("not a snapshot of slabtui")
    if found["schema"] != NAME:
        raise SchemaError(f"schema {reprlib.repr(found['schema'])}, and this slabtui knows {NAME}")
    return Snapshot(
        time=_time(_field(found, "time", str)),
        elapsed=_elapsed(_field(found, "elapsed_s", (int, float))),
        loadavg=_field(found, "loadavg", str),
        rows=tuple(_row(row) for row in _field(found, "caches", list)),
        lost=_count("lost", _field(found, "lost", _NULLABLE_COUNT)),
        error=_field(found, "error", (str, type(None))),
        notes=tuple(_checked("a note", note, str) for note in _field(found, "notes", list)),
        origin=Origin("replay", _field(found, "host", str), _field(found, "kernel", str)),
    )


def _row(found: Any) -> CacheRow:
    if not isinstance(found, dict):
        raise SchemaError("a cache that is no object")
    fields = {name: _field(found, name, kind) for name, kind in _ROW_TYPES.items()}
    try:
        fields["cache"] = int(fields["cache"], 16)
    except ValueError as error:
        raise SchemaError(f"cache {reprlib.repr(fields['cache'])} is no address") from error
    for name in ("cache", "object_size", "size", "allocs", "bytes"):
        _count(name, fields[name])
    return CacheRow(**fields)


def _field(found: dict[str, Any], name: str, kind: _Kind) -> Any:
    if name not in found:
        raise SchemaError(f"{name} is missing")
    return _checked(name, found[name], kind)


def _checked(name: str, value: Any, kind: _Kind) -> Any:
    """Return the value; whoever wrote a text, it is harmless to print."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise SchemaError(f"{name} is {reprlib.repr(value)}")
    if isinstance(value, str) and not value.isprintable():
        return printable(value.encode("utf-8", "surrogatepass"))
    return value


def _count(name: str, count: int | None) -> int | None:
    if count is not None and not 0 <= count < 1 << 64:  # the kernel counts in 64 bits
        raise SchemaError(f"{name} is {reprlib.repr(count)}")
    return count


def _elapsed(seconds: float) -> float:
    try:
        elapsed = round(float(seconds), 6)
    except (ValueError, OverflowError):
        elapsed = math.nan
    if not 0 <= elapsed < math.inf:
        raise SchemaError(f"elapsed_s is {reprlib.repr(seconds)}")
    return elapsed


def _time(text: str) -> float:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise SchemaError(f"time is {reprlib.repr(text)}") from error
    if time.tzinfo is None or not _EARLIEST <= time < _LATEST:
        raise SchemaError(f"time is {reprlib.repr(text)}")
    return time.timestamp()
