"""Exports what the screen shows to a new file: as CSV, JSON or folded stacks, by the ending of the file's name."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
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
    names = field_names(columns)
    _write(
        path,
        {
            ".csv": lambda: csv_tables.heading(names) + csv_tables.write_caches(snapshot, rows, names),
            ".json": lambda: codec.dumps(snapshot, rows) + "\n",
        },
    )


def export_inspection(path: Path, snapshot: Snapshot, inspection: Inspection | None) -> None:
    """Write an inspection as CSV or JSON; stacks and what is held also as .folded.

    Raises:
        ExportError: there is nothing to write, the name has another ending, the file exists, or it cannot be written.
    """
    if inspection is None:
        raise ExportError("there is nothing to write yet")
    writers = {".json": lambda: codec.dumps(replace(snapshot, inspections=(inspection,)), ()) + "\n"}
    if inspection.kind is not InspectionKind.ABOUT:
        writers[".csv"] = lambda: csv_tables.write_inspection(inspection)
    if inspection.kind in (InspectionKind.STACKS, InspectionKind.HELD):
        writers[".folded"] = lambda: fold_stacks(inspection.rows)
    _write(path, writers)


def _write(path: Path, writers: Mapping[str, Callable[[], str]]) -> None:
    """Create the file, with the text that the function for the ending of its name returns."""
    if path.suffix not in writers:
        raise ExportError(f"must end in {' or '.join(sorted(writers))}")
    text = writers[path.suffix]()
    try:
        with BufferedWriter(files.create(path)) as file:
            file.write(text.encode())
    except FileExistsError as error:
        raise ExportError("that file exists") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise ExportError(getattr(error, "strerror", None) or str(error)) from error
