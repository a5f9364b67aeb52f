"""Reads lines of slabtui/2 and slabtui/1 into the types of the model, by cattrs; imported only to read a recording."""

import enum
import json
import sys
from collections.abc import Set
from dataclasses import fields, replace
from functools import cache, partial
from typing import Any

from cattrs import Converter
from cattrs.errors import AttributeValidationNote, ClassValidationError
from cattrs.gen import make_dict_structure_fn, override

from slabtui.model.beside import KernelSite, SideCount
from slabtui.model.held import AGES, Held, Tracking
from slabtui.model.host import HostGrowth, Origin
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.inspection import About, Context, Inspection, InspectionKind, InspectionRow
from slabtui.model.memory import CgroupMemory, HostMemory
from slabtui.model.request import MOST_SUSPECTS
from slabtui.model.snapshot import RATE_DIGITS, CacheRow, Snapshot
from slabtui.recording import bounds, checks
from slabtui.recording.changes import NAME as CHANGES
from slabtui.recording.changes import ChangeDecoder
from slabtui.recording.checks import Check, brief
from slabtui.recording.codec import NAME, RATES, SECONDS_HELD, SchemaError, inspection_fields, json_name, left_out
from slabtui.recording.older import NAME as OLDER
from slabtui.recording.older import NO_KEY, Upgrade, rename

# What every version has written; what else a line lacks, it knows nothing of.
_REQUIRED = {"time", "elapsed_s", "loadavg", "lost", "error", "notes", "caches", "host", "kernel"}
_REQUIRED_OF_A_ROW = {"name", "cache", "object_size", "size", "allocs", "bytes", "approximate"}
_LATER_OF_AN_INSPECTION_ROW = {"standard_error", "cmdline", "ended", "removed"}
_LATER_OF_A_STACK = {"pid", "comm", "cgroup", "context"}
_LATER_OF_ABOUT = {"counts", "sites"}
_WHOLE = f'{{"schema":"{NAME}",'.encode()  # how a whole line begins
_SINCE = "since"  # a line that lacks it is of the first version
_MOST_INSPECTIONS = len(InspectionKind) + 2 * MOST_SUSPECTS
_RATES = dict.fromkeys(RATES, checks.nullable(partial(checks.rate, digits=RATE_DIGITS)))
_OF_HOST_GROWTH = {"since": checks.time, "full_in_s": checks.nullable(checks.decimal)}

_CHECKS: dict[Any, Check] = {  # of a field that has none of its own, by its type
    str: checks.text,
    str | None: checks.nullable(checks.text),
    bool: checks.boolean,
    bool | None: checks.nullable(checks.boolean),
    int: checks.count,
    int | None: checks.nullable(checks.count),
    float | None: checks.nullable(checks.rate),
    tuple[str, ...]: checks.texts,
}


class _Version(enum.Enum):
    """What a line was written by."""

    NUMBERS = enum.auto()  # slabtui/1 at first: numbers as keys, no totals
    KEYS = enum.auto()  # slabtui/1 later
    GROWTH = enum.auto()  # slabtui/2

    @classmethod
    def of(cls, found: dict[str, Any]) -> "_Version":
        """Return the version of a line that has been parsed."""
        if found["schema"] != OLDER:
            return cls.GROWTH
        return cls.KEYS if _SINCE in found else cls.NUMBERS


class Decoder:
    """Reads the lines of one recording, in their order."""

    def __init__(self) -> None:
        self._upgrade = Upgrade()
        self._changes = ChangeDecoder()
        self._skipped: bytes | None = None  # a whole line, which is needed if changes follow it
        self._rows: dict[str, tuple[dict[str, Any], CacheRow]] = {}  # by key: as JSON has it, and decoded

    def decode(self, line: str | bytes) -> Snapshot:
        """Return the snapshot that a line was made from; its origin is a replay.

        Raises:
            SchemaError: it is no JSON, no snapshot, or one of a schema that this version does not know.
        """
        found = _parse(line)
        if found["schema"] == CHANGES:
            return self._decode_changes(found)
        self._skipped = None
        if found["schema"] != OLDER:
            self._changes.restore(found)
        version = _Version.of(found)
        _demand(found, _REQUIRED if version is _Version.NUMBERS else _REQUIRED | {_SINCE})
        snapshot = _read_snapshot(found, version)
        return self._upgrade.snapshot(snapshot) if version is _Version.NUMBERS else snapshot

    def skip(self, line: bytes) -> None:
        """Take in what the later lines need of a line, in a tenth of the time; SchemaError, as `decode` raises it."""
        if line.startswith(_WHOLE):
            self._skipped = line
            return
        found = _parse(line)
        if found["schema"] == CHANGES:
            self._restore(found)
        else:  # the totals of the first version are the sums of all lines
            self.decode(line)

    def _restore(self, found: dict[str, Any]) -> dict[str, Any]:
        if self._skipped is not None:
            skipped, self._skipped = self._skipped, None
            self._changes.restore(_parse(skipped))
        return self._changes.restore(found)

    def _decode_changes(self, found: dict[str, Any]) -> Snapshot:
        """Return the snapshot of a line of changes. A row in which nothing happens is one object in all of them."""
        whole = self._restore(found)
        _demand(whole, _REQUIRED | {_SINCE})
        try:
            rows = tuple(map(self._decode_row, whole["caches"]))
        except ClassValidationError as error:
            raise SchemaError(_explain(error)) from error
        return replace(_read_snapshot(whole | {"caches": []}, _Version.GROWTH), rows=rows)

    def _decode_row(self, row: dict[str, Any]) -> CacheRow:
        known = self._rows.get(row["cache"])
        if known is None or known[0] is not row:
            _demand(row, _REQUIRED_OF_A_ROW)
            known = self._rows[row["cache"]] = row, _read_row(row, CacheRow)
        return known[1]


def _read_snapshot(found: dict[str, Any], version: _Version) -> Snapshot:
    try:
        origin = _read_origin(found, Origin)
        snapshot: Snapshot = _snapshot_reader(version)(found, Snapshot)
    except ClassValidationError as error:
        raise SchemaError(_explain(error)) from error
    return replace(snapshot, origin=replace(origin, source="replay"))


def _parse(line: str | bytes) -> dict[str, Any]:
    if not bounds.is_simple(line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line):
        raise SchemaError("more than any host has")
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"not JSON ({error})") from error
    if not isinstance(found, dict) or not isinstance(found.get("schema"), str):
        raise SchemaError("not a snapshot of slabtui")
    if found["schema"] == OLDER:
        return rename(found)
    if found["schema"] not in (NAME, CHANGES):
        raise SchemaError(f"schema {brief(found['schema'])}, and this slabtui knows {OLDER} and {NAME}")
    return found


def _demand(found: dict[str, Any], names: Set[str]) -> None:
    if not names <= found.keys():
        raise SchemaError(f"{min(names - found.keys())} is missing")


def _explain(error: BaseException) -> str:
    """Return what is wrong with the first value that is."""
    name = ""
    while isinstance(error, ClassValidationError):
        owner, error = error.cl, error.exceptions[0]
        note = next(note for note in error.__notes__ if isinstance(note, AttributeValidationNote))
        name = json_name(owner, note.name)
    if isinstance(error, checks.WrongValueError):
        return f"{name} {error}"
    if isinstance(error, SchemaError):
        return str(error)
    raise error


def _reader(owner: type, names: Set[str], own: dict[str, Check], renamed: dict[str, str] | None = None) -> Check:
    """Return what makes an instance of a dataclass of an object of JSON.

    Args:
        owner: the dataclass.
        names: the fields that are read; the others have their defaults.
        own: checks of fields, instead of those by their types.
        renamed: names that fields have in JSON, if not the usual ones.
    """
    overrides = {}
    for field in fields(owner):
        if field.name in names:
            name = (renamed or {}).get(field.name) or json_name(owner, field.name)
            overrides[field.name] = override(rename=name, struct_hook=own.get(field.name) or _CHECKS[field.type])
        else:
            overrides[field.name] = override(omit=True)
    return make_dict_structure_fn(owner, _CONVERTER, **overrides)  # type: ignore[arg-type]


def _names(owner: type) -> set[str]:
    return {field.name for field in fields(owner)}


def _list_reader(read: Check, owner: type, required: Set[str], what: str, most: int) -> Check:
    """Return what reads rows; it reports what is wrong with one before it reads the next, so errors take no memory."""

    def read_list(found: Any, _: object) -> tuple[Any, ...]:
        rows = []
        for row in checks.members(found, most):
            if not isinstance(row, dict):
                raise SchemaError(f"{what} that is no object")
            _demand(row, required)
            rows.append(read(row, owner))
        return tuple(rows)

    return read_list


def _read_notes(found: Any, _: object) -> tuple[str, ...]:
    notes = checks.members(found, bounds.MOST_NOTES)
    try:
        return tuple(map(checks.text, notes))
    except checks.WrongValueError as error:
        raise SchemaError(f"a note {error}") from error


def _enum_reader(kinds: type[enum.Enum]) -> Check:
    def read(found: Any, _: object = None) -> Any:
        try:
            return kinds(checks.text(found))
        except ValueError as error:
            raise checks.wrong(found) from error

    return read


def _inspection_reader(kind: InspectionKind, version: _Version) -> Check:
    """Return what reads an inspection of a kind. One of the first version has the name of its cache, and no key."""
    names = set(inspection_fields(kind))
    part = "about" if kind is InspectionKind.ABOUT else "rows"
    key = "cache" if version is _Version.NUMBERS else "key"
    required = names - _LATER_OF_AN_INSPECTION_ROW
    if kind is InspectionKind.STACKS:
        required -= _LATER_OF_A_STACK
    read_row = _reader(
        InspectionRow,
        names,
        {
            "frames": partial(checks.texts, most=bounds.MOST_FRAMES),
            "pid": checks.nullable(checks.count) if kind is InspectionKind.STACKS else checks.count,
            "cgroup": partial(checks.text, longest=bounds.LONGEST_PATH),
            "cmdline": partial(checks.text, longest=bounds.LONGEST_PATH),
            "context": _enum_reader(Context),
            "standard_error": checks.nullable(checks.decimal),
            "held": checks.nullable(_object_reader(Held, _names(Held), _OF_HELD)),
        },
    )

    def read_entry(found: dict[str, Any], owner: type) -> Any:
        return read_row({"standard_error": None, **found} if kind is InspectionKind.STACKS else found, owner)

    read_inspection = _reader(
        Inspection,
        _names(Inspection) - ({"rows", "about"} - {part}) - (set() if kind is InspectionKind.HELD else {"tracking"}),
        {
            "cache": _read_name if version is _Version.NUMBERS else checks.key,
            "kind": lambda value, _: kind,
            "rows": _list_reader(read_entry, InspectionRow, required, "a row of an inspection", bounds.MOST_ENTRIES),
            "about": _read_about,
            "tracking": checks.nullable(_object_reader(Tracking, _names(Tracking), _OF_TRACKING)),
        },
        {"cache": key},
    )
    demanded = {key, "kind", "number", "one_in", "lost", part}
    if kind is InspectionKind.HELD:
        demanded.add("tracking")

    def read(found: dict[str, Any], owner: type) -> Any:
        _demand(found, demanded)
        return read_inspection(found, owner)

    return read


def _inspections_reader(version: _Version) -> Check:
    readers = {kind: _inspection_reader(kind, version) for kind in InspectionKind}
    read_kind = _enum_reader(InspectionKind)

    def read(found: Any) -> Any:
        if not isinstance(found, dict):
            raise checks.wrong(found)
        _demand(found, {"kind"})
        try:
            kind = read_kind(found["kind"])
        except checks.WrongValueError as error:
            raise SchemaError(f"kind {error}") from error
        return readers[kind](found, Inspection)

    return lambda found, _: tuple(map(read, checks.members(found, _MOST_INSPECTIONS)))


def _read_ages(found: Any, _: object) -> tuple[int, ...]:
    ages = tuple(map(checks.count, checks.members(found, len(AGES) + 1)))
    if len(ages) <= len(AGES):
        raise checks.wrong(found)
    return ages


def _read_about(found: Any, _: object) -> Any:
    if not isinstance(found, dict):
        raise checks.wrong(found)
    _demand(found, _names(About) - _LATER_OF_ABOUT)
    return _read_object_about(found, About)


def _read_name(found: Any, _: object) -> CacheKey:
    return CacheKey(KeyKind.CACHE, checks.text(found))


def _object_reader(owner: type, required: Set[str], own: dict[str, Check] | None = None) -> Check:
    """Return what reads an object of JSON as an instance of a dataclass."""
    read = _reader(owner, _names(owner), own or {})

    def read_object(found: Any, _: object = None) -> Any:
        if not isinstance(found, dict):
            raise checks.wrong(found)
        _demand(found, required)
        return read(found, owner)

    return read_object


def _objects_reader(owner: type, what: str) -> Check:
    """Return what reads a list of objects of JSON, each as an instance of a dataclass with all its fields."""
    return _list_reader(_reader(owner, _names(owner), {}), owner, _names(owner), what, bounds.MOST_BESIDE)


def _row_reader(version: _Version) -> Check:
    """Return what reads a row of a cache."""
    own: dict[str, Check] = {"live_delta": checks.nullable(checks.change), **_RATES}
    if version is _Version.NUMBERS:  # the number becomes the address, until Upgrade gives the row its key
        names = _REQUIRED_OF_A_ROW | {"aliases", "frees", "disagrees", "live", "live_delta", "mem", "address"}
        own |= {"cache": lambda value, _: NO_KEY, "address": checks.address}
        return _reader(CacheRow, names, own, {"address": "cache"})
    own |= {"cache": checks.key, "address": checks.nullable(checks.address)}
    read = _reader(CacheRow, _names(CacheRow), own)
    if version is _Version.KEYS:
        return read
    return lambda found, owner: read(left_out(found) | found, owner)


@cache  # a recording has lines of one version
def _snapshot_reader(version: _Version) -> Check:
    """Return what reads a snapshot, but not its origin."""
    return _reader(
        Snapshot,
        _names(Snapshot) - {"origin"},
        {
            "time": checks.time,
            "elapsed": partial(checks.decimal, digits=6, most=sys.float_info.max),
            "rows": _list_reader(_row_reader(version), CacheRow, _REQUIRED_OF_A_ROW, "a cache", bounds.MOST_CACHES),
            "nanoseconds": checks.nullable(checks.decimal),
            "inspections": _inspections_reader(version),
            "memory": checks.nullable(_object_reader(HostMemory, set())),
            "cgroup_memory": checks.nullable(_object_reader(CgroupMemory, set())),
            "growth": checks.nullable(_object_reader(HostGrowth, {"since"}, _OF_HOST_GROWTH)),
            "notes": _read_notes,
        },
    )


_seconds = checks.nullable(partial(checks.decimal, digits=6))
_OF_HELD: dict[str, Check] = {
    "standard_error": checks.decimal,
    "ages": _read_ages,
    "growth_objects_s": checks.nullable(partial(checks.rate, digits=RATE_DIGITS)),
    **dict.fromkeys(SECONDS_HELD, _seconds),
}
_OF_TRACKING: dict[str, Check] = {"net": checks.nullable(checks.change)}
_CONVERTER = Converter()
_read_row = _row_reader(_Version.GROWTH)
_read_object_about = _reader(
    About,
    _names(About),
    {
        "nodes": checks.nodes,
        "counts": _objects_reader(SideCount, "a count"),
        "sites": _objects_reader(KernelSite, "a site"),
    },
)
_read_origin = _reader(Origin, {"host", "kernel", "since", "scope"}, {"since": checks.nullable(checks.time)})
