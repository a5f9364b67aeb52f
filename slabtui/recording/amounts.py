"""Reads amounts of memory from the lines of recordings, without decoding them: that takes a hundredth of the time."""

import json
import re

from slabtui.model.course import Point
from slabtui.model.identity import CacheKey
from slabtui.recording import bounds, lines

_MOST_OF_ROW = 64 << 10  # bytes; a usual row has less than 1 KiB, and one with 1024 aliases may have more than this
_MEMORY = re.compile(rb'"slab":(\d{1,19}),"reclaimable":(?:null|\d{1,19}),"unreclaimable":(null|\d{1,19})[,}]')
_CHANGES = b'{"schema":"slabtui/2-changes"'


def slab(line: bytes) -> Point | None:
    """Return the slab memory of the machine in a line, with the part that is unreclaimable; None: it is not known."""
    time, found = lines.time_of(line), _MEMORY.search(line, 0, lines.HEAD)
    if time is None or found is None:
        return None
    return Point(time, int(found[1]), 0 if found[2] == b"null" else int(found[2]))


class OfCache:
    """Reads the memory that one cache holds from lines, one after the other.

    Args:
        cache: its key.
    """

    def __init__(self, cache: CacheKey) -> None:
        self._begin = f'{{"cache":{json.dumps(str(cache))}'.encode()
        self._last: int | None = None

    def __call__(self, line: bytes) -> Point | None:
        """Return it; None: it is not known."""
        if not line.startswith(_CHANGES):
            self._last = None
        begin = line.find(self._begin)
        if begin >= 0:
            self._last = _memory_of_row(line[begin : begin + _MOST_OF_ROW], self._last)
        time = lines.time_of(line)
        return None if time is None or self._last is None else Point(time, self._last)


def _memory_of_row(written: bytes, before: int | None) -> int | None:
    """Return the memory of a row that is written here; in a line of changes the one before where it is left out."""
    try:
        row, _ = json.JSONDecoder().raw_decode(written.decode(errors="replace"))
    except (ValueError, RecursionError):
        return before
    memory = row.get("mem", before)
    return memory if isinstance(memory, int) and 0 <= memory <= bounds.LARGEST_COUNT else None
