"""Tables as CSV: of caches, and of an inspection; no text in them is a formula for a spreadsheet. Pure."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import fields

from slabtui.columns import caches, inspections
from slabtui.columns.column import field_names
from slabtui.model.held import Held
from slabtui.model.inspection import Inspection, InspectionKind
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.recording import codec

# A spreadsheet computes a cell that begins with one of these: "CSV Injection" of OWASP. Any user can name a process so.
# Also after a semicolon, which joins the parts of a cell here and separates cells where the comma is the decimal mark.
_FORMULA = re.compile("(^|;)(?=[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20])")

_OF_COLUMNS = field_names(caches.COLUMNS)
# All fields of a cache. Those of no column come last, so that a new field does not move the others.
FIELDS = (*_OF_COLUMNS, *(name for name in codec.ROW_FIELDS if name not in _OF_COLUMNS))


def heading(names: Sequence[str] = FIELDS) -> str:
    """Return the first line of a table of caches with these fields."""
    return _lines([["time", "elapsed_s", *names]])


def write_caches(snapshot: Snapshot, rows: Sequence[CacheRow], names: Sequence[str] = FIELDS) -> str:
    """Return an interval as one line for each row, with these fields."""
    when = [codec.iso(snapshot.time), f"{snapshot.elapsed:.6f}"]
    return _lines([*when, *_cells(codec.values(row, names), names)] for row in rows)


def write_inspection(inspection: Inspection) -> str:
    """Return an inspection as a line with the names of its fields, and one line for each row.

    What names a row comes before its numbers; fields of no column come last.
    """
    if inspection.kind is InspectionKind.HELD:
        return _write_held(inspection)
    shown = field_names(sorted(inspections.COLUMNS[inspection.kind], key=lambda column: column.unit is not None))
    names = (*shown, *(name for name in codec.inspection_fields(inspection.kind) if name not in shown))
    rows = (codec.inspection_values(inspection.kind, row) for row in inspection.rows)
    return _lines([names, *(_cells(values, names) for values in rows)])


def _write_held(inspection: Inspection) -> str:
    """Return what is held, with a column for each field of Held; the ages are one of them."""
    fields_of_row = [name for name in codec.inspection_fields(inspection.kind) if name != "held"]
    names = (*fields_of_row, *(field.name for field in fields(Held)))
    lines = []
    for row in inspection.rows:
        values = codec.inspection_values(inspection.kind, row)
        values |= values.pop("held") or dict.fromkeys(names[len(fields_of_row) :])
        values["ages"] = tuple(map(str, values["ages"] or ()))
        lines.append(_cells(values, names))
    return _lines([names, *lines])


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
