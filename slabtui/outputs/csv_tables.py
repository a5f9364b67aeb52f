"""Tables as CSV: of caches, and of an inspection; no text in them is a formula for a spreadsheet. Pure."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import fields

from slabtui.columns import caches, inspections
from slabtui.columns.column import field_names
from slabtui.model.held import Held
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow
from slabtui.model.request import InspectionRequest
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.recording import codec

# A spreadsheet computes a cell that begins with one of these: "CSV Injection" of OWASP. Any user can name a process so.
# Also after a semicolon, which joins the parts of a cell here and separates cells where the comma is the decimal mark.
_FORMULA = re.compile("(^|;)(?=[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20])")

_OF_COLUMNS = field_names(caches.COLUMNS)
# All fields of a cache. Those of no column come last, so that a new field does not move the others.
FIELDS = (*_OF_COLUMNS, *(name for name in codec.ROW_FIELDS if name not in _OF_COLUMNS))
_OF_INTERVAL = ("time", "elapsed_s", "cache", "one_in", "trouble")  # before the fields of a row of an inspection


def heading(names: Sequence[str] = FIELDS) -> str:
    """Return the first line of a table of caches with these fields."""
    return _lines([["time", "elapsed_s", *names]])


def write_caches(snapshot: Snapshot, rows: Sequence[CacheRow], names: Sequence[str] = FIELDS) -> str:
    """Return an interval as one line for each row, with these fields."""
    when = [codec.iso(snapshot.time), f"{snapshot.elapsed:.6f}"]
    return _lines([*when, *_cells(codec.values(row, names), names)] for row in rows)


def write_inspection(inspection: Inspection) -> str:
    """Return an inspection as a line with the names of its fields, and one line for each row."""
    names = _name_fields(inspection.kind)
    return _lines([names, *(_row_cells(inspection.kind, row, names) for row in inspection.rows)])


def inspection_heading(request: InspectionRequest) -> str:
    """Return the first line of a table of intervals of an inspection."""
    return _lines([[*_OF_INTERVAL, *_name_fields(request.kinds[0])]])


def write_interval(snapshot: Snapshot, request: InspectionRequest, most: int | None = None) -> str:
    """Return an interval of an inspection as one line for each row; without rows, one that says why.

    Args:
        snapshot: the interval.
        request: the inspection that the user asked for.
        most: how many rows are written at most; None: all.
    """
    found, names = request.find(snapshot), _name_fields(request.kinds[0])
    if found is None:
        return ""
    trouble = found.trouble or (found.tracking.doubt if found.tracking else "")
    begins = [
        codec.iso(snapshot.time),
        f"{snapshot.elapsed:.6f}",
        _cell(str(found.cache)),
        found.one_in,
        _cell(trouble),
    ]
    rows = [_row_cells(found.kind, row, names) for row in found.rows[:most]]
    if found.trouble and not rows:
        rows = [[""] * len(names)]
    return _lines([*begins, *row] for row in rows)


def _name_fields(kind: InspectionKind) -> tuple[str, ...]:
    """Return the names of the fields that a row of an inspection has in CSV.

    What names a row comes before its numbers; fields of no column come last. What is held has a column for each field
    of Held.
    """
    fields_of_row = codec.inspection_fields(kind)
    if kind is InspectionKind.HELD:
        return (*(name for name in fields_of_row if name != "held"), *(field.name for field in fields(Held)))
    shown = field_names(sorted(inspections.COLUMNS[kind], key=lambda column: column.unit is not None))
    return (*shown, *(name for name in fields_of_row if name not in shown))


def _row_cells(kind: InspectionKind, row: InspectionRow, names: Sequence[str]) -> list[object]:
    values = codec.inspection_values(kind, row)
    if kind is InspectionKind.HELD:
        values |= values["held"] or dict.fromkeys(field.name for field in fields(Held))
        values["ages"] = tuple(map(str, values["ages"] or ()))
    return _cells(values, names)


def _cells(values: dict[str, object], names: Sequence[str]) -> list[object]:
    return [_cell(values[name]) for name in names]


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = ";".join(value) if isinstance(value, tuple) else value
    return _FORMULA.sub(r"\1'", text) if isinstance(text, str) else text


def _lines(rows: Iterable[Sequence[object]]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue()
