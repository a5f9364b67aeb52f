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
from slabtui.recording import zstd
from slabtui.recording.bounds import LONGEST_LINE
from slabtui.recording.codec import SchemaError
from slabtui.recording.decoder import Decoder

_REMEDY = "name a file that --record has written"
_INSPECTIONS = b'"inspections":['
_GZIP_MAGIC, _ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def read(path: Path | Traversable) -> Iterator[Snapshot]:
    """Yield the snapshots of a recording.

    Its last line may be cut short, if the recorder was killed: the recording ends before it, and the last snapshot
    carries a note that says so.

    Raises:
        SlabtuiError: the file cannot be read, it has no snapshot in it, or a line is none; it names the line.
    """
    decoder = Decoder()
    last: Snapshot | None = None
    try:
        for number, line in enumerate(_lines(path), 1):
            try:
                if len(line) >= LONGEST_LINE:
                    raise SchemaError(f"longer than {LONGEST_LINE >> 20} MiB")
                snapshot = decoder.decode(line)
            except SchemaError as error:
                if last is None or line.endswith(b"\n") or len(line) >= LONGEST_LINE:
                    if last is not None:
                        yield last
                    raise SlabtuiError(f"{path}, line {number}: {error}", _REMEDY) from error
                last = _cut(last)
                break
            if last is not None:
                yield last
            last = snapshot
    except (EOFError, zlib.error) as error:  # a compressed stream without its end
        if last is None:
            raise SlabtuiError(f"{path} is cut short before its first snapshot", _REMEDY) from error
        last = _cut(last)
    except OSError as error:
        if last is not None:
            yield last
        # An error that names the file comes from opening it: the user has named a wrong one.
        status = Status.USAGE if error.filename is not None else Status.FAILED
        raise SlabtuiError(f"cannot read {path} ({error.strerror or error})", _REMEDY, status) from error
    if last is None:
        raise SlabtuiError(f"{path} has no snapshot in it", _REMEDY)
    yield last


def inspected_caches(path: Path | Traversable) -> tuple[str, ...]:
    """Return the names of the caches that a recording of slabtui/2 has inspections of, in their order.

    It reads the whole file, but decodes only the last field of each line, which has the inspections.
    """
    names: dict[str, None] = {}
    for line in _lines(path):
        found = line.rfind(_INSPECTIONS)
        for inspection in json.loads(b"{" + line[found:])["inspections"] if found >= 0 else ():
            names[inspection["cache"]] = None
    return tuple(names)


def _lines(path: Path | Traversable) -> Iterator[bytes]:
    with path.open("rb") as opened:
        file = cast("BufferedReader", opened)
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
    """Yield the lines of a stream, those included that stand before the point where it is cut."""
    rest = bytearray()
    for part in zstd.decompress(file):
        begin = 0
        while (end := part.find(b"\n", begin) + 1) > 0:
            yield bytes(rest + part[begin:end])
            rest.clear()
            begin = end
        rest += part[begin:]
        if len(rest) >= LONGEST_LINE:
            break
    if rest:
        yield bytes(rest[:LONGEST_LINE])


def _cut(last: Snapshot) -> Snapshot:
    return replace(last, notes=(*last.notes, "the recording is cut short here"))
