"""Replaces the kernel's addresses in what is written by numbers from which they cannot be derived."""

import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from slabtui.model.inspection import Inspection, InspectionRow
from slabtui.model.snapshot import CacheRow, Snapshot

Concealer = Callable[[Snapshot], Snapshot]

_OWN = 1 << 33  # below it: numbers that slabtui gives itself, see CacheRow; kernel/rows.py counts from 1 << 32
_STAND_IN = 1 << 62  # from here to twice that: no kernel has addresses there (canonical ones have the upper bit set)
_RUN_BITS, _COUNT_BITS = 30, 32  # of a number below that: which run gave it, and how many it had given before
_MOST = 1 << 16  # addresses that are remembered; a kernel has some hundred caches and some thousand call sites
# An offset in a function has at most five digits: kernel/symbols.py.
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")


def show_all(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot as it is, for --addresses."""
    return snapshot


class AddressHider:
    """Returns snapshots without addresses: the same number stands for the same address until this process ends.

    The numbers are given one after the other, behind some random bits that tell this run from others: unlike hashes
    they hold nothing of the address, and compress well. A snapshot that has been through this, in this process or
    another, has no address in it and comes back as it is.
    """

    def __init__(self) -> None:
        self._next = count(_STAND_IN | secrets.randbits(_RUN_BITS) << _COUNT_BITS)
        self._numbers: dict[int, int] = {}

    def __call__(self, snapshot: Snapshot) -> Snapshot:
        """Return the snapshot with a number for each address, in its rows, its inspection, its notes and its error."""
        return replace(
            snapshot,
            rows=tuple(map(self._row, snapshot.rows)),
            detail=self._detail(snapshot.detail),
            error=None if snapshot.error is None else self._text(snapshot.error),
            notes=tuple(map(self._text, snapshot.notes)),
        )

    def _row(self, row: CacheRow) -> CacheRow:
        if row.cache < _OWN:
            return row
        return replace(row, cache=self._number(row.cache), name=self._text(row.name))

    def _detail(self, detail: Inspection | None) -> Inspection | None:
        if detail is None:
            return None
        return replace(detail, cache=self._text(detail.cache), entries=tuple(map(self._entry, detail.entries)))

    def _entry(self, entry: InspectionRow) -> InspectionRow:
        if not any("0x" in frame for frame in entry.frames):
            return entry
        return replace(entry, frames=tuple(map(self._text, entry.frames)))

    def _text(self, text: str) -> str:
        """Replace the addresses in a text: of a call site without a name, or of a cache without one."""
        if "0x" not in text:
            return text
        return _ADDRESS.sub(lambda found: f"hidden-{self._number(int(found[0], 16)):x}", text)

    def _number(self, address: int) -> int:
        if _STAND_IN <= address < 2 * _STAND_IN:
            return address
        if address not in self._numbers:
            if len(self._numbers) >= _MOST:  # of a recording that was made up: its addresses get new numbers
                self._numbers.clear()
            self._numbers[address] = next(self._next)
        return self._numbers[address]
