"""Lines that have only what changed since the line before: they take a tenth of the room, and no value is lost.

A field of a row that is left out has the value that is expected, by the row before and by the fields that are given. A
row is left out if that is true of all its fields. docs/output.md describes these lines.
"""

from collections.abc import Callable
from typing import Any

from slabtui.model.snapshot import RATE_DIGITS, Snapshot
from slabtui.recording import bounds, codec, lines
from slabtui.recording.checks import brief
from slabtui.recording.codec import ROW_FIELDS, SchemaError

NAME = "slabtui/2-changes"

_HOUR = 3600  # seconds

Row = dict[str, Any]  # a row as JSON has it, with all its fields


def _sum(one: Any, other: Any) -> Any:
    """Return a sum; the first value where one of them is no number."""
    return one + other if isinstance(one, int) and isinstance(other, int) else one


def _expect_bytes(_: Row, now: Row) -> Any:
    allocs, size = now["allocs"], now["size"]
    return allocs * size if isinstance(allocs, int) and isinstance(size, int) else 0


def _expect_live_delta(before: Row, now: Row) -> Any:
    live, earlier = now["live"], before["live"]
    return live - earlier if isinstance(live, int) and isinstance(earlier, int) else before["live_delta"]


def _expect_objects_s(before: Row, now: Row) -> Any:
    """Return the growth in objects per second as the growth in bytes per hour says it, which has more digits."""
    rate, size = now["growth_bytes_h"], now["size"]
    if not (isinstance(rate, float) and isinstance(size, int) and size):
        return before["growth_objects_s"]
    return round(rate / _HOUR / size, RATE_DIGITS) + 0.0  # -0.0 becomes 0.0


# What is expected of a field, by the row before and by the other fields now; of any other field the value before.
_EXPECTED: dict[str, Callable[[Row, Row], Any]] = {
    "allocs": lambda before, now: 0,
    "bytes": _expect_bytes,
    "frees": lambda before, now: None if before["frees"] is None else 0,
    "live_delta": _expect_live_delta,
    "total_allocs": lambda before, now: _sum(before["total_allocs"], now["allocs"]),
    "total_bytes": lambda before, now: _sum(before["total_bytes"], now["bytes"]),
    "total_frees": lambda before, now: _sum(before["total_frees"], now["frees"]),
    "growth_objects_s": _expect_objects_s,
}
_STEADY = tuple(name for name in ROW_FIELDS if name not in _EXPECTED)


class ChangeEncoder:
    """Makes lines of snapshots, one after the other: the first one is whole, and each later one has what changed.

    Rows keep the order in which their caches were first seen.
    """

    def __init__(self) -> None:
        self._known: dict[str, Row] | None = None

    def encode(self, snapshot: Snapshot) -> bytes:
        """Return the line of the next snapshot."""
        now = {row["cache"]: row for row in map(codec.row_fields, snapshot.rows)}
        before = self._known
        if before is None:
            self._known = now
            return lines.whole(snapshot)
        gone = [key for key in before if key not in now]
        known = {key: now[key] for key in before if key in now}
        changes = [_changes(before[key], row) for key, row in known.items()]
        changes += [codec.shorten(dict(row)) for key, row in now.items() if key not in before]
        changed = [row for row in changes if row is not None]
        self._known = known | now
        return lines.line(snapshot, lambda bounded: codec.dumps_fields(bounded, changed, NAME, gone))


class ChangeDecoder:
    """Makes whole lines of those of one stream, one after the other."""

    def __init__(self) -> None:
        self._whole: Row | None = None  # the last whole line, until changes follow it
        self._known: dict[str, Row] | None = None
        self._moving: set[str] = set()  # keys of the last line: a row that was left out of it stays as it is now

    def restore(self, found: Row) -> Row:
        """Return a line, parsed, with all its rows and all their fields.

        Raises:
            SchemaError: it has changes of what is not known.
        """
        if found["schema"] != NAME:
            self._whole = found
            return found
        if self._whole is not None:
            self._known, self._whole = _fill(_keyed(self._whole)), None
            self._moving = set(self._known)
        known, given, gone = self._known, _keyed(found), found.get("gone", [])
        if known is None:
            raise SchemaError("changes of a line that is missing")
        if not isinstance(gone, list) or not all(isinstance(key, str) for key in gone):
            raise SchemaError(f"gone is {brief(gone)}")
        for key in gone:
            known.pop(key, None)
        new = {key: row for key, row in given.items() if key not in known}
        for key in (self._moving | given.keys()) & known.keys():
            known[key] = _restore(known[key], given.get(key, {}))
        known |= _fill(new)
        self._moving = set(given)
        if len(known) > bounds.MOST_CACHES:
            raise SchemaError(f"changes of more than {bounds.MOST_CACHES} caches")
        return found | {"schema": codec.NAME, "caches": list(known.values())}


def _changes(before: Row, now: Row) -> Row | None:
    """Return the fields of a row that are not expected, with its key; None: there are none."""
    found = {name: now[name] for name in _STEADY if now[name] != before[name]}
    found |= {name: now[name] for name, expect in _EXPECTED.items() if now[name] != expect(before, now)}
    return {"cache": now["cache"], **found} if found else None


def _restore(before: Row, given: Row) -> Row:
    """Return the row of which these fields are given: the same object, if nothing happens in its cache any more."""
    now = before | given
    try:
        for name, expect in _EXPECTED.items():
            if name not in given:
                now[name] = expect(before, now)
    except KeyError as error:
        raise SchemaError(f"{error.args[0]} is missing") from error
    return before if now == before else now


def _fill(rows: dict[str, Row]) -> dict[str, Row]:
    """Return whole rows with the fields that they leave out."""
    return {key: codec.left_out(row) | row for key, row in rows.items()}


def _keyed(line: Row) -> dict[str, Row]:
    """Return the rows of a line by their keys, which are all that is checked here; the decoder checks whole rows."""
    rows = line.get("caches")
    if not isinstance(rows, list):
        raise SchemaError("caches is missing")
    found = {}
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("cache"), str):
            raise SchemaError("a cache without a key")
        found[row["cache"]] = row
    return found
