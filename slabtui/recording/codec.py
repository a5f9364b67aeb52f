"""slabtui/1: a snapshot as one line of JSON, for scripts and recordings; docs/output.md defines it."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow
from slabtui.model.snapshot import CacheRow, Origin, Snapshot

NAME = "slabtui/1"

# Fields that have another name in JSON than in the model; all others have the same.
JSON_NAMES: dict[type, dict[str, str]] = {
    Snapshot: {"elapsed": "elapsed_s", "nanoseconds": "ns_per_event", "rows": "caches", "inspection": "detail"},
    Inspection: {"cache": "key", "number": "look", "rows": "entries"},
}

ROW_FIELDS = tuple(field.name for field in fields(CacheRow))
_FIRST, _LAST = ("time", "elapsed", "origin"), ("rows", "inspection")  # what a person who reads a line looks for
_SNAPSHOT_FIELDS = (
    *_FIRST,
    *(field.name for field in fields(Snapshot) if field.name not in _FIRST + _LAST),
    *_LAST,
)
_OF_PROCESSES = ("pid", "comm", "cgroup", "context")
_OF_STACKS = ("standard_error",)
_OF_CODE = ("frames",)

_get_row = attrgetter(*ROW_FIELDS)
_encode = json.JSONEncoder(separators=(",", ":")).encode


class SchemaError(ValueError):
    """The line is no snapshot of this schema; `str()` says why."""


def values(row: CacheRow, names: Iterable[str]) -> dict[str, Any]:
    """Return these fields of a row, as JSON has them."""
    written = _row(row)
    return {name: written[name] for name in names}


def inspection_fields(kind: InspectionKind) -> tuple[str, ...]:
    """Return the names of the fields that a row of an inspection has; none for a kind that has no rows."""
    if kind is InspectionKind.ABOUT:
        return ()
    left_out = {*(_OF_CODE if kind is InspectionKind.PROCESSES else _OF_PROCESSES)}
    left_out |= set() if kind is InspectionKind.STACKS else set(_OF_STACKS)
    return tuple(field.name for field in fields(InspectionRow) if field.name not in left_out)


def inspection_values(kind: InspectionKind, row: InspectionRow) -> dict[str, Any]:
    """Return the fields of a row of an inspection, as JSON has them."""
    written = {name: getattr(row, name) for name in inspection_fields(kind)}
    error = written.get("standard_error")
    return written if error is None else written | {"standard_error": round(error, 1)}


def iso(time: float) -> str:
    """Write a time as UTC in ISO 8601, to the millisecond."""
    return datetime.fromtimestamp(round(time, 3), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dumps(snapshot: Snapshot, rows: Iterable[CacheRow]) -> str:
    """Return the line, without its newline, with these rows of the snapshot."""
    written: dict[str, Any] = {"schema": NAME}
    for name in _SNAPSHOT_FIELDS:
        value = rows if name == "rows" else getattr(snapshot, name)
        write = _WRITERS.get(name)
        written[json_name(Snapshot, name)] = write(value) if write and value is not None else value
        if name == "origin":  # its fields stand beside those of the snapshot
            written |= written.pop(name)
    return _encode(written)


def json_name(owner: type, name: str) -> str:
    """Return the name that a field of a class has in JSON."""
    return JSON_NAMES.get(owner, {}).get(name, name)


def _row(row: CacheRow) -> dict[str, Any]:
    written = dict(zip(ROW_FIELDS, _get_row(row), strict=True))
    written["cache"] = str(row.cache)
    if row.address is not None:
        written["address"] = f"{row.address:#x}"
    return written


def _inspection(found: Inspection) -> dict[str, Any]:
    """Return an inspection with the fields that its kind has; `cache` is the name of the cache, `key` its key."""
    written = {json_name(Inspection, field.name): getattr(found, field.name) for field in fields(found)}
    rows, about = written.pop("entries"), written.pop("about")
    written |= {"key": str(found.cache), "cache": found.cache.name}
    if found.kind is InspectionKind.ABOUT:
        return written | {"about": None if about is None else asdict(about)}
    return written | {"entries": [inspection_values(found.kind, row) for row in rows]}


def _origin(origin: Origin) -> dict[str, Any]:
    written = {field.name: getattr(origin, field.name) for field in fields(origin)}
    return written | {"since": None if origin.since is None else iso(origin.since)}


_WRITERS: dict[str, Callable[[Any], Any]] = {
    "time": iso,
    "elapsed": lambda seconds: round(seconds, 6),
    "origin": _origin,
    "nanoseconds": lambda nanoseconds: round(nanoseconds, 1),
    "rows": lambda rows: [_row(row) for row in rows],
    "inspection": _inspection,
}
