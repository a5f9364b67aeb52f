"""Writes snapshots in each of the formats; pure, every function returns what is to be written."""

import csv
import io
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from slabtui import columns, schema
from slabtui.snapshot import CacheRow, Snapshot

MAXROWS = 20  # slabratetop's default

_CLEAR = "\x1b[H\x1b[2J"  # cursor home, erase the display (ECMA-48)


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write snapshots.

    Attributes:
        write: returns the text of an interval.
        heading: what comes first.
        ending: what comes last.
        most: how many rows are written unless the user says otherwise; None: all.
    """

    write: Callable[[Snapshot, Sequence[CacheRow]], str]
    heading: str = ""
    ending: str = ""
    most: int | None = None


def slabratetop(interval: float | None, clear: bool) -> Format:
    """Return the format of slabratetop, which says what it does, and clears the screen before an interval or not.

    Args:
        interval: seconds; None: nothing is being traced, a recording is shown.
        clear: whether to clear the screen.
    """
    return Format(
        write=partial(text, before=_CLEAR if clear else "\n"),
        heading="" if interval is None else f"Tracing... Output every {interval:g} secs. Hit Ctrl-C to end\n",
        ending="Detaching...\n",
        most=MAXROWS,
    )


def text(snapshot: Snapshot, rows: Sequence[CacheRow], before: str = "\n") -> str:
    """Return an interval as slabratetop prints it, after a blank line or whatever else is to come before.

    The widths and the empty line below the load average are those of tools/slabratetop.py in bcc: name 32, allocs 6,
    bytes 10. Longer names and numbers move what follows them, as there.
    """
    clock = time.strftime("%H:%M:%S", time.localtime(snapshot.time))
    lines = [f"{clock:<8} loadavg: {snapshot.loadavg}", "", f"{'CACHE':<32} {'ALLOCS':>6} {'BYTES':>10}"]
    lines += [f"{columns.shown_name(row):<32} {row.allocs:>6} {row.bytes:>10}" for row in rows]
    return before + "\n".join(lines) + "\n"


def json_line(snapshot: Snapshot, rows: Sequence[CacheRow]) -> str:
    """Return an interval as one line of JSON."""
    return schema.dumps(snapshot, rows) + "\n"


def csv_heading(names: Sequence[str] = schema.ALL_FIELDS) -> str:
    """Return the first line of CSV output."""
    return _csv([["time", "elapsed_s", *names]])


def csv_rows(snapshot: Snapshot, rows: Sequence[CacheRow], names: Sequence[str] = schema.ALL_FIELDS) -> str:
    """Return an interval as one line of CSV for each cache, with these fields."""
    when = [schema.iso(snapshot.time), f"{snapshot.elapsed:.6f}"]
    return _csv([[*when, *(_cell(value) for value in schema.values(row, names).values())] for row in rows])


def _cell(value: object) -> object:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value


def _csv(lines: Iterable[Sequence[object]]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(lines)
    return written.getvalue()


JSON = Format(json_line)
CSV = Format(csv_rows, heading=csv_heading())
