"""slabtui/2: a snapshot as one line of JSON, for scripts and recordings; docs/output.md defines it."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from slabtui.model.held import ERROR_DIGITS, Held
from slabtui.model.host import HostGrowth, Origin
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow
from slabtui.model.snapshot import RATE_DIGITS, CacheRow, Snapshot

NAME = "slabtui/2"

# Fields that have another name in JSON than in the model; all others have the same.
JSON_NAMES: dict[type, dict[str, str]] = {
    Snapshot: {"elapsed": "elapsed_s", "nanoseconds": "ns_per_event", "rows": "caches"},
    Inspection: {"cache": "key"},
}

ROW_FIELDS = tuple(field.name for field in fields(CacheRow))
RATES = ("growth_objects_s", "recent_objects_s", "growth_bytes_h")
# Most caches do not grow, or it is not known yet. Fields of growth are left out of a row where they have these values,
# as JSON has them: the line would be a third longer. `growing` says which values: it is null while growth is not known.
_STILL: dict[str, Any] = {**dict.fromkeys(RATES, 0.0), "growing": False, "grows_with": []}
_UNKNOWN: dict[str, Any] = {**dict.fromkeys(RATES), "grows_with": []}
_FIRST, _LAST = ("time", "elapsed", "origin"), ("rows", "inspections")  # what a person who reads a line looks for
_SNAPSHOT_FIELDS = (
    *_FIRST,
    *(field.name for field in fields(Snapshot) if field.name not in _FIRST + _LAST),
    *_LAST,
)
_OF_PROCESSES = ("pid", "comm", "cmdline", "ended", "cgroup", "removed", "context")
_NOT_OF_KIND = {  # fields that the rows of a kind do not have
    InspectionKind.CALLERS: {*_OF_PROCESSES, "standard_error", "held"},
    InspectionKind.STACKS: {"held"},
    InspectionKind.PROCESSES: {"frames", "standard_error", "held"},
    InspectionKind.ABOUT: {field.name for field in fields(InspectionRow)},
    InspectionKind.HELD: {"total_allocs", "total_bytes", "standard_error", "allocs", "bytes"},
}

SECONDS_HELD = ("oldest", "median", "lifetime_median", "lifetime_p99")  # fields of Held

_get_row = attrgetter(*ROW_FIELDS)
_encode = json.JSONEncoder(separators=(",", ":")).encode


class SchemaError(ValueError):
    """The line is no snapshot of this schema; `str()` says why."""


def values(row: CacheRow, names: Iterable[str]) -> dict[str, Any]:
    """Return these fields of a row, as JSON has them."""
    written = row_fields(row)
    return {name: written[name] for name in names}


def inspection_fields(kind: InspectionKind) -> tuple[str, ...]:
    """Return the names of the fields that a row of an inspection has; none for a kind that has no rows."""
    return tuple(field.name for field in fields(InspectionRow) if field.name not in _NOT_OF_KIND[kind])


def inspection_values(kind: InspectionKind, row: InspectionRow) -> dict[str, Any]:
    """Return the fields of a row of an inspection, as JSON has them."""
    written = {name: getattr(row, name) for name in inspection_fields(kind)}
    error, held = written.get("standard_error"), row.held
    if kind is InspectionKind.HELD:
        return written | {"held": None if held is None else _held(held)}
    return written if error is None else written | {"standard_error": round(error, 1)}


def iso(time: float) -> str:
    """Write a time as UTC in ISO 8601, to the millisecond."""
    return datetime.fromtimestamp(round(time, 3), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dumps(snapshot: Snapshot, rows: Iterable[CacheRow]) -> str:
    """Return the line, without its newline, with these rows of the snapshot."""
    return dumps_fields(snapshot, [shorten(row_fields(row)) for row in rows])


def dumps_fields(snapshot: Snapshot, rows: list[dict[str, Any]], schema: str = NAME, gone: Sequence[str] = ()) -> str:
    """Return the line, without its newline, with these rows as JSON has them, and keys of caches that are gone."""
    written: dict[str, Any] = {"schema": schema}
    for name in _SNAPSHOT_FIELDS:
        value = rows if name == "rows" else getattr(snapshot, name)
        write = _WRITERS.get(name)
        written[json_name(Snapshot, name)] = write(value) if write and value is not None else value
        if name == "origin":  # its fields stand beside those of the snapshot
            written |= written.pop(name)
    if gone:
        written["gone"] = gone
    return _encode(written)


def json_name(owner: type, name: str) -> str:
    """Return the name that a field of a class has in JSON."""
    return JSON_NAMES.get(owner, {}).get(name, name)


def row_fields(row: CacheRow) -> dict[str, Any]:
    """Return all fields of a row, as JSON has them."""
    written = dict(zip(ROW_FIELDS, _get_row(row), strict=True))
    written["cache"] = str(row.cache)
    for name in RATES:
        if (rate := written[name]) is not None:
            written[name] = _round(rate, RATE_DIGITS)
    if row.address is not None:
        written["address"] = f"{row.address:#x}"
    return written


def left_out(row: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of growth that a row of JSON may lack, with the values that they then have."""
    return _UNKNOWN if row.get("growing", False) is None else _STILL


def shorten(row: dict[str, Any]) -> dict[str, Any]:
    """Remove the fields of growth that are left out, and return the row."""
    for name, usual in left_out(row).items():
        if row[name] == usual or (name == "grows_with" and not row[name]):
            del row[name]
    return row


def _round(rate: float, digits: int) -> float:
    return round(rate, digits) + 0.0  # -0.0 becomes 0.0


def _inspection(found: Inspection) -> dict[str, Any]:
    """Return an inspection with the fields that its kind has; `cache` is the name of the cache, `key` its key."""
    written = {json_name(Inspection, field.name): getattr(found, field.name) for field in fields(found)}
    rows, about, tracking = written.pop("rows"), written.pop("about"), written.pop("tracking")
    written |= {"key": str(found.cache), "cache": found.cache.name}
    if found.kind is InspectionKind.ABOUT:
        return written | {"about": None if about is None else asdict(about)}
    if found.kind is InspectionKind.HELD:
        written["tracking"] = None if tracking is None else asdict(tracking)
    return written | {"rows": [inspection_values(found.kind, row) for row in rows]}


def _held(held: Held) -> dict[str, Any]:
    """Return what is held, its rate and its error with one digit, its times in microseconds."""
    written = asdict(held) | {"standard_error": round(held.standard_error, ERROR_DIGITS)}
    if held.growth_objects_s is not None:
        written["growth_objects_s"] = _round(held.growth_objects_s, RATE_DIGITS)
    for name in SECONDS_HELD:
        if written[name] is not None:
            written[name] = round(written[name], 6)
    return written


def _origin(origin: Origin) -> dict[str, Any]:
    written = {field.name: getattr(origin, field.name) for field in fields(origin)}
    return written | {"since": None if origin.since is None else iso(origin.since)}


def _growth(growth: HostGrowth) -> dict[str, Any]:
    rates = {field.name: getattr(growth, field.name) for field in fields(growth)}
    rounded = {name: _round(rate, 1) if isinstance(rate, float) else rate for name, rate in rates.items()}
    return rounded | {"since": iso(growth.since)}


_WRITERS: dict[str, Callable[[Any], Any]] = {
    "time": iso,
    "elapsed": lambda seconds: round(seconds, 6),
    "origin": _origin,
    "nanoseconds": lambda nanoseconds: round(nanoseconds, 1),
    "inspections": lambda found: [_inspection(one) for one in found],
    "memory": asdict,
    "cgroup_memory": asdict,
    "growth": _growth,
}
