"""The order of the leak view: marked caches, then other unreclaimable caches, then reclaimable ones. Pure."""

import enum
from collections.abc import Iterable

from slabtui.model.snapshot import CacheRow


class Section(enum.IntEnum):
    """A part of the leak view, in the order in which they stand in it."""

    GROWING = 0  # grows as a leak does
    OTHER = 1  # does not grow as a leak does, or that is not known yet
    RECLAIMABLE = 2  # is reclaimable, or grows with a reclaimable cache


def section(row: CacheRow, reclaimable: frozenset[str]) -> Section:
    """Return the section of a row.

    Args:
        row: the row.
        reclaimable: the names of all reclaimable caches.
    """
    if row.growing:
        return Section.GROWING
    if row.reclaimable or (row.grows_with and row.grows_with[0] in reclaimable):
        return Section.RECLAIMABLE
    return Section.OTHER


def rank(rows: Iterable[CacheRow]) -> list[tuple[Section, CacheRow]]:
    """Return rows in the order of the leak view: by section, then by the bytes that they grow by in an hour.

    Growth changes only when a bin of the analysis ends, so the order is stable in between. Rows without a judgement
    come last in their section; equal ones are in the order of their names.
    """
    rows = list(rows)
    reclaimable = frozenset(row.name for row in rows if row.reclaimable)
    placed = [(section(row, reclaimable), row) for row in rows]
    placed.sort(key=lambda place: (place[0], *_order(place[1])))
    return placed


def _order(row: CacheRow) -> tuple[bool, float, str, int]:
    growth = row.growth_bytes_h
    return growth is None, -(growth or 0.0), row.name, row.cache.generation
