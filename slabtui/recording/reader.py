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


class DamagedError(SlabtuiError):
    """From here on a recording is not what a recorder writes."""


class CutError(SlabtuiError):
    """A recording ends before the end of a line or a block."""


class EmptyError(CutError):
    """A recording ends before the end of its first line."""


def read(path: Path | Traversable, since: float = 0.0) -> Iterator[Snapshot]:
    """Yield the snapshots of a recording.

    Its last line may be cut short, if the recorder was killed: the recording ends before it, and the last snapshot
    carries a note that says so.

    Args:
        path: the file.
        since: leave out those before this time, in seconds since the epoch.

    Raises:
        SlabtuiError: the file cannot be read, it has no snapshot in it, or a line is none; it names the line.
    """
    last: Snapshot | None = None
    failure: SlabtuiError | None = None
    try:
        for snapshot in decode(path, since):
            if last is not None:
                yield last
            last = snapshot
    except EmptyError:
        raise
    except CutError:
        last = last and replace(last, notes=(*last.notes, "the recording is cut short here"))
    except SlabtuiError as error:
        failure = error
    if last is not None:
        yield last
    if failure is not None:
        raise failure


def decode(
    path: Path | Traversable, since: float = 0.0, start: int = 0, *, is_segment: bool = False
) -> Iterator[Snapshot]:
    """Yield the snapshots of a recording, up to where it is cut short or damaged.

    Args:
        path: the file.
        since: leave out those before this time, in seconds since the epoch.
        start: where a frame begins from which the file is read.
        is_segment: whether anything but Zstandard is damage.

    Raises:
        CutError: it is cut short there; EmptyError if it has nothing before.
        DamagedError: it cannot be decompressed, or a line is none; it names the line.
        SlabtuiError: it cannot be opened, or no module can read it.
    """
    decoder = Decoder()
    number = 0
    try:
        for number, line in enumerate(_lines(path, start, is_segment=is_segment), 1):
            try:
                snapshot = _take(decoder, line, since)
            except SchemaError as error:
                cause = f"{path}, line {number}: {error}"
                if line.endswith(b"\n") or len(line) >= LONGEST_LINE:
                    raise DamagedError(cause, _REMEDY) from error
                raise (EmptyError if number == 1 else CutError)(cause, _REMEDY) from error
            if snapshot is not None:
                yield snapshot
    except (EOFError, zlib.error) as error:  # a compressed stream without its end
        cause = f"{path} is cut short" if number else f"{path} is cut short before its first snapshot"
        raise (CutError if number else EmptyError)(cause, _REMEDY) from error
    except OSError as error:
        cause = f"cannot read {path} ({error.strerror or error})"
        if error.filename is None:
            raise DamagedError(cause, _REMEDY) from error
        raise SlabtuiError(cause, _REMEDY, Status.USAGE) from error  # the user has named a wrong file
    if number == 0:
        raise EmptyError(f"{path} has no snapshot in it", _REMEDY)


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


def _lines(path: Path | Traversable, start: int, *, is_segment: bool = False) -> Iterator[bytes]:
    with path.open("rb") as opened:
        file = cast("BufferedReader", opened)
        if start:
            file.seek(start)
        yield from _zstd_lines(file) if is_segment else _stream_lines(file)


def _stream_lines(file: BufferedReader) -> Iterator[bytes]:
    """Yield the lines of a file or a pipe, whether it is compressed or not."""
    start = file.peek(4)
    stream: BinaryIO = file
    if start.startswith(_GZIP_MAGIC):
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=file))
    elif start.startswith(_ZSTD_MAGIC):
        yield from _zstd_lines(file)
        return
    while line := stream.readline(LONGEST_LINE):
        yield line


def _zstd_lines(file: BinaryIO) -> Iterator[bytes]:
    return (line for _, line in lines.split(zstd.frames(file)))
