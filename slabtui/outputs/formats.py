"""The formats in which snapshots are printed: text, JSON, CSV and folded stacks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter

from slabtui.columns import caches
from slabtui.columns.column import MetricType
from slabtui.model.inspection import InspectionKind, fold_stacks
from slabtui.model.request import InspectionRequest
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.outputs import csv_tables, text_tables
from slabtui.recording import codec

MAXROWS = 20  # slabratetop's default

_CLEAR = "\x1b[H\x1b[2J"  # cursor home, erase the display (ECMA-48)


@dataclass(frozen=True, slots=True)
class Format:
    """A way to print snapshots.

    Attributes:
        write: returns the text of an interval, with these rows of it.
        heading: the text before the first interval.
        ending: returns the text after the last interval; it is given the last snapshot, None if there was none.
        most: how many rows are printed unless the user gives another number; None: all.
        shows: whether a row is worth printing.
    """

    write: Callable[[Snapshot, Sequence[CacheRow]], str]
    heading: str = ""
    ending: Callable[[Snapshot | None], str] = lambda last: ""
    most: int | None = None
    shows: Callable[[CacheRow], bool] = attrgetter("active")


def slabratetop(
    interval: float | None,
    clear: bool,
    alias: Callable[[CacheRow], str] = lambda row: "",
    *,
    sort: str = caches.DEFAULT_SORT,
    frees: bool = False,
) -> Format:
    """Return the format of slabratetop.

    Args:
        interval: seconds, for the heading; None: a recording is printed, which has no heading.
        clear: whether the screen is cleared before each interval.
        alias: returns the alias by which the filter found a row.
        sort: the id of the column that rows are sorted by. A column that slabratetop does not have is printed, too;
            then caches in which nothing was allocated are printed if anything else happened in them, or if the column
            says what they hold and that is not 0.
        frees: whether frees are printed, too.
    """
    wanted = {sort, caches.FREES.id} if frees else {sort}
    extra = tuple(one for one in caches.COLUMNS if one.id in wanted and one not in text_tables.SLABRATETOP)
    column = caches.BY_ID[sort]
    held = column.fields if column.metric is MetricType.GAUGE else ()
    return Format(
        partial(text_tables.write_caches, before=_CLEAR if clear else "\n", alias=alias, extra=extra),
        heading="" if interval is None else f"Tracing... Output every {interval:g} secs. Hit Ctrl-C to end\n",
        ending=lambda last: "Detaching...\n",
        most=MAXROWS,
        shows=partial(_is_shown, held=held) if extra else lambda row: row.allocs > 0,
    )


def with_idle(form: Format) -> Format:
    """Return a format that prints idle caches, too, and all rows unless the user gives a limit."""
    return replace(form, shows=lambda row: True, most=None)


def inspection(request: InspectionRequest, most: int | None) -> Format:
    """Return the format of an inspection as text, with `most` rows at most; None: all."""
    return Format(lambda snapshot, rows: text_tables.write_inspection(snapshot, request, most))


def _is_shown(row: CacheRow, held: tuple[str, ...]) -> bool:
    return row.active or any(getattr(row, name) for name in held)


def _fold(last: Snapshot | None) -> str:
    found = None if last is None else last.inspection(InspectionKind.STACKS)
    return "" if found is None else fold_stacks(found.rows)


JSON = Format(lambda snapshot, rows: codec.dumps(snapshot, rows) + "\n")
CSV = Format(csv_tables.write_caches, heading=csv_tables.heading())
FOLDED = Format(lambda snapshot, rows: "", ending=_fold)
