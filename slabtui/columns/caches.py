"""The columns of the table of caches: their definitions."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from slabtui.columns import column, numbers
from slabtui.columns.column import Column, Fitted, MetricType
from slabtui.columns.numbers import Unit
from slabtui.model.snapshot import CacheRow

_LONGEST_HISTORY = 60  # columns: a minute at the usual interval
_COMFORTABLE = 32  # columns for the name on a wide terminal, so that it does not jump with every longer name
_UNKNOWN_LAST = -(1 << 64)  # sorts below every known number


@dataclass(frozen=True, slots=True)
class Scene:
    """What a cell may show that is not in its row.

    Attributes:
        past: draws the last intervals of a row in a given width.
        alias: returns the alias by which the filter found a row; empty if it found it by its name.
        growing: whether the cache grew in each of the last intervals.
    """

    past: Callable[[CacheRow, int], str]
    alias: Callable[[CacheRow], str]
    growing: Callable[[CacheRow], bool]


CacheColumn = Column[CacheRow, Scene]


def shown_name(row: CacheRow, alias: str = "") -> str:
    """Return the name as users see it: marked where the row is not exact, with the alias that they asked for."""
    name = f"~{row.name}" if row.approximate else row.name
    return f"{name} ({alias})" if alias else name


def _frees(row: CacheRow, width: int, scene: Scene) -> str:
    return numbers.amount(row.frees, Unit.OBJECTS, width - 1) + ("!" if row.disagrees else " ")


def _growth(row: CacheRow, width: int, scene: Scene) -> str:
    sign = "+" if (row.live_delta or 0) > 0 else ""
    growing = row.live_delta is not None and scene.growing(row)
    return sign + numbers.amount(row.live_delta, Unit.OBJECTS, width - 2) + ("^" if growing else " ")


def _number(
    name: str,
    title: str,
    width: int,
    get: Callable[[CacheRow], int | None],
    unit: Unit,
    *,
    meaning: str,
    priority: int,
    fields: tuple[str, ...],
    metric: MetricType | None = None,
    write: Callable[[CacheRow, int, Scene], str] | None = None,
) -> CacheColumn:
    """Return a column of numbers; an unknown number is `-` and sorts below all others."""

    def value(row: CacheRow) -> int:
        number = get(row)
        return _UNKNOWN_LAST if number is None else number

    return CacheColumn(
        id=name,
        title=title,
        width=width,
        align="right",
        write=write or (lambda row, width, scene: numbers.amount(get(row), unit, width)),
        help=meaning,
        priority=priority,
        value=value,
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
    write=lambda row, width, scene: shown_name(row, scene.alias(row)),
    help="Name of the slab cache. ~ before it: the numbers of this row are not exact; docs/counting.md says why",
    priority=0,
    value=lambda row: row.name,
    descending=False,
    fields=("name", "cache", "aliases"),
)

FREES = _number(
    "frees",
    "FREES",
    9,
    lambda row: row.frees,
    Unit.OBJECTS,
    write=_frees,
    meaning="Objects freed in the interval; the key f or --frees turns the counting on. ! after the number: the change"
    " of LIVE is not ALLOCS - FREES, because the kernel does not report every allocation or free; trust +/- instead",
    priority=7,
    fields=("frees", "disagrees"),
    metric=MetricType.COUNTER,
)

HISTORY = CacheColumn(
    id="history",
    title="HISTORY",
    width=10,
    most=_LONGEST_HISTORY,
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
        lambda row: row.size,
        Unit.BYTES,
        meaning="Bytes that one object takes in its slab, as in slabtop; - if the objects differ in size",
        priority=3,
        fields=("object_size", "size"),
    ),
    _number(
        "allocs",
        "ALLOCS",
        9,
        lambda row: row.allocs,
        Unit.OBJECTS,
        meaning="Objects allocated in the interval",
        priority=6,
        fields=("allocs",),
        metric=MetricType.COUNTER,
    ),
    FREES,
    _number(
        "bytes",
        "BYTES",
        12,
        lambda row: row.bytes,
        Unit.BYTES,
        meaning="Bytes allocated in the interval: ALLOCS x OBJSIZE",
        priority=8,
        fields=("bytes", "approximate"),
        metric=MetricType.COUNTER,
    ),
    _number(
        "live",
        "LIVE",
        8,
        lambda row: row.live,
        Unit.OBJECTS,
        meaning="Objects in use, as in /proc/slabinfo, with the free objects that a CPU keeps for its next allocations",
        priority=4,
        fields=("live",),
        metric=MetricType.GAUGE,
    ),
    _number(
        "growth",
        "+/-",
        8,
        lambda row: row.live_delta,
        Unit.OBJECTS,
        write=_growth,
        meaning="Change of LIVE in the interval. ^ after the number: LIVE rose in each of the last 10 intervals; may"
        " be a leak",
        priority=5,
        fields=("live_delta",),
    ),
    _number(
        "mem",
        "MEM",
        7,
        lambda row: row.mem,
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


@lru_cache(maxsize=16)  # every row on the screen asks the same
def fit(width: int, longest_name: int, frees: bool = False, gap: int = 1) -> Fitted[CacheRow, Scene]:
    """Return the columns that fit a terminal, with the width of each, in their order.

    The name takes what is left over, but not much more than it needs, so that on a wide terminal the numbers stay
    close to it; the history takes the rest.

    Args:
        width: columns of the terminal.
        longest_name: columns that the longest name takes.
        frees: whether frees are counted.
        gap: columns between two columns.
    """
    shown = [one for one in COLUMNS if frees or one is not FREES]
    return column.fit(shown, width, {NAME.id: longest_name}, gap)
