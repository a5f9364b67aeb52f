"""The columns of the table: one record each, from which the table, the command line and every output take theirs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from slabtui import text
from slabtui.model.snapshot import CacheRow

_UNKNOWN = "-"  # or not one number
_LONGEST_HISTORY = 60  # columns: a minute at the usual interval
_COMFORTABLE = 32  # columns for the name on a wide terminal, so that it does not jump with every longer name
_UNKNOWN_LAST = -(1 << 64)  # sorts below every known number


@dataclass(frozen=True, slots=True)
class Scene:
    """What a cell may show beside its row's own numbers.

    Attributes:
        past: draws the row's last intervals in so many columns.
        alias: returns the alias by which the row was found; empty if it was found by its name.
        growing: tells whether the cache grew in each of the last intervals.
    """

    past: Callable[[CacheRow, int], str]
    alias: Callable[[CacheRow], str]
    growing: Callable[[CacheRow], bool]


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        id: its name on the command line.
        title: its heading.
        width: columns of the terminal that it takes; the name's is its least.
        align: where its text stands.
        value: what it sorts by; None: one cannot sort by it.
        write: its text for a row, in at most the given width, in its scene.
        descending: whether the first sort by it puts the largest on top.
        help: what it means, with its unit.
        priority: the higher, the longer it stays when the terminal is narrow; 0 never goes.
        fields: the fields of a row that belong to it in JSON and CSV.
    """

    id: str
    title: str
    width: int
    align: Literal["left", "right"]
    value: Callable[[CacheRow], int | str] | None
    write: Callable[[CacheRow, int, Scene], str]
    descending: bool
    help: str
    priority: int
    fields: tuple[str, ...] = ()


def shown_name(row: CacheRow, alias: str = "") -> str:
    """Return the name as people see it, marked where it is not exact, with the alias that was asked for."""
    name = f"~{row.name}" if row.approximate else row.name
    return f"{name} ({alias})" if alias else name


def _known(number: int | None) -> int:
    return _UNKNOWN_LAST if number is None else number


def _count(number: int | None, width: int) -> str:
    return _UNKNOWN if number is None else text.count(number, width)


def _size(number: int | None, width: int) -> str:
    return _UNKNOWN if number is None else text.size(number, width)


def _frees(row: CacheRow, width: int) -> str:
    return _count(row.frees, width - 1) + ("!" if row.disagrees else " ")


def _growth(row: CacheRow, width: int, scene: Scene) -> str:
    if row.live_delta is None:
        return f"{_UNKNOWN} "
    sign = "+" if row.live_delta > 0 else ""
    return sign + text.count(row.live_delta, width - 2) + ("^" if scene.growing(row) else " ")


NAME = Column(
    id="name",
    title="CACHE",
    width=14,
    align="left",
    value=lambda row: row.name,
    write=lambda row, width, scene: shown_name(row, scene.alias(row)),
    descending=False,
    help="Name of the slab cache; ~ before it: not exact, see docs/counting.md",
    priority=0,
    fields=("name", "cache", "aliases"),
)

FREES = Column(
    id="frees",
    title="FREES",
    width=9,
    align="right",
    value=lambda row: _known(row.frees),
    write=lambda row, width, scene: _frees(row, width),
    descending=True,
    help="Objects freed in the interval, while f has them counted; !: ALLOCS - FREES do not explain how LIVE changed"
    " since: objects come or go in ways that no tracepoint tells (in bulk, by kfree_rcu), and +/- is right",
    priority=7,
    fields=("frees", "disagrees"),
)

HISTORY = Column(
    id="history",
    title="HISTORY",
    width=10,
    align="right",
    value=None,
    write=lambda row, width, scene: scene.past(row, width),
    descending=True,
    help="Rate of allocations in the last intervals, the newest at the right, each row against its own maximum",
    priority=2,
)

COLUMNS = (
    NAME,
    Column(
        id="objsize",
        title="OBJSIZE",
        width=8,
        align="right",
        value=lambda row: _known(row.size),
        write=lambda row, width, scene: _size(row.size, width),
        descending=True,
        help="Bytes that one object takes in its slab, as in slabtop; -: the sizes differ",
        priority=3,
        fields=("object_size", "size"),
    ),
    Column(
        id="allocs",
        title="ALLOCS",
        width=9,
        align="right",
        value=lambda row: row.allocs,
        write=lambda row, width, scene: text.count(row.allocs, width),
        descending=True,
        help="Objects allocated in the interval",
        priority=6,
        fields=("allocs",),
    ),
    FREES,
    Column(
        id="bytes",
        title="BYTES",
        width=12,
        align="right",
        value=lambda row: row.bytes,
        write=lambda row, width, scene: text.size(row.bytes, width),
        descending=True,
        help="Bytes allocated in the interval: ALLOCS x OBJSIZE",
        priority=8,
        fields=("bytes", "approximate"),
    ),
    Column(
        id="live",
        title="LIVE",
        width=8,
        align="right",
        value=lambda row: _known(row.live),
        write=lambda row, width, scene: _count(row.live, width),
        descending=True,
        help="Objects in use, as in /proc/slabinfo: those included that lie free in a CPU's own slabs",
        priority=4,
        fields=("live",),
    ),
    Column(
        id="growth",
        title="+/-",
        width=8,
        align="right",
        value=lambda row: _known(row.live_delta),
        write=_growth,
        descending=True,
        help="Change of LIVE in the interval; ^: it grew in each of the last 10 intervals, which may be a leak",
        priority=5,
        fields=("live_delta",),
    ),
    Column(
        id="mem",
        title="MEM",
        width=7,
        align="right",
        value=lambda row: _known(row.mem),
        write=lambda row, width, scene: _size(row.mem, width),
        descending=True,
        help="Memory that the cache holds, used and free objects, in bytes",
        priority=1,
        fields=("mem",),
    ),
    HISTORY,
)

SORTS = {column.id: column.value for column in COLUMNS if column.value is not None}  # what each id sorts by
BY_ID = {column.id: column for column in COLUMNS}
DEFAULT_SORT = "bytes"


@lru_cache(maxsize=16)  # every row on the screen asks the same
def fitting(width: int, longest_name: int, frees: bool = False, gap: int = 1) -> tuple[tuple[Column, int], ...]:
    """Return the columns that fit a terminal, with the width of each, in their order.

    The least important go first. The name takes what is left, but not much more than it needs, so that on a wide
    terminal the numbers stay where the eye finds them; then the history does.

    Args:
        width: columns of the terminal.
        longest_name: columns that the longest name takes.
        frees: whether frees are counted.
        gap: columns between two columns.
    """
    kept = [column for column in COLUMNS if frees or column is not FREES]
    while _needed(kept, gap) > width and len(kept) > 1:
        kept.remove(min((column for column in kept if column.priority), key=lambda column: column.priority))
    spare = width - _needed(kept, gap)
    name = max(1, NAME.width + min(spare, max(_COMFORTABLE, longest_name) - NAME.width))
    history = min(_LONGEST_HISTORY, HISTORY.width + max(0, spare + NAME.width - name))
    widths = {NAME.id: name, HISTORY.id: history}
    return tuple((column, widths.get(column.id, column.width)) for column in kept)


def _needed(columns: list[Column], gap: int) -> int:
    return sum(column.width for column in columns) + gap * (len(columns) - 1)
