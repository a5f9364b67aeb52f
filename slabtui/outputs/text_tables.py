"""Tables as text: of caches as slabratetop prints it, and of an inspection. Pure."""

from collections.abc import Callable, Sequence
from typing import Any

from slabtui.columns import held, inspections, numbers, text
from slabtui.columns.caches import Scene
from slabtui.columns.column import Column
from slabtui.model.inspection import InspectionKind, merge_stacks
from slabtui.model.request import InspectionRequest
from slabtui.model.snapshot import CacheRow, Snapshot

# Its columns, with the widths of tools/slabratetop.py of bcc. Longer names and numbers shift what follows, as there.
SLABRATETOP = {"name": 32, "allocs": 6, "bytes": 10}

_WIDE = 22  # columns: every number of 64 bits fits with all its digits, its sign and its mark


def write_caches(
    snapshot: Snapshot,
    rows: Sequence[CacheRow],
    *,
    before: str = "\n",
    alias: Callable[[CacheRow], str] = lambda row: "",
    columns: Sequence[str] = tuple(SLABRATETOP),
) -> str:
    """Return an interval as slabratetop prints it: a line with the time, and a table.

    Args:
        snapshot: the interval.
        rows: the rows that are printed, in this order.
        before: what comes before it.
        alias: returns the alias by which the filter found a row.
        columns: ids of the columns of text; their numbers have all digits.
    """
    scene = Scene(past=lambda row, width: "", alias=alias, leaks=False)
    widths = {text.BY_ID[name]: SLABRATETOP.get(name, text.BY_ID[name].width) for name in columns}
    lines = [f"{numbers.clock(snapshot.time)} loadavg: {snapshot.loadavg}", ""]
    lines.append(" ".join(_align(column, column.title, width) for column, width in widths.items()))
    lines += (
        " ".join(_align(column, column.write(row, _WIDE, scene), width) for column, width in widths.items())
        for row in rows
    )
    return before + "\n".join(line.rstrip() for line in lines) + "\n"


def write_inspection(snapshot: Snapshot, request: InspectionRequest, most: int | None = None) -> str:
    """Return an interval of an inspection as a table; or that there is none, as in a recording of another one.

    Args:
        snapshot: the interval.
        request: the inspection that the user asked for.
        most: how many rows are printed at most; None: all.
    """
    (kind,) = request.kinds
    found = request.find(snapshot)
    if found is None:
        what = "object" if kind is InspectionKind.HELD else kind
        when = "in this interval of the recording" if snapshot.origin.source == "replay" else "yet"
        return f"\n{numbers.clock(snapshot.time)} no {what} of {request.cache} {when}\n"
    estimated = f", one stack in {found.one_in}: ~ are estimates" if found.one_in > 1 else ""
    lost = f", lost {found.lost}" if found.lost else ""
    trouble = f", not counted: {found.trouble}" if found.trouble else ""
    if kind is InspectionKind.HELD:
        estimated = f": {held.summarize(found)}"
    lines = [f"{numbers.clock(snapshot.time)} {kind} of {found.cache}{estimated}{lost}{trouble}", ""]
    columns: Sequence[inspections.InspectionColumn] = held.COLUMNS
    if kind is not InspectionKind.HELD:
        columns = sorted(inspections.COLUMNS[kind], key=lambda column: not column.priority)  # the longest text is last
    scene = inspections.Scene(found)
    rows = merge_stacks(found.rows) if kind is InspectionKind.STACKS else found.rows
    lines.append(" ".join(_align(column, column.title, column.width) for column in columns))
    lines += (
        " ".join(_align(column, column.write(row, _WIDE, scene), column.width) for column in columns)
        for row in rows[:most]
    )
    return "\n" + "\n".join(line.rstrip() for line in lines) + "\n"


def _align(column: Column[Any, Any], written: str, width: int) -> str:
    return written.strip().rjust(width) if column.align == "right" else written.ljust(width)
