"""Writes snapshots in each of the formats; pure, every function returns what is to be written."""

import csv
import io
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter

from slabtui.columns import caches, inspections
from slabtui.model import inspection
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.recording import codec

_WIDE = 22  # columns, in which every number of 64 bits has all its digits, its sign and its mark
_OF_SLABRATETOP = ("name", "allocs", "bytes")  # its columns, by which it can be sorted too
_HELD: dict[str, Callable[[CacheRow], int | None]] = {"live": attrgetter("live"), "mem": attrgetter("mem")}
_SCENE = caches.Scene(past=lambda row, width: "", alias=lambda row: "", growing=lambda row: False)
MAXROWS = 20  # slabratetop's default

# A spreadsheet computes a cell that begins with one of these: "CSV Injection" of OWASP. Any user can name a process so.
# Also after a semicolon, which joins the parts of a cell here and separates cells where the comma is the decimal mark.
_FORMULA = re.compile("(^|;)(?=[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20])")

_CLEAR = "\x1b[H\x1b[2J"  # cursor home, erase the display (ECMA-48)


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write snapshots.

    Attributes:
        write: returns the text of an interval.
        heading: what comes first.
        ending: returns what comes last, given the last snapshot, None if there was none.
        most: how many rows are written unless the user says otherwise; None: all.
        shows: which rows are worth writing.
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
    """Return the format of slabratetop, which says what it does, and clears the screen before an interval or not.

    Args:
        interval: seconds; None: nothing is being traced, a recording is shown.
        clear: whether to clear the screen.
        alias: returns the alias by which a row was found.
        sort: the id of the column that rows are sorted by. One that slabratetop does not have is printed too, and
            with it the rows that have not allocated but have a number there.
        frees: whether frees are printed too.
    """
    wanted = {sort, caches.FREES.id} if frees else {sort}
    extra = tuple(column for column in caches.COLUMNS if column.id in wanted and column.id not in _OF_SLABRATETOP)
    return Format(
        write=partial(text, before=_CLEAR if clear else "\n", alias=alias, extra=extra),
        heading="" if interval is None else f"Tracing... Output every {interval:g} secs. Hit Ctrl-C to end\n",
        ending=lambda last: "Detaching...\n",
        most=MAXROWS,
        shows=partial(_shows, held=_HELD.get(sort)) if extra else attrgetter("allocs"),
    )


def with_idle(form: Format) -> Format:
    """Return a format that writes idle caches too, and all rows unless the user limits them."""
    return replace(form, shows=lambda row: True, most=None)


def _shows(row: CacheRow, held: Callable[[CacheRow], int | None] | None) -> bool:
    return row.active or bool(held and held(row))


def text(
    snapshot: Snapshot,
    rows: Sequence[CacheRow],
    before: str = "\n",
    alias: Callable[[CacheRow], str] = lambda row: "",
    extra: Sequence[caches.Column] = (),
) -> str:
    """Return an interval as slabratetop prints it, after a blank line or whatever else is to come before.

    Extra columns stand behind those of slabratetop, with all digits of their numbers.

    The widths and the empty line below the load average are those of tools/slabratetop.py in bcc: name 32, allocs 6,
    bytes 10. Longer names and numbers move what follows them, as there.
    """
    clock = time.strftime("%H:%M:%S", time.localtime(snapshot.time))
    titles = "".join(f" {column.title:>{column.width}}" for column in extra)
    lines = [f"{clock:<8} loadavg: {snapshot.loadavg}", "", f"{'CACHE':<32} {'ALLOCS':>6} {'BYTES':>10}{titles}"]
    for row in rows:
        more = "".join(f" {column.write(row, _WIDE, _SCENE).strip():>{column.width}}" for column in extra)
        lines.append(f"{caches.shown_name(row, alias(row)):<32} {row.allocs:>6} {row.bytes:>10}{more}")
    return before + "\n".join(lines) + "\n"


def look_at(wanted: inspection.Request, most: int | None) -> Format:
    """Return the format of a close look at one cache, with so many entries at most."""
    return Format(write=partial(look, wanted=wanted, most=most))


def look(
    snapshot: Snapshot, rows: Sequence[CacheRow] = (), *, wanted: inspection.Request, most: int | None = None
) -> str:
    """Return an interval of a close look: who allocated, most allocations since the look began first.

    A recording may have a look at another cache, or of another kind; that is as good as none.
    """
    found = snapshot.detail
    clock = time.strftime("%H:%M:%S", time.localtime(snapshot.time))
    if found is None or found.kind is not wanted.kind or not _names(snapshot, found.cache, wanted.cache):
        return f"\n{clock} nothing seen of that cache so far\n"
    estimated = f", one stack in {found.one_in}: ~ are estimates" if found.one_in > 1 else ""
    lost = f", lost {found.lost}" if found.lost else ""
    lines = [f"{clock} {found.kind} of {found.cache}{estimated}{lost}", ""]
    fields = inspections.FIELDS[found.kind]
    lines.append(" ".join(_aligned(field.title, field) for field in fields))
    lines += (
        " ".join(_aligned(field.write(entry, found, _WIDE), field) for field in fields)
        for entry in found.entries[:most]
    )
    return "\n" + "\n".join(written.rstrip() for written in lines) + "\n"


def _names(snapshot: Snapshot, name: str, wanted: int | str | None) -> bool:
    """Tell whether what is wanted is this cache, by its name or an alias."""
    return wanted == name or any(wanted in row.aliases for row in snapshot.rows if row.name == name)


def _aligned(written: str, field: inspections.Field) -> str:
    return written.rjust(field.width) if field.align == "right" else written.ljust(field.width)


def folded(last: Snapshot | None) -> str:
    """Return all stacks of a look, for flame graph tools."""
    return inspection.folded(last.detail.entries) if last is not None and last.detail is not None else ""


def json_line(snapshot: Snapshot, rows: Sequence[CacheRow]) -> str:
    """Return an interval as one line of JSON."""
    return codec.dumps(snapshot, rows) + "\n"


def csv_heading(names: Sequence[str] = codec.ALL_FIELDS) -> str:
    """Return the first line of CSV output."""
    return _csv([["time", "elapsed_s", *names]])


def csv_rows(snapshot: Snapshot, rows: Sequence[CacheRow], names: Sequence[str] = codec.ALL_FIELDS) -> str:
    """Return an interval as one line of CSV for each cache, with these fields."""
    when = [codec.iso(snapshot.time), f"{snapshot.elapsed:.6f}"]
    return _csv([[*when, *(_cell(value) for value in codec.values(row, names).values())] for row in rows])


def csv_entries(found: inspection.Inspection) -> str:
    """Return a close look as CSV: one line for each entry, after one with the names of the fields."""
    values = [codec.entry_values(found.kind, entry) for entry in found.entries]
    names = codec.entry_fields(found.kind)
    return _csv([names, *([_cell(one[name]) for name in names] for one in values)])


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = ";".join(value) if isinstance(value, tuple) else value
    return _FORMULA.sub(r"\1'", text) if isinstance(text, str) else text


def _csv(lines: Iterable[Sequence[object]]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(lines)
    return written.getvalue()


JSON = Format(json_line)
FOLDED = Format(lambda snapshot, rows: "", ending=folded)
CSV = Format(csv_rows, heading=csv_heading())
