"""The columns of text output: those of the table with every digit, and how the caches grow. `-s` and `-o` name them."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from slabtui.columns import caches, numbers
from slabtui.columns.caches import CacheColumn, Scene
from slabtui.columns.numbers import Unit
from slabtui.columns.units import Units
from slabtui.model.snapshot import CacheRow

MAXROWS = 20  # of an interval, as slabratetop prints by default

_WIDTH = 12  # of a rate: a terabyte per hour
_IDS = {"growth": "delta"}  # the change in one interval is noise: text has a robust slope by this name
_MEANINGS = {  # of columns that the screen has with other units, too
    "allocs": "Objects allocated in the interval",
    "frees": "Objects freed in the interval. ! after the number: the change of LIVE is not ALLOCS - FREES, because the"
    " kernel does not report every allocation or free; trust +/- instead",
    "bytes": "Bytes allocated in the interval: ALLOCS x OBJSIZE",
    "growth": "Change of LIVE in the interval",
}


def _rate(
    name: str,
    title: str,
    get: Callable[[CacheRow], float | None],
    *,
    unit: Unit,
    meaning: str,
    fields: tuple[str, ...],
    decimals: int = 2,
    mark: str = "",
) -> CacheColumn:
    """Return a column of a rate of growth, with its sign.

    Args:
        name: the id of the column.
        title: its heading.
        get: returns the rate of a row; None: unknown.
        unit: what it counts.
        meaning: what it means, for the help.
        fields: the fields of a row that belong to it.
        decimals: digits after the point.
        mark: behind the number of a cache that grows as a leak does.
    """

    def write(row: CacheRow, width: int, scene: Scene) -> str:
        rate = get(row)
        return numbers.UNKNOWN if rate is None else f"{rate:+.{decimals}f}{mark if row.growing else ''}"

    return CacheColumn(
        id=name,
        title=title,
        width=_WIDTH,
        align="right",
        write=write,
        help=meaning,
        priority=0,
        value=caches.sort_value(lambda row, units: get(row), Units()),
        unit=unit,
        fields=fields,
    )


COLUMNS: tuple[CacheColumn, ...] = (
    *(
        replace(one, id=_IDS.get(one.id, one.id), help=_MEANINGS.get(one.id, one.help))
        for one in caches.COLUMNS
        if one is not caches.HISTORY
    ),
    _rate(
        "growth",
        "GROWTH/h",
        lambda row: row.growth_bytes_h,
        unit=Unit.BYTES,
        meaning="Bytes per hour by which the objects in use grow: a robust slope since counting began; if the cache is"
        " marked, over the time for which it has grown; -: not known yet. ^ after the number: the cache grows as a leak"
        " does. Sorting by growth lists these caches first, then the others that cannot be reclaimed",
        fields=("growth_bytes_h", "growing"),
        decimals=0,
        mark=caches.LEAK,
    ),
    _rate(
        "rate",
        "OBJ/s",
        lambda row: row.growth_objects_s,
        unit=Unit.OBJECTS,
        meaning="GROWTH/h in objects per second",
        fields=("growth_objects_s", "grows_with"),
    ),
    _rate(
        "recent",
        "1 MIN",
        lambda row: row.recent_objects_s,
        unit=Unit.OBJECTS,
        meaning="OBJ/s over the last minute",
        fields=("recent_objects_s",),
    ),
    CacheColumn(
        id="reclaim",
        title="RECLAIM",
        width=7,
        align="right",
        write=caches.write_reclaimable,
        help="Whether the kernel can free objects of the cache when memory is short; -: unknown",
        priority=0,
        value=caches.sort_value(lambda row, units: row.reclaimable, Units()),
        fields=("reclaimable",),
    ),
)
BY_ID = {one.id: one for one in COLUMNS}
_GROWING = ("growth", "rate", "recent")

# Columns that the table of the screen has by another name.
ON_SCREEN = {"delta": "growth"}


def sort_value(column: str) -> Callable[[CacheRow], Any]:
    """Return what rows are sorted by; by growth, marked caches come first, then the others that cannot be reclaimed."""
    value = BY_ID[column].value
    assert value is not None
    if column == "growth":
        return lambda row: (bool(row.growing), not row.reclaimable, value(row))
    return value


def added_for(sort: str) -> tuple[str, ...]:
    """Return the columns that explain the order of rows that are sorted by a column."""
    return ("growth", "reclaim") if sort == "growth" else (sort,)


def counts_frees(columns: Iterable[str]) -> bool:
    """Return whether one of these columns needs frees to be counted."""
    return any(BY_ID[name].fields[:1] == caches.FREES.fields[:1] for name in columns)


def ranks_growth(column: str) -> bool:
    """Return whether rows that are sorted by this column show which caches grow."""
    return column in _GROWING


def is_of_leaks(column: str) -> bool:
    """Return whether the screen has a column in its leak view, and not in its table."""
    return ON_SCREEN.get(column, column) not in caches.SORTS or ranks_growth(column)
