"""The tables of a report: caches by memory, growth and rate of allocation; slab memory; the host. Pure."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from slabtui.columns import caches, leaks, memory, numbers, text
from slabtui.columns.caches import CacheColumn, Scene
from slabtui.columns.document import Head, Table
from slabtui.columns.numbers import Style, Unit
from slabtui.columns.units import Basis, Units
from slabtui.model.host import HostGrowth
from slabtui.model.memory import MemoryReport
from slabtui.model.report import Moment, Report
from slabtui.model.snapshot import CacheRow, Snapshot

_MOST_ROWS = 15  # of a table of caches: more belong into the JSON
_HOUR = 3600  # seconds

_COLUMNS = {column.id: column for column in caches.on_screen(Style.HUMAN, Basis.SECOND)}
_COLUMNS = {column.id: column for column in leaks.on_screen(Style.HUMAN)} | _COLUMNS


def list_by_memory(run: Snapshot) -> Table:
    """Return the caches that hold most memory."""
    rows = [row for row in run.rows if row.mem]
    return _tabulate(run, ("mem", "live", "objsize", "growth", "reclaim"), rows, lambda row: row.mem or 0)


def list_by_growth(run: Snapshot) -> Table:
    """Return the caches that grow: those that grow as a leak does first, reclaimable ones last."""
    rows = [row for row in run.rows if (row.growth_bytes_h or 0) > 0]
    return _tabulate(run, ("leak", "rate", "share", "live", "mem", "reclaim"), rows, text.sort_value("growth"))


def list_by_allocations(run: Snapshot) -> Table:
    """Return the caches that allocate most objects."""
    rows = [row for row in run.rows if row.allocs]
    return _tabulate(run, ("allocs", "bytes", "objsize", "live", "mem"), rows, lambda row: row.allocs)


def list_slab(report: Report) -> Table:
    """Return the slab memory of the host and its parts: at the beginning, at the end, and how it grows."""
    growth = report.run.growth or HostGrowth(0)
    total = report.run.memory.total if report.run.memory else None
    heads = (
        Head("SLAB", is_number=False),
        Head("NOW", "At the end of the run"),
        Head("CHANGE", "Since the beginning of the run"),
        Head("GROWTH/h", "A robust slope over the run, which single jumps do not change; -: not known"),
        Head("SHARE", "Share of the RAM of the host"),
    )
    return Table(
        heads,
        (
            _list_amount("total", report.moments, lambda one: one.slab, total, growth.slab_bytes_s),
            _list_amount("reclaimable", report.moments, lambda one: one.reclaimable, total, None),
            _list_amount(
                "unreclaimable", report.moments, lambda one: one.unreclaimable, total, growth.unreclaimable_bytes_s
            ),
        ),
    )


def list_memory(report: MemoryReport) -> Table:
    """Return where the memory of the host is."""
    heads = (
        Head("PART", is_number=False),
        Head("NOW"),
        Head("SHARE", "Share of the RAM of the host"),
        Head(f"CHANGE IN {numbers.duration(report.seconds)}", "^: it grows by more than its noise, and stays"),
    )
    parts = memory.list_parts(report)
    return Table(heads, tuple((title, size, share, change + mark) for title, size, share, change, mark in parts))


def write_bytes(number: float | None, *, is_change: bool = False) -> str:
    """Return bytes for people: `1.23MiB`, a change with its sign; `-` where unknown."""
    if number is None:
        return numbers.UNKNOWN
    return ("+" if is_change and number > 0 else "") + f"{numbers.human(round(number), Unit.BYTES)}B"


def _list_amount(
    name: str,
    moments: Sequence[Moment],
    get: Callable[[Moment], int | None],
    total: int | None,
    growth_bytes_s: float | None,
) -> tuple[str, ...]:
    begin, end = (get(moments[0]), get(moments[-1])) if moments else (None, None)
    return (
        name,
        write_bytes(end),
        write_bytes(None if begin is None or end is None else end - begin, is_change=True),
        write_bytes(None if growth_bytes_s is None else growth_bytes_s * _HOUR, is_change=True),
        numbers.UNKNOWN if end is None or not total else numbers.percent(end / total),
    )


def _tabulate(run: Snapshot, names: Iterable[str], rows: Iterable[CacheRow], value: Callable[[CacheRow], Any]) -> Table:
    """Return a table with these columns of the screen, of the rows with the largest values."""
    columns = [caches.NAME, *(_COLUMNS[name] for name in names)]
    reclaimable = leaks.reclaimable_names(run.rows)
    scene = Scene(
        past=lambda row, width: "",
        alias=lambda row: "",
        units=Units(Style.HUMAN, Basis.SECOND, run.elapsed),
        reclaimable=reclaimable,
        all_growth=leaks.all_growth(run.rows, reclaimable),
    )
    best = sorted(sorted(rows, key=lambda row: row.name), key=value, reverse=True)[:_MOST_ROWS]
    cells = (tuple(_write_cell(column, row, scene) for column in columns) for row in best)
    return Table(tuple(map(_head, columns)), tuple(cells))


def _write_cell(column: CacheColumn, row: CacheRow, scene: Scene) -> str:
    """Return a cell without the spaces that put units and marks below each other on a terminal."""
    written = column.write(row, column.width, scene)
    return written.strip() if column.align == "left" else written.replace(" ", "")


def _head(column: CacheColumn) -> Head:
    return Head(column.title, column.help, column.unit is not None)
