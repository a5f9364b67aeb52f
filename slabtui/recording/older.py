"""Upgrades recordings of older versions: gives them today's names of fields, keys of caches, and totals."""

from dataclasses import replace
from typing import Any

from slabtui.model.identity import CacheKey, Identities, KeyKind
from slabtui.model.inspection import Inspection
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.recording.bounds import MOST_KEYS

NAME = "slabtui/1"  # the schema with names that `rename` replaces
_NAMES = {"look": "number", "entries": "rows"}  # of the fields of an inspection

# At first the identity of a cache was a number: 1, or the size of a size class shifted by 8 bits, or counted from 2**32
# for a cache that had not allocated, or the address of its struct kmem_cache, or a number from 2**62 in place of that.
_LARGE = 1
_FIRST_IDLE, _FIRST_ADDRESS = 1 << 32, 1 << 33
_STAND_INS = range(1 << 62, 1 << 63)  # no kernel has addresses there


NO_KEY = CacheKey(KeyKind.CACHE, "")  # of a row that has not been given its own yet


def rename(found: dict[str, Any]) -> dict[str, Any]:
    """Return a line of slabtui/1 with the names of slabtui/2: its one inspection was `detail`."""
    detail = found.pop("detail", None)
    if isinstance(detail, dict):
        detail = {_NAMES.get(name, name): value for name, value in detail.items()}
    return found | {"inspections": [] if detail is None else [detail]}


class Upgrade:
    """Gives the snapshots of a recording, in their order, what they have today.

    The totals become those since the beginning of the recording: sums of its intervals.
    """

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._identities = Identities()
        self._totals: dict[CacheKey, tuple[int, int, int | None]] = {}

    def snapshot(self, older: Snapshot) -> Snapshot:
        """Return a snapshot of today.

        Args:
            older: its rows have the number that identified their cache as address; its inspection has a key with the
                name of the cache.
        """
        if len(self._totals) > MOST_KEYS:  # of a recording that was made up
            self._forget()
        # An idle cache keeps its key when it gets an address. So rows with an address come first: else the key of an
        # idle cache would go to another one of that name in the same snapshot.
        keys: dict[int | None, CacheKey] = {}
        for row in sorted(older.rows, key=lambda row: (row.address or 0) < _FIRST_ADDRESS):
            keys[row.address] = self._key(row, row.address or 0)
        rows = tuple(self._row(row, keys[row.address]) for row in older.rows)
        # A failed reading had the time since the one before, which is part of the next interval, too.
        elapsed = 0.0 if older.error is not None and not rows else older.elapsed
        return replace(
            older, rows=rows, elapsed=elapsed, inspections=tuple(_with_key(one, rows) for one in older.inspections)
        )

    def _key(self, row: CacheRow, number: int) -> CacheKey:
        if number >= _FIRST_ADDRESS:
            return self._identities.seen(number, row.name, row.size)
        if number >= _FIRST_IDLE:
            return self._identities.listed(row.name)
        return CacheKey(KeyKind.LARGE if number == _LARGE else KeyKind.SIZE_CLASS, row.name)

    def _row(self, row: CacheRow, key: CacheKey) -> CacheRow:
        allocs, size, frees = self._totals.get(key, (0, 0, None))
        allocs, size = allocs + row.allocs, size + row.bytes
        if row.frees is not None:
            frees = (frees or 0) + row.frees
        self._totals[key] = allocs, size, frees
        is_address = row.address is not None and row.address >= _FIRST_ADDRESS and row.address not in _STAND_INS
        return replace(
            row,
            cache=key,
            address=row.address if is_address else None,
            total_allocs=allocs,
            total_bytes=size,
            total_frees=frees,
        )


def _with_key(found: Inspection, rows: tuple[CacheRow, ...]) -> Inspection:
    """Return an inspection with the key of the first cache of its name."""
    row = next((row for row in rows if row.name == found.cache.name), None)
    return found if row is None else replace(found, cache=row.cache)
