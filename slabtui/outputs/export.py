"""Exports what the screen shows to a new file: as CSV, JSON or folded stacks, by the ending of the file's name."""

from collections.abc import Iterable, Sequence
from io import BufferedWriter
from pathlib import Path

from slabtui.columns.caches import CacheColumn
from slabtui.columns.column import field_names
from slabtui.model.inspection import Inspection, InspectionKind, fold_stacks
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.outputs import csv_tables
from slabtui.recording import codec
from slabtui.system import files


class ExportError(ValueError):
    """The file could not be written; `str()` says why."""


def export(path: Path, snapshot: Snapshot, rows: Sequence[CacheRow], columns: Iterable[CacheColumn]) -> None:
    """Write these rows of a snapshot, in their order: CSV has the fields of these columns, JSON has all fields.

    Raises:
        ExportError: the name ends in neither .csv nor .json, the file exists, or it cannot be written.
    """
    if path.suffix == ".csv":
        names = field_names(columns)
        text = csv_tables.heading(names) + csv_tables.write_caches(snapshot, rows, names)
    elif path.suffix == ".json":
        text = codec.dumps(snapshot, rows) + "\n"
    else:
        raise ExportError("the name must end in .csv or .json")
    _write(path, text)


def export_inspection(path: Path, snapshot: Snapshot, inspection: Inspection | None) -> None:
    """Write an inspection as CSV or JSON; stacks also as .folded, for flame graph tools.

    Raises:
        ExportError: there is nothing to write, the name has another ending, the file exists, or it cannot be written.
    """
    if inspection is None:
        raise ExportError("there is nothing to write yet")
    if path.suffix == ".folded" and inspection.kind is InspectionKind.STACKS:
        text = fold_stacks(inspection.rows)
    elif path.suffix == ".csv" and inspection.kind is not InspectionKind.ABOUT:
        text = csv_tables.write_inspection(inspection)
    elif path.suffix == ".json":
        text = codec.dumps(snapshot, ()) + "\n"
    else:
        raise ExportError("the name must end in .csv or .json, for stacks also .folded")
    _write(path, text)


def _write(path: Path, text: str) -> None:
    try:
        with BufferedWriter(files.create(path)) as file:
            file.write(text.encode())
    except FileExistsError as error:
        raise ExportError("that file exists") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise ExportError(getattr(error, "strerror", None) or str(error)) from error
