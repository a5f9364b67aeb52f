"""The columns of the table of caches: their definitions."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from slabtui.columns import column, numbers
from slabtui.columns.column import UNLIMITED, Column, Fitted, MetricType
from slabtui.columns.numbers import Style, Unit
from slabtui.columns.units import SUFFIXES, Basis, Units
from slabtui.model.snapshot import CacheRow

_COMFORTABLE = 32  # columns for the name on a wide terminal, so that it does not jump with every longer name
_UNKNOWN_LAST = float("-inf")  # sorts below every known number
_RECLAIMABLE = {None: numbers.UNKNOWN, False: "no", True: "yes"}

LEAK = "^"  # beside the number of a cache that grows as a leak does

Number = Callable[[CacheRow, Units], float | None]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a cell may show that is not in its row.

    Attributes:
        past: draws the last intervals of a row in a given width.
        alias: returns the alias by which the filter found a row; empty if it found it by its name.
        leaks: whether leaks are marked.
        units: how numbers are written, and for which time.
        branch: returns the sign before the name of a row that is in the group of the one above it; empty: it is not.
        trend: draws LIVE of a row in the last intervals in a given width.
        reclaimable: the names of the reclaimable caches.
        all_growth: bytes per hour by which all caches that cannot be reclaimed grow.
    """

    past: Callable[[CacheRow, int], str]
    alias: Callable[[CacheRow], str]
    leaks: bool = True
    units: Units = field(default_factory=Units)
    branch: Callable[[CacheRow], str] = lambda row: ""
    trend: Callable[[CacheRow, int], str] = lambda row, width: ""
    reclaimable: frozenset[str] = frozenset()
    all_growth: float = 0.0


CacheColumn = Column[CacheRow, Scene]


def shown_name(row: CacheRow, alias: str = "") -> str:
    """Return the name as users see it: marked where the row is not exact, with the alias that they asked for."""
    name = f"~{row.name}" if row.approximate else row.name
    return f"{name} ({alias})" if alias else name


def write_number(number: float | None, unit: Unit, units: Units, width: int) -> str:
    """Return a number as the user wants numbers written; `-` where it is unknown."""
    if number is None:
        return numbers.UNKNOWN + " " * (numbers.UNIT_WIDTH[unit] if units.style is Style.HUMAN else 0)
    return numbers.write(number, unit, units.style, width)


def write_signed(number: float | None, unit: Unit, units: Units, width: int) -> str:
    """Return a change, with its sign."""
    sign = "+" if (number or 0) > 0 else ""
    return sign + write_number(number, unit, units, width - len(sign))


def write_leak(row: CacheRow, scene: Scene) -> str:
    """Return what stands beside the growth of a cache: the mark of a leak, or a space."""
    return LEAK if row.growing and scene.leaks else " "


def write_reclaimable(row: CacheRow, width: int, scene: Scene) -> str:
    """Return whether the kernel can free the objects of a cache when memory is short."""
    return _RECLAIMABLE[row.reclaimable]


def sort_value(get: Number, units: Units) -> Callable[[CacheRow], float]:
    """Return what rows are sorted by: a number, where unknown ones are below all others."""

    def value(row: CacheRow) -> float:
        number = get(row, units)
        return _UNKNOWN_LAST if number is None else number

    return value


def _object_size(row: CacheRow, width: int, scene: Scene) -> str:
    """Return the size with every digit: sizes of 1128 and 1152 bytes are different sizes."""
    style = Style.GROUPED if scene.units.style is Style.GROUPED else Style.RAW
    return numbers.UNKNOWN if row.size is None else numbers.write(row.size, Unit.BYTES, style, width)


def _frees(row: CacheRow, width: int, scene: Scene) -> str:
    number = write_number(scene.units.frees(row), Unit.OBJECTS, scene.units, width - 1)
    return number + ("!" if row.disagrees else " ")


def _growth(row: CacheRow, width: int, scene: Scene) -> str:
    number = scene.units.live_delta(row)
    mark = " " if number is None else write_leak(row, scene)
    return write_signed(number, Unit.OBJECTS, scene.units, width - 1) + mark


def _number(
    name: str,
    title: str,
    width: int,
    get: Number,
    unit: Unit,
    *,
    meaning: str,
    priority: int,
    fields: tuple[str, ...],
    metric: MetricType | None = None,
    write: Callable[[CacheRow, int, Scene], str] | None = None,
) -> CacheColumn:
    """Return a column of numbers; an unknown number is `-` and sorts below all others."""
    return CacheColumn(
        id=name,
        title=title,
        width=width,
        align="right",
        write=write or (lambda row, width, scene: write_number(get(row, scene.units), unit, scene.units, width)),
        help=meaning,
        priority=priority,
        value=sort_value(get, Units()),
        unit=unit,
        fields=fields,
        metric=metric,
    )


NAME = CacheColumn(
    id="name",
    title="CACHE",
    width=14,
    most=_COMFORTABLE,
    align="left",
    write=lambda row, width, scene: scene.branch(row) + shown_name(row, scene.alias(row)),
    help="Name of the slab cache. ~ before it: a kmalloc size class or kmalloc-large, not counted exactly. In the leak"
    " view a branch before it: it grows at the same rate as the cache above it",
    priority=0,
    value=lambda row: row.name,
    descending=False,
    fields=("name", "cache", "aliases"),
)

FREES = _number(
    "frees",
    "FREES",
    9,
    lambda row, units: units.frees(row),
    Unit.OBJECTS,
    write=_frees,
    meaning="Objects freed; the key f or --frees counts them. !: ALLOCS - FREES is not the change of LIVE, since the"
    " kernel does not report all: trust +/-. With -p and --cgroup: of what these processes allocated; !: no NET",
    priority=7,
    fields=("frees", "disagrees"),
    metric=MetricType.COUNTER,
)

HISTORY = CacheColumn(
    id="history",
    title="HISTORY",
    width=10,
    most=UNLIMITED,
    align="right",
    write=lambda row, width, scene: scene.past(row, width),
    help="Allocations per second in the last intervals, the newest at the right. Each row has its own scale",
    priority=2,
)

COLUMNS = (
    NAME,
    _number(
        "objsize",
        "OBJSIZE",
        8,
        lambda row, units: row.size,
        Unit.BYTES,
        write=_object_size,
        meaning="Bytes that one object takes in its slab, as in slabtop; - if the objects differ in size",
        priority=3,
        fields=("object_size", "size"),
    ),
    _number(
        "allocs",
        "ALLOCS",
        9,
        lambda row, units: units.allocs(row),
        Unit.OBJECTS,
        meaning="Objects allocated. /s: per second, /int: in the interval, SINCE: since the mark, or since the start;"
        " u turns between them",
        priority=6,
        fields=("allocs",),
        metric=MetricType.COUNTER,
    ),
    FREES,
    _number(
        "bytes",
        "BYTES",
        12,
        lambda row, units: units.bytes(row),
        Unit.BYTES,
        meaning="Bytes allocated: ALLOCS x OBJSIZE",
        priority=8,
        fields=("bytes", "approximate"),
        metric=MetricType.COUNTER,
    ),
    _number(
        "live",
        "LIVE",
        8,
        lambda row, units: row.live,
        Unit.OBJECTS,
        meaning="Objects in use, as in /proc/slabinfo; free objects that a CPU keeps for later count as in use",
        priority=4,
        fields=("live",),
        metric=MetricType.GAUGE,
    ),
    _number(
        "growth",
        "+/-",
        8,
        lambda row, units: units.live_delta(row),
        Unit.OBJECTS,
        write=_growth,
        meaning="Change of LIVE. ^ after the number: the cache grows as a leak does, by more than its noise, and the"
        " kernel cannot reclaim it",
        priority=5,
        fields=("live_delta",),
    ),
    _number(
        "mem",
        "MEM",
        7,
        lambda row, units: row.mem,
        Unit.BYTES,
        meaning="Bytes of memory that the cache holds: used and free objects",
        priority=1,
        fields=("mem",),
        metric=MetricType.GAUGE,
    ),
    HISTORY,
)

BY_ID = {one.id: one for one in COLUMNS}
SORTS = {one.id: one.value for one in COLUMNS if one.value is not None}  # what rows are sorted by, by the column's id
DEFAULT_SORT = "bytes"

_EVENTS: dict[str, Number] = {
    "allocs": lambda row, units: units.allocs(row),
    "frees": lambda row, units: units.frees(row),
    "bytes": lambda row, units: units.bytes(row),
    "growth": lambda row, units: units.live_delta(row),
}
# The digits that a column has room for, in an interval and since the baseline: more than hosts have. Beside them stand
# a sign and marks.
_DIGITS = {"allocs": (9, 12), "frees": (9, 12), "bytes": (12, 15), "live": (10, 10), "growth": (9, 10), "mem": (13, 13)}
_BESIDE = {"frees": 1, "growth": 2}


def digits_width(digits: int, unit: Unit, style: Style) -> int:
    """Return how many columns a number of this many digits takes."""
    if style is Style.HUMAN:
        return 4 + numbers.UNIT_WIDTH[unit]
    return digits + ((digits - 1) // 3 if style is Style.GROUPED else 0)


@lru_cache
def on_screen(style: Style, basis: Basis) -> tuple[CacheColumn, ...]:
    """Return the columns as the screen has them: their headings say what the numbers are for."""
    return tuple(_resize(one, style, basis) for one in COLUMNS)


def value(name: str, units: Units) -> Callable[[CacheRow], float | str]:
    """Return what rows are sorted by on the screen, by the id of a column."""
    if (get := _EVENTS.get(name)) is not None:
        return sort_value(get, units)
    return SORTS[name]


def _resize(one: CacheColumn, style: Style, basis: Basis) -> CacheColumn:
    if one.id not in _DIGITS or one.unit is None:
        return one
    title = f"{one.title}{SUFFIXES[basis]}" if one.id in _EVENTS else one.title
    digits = _DIGITS[one.id][basis is Basis.SINCE]
    needed = digits_width(digits, one.unit, style) + _BESIDE.get(one.id, 0)
    return replace(one, title=title, width=max(needed, len(title) + 1))  # beside the title: the sign of the order


@lru_cache(maxsize=16)  # every row on the screen asks the same
def fit(
    columns: tuple[CacheColumn, ...], width: int, longest_name: int, keep: str = "", gap: int = 1
) -> Fitted[CacheRow, Scene]:
    """Return the columns that fit a terminal, with the width of each, in their order.

    The name takes what is left over, but not much more than it needs, so that on a wide terminal the numbers stay
    close to it; the history takes the rest.

    Args:
        columns: all columns, in their order.
        width: columns of the terminal.
        longest_name: columns that the longest name takes.
        keep: the id of a column that other columns make room for.
        gap: columns between two columns.
    """
    return column.fit(columns, width, {NAME.id: longest_name}, gap, keep)
