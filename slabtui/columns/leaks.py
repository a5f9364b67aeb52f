"""The leak view: its columns, and the order of its rows: unreclaimable caches first, and each group together."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from slabtui.columns import caches, numbers
from slabtui.columns.caches import CacheColumn, Number, Scene
from slabtui.columns.numbers import Style, Unit
from slabtui.columns.query import Order
from slabtui.columns.units import Basis, Units
from slabtui.model.identity import CacheKey
from slabtui.model.snapshot import CacheRow

DEFAULT_SORT = "leak"

_VISIBLE = 0.05  # share by which a growth rate must change before its cache may change its place
_SMALLEST = 0.005  # objects per second: less is written as 0.00
_NET = 7  # where it is in the table: it stays longer than FREES
_WIDE = {"leak": -1, "reclaim": -2}  # columns of the table where there is room: left out before all others
# Columns that the numbers take, with their sign, by how they are written.
_BYTES_WIDTH = {Style.HUMAN: 7, Style.GROUPED: 18, Style.RAW: 14}
_OBJECTS_WIDTH = {Style.HUMAN: 6, Style.GROUPED: 12, Style.RAW: 10}


@dataclass(frozen=True, slots=True)
class Arranged:
    """The rows of the leak view.

    Attributes:
        rows: in order.
        reclaimable: the place of the first reclaimable one; the number of rows: there is none.
        branches: the rows of a group below its first one; True: the last one of the group.
    """

    rows: list[CacheRow]
    reclaimable: int
    branches: Mapping[CacheKey, bool]


class Steady:
    """Keeps the order steady: a cache keeps its place until its growth has changed visibly, and stays in the view."""

    def __init__(self) -> None:
        self._growth: dict[CacheKey, tuple[bool, float]] = {}
        self._shown: set[CacheKey] = set()

    def clear(self) -> None:
        """Begin again, as with a new baseline."""
        self._growth.clear()
        self._shown.clear()

    def growth(self, row: CacheRow, units: Units) -> tuple[bool, float]:
        """Return whether the growth of a row is known, and its bytes per hour; if not, its bytes since the baseline."""
        known = row.growth_bytes_h is not None
        now = row.growth_bytes_h if row.growth_bytes_h is not None else units.live_bytes(row) or 0.0
        before, kept = self._growth.get(row.cache, (not known, 0.0))
        if known is not before or abs(now - kept) > _VISIBLE * max(abs(now), abs(kept)):
            self._growth[row.cache] = known, now
        return self._growth[row.cache]

    def shows(self, row: CacheRow, units: Units) -> bool:
        """Return whether the number of live objects of a cache has changed since the baseline."""
        if row.cache not in self._shown and (abs(row.growth_objects_s or 0) >= _SMALLEST or units.since(row).live):
            self._shown.add(row.cache)
        return row.cache in self._shown


def reclaimable_names(rows: Iterable[CacheRow]) -> frozenset[str]:
    """Return the names of the reclaimable caches of a snapshot."""
    return frozenset(row.name for row in rows if row.reclaimable)


def comes_back(row: CacheRow, reclaimable: frozenset[str]) -> bool:
    """Return whether memory that a cache takes comes back: it is reclaimable, or grows with a cache that is.

    That of a leak does not, even if it grows with a reclaimable cache: it holds the objects of that one.

    Args:
        row: the cache.
        reclaimable: the names of all reclaimable caches.
    """
    if row.growing:
        return False
    return bool(row.reclaimable) or (bool(row.grows_with) and row.grows_with[0] in reclaimable)


def arrange(
    rows: Iterable[CacheRow], order: Order, units: Units, steady: Steady, reclaimable: frozenset[str]
) -> Arranged:
    """Return rows in the order of the leak view.

    Unreclaimable caches come first. Sorted by growth, marked caches come before the others, and those whose growth is
    not known yet come last, by their change since the baseline. A group stands together, below its first cache.
    """
    ordered = sorted(rows, key=lambda row: (row.name, row.cache))
    ordered.sort(key=_sort_value(order, units, steady), reverse=order.descending)
    parts: tuple[list[CacheRow], list[CacheRow]] = ([], [])
    for row in ordered:
        parts[comes_back(row, reclaimable)].append(row)
    branches: dict[CacheKey, bool] = {}
    kept, freed = (_grouped(part, branches) for part in parts)
    return Arranged([*kept, *freed], len(kept), branches)


def all_growth(rows: Iterable[CacheRow], reclaimable: frozenset[str]) -> float:
    """Return by how many bytes per hour all caches grow whose memory does not come back."""
    kept = (row for row in rows if not comes_back(row, reclaimable))
    return sum(max(0.0, row.growth_bytes_h or 0.0) for row in kept)


def _grouped(rows: list[CacheRow], branches: dict[CacheKey, bool]) -> list[CacheRow]:
    """Return rows with each group together, and put those below the first one of a group into `branches`."""
    by_name: dict[str, list[CacheRow]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    places = {row.cache: place for place, row in enumerate(rows)}
    grouped: dict[CacheKey, CacheRow] = {}
    for leader in rows:
        if leader.cache in grouped:
            continue
        grouped[leader.cache] = leader
        below = [
            row
            for name in dict.fromkeys(leader.grows_with)
            for row in by_name.get(name, ())
            if row.cache not in grouped
        ]
        below.sort(key=lambda row: places[row.cache])
        for row in below:
            grouped[row.cache] = row
            branches[row.cache] = row is below[-1]
    return list(grouped.values())


def value(name: str, units: Units) -> Callable[[CacheRow], float | str]:
    """Return what rows are sorted by, by the id of a column of the table or of the leak view."""
    get = _NUMBERS.get(name)
    return caches.value(name, units) if get is None else caches.sort_value(get, units)


def _sort_value(order: Order, units: Units, steady: Steady) -> Callable[[CacheRow], Any]:
    if order.column == DEFAULT_SORT:
        return lambda row: (bool(row.growing), *steady.growth(row, units))
    return value(order.column, units)


_NUMBERS: dict[str, Number] = {
    "leak": lambda row, units: row.growth_bytes_h,
    "rate": lambda row, units: row.growth_objects_s,
    "recent": lambda row, units: row.recent_objects_s,
    "since": lambda row, units: units.live_bytes(row),
    "net": lambda row, units: units.net_objects(row),
    "share": lambda row, units: row.growth_bytes_h,
}


def _growth(row: CacheRow, width: int, scene: Scene) -> str:
    number = caches.write_signed(row.growth_bytes_h, Unit.BYTES, scene.units, width - 1)
    return number + caches.write_leak(row, scene)


def _share(row: CacheRow, width: int, scene: Scene) -> str:
    if comes_back(row, scene.reclaimable) or row.growth_bytes_h is None or not scene.all_growth:
        return numbers.UNKNOWN
    return f"{100 * max(0.0, row.growth_bytes_h) / scene.all_growth:.1f}%"


def _change(name: str, unit: Unit) -> Callable[[CacheRow, int, Scene], str]:
    return lambda row, width, scene: caches.write_signed(_NUMBERS[name](row, scene.units), unit, scene.units, width)


TREND = replace(
    caches.HISTORY,
    id="trend",
    title="LIVE BEFORE",
    width=12,
    write=lambda row, width, scene: scene.trend(row, width),
    help="LIVE in the last intervals, from its lowest to its highest value, the newest at the right",
    priority=-2,
)


@lru_cache
def on_screen(style: Style, frees: bool = True) -> tuple[CacheColumn, ...]:
    """Return the columns, wide enough for numbers of this style; NET has a low priority unless frees are counted."""
    in_bytes, in_objects = _BYTES_WIDTH[style], _OBJECTS_WIDTH[style]
    live, mem = (
        caches.on_screen(style, Basis.SECOND)[[one.id for one in caches.COLUMNS].index(name)]
        for name in ("live", "mem")
    )

    def column(
        name: str,
        title: str,
        width: int,
        write: Callable[[CacheRow, int, Scene], str],
        *,
        priority: int,
        meaning: str,
        fields: tuple[str, ...] = (),
        unit: Unit | None = None,
    ) -> CacheColumn:
        get = _NUMBERS.get(name)
        return CacheColumn(
            id=name,
            title=title,
            width=max(width, len(title) + (get is not None)),
            align="right",
            write=write,
            help=meaning,
            priority=priority,
            value=None if get is None else caches.sort_value(get, Units()),
            unit=unit,
            fields=fields,
        )

    return (
        caches.NAME,
        column(
            "leak",
            "GROWTH/h",
            in_bytes + 1,
            _growth,
            priority=9,
            meaning="Bytes per hour by which LIVE x OBJSIZE grows: a robust slope since the baseline; of a marked"
            " cache, over the time for which it has grown. ^: it grows as a leak does, by more than its noise, and"
            " cannot be reclaimed",
            fields=("growth_bytes_h", "growing"),
            unit=Unit.BYTES,
        ),
        column(
            "rate",
            "OBJ/s",
            in_objects,
            _change("rate", Unit.OBJECTS),
            priority=8,
            meaning="GROWTH/h in objects per second",
            fields=("growth_objects_s", "grows_with"),
            unit=Unit.OBJECTS,
        ),
        column(
            "recent",
            "1 MIN",
            in_objects,
            _change("recent", Unit.OBJECTS),
            priority=5,
            meaning="OBJ/s over the last minute",
            fields=("recent_objects_s",),
            unit=Unit.OBJECTS,
        ),
        column(
            "since",
            "SINCE",
            in_bytes,
            _change("since", Unit.BYTES),
            priority=7,
            meaning="Bytes by which LIVE x OBJSIZE changed since the mark, or since the start; the key 0 sets the mark",
            unit=Unit.BYTES,
        ),
        column(
            "net",
            "NET",
            in_objects,
            _change("net", Unit.OBJECTS),
            priority=4 if frees else -1,
            meaning="Allocations - frees since the mark, or since frees are counted (f). Free objects of the CPUs are"
            " not in it. -: not known. With -p and --cgroup in place of LIVE: what these processes allocated since then"
            " and no task has freed",
            unit=Unit.OBJECTS,
        ),
        column(
            "reclaim",
            "RECLAIM",
            7,
            caches.write_reclaimable,
            priority=1,
            meaning="Whether the kernel can free its objects when memory is short; -: unknown",
            fields=("reclaimable",),
        ),
        column(
            "share",
            "SHARE",
            6,
            _share,
            priority=6,
            meaning="Share of this cache in the growth of all caches that cannot be reclaimed",
            unit=Unit.PERCENT,
        ),
        replace(live, priority=3),
        replace(mem, priority=2),
        TREND,
    )


@lru_cache
def of_table(style: Style, basis: Basis, scoped: bool = False) -> tuple[CacheColumn, ...]:
    """Return the columns of the table: on a wide terminal also how a cache grows, and whether it is reclaimable.

    Args:
        style: how numbers are written.
        basis: what numbers of events are for.
        scoped: whether not all processes are counted; of these LIVE is not known, and NET is in its place.
    """
    *columns, history = caches.on_screen(style, basis)
    more = on_screen(style)
    extra = (replace(one, priority=_WIDE[one.id]) for one in more if one.id in _WIDE)
    if scoped:
        net = next(one for one in more if one.id == "net")
        columns = [replace(net, priority=_NET) if one.id == "live" else one for one in columns]
    return (*columns, *extra, history)
