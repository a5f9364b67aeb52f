"""Reads recordings, compressed or not, as far as they go, within bounds that no recording of a real host exceeds."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources.abc import Traversable
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from slabtui.errors import SlabtuiError, Status
from slabtui.model.snapshot import Snapshot
from slabtui.recording import lines, zstd
from slabtui.recording.bounds import LONGEST_LINE
from slabtui.recording.codec import SchemaError
from slabtui.recording.decoder import Decoder

_REMEDY = "name a file that --record has written"
_STREAM_REMEDY = "write to it with --record -"
_INSPECTIONS = b'"inspections":['
_GZIP_MAGIC, _ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def read(path: Path | Traversable, since: float = 0.0, start: int = 0) -> Iterator[Snapshot]:
    """Yield the snapshots of a recording.

    Its last line may be cut short, if the recorder was killed: the recording ends before it, and the last snapshot
    carries a note that says so.

    Args:
        path: the file.
        since: leave out those before this time, in seconds since the epoch.
        start: where a frame begins from which the file is read.

    Raises:
        SlabtuiError: the file cannot be read, it has no snapshot in it, or a line is none; it names the line.
    """
    decoder = Decoder()
    last: Snapshot | None = None
    is_empty = True
    try:
        for number, line in enumerate(_lines(path, start), 1):
            is_first, is_empty = is_empty, False
            try:
                snapshot = _take(decoder, line, since)
            except SchemaError as error:
                if is_first or line.endswith(b"\n") or len(line) >= LONGEST_LINE:
                    if last is not None:
                        yield last
                    raise SlabtuiError(f"{path}, line {number}: {error}", _REMEDY) from error
                last = last and _cut(last)
                break
            if snapshot is None:
                continue
            if last is not None:
                yield last
            last = snapshot
    except (EOFError, zlib.error) as error:  # a compressed stream without its end
        if is_empty:
            raise SlabtuiError(f"{path} is cut short before its first snapshot", _REMEDY) from error
        last = last and _cut(last)
    except OSError as error:
        if last is not None:
            yield last
        # An error that names the file comes from opening it: the user has named a wrong one.
        status = Status.USAGE if error.filename is not None else Status.FAILED
        raise SlabtuiError(f"cannot read {path} ({error.strerror or error})", _REMEDY, status) from error
    if is_empty:
        raise SlabtuiError(f"{path} has no snapshot in it", _REMEDY)
    if last is not None:
        yield last


def _take(decoder: Decoder, line: bytes, since: float) -> Snapshot | None:
    """Return the snapshot of a line; None: it is before this time. SchemaError where it is none."""
    if len(line) >= LONGEST_LINE:
        raise SchemaError(f"longer than {LONGEST_LINE >> 20} MiB")
    if since and (lines.time_of(line) or since) < since:
        decoder.skip(line)
        return None
    return decoder.decode(line)


def follow(file: BufferedReader, name: str) -> Iterator[Snapshot]:
    """Yield each snapshot of a stream as soon as its line has arrived; a line that is cut short at its end is left out.

    Raises:
        SlabtuiError: a line is no snapshot, or the stream cannot be read.
    """
    decoder = Decoder()
    try:
        for number, line in enumerate(_stream_lines(file), 1):
            if not line.endswith(b"\n"):
                if len(line) < LONGEST_LINE:
                    return
                raise SlabtuiError(f"{name}, line {number}: longer than {LONGEST_LINE >> 20} MiB", _STREAM_REMEDY)
            try:
                yield decoder.decode(line)
            except SchemaError as error:
                raise SlabtuiError(f"{name}, line {number}: {error}", _STREAM_REMEDY) from error
    except (EOFError, zlib.error):  # a compressed stream without its end
        return
    except OSError as error:
        raise SlabtuiError(f"cannot read {name} ({error.strerror or error})", _STREAM_REMEDY) from error


def times(path: Path | Traversable) -> tuple[float, float]:
    """Return the times of the first and the last snapshot of a recording; SlabtuiError where it cannot be read."""
    first = last = None
    for line in lines_of(path):
        last = lines.time_of(line) or last
        first = first or last
    if first is None or last is None:
        raise SlabtuiError(f"{path} has no snapshot in it", _REMEDY)
    return first, last


def begin(path: Path | Traversable) -> float:
    """Return the time of the first snapshot of a recording; SlabtuiError where it cannot be read."""
    found = next(filter(None, map(lines.time_of, lines_of(path))), None)
    if found is None:
        raise SlabtuiError(f"{path} has no snapshot in it", _REMEDY)
    return found


def lines_of(path: Path | Traversable) -> Iterator[bytes]:
    """Yield the lines of a recording, up to where it is cut short; SlabtuiError where it cannot be read."""
    try:
        yield from _lines(path, 0)
    except (EOFError, zlib.error):
        return
    except OSError as error:
        raise SlabtuiError(f"cannot read {path} ({error.strerror or error})", _REMEDY, Status.USAGE) from error


def inspected_caches(path: Path | Traversable) -> tuple[str, ...]:
    """Return the names of the caches that a recording of slabtui/2 has inspections of, in their order.

    It reads the whole file, but decodes only the last field of each line, which has the inspections.
    """
    names: dict[str, None] = {}
    for line in _lines(path, 0):
        found = line.rfind(_INSPECTIONS)
        for inspection in json.loads(b"{" + line[found:])["inspections"] if found >= 0 else ():
            names[inspection["cache"]] = None
    return tuple(names)


def _lines(path: Path | Traversable, start: int) -> Iterator[bytes]:
    with path.open("rb") as opened:
        file = cast("BufferedReader", opened)
        if start:
            file.seek(start)
        yield from _stream_lines(file)


def _stream_lines(file: BufferedReader) -> Iterator[bytes]:
    """Yield the lines of a file or a pipe, whether it is compressed or not."""
    start = file.peek(4)
    stream: BinaryIO = file
    if start.startswith(_GZIP_MAGIC):
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=file))
    elif start.startswith(_ZSTD_MAGIC):
        yield from (line for _, line in lines.split(zstd.frames(file)))
        return
    while line := stream.readline(LONGEST_LINE):
        yield line


def _cut(last: Snapshot) -> Snapshot:
    return replace(last, notes=(*last.notes, "the recording is cut short here"))
