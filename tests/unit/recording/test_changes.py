"""Lines of changes: what is decoded is what was encoded, for any change; and what is wrong is one line."""

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.recording.changes import NAME, ChangeEncoder
from slabtui.recording.codec import SchemaError
from slabtui.recording.decoder import Decoder
from tests.support.fakes import cache, snapshot
from tests.support.flight import as_replayed, day

COUNTS = st.integers(0, (1 << 64) - 1)
RATES = st.one_of(st.none(), st.floats(-1e9, 1e9).map(lambda rate: round(rate, 3) + 0.0))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "size": st.one_of(st.none(), st.integers(1, 8192)),
    "object_size": st.one_of(st.none(), st.integers(1, 8192)),
    "aliases": st.lists(st.sampled_from(["a", "b"]), max_size=2).map(tuple),
    "reclaimable": st.one_of(st.none(), st.booleans()),
    "approximate": st.booleans(),
    "live": st.one_of(st.none(), COUNTS),
    "mem": st.one_of(st.none(), COUNTS),
    "disagrees": st.one_of(st.none(), st.booleans()),
    "total_allocs": COUNTS,
    "total_bytes": COUNTS,
    "total_frees": st.one_of(st.none(), COUNTS),
    "allocs": COUNTS,
    "bytes": COUNTS,
    "frees": st.one_of(st.none(), COUNTS),
    "live_delta": st.one_of(st.none(), st.integers(-1000, 1000)),
    "growth_objects_s": RATES,
    "recent_objects_s": RATES,
    "growth_bytes_h": RATES,
    "growing": st.one_of(st.none(), st.booleans()),
    "grows_with": st.lists(st.sampled_from(["a", "b"]), max_size=2).map(tuple),
}


def row(number: int) -> st.SearchStrategy[CacheRow]:
    return st.fixed_dictionaries({}, optional=VALUES).map(lambda given: replace(cache(number), **given))


SNAPSHOTS = st.lists(
    st.lists(st.integers(0, 5), unique=True).flatmap(lambda numbers: st.tuples(*map(row, numbers))),
    min_size=1,
    max_size=5,
).map(lambda given: [snapshot(*rows, time=1000.0 + at) for at, rows in enumerate(given)])


def decoded(lines: list[bytes]) -> list[Snapshot]:
    decoder = Decoder()
    return [decoder.decode(line) for line in lines]


def ordered(snapshots: list[Snapshot]) -> list[Snapshot]:
    """Return snapshots with their rows in one order: lines of changes have that of the first sight."""
    return [replace(one, rows=tuple(sorted(one.rows, key=lambda row: row.cache))) for one in snapshots]


def encoded(snapshots: list[Snapshot]) -> list[bytes]:
    encoder = ChangeEncoder()
    return [encoder.encode(one) for one in snapshots]


def test_every_field_of_a_row_is_among_those_that_change() -> None:
    assert VALUES.keys() == {field.name for field in fields(CacheRow)} - {"cache", "name", "address"}


@settings(max_examples=200)
@given(SNAPSHOTS)
def test_whatever_changes_is_decoded_as_it_was(snapshots: list[Snapshot]) -> None:
    lines = encoded(snapshots)
    assert ordered(decoded(lines)) == ordered(as_replayed(snapshots))
    skipping = Decoder()
    for line in lines[:-1]:
        skipping.skip(line)
    assert ordered([skipping.decode(lines[-1])]) == ordered(as_replayed(snapshots[-1:]))


def test_a_line_of_changes_has_only_what_is_not_expected() -> None:
    first = cache(1, allocs=5)
    later = replace(first, allocs=2, bytes=128, total_allocs=7, total_bytes=448)
    idle = cache(2)
    lines = encoded([snapshot(first, idle), snapshot(later, idle), snapshot(later, idle)])
    assert json.loads(lines[1])["caches"] == [{"cache": "cache-1", "allocs": 2}]
    assert json.loads(lines[1])["schema"] == NAME
    assert {"cache": "cache-1", "allocs": 2, "total_allocs": 7, "total_bytes": 448} in json.loads(lines[2])["caches"]


def test_a_busy_machine_takes_a_tenth_of_the_room() -> None:
    lines = encoded(list(day(250, 20)))
    assert sum(map(len, lines[1:])) / (len(lines) - 1) < len(lines[0]) / 8


def test_a_row_in_which_nothing_happens_is_one_object() -> None:
    """So that a short line does not take the memory of a whole one."""
    found = decoded(encoded([snapshot(cache(1), cache(2), time=1000.0 + at) for at in range(3)]))
    assert found[1].rows[0] is found[2].rows[0]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"caches": None}, "caches is missing"),
        ({"caches": [1]}, "a cache without a key"),
        ({"caches": [{"cache": 1}]}, "a cache without a key"),
        ({"caches": [{"cache": "cache-1", "live": -1}]}, "live is -1"),
        ({"caches": [{"cache": "cache-1", "size": "x"}]}, "size is 'x'"),
        ({"caches": [{"cache": "cache-1", "total_allocs": 1 << 65}]}, "total_allocs is "),
        ({"caches": [{"cache": "new", "allocs": 1}]}, "approximate is missing"),
        ({"gone": 1}, "gone is 1"),
        ({"gone": [1]}, "gone is [1]"),
    ],
)
def test_what_is_wrong_with_changes_is_one_line(change: dict[str, Any], why: str) -> None:
    lines = encoded([snapshot(cache(1)), snapshot(cache(1))])
    decoder = Decoder()
    decoder.decode(lines[0])
    with pytest.raises(SchemaError) as caught:
        decoder.decode(json.dumps(json.loads(lines[1]) | change).encode())
    assert str(caught.value).startswith(why)


def test_changes_without_the_line_before_are_refused() -> None:
    lines = encoded([snapshot(cache(1)), snapshot(cache(1))])
    with pytest.raises(SchemaError, match="changes of a line that is missing"):
        Decoder().decode(lines[1])
