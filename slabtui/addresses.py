"""Replaces the kernel's addresses in what is written by numbers from which they cannot be derived."""

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import replace

from slabtui.detail import Detail, Entry
from slabtui.snapshot import CacheRow, Snapshot

Concealer = Callable[[Snapshot], Snapshot]

_KEY_BYTES = 32
_OWN = 1 << 33  # below it: numbers that slabtui gives itself, see CacheRow; kernel/rows.py counts from 1 << 32
_STAND_IN = 1 << 62  # from here to twice that: no kernel has addresses there (canonical ones have the upper bit set)
# An offset in a function has at most five digits: kernel/symbols.py.
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")


def show_all(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot as it is, for --addresses."""
    return snapshot


class AddressHider:
    """Returns snapshots without addresses: the same number stands for the same address until this process ends.

    The numbers are hashes with a random key. A snapshot that has been through this, in this process or another, has no
    address in it and comes back as it is.
    """

    def __init__(self) -> None:
        self._key = os.urandom(_KEY_BYTES)
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

    def _detail(self, detail: Detail | None) -> Detail | None:
        if detail is None:
            return None
        return replace(detail, cache=self._text(detail.cache), entries=tuple(map(self._entry, detail.entries)))

    def _entry(self, entry: Entry) -> Entry:
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
            digest = hashlib.blake2b(address.to_bytes(8, "little"), digest_size=8, key=self._key).digest()
            self._numbers[address] = _STAND_IN | int.from_bytes(digest, "little") % _STAND_IN
        return self._numbers[address]
