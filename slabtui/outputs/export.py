"""Writes what a screen shows to a new file: CSV, JSON or folded stacks, by the file's name."""

from collections.abc import Iterable, Sequence
from io import BufferedWriter
from pathlib import Path

from slabtui.columns.caches import Column
from slabtui.model.inspection import Inspection, Kind, folded
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.outputs import formats
from slabtui.recording import codec
from slabtui.system import files


class ExportError(ValueError):
    """The file could not be written; `str()` says why."""


def export(path: Path, snapshot: Snapshot, rows: Sequence[CacheRow], columns: Iterable[Column]) -> None:
    """Write these rows of a snapshot, in their order; as CSV these columns, as JSON all that the schema promises.

    Raises:
        ExportError: the name ends in neither .csv nor .json, the file exists, or it cannot be written.
    """
    if path.suffix == ".csv":
        fields = codec.fields(columns)
        written = formats.csv_heading(fields) + formats.csv_rows(snapshot, rows, fields)
    elif path.suffix == ".json":
        written = codec.dumps(snapshot, rows) + "\n"
    else:
        raise ExportError("the name must end in .csv or .json")
    _write(path, written)


def export_detail(path: Path, snapshot: Snapshot, detail: Inspection | None) -> None:
    """Write a close look; as CSV or JSON, stacks also as .folded, which flame graph tools read.

    Raises:
        ExportError: there is nothing to write, the name ends in something else, the file exists, or it cannot be
            written.
    """
    if detail is None:
        raise ExportError("there is nothing to write yet")
    if path.suffix == ".folded" and detail.kind is Kind.STACKS:
        written = folded(detail.entries)
    elif path.suffix == ".csv" and detail.kind is not Kind.ABOUT:
        written = formats.csv_entries(detail)
    elif path.suffix == ".json":
        written = codec.dumps(snapshot, ()) + "\n"
    else:
        raise ExportError("the name must end in .csv or .json, for stacks also .folded")
    _write(path, written)


def _write(path: Path, written: str) -> None:
    try:
        with BufferedWriter(files.create(path)) as file:
            file.write(written.encode())
    except FileExistsError as error:
        raise ExportError("that file exists") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise ExportError(getattr(error, "strerror", None) or str(error)) from error
