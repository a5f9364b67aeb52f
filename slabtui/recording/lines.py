"""The lines of a recording: short enough to be read again, and their time without decoding them."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from slabtui.model.inspection import Inspection
from slabtui.model.snapshot import Snapshot
from slabtui.recording import bounds, codec

HEAD = 4096  # bytes, which have what is known of the whole machine

_MOST_ROWS = 4096  # of each kind of an inspection whose line would be too long: with long texts they take 4 MiB
_BEGINNING = 256  # bytes of a line; the schema and the time are its first fields
_TIME = re.compile(rb'"time":"([^"\\]{1,40})"')
_SLAB = re.compile(rb'"slab":(\d{1,19})[,}]')  # of the memory of the machine


def line(snapshot: Snapshot, dumps: Callable[[Snapshot], str]) -> bytes:
    """Return the line of a snapshot. Inspections that would make it too long to be read have their first rows only."""
    written = dumps(snapshot).encode() + b"\n"
    if len(written) < bounds.LONGEST_LINE and bounds.is_simple(written):
        return written
    shorter = replace(snapshot, inspections=tuple(map(_shorten, snapshot.inspections)))
    return dumps(shorter).encode() + b"\n"


def whole(snapshot: Snapshot) -> bytes:
    """Return the line of a snapshot with all its rows."""
    return line(snapshot, lambda bounded: codec.dumps(bounded, bounded.rows))


def split(parts: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a stream, each with the place at which the frame of its end begins.

    A line that is longer than LONGEST_LINE is cut, and the last one.

    Args:
        parts: the stream, as zstd.frames() gives it.
    """
    rest = bytearray()
    frame = 0
    for frame, part in parts:
        begin = 0
        while (end := part.find(b"\n", begin) + 1) > 0:
            yield frame, bytes(rest + part[begin:end])
            rest.clear()
            begin = end
        rest += part[begin:]
        if len(rest) >= bounds.LONGEST_LINE:
            break
    if rest:
        yield frame, bytes(rest[: bounds.LONGEST_LINE])


def time_of(written: bytes) -> float | None:
    """Return the time of a line, in seconds since the epoch; None: only the decoder can tell."""
    found = _TIME.search(written, 0, _BEGINNING)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found[1].decode())
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.timestamp()


def slab_of(written: bytes) -> int | None:
    """Return the slab memory of the machine in a line, in bytes; None: unknown."""
    found = _SLAB.search(written, 0, HEAD)
    return None if found is None else int(found[1])


def _shorten(found: Inspection) -> Inspection:
    dropped = sum(row.total_allocs for row in found.rows[_MOST_ROWS:])
    return replace(found, rows=found.rows[:_MOST_ROWS], lost=found.lost + dropped)
