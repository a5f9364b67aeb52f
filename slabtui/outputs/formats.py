"""The formats in which snapshots are printed: text, JSON, CSV and folded stacks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter

from slabtui.columns import caches, text
from slabtui.columns.column import MetricType
from slabtui.model.inspection import fold_stacks
from slabtui.model.request import InspectionRequest
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.outputs import csv_tables, text_tables
from slabtui.recording import codec

_CLEAR = "\x1b[H\x1b[2J"  # cursor home, erase the display (ECMA-48)
_BETWEEN = "\n"  # one interval below the other


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
    columns: Sequence[str] = tuple(text_tables.SLABRATETOP),
) -> Format:
    """Return the format of slabratetop.

    If it has other columns than slabratetop, caches in which nothing was allocated are printed if anything else
    happened in them, or if rows are sorted by what caches hold or by their growth, and that is not 0.

    Args:
        interval: seconds, for the heading; None: a recording is printed, which has no heading.
        clear: whether the screen is cleared before each interval.
        alias: returns the alias by which the filter found a row.
        sort: the id of the column of text that rows are sorted by.
        columns: ids of the columns of text that are printed.
    """
    is_plain = {sort, *columns} <= set(text_tables.SLABRATETOP)
    column = text.BY_ID[sort]
    lasting = column.fields if column.metric is MetricType.GAUGE or text.ranks_growth(sort) else ()
    return Format(
        partial(text_tables.write_caches, before=_CLEAR if clear else _BETWEEN, alias=alias, columns=columns),
        heading="" if interval is None else f"Tracing... Output every {interval:g} secs. Hit Ctrl-C to end\n",
        ending=lambda last: "Detaching...\n",
        most=text.MAXROWS,
        shows=(lambda row: row.allocs > 0) if is_plain else partial(_is_shown, lasting=lasting),
    )


def text_columns(chosen: Sequence[str] | None, sort: str, frees: bool) -> tuple[str, ...]:
    """Return the ids of the columns of text.

    Args:
        chosen: the columns that the user names, which are then all; None: those of slabratetop and what it lacks.
        sort: the column that rows are sorted by.
        frees: whether frees are counted.
    """
    if chosen is not None:
        return tuple(chosen)
    wanted = {*text.added_for(sort), *([caches.FREES.id] if frees else [])}
    extra = (one.id for one in text.COLUMNS if one.id in wanted and one.id not in text_tables.SLABRATETOP)
    return (*text_tables.SLABRATETOP, *extra)


def once(form: Format) -> Format:
    """Return a format without the lines that slabratetop prints before the first interval and after the last."""

    def write(snapshot: Snapshot, rows: Sequence[CacheRow]) -> str:
        return form.write(snapshot, rows).removeprefix(_BETWEEN)

    return replace(form, write=write, heading="", ending=lambda last: "")


def with_idle(form: Format) -> Format:
    """Return a format that prints idle caches, too, and all rows unless the user gives a limit."""
    return replace(form, shows=lambda row: True, most=None)


def inspection(request: InspectionRequest, most: int | None) -> Format:
    """Return the format of an inspection as text, with `most` rows at most; None: all."""
    return Format(lambda snapshot, rows: text_tables.write_inspection(snapshot, request, most))


def inspection_csv(request: InspectionRequest, most: int | None) -> Format:
    """Return the format of an inspection as CSV, with `most` rows of an interval at most; None: all."""
    heading = csv_tables.inspection_heading(request)
    return Format(lambda snapshot, rows: csv_tables.write_interval(snapshot, request, most), heading)


def folded(request: InspectionRequest) -> Format:
    """Return the format of the stacks of an inspection for flame graph tools: once, at the end."""

    def fold(last: Snapshot | None) -> str:
        found = request.find(last) if last else None
        return fold_stacks(found.rows) if found else ""

    return Format(lambda snapshot, rows: "", ending=fold)


def _is_shown(row: CacheRow, lasting: tuple[str, ...]) -> bool:
    return row.active or any(getattr(row, name) for name in lasting)


JSON = Format(lambda snapshot, rows: codec.dumps(snapshot, rows) + "\n")
CSV = Format(csv_tables.write_caches, heading=csv_tables.heading())
NONE = Format(lambda snapshot, rows: "", shows=lambda row: False)
