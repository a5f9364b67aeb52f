"""The columns of the table: one record each, from which the table, the command line and every output take theirs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from slabtui import text
from slabtui.snapshot import CacheRow

_VARIES = "-"
_LONGEST_HISTORY = 60  # columns: a minute at the usual interval
_COMFORTABLE = 32  # columns for the name on a wide terminal, so that it does not jump with every longer name


Past = Callable[[CacheRow, int], str]  # draws a row's last intervals in so many columns


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        id: its name on the command line.
        title: its heading.
        width: columns of the terminal that it takes; the name's is its least.
        align: where its text stands.
        value: what it sorts by; None: one cannot sort by it.
        write: its text for a row, in at most the given width, given what came before.
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
    write: Callable[[CacheRow, int, Past], str]
    descending: bool
    help: str
    priority: int
    fields: tuple[str, ...] = ()


def shown_name(row: CacheRow) -> str:
    """Return the name as people see it, marked where it stands for a size class."""
    return f"~{row.name}" if row.approximate else row.name


def _objsize(row: CacheRow, width: int) -> str:
    return _VARIES if row.size is None else text.size(row.size, width)


NAME = Column(
    id="name",
    title="CACHE",
    width=14,
    align="left",
    value=lambda row: row.name,
    write=lambda row, width, past: shown_name(row),
    descending=False,
    help="Name of the slab cache; ~ before it: a kmalloc size class, not an exact cache",
    priority=0,
    fields=("name", "cache"),
)

HISTORY = Column(
    id="history",
    title="HISTORY",
    width=20,
    align="right",
    value=None,
    write=lambda row, width, past: past(row, width),
    descending=True,
    help="Rate of allocations in the last intervals, the newest at the right, each row against its own maximum",
    priority=1,
)

COLUMNS = (
    NAME,
    Column(
        id="objsize",
        title="OBJSIZE",
        width=8,
        align="right",
        value=lambda row: -1 if row.size is None else row.size,
        write=lambda row, width, past: _objsize(row, width),
        descending=True,
        help="Bytes that one object takes in its slab, as in slabtop; -: the sizes differ",
        priority=2,
        fields=("object_size", "size"),
    ),
    Column(
        id="allocs",
        title="ALLOCS",
        width=9,
        align="right",
        value=lambda row: row.allocs,
        write=lambda row, width, past: text.count(row.allocs, width),
        descending=True,
        help="Objects allocated in the interval",
        priority=3,
        fields=("allocs",),
    ),
    Column(
        id="bytes",
        title="BYTES",
        width=12,
        align="right",
        value=lambda row: row.bytes,
        write=lambda row, width, past: text.size(row.bytes, width),
        descending=True,
        help="Bytes allocated in the interval: ALLOCS x OBJSIZE",
        priority=4,
        fields=("bytes", "approximate"),
    ),
    HISTORY,
)

SORTS = {column.id: column.value for column in COLUMNS if column.value is not None}  # what each id sorts by
BY_ID = {column.id: column for column in COLUMNS}
DEFAULT_SORT = "bytes"


@lru_cache(maxsize=16)  # every row on the screen asks the same
def fitting(width: int, longest_name: int, gap: int = 1) -> tuple[tuple[Column, int], ...]:
    """Return the columns that fit a terminal, with the width of each, in their order.

    The least important go first. The name takes what is left, but not much more than it needs, so that on a wide
    terminal the numbers stay where the eye finds them; then the history does.

    Args:
        width: columns of the terminal.
        longest_name: columns that the longest name takes.
        gap: columns between two columns.
    """
    kept = list(COLUMNS)
    while _needed(kept, gap) > width and len(kept) > 1:
        kept.remove(min((column for column in kept if column.priority), key=lambda column: column.priority))
    spare = width - _needed(kept, gap)
    name = max(1, NAME.width + min(spare, max(_COMFORTABLE, longest_name) - NAME.width))
    history = min(_LONGEST_HISTORY, HISTORY.width + max(0, spare + NAME.width - name))
    widths = {NAME.id: name, HISTORY.id: history}
    return tuple((column, widths.get(column.id, column.width)) for column in kept)


def _needed(columns: list[Column], gap: int) -> int:
    return sum(column.width for column in columns) + gap * (len(columns) - 1)
