"""Slims and anonymises a recording: fewer rows, no field that has its default, nothing of other processes. Pure."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

from slabtui.model.inspection import Context, Inspection, InspectionKind, InspectionRow
from slabtui.model.snapshot import UNJUDGED, CacheRow, Snapshot, judge_row, unjudged_values
from slabtui.recording import codec
from slabtui.recording.addresses import AddressHider

HOST = "demo"
FEWEST = 300  # allocations of a cache in the whole recording
LARGEST = 12  # caches that are kept for their memory
MOST_ROWS = {
    InspectionKind.HELD: 24,
    InspectionKind.CALLERS: 12,
    InspectionKind.STACKS: 16,
    InspectionKind.PROCESSES: 24,
}


def slim(snapshots: Sequence[Snapshot], groups: Collection[str]) -> bytes:
    """Return the recording of these snapshots.

    Args:
        snapshots: in their order.
        groups: paths of the control groups whose processes may be in the recording.
    """
    hidden = list(map(AddressHider(), snapshots))
    caches, rows = choose_caches(hidden), choose_rows(hidden, groups)
    return b"".join(write(keep(snapshot, caches, rows)) + b"\n" for snapshot in hidden)


def choose_caches(snapshots: Sequence[Snapshot]) -> set[str]:
    """Return the keys of the caches that are worth their bytes: those that allocate, inspected ones, large ones."""
    allocs: Counter[str] = Counter()
    for snapshot in snapshots:
        for row in snapshot.rows:
            allocs[str(row.cache)] += row.allocs
    last = sorted(snapshots[-1].rows, key=lambda row: -(row.mem or 0))
    inspected = {str(found.cache) for snapshot in snapshots for found in snapshot.inspections}
    return {key for key in allocs if allocs[key] >= FEWEST} | {str(row.cache) for row in last[:LARGEST]} | inspected


def choose_rows(snapshots: Iterable[Snapshot], groups: Collection[str]) -> dict[tuple[int, InspectionKind], set[Any]]:
    """Return the keys of the rows to keep of each kind of each inspection: the largest at its end."""
    last = {(found.number, found.kind): found for snapshot in snapshots for found in snapshot.inspections}
    return {
        which: {row.key for row in [row for row in found.rows if is_own(row, groups)][: MOST_ROWS.get(found.kind, 0)]}
        for which, found in last.items()
    }


def is_own(row: InspectionRow, groups: Collection[str]) -> bool:
    """Return whether a row says nothing of a process outside of these control groups."""
    return row.pid is None or row.context is not Context.PROCESS or row.cgroup in groups


def keep(snapshot: Snapshot, caches: Collection[str], rows: dict[tuple[int, InspectionKind], set[Any]]) -> Snapshot:
    """Return a snapshot with these caches and these rows of inspections only, of a host without a name."""

    def keep_rows(found: Inspection) -> Inspection:
        kept = rows[found.number, found.kind]
        return replace(found, rows=tuple(row for row in found.rows if row.key in kept))

    origin = replace(snapshot.origin, host=HOST, kernel=snapshot.origin.kernel.partition("-")[0])
    kept = (row for row in snapshot.rows if str(row.cache) in caches)
    unjudged = (judge_row(unjudged_values(row), UNJUDGED) for row in kept)  # replay works it out
    return replace(
        snapshot,
        rows=tuple(sorted(unjudged, key=lambda row: row.cache)),
        inspections=tuple(map(keep_rows, snapshot.inspections)),
        growth=None,
        origin=origin,
    )


def write(snapshot: Snapshot) -> bytes:
    """Return the line of a snapshot, without fields that have their defaults."""
    found = json.loads(codec.dumps(snapshot, snapshot.rows))
    found["caches"] = [_shorten(row, _OF_CACHES, _CACHE_NEEDS) for row in found["caches"]]
    for inspection in found["inspections"]:
        if "rows" in inspection:
            inspection["rows"] = [_shorten(row, _OF_INSPECTIONS, _INSPECTION_NEEDS) for row in inspection["rows"]]
    return json.dumps(found, separators=(",", ":")).encode()


def _find_defaults(owner: type) -> dict[str, Any]:
    """Return what a reader takes for the fields that a row lacks, as JSON has it."""
    values = {field.name: field.default for field in fields(owner)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _shorten(row: dict[str, Any], defaults: dict[str, Any], needed: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in needed or value != defaults[name]}


_OF_CACHES, _OF_INSPECTIONS = _find_defaults(CacheRow), _find_defaults(InspectionRow)
_CACHE_NEEDS = {
    "name",
    "cache",
    "object_size",
    "size",
    "allocs",
    "bytes",
    "approximate",
    "growing",
}  # fields that every line has
_INSPECTION_NEEDS = _OF_INSPECTIONS.keys() - {"cmdline", "ended", "standard_error"}
