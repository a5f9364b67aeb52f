"""The formats: text before, between and after the intervals, and which rows are printed."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.model.identity import CacheKey
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow
from slabtui.model.request import InspectionRequest
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.outputs import csv_tables, formats, text_tables
from slabtui.recording import codec
from slabtui.text import printable
from tests.support import strategies
from tests.support.fakes import cache, key, snapshot
from tests.support.places import timezone

NAMES = st.binary(max_size=9).map(printable)
ROWS = st.lists(strategies.rows(NAMES, st.lists(NAMES, max_size=2).map(tuple), st.integers(0, 2**64 - 1)), max_size=5)
SAMPLE = snapshot(cache(1, "dentry", allocs=3, size=192), time=1764054095.25)  # 2025-11-25 07:01:35 UTC
STACKS = Inspection(
    key(1, "dentry"), InspectionKind.STACKS, rows=(InspectionRow(frames=("alloc", "open"), total_allocs=5),)
)
REQUEST = InspectionRequest("dentry", (InspectionKind.STACKS,))
OTHER = replace(STACKS, cache=key(2, "filp"), rows=(InspectionRow(frames=("alloc", "pipe"), total_allocs=9),))
ALL_FORMATS = {
    "text": formats.slabratetop(1, clear=False),
    "inspection": formats.inspection(REQUEST, None),
    "json": formats.JSON,
    "csv": formats.CSV,
    "folded": formats.folded(REQUEST),
}
HELD = replace(cache(9, "held"), frees=7, live=15_000, live_delta=-7, mem=1 << 20, disagrees=True, growth_bytes_h=1.5)
NEW = cache(8, "new", allocs=2)


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with timezone("UTC"):
        yield


@pytest.mark.parametrize("form", [form for name, form in ALL_FORMATS.items() if name != "folded"])
def test_an_interval_with_an_error_at_its_end_is_printed(form: formats.Format) -> None:
    merged = replace(SAMPLE, inspections=(STACKS,), error="cannot read the counters")
    assert "dentry" in form.write(merged, merged.rows)


@pytest.mark.parametrize(("clear", "before"), [(True, "\x1b[H\x1b[2J"), (False, "\n")])
def test_an_interval_begins_below_the_last_or_on_a_clear_screen(clear: bool, before: str) -> None:
    expected = text_tables.write_caches(SAMPLE, SAMPLE.rows, before=before)
    assert formats.slabratetop(1, clear).write(SAMPLE, SAMPLE.rows) == expected
    assert expected.startswith(f"{before}07:01:35 loadavg")


@pytest.mark.parametrize(("interval", "written"), [(1, "1"), (1.0, "1"), (0.25, "0.25"), (3600.0, "3600")])
def test_slabratetop_says_what_it_does_and_that_it_ends(interval: float, written: str) -> None:
    form = formats.slabratetop(interval, clear=False)
    assert form.heading == f"Tracing... Output every {written} secs. Hit Ctrl-C to end\n"
    assert form.ending(SAMPLE) == form.ending(None) == "Detaching...\n"
    assert form.most == 20


def test_a_recording_is_printed_without_saying_that_something_is_traced() -> None:
    assert formats.slabratetop(None, clear=False).heading == ""


def test_slabratetop_shows_only_what_allocated() -> None:
    form = formats.slabratetop(1, clear=False)
    assert form.shows(NEW)
    assert not form.shows(HELD)
    assert formats.JSON.shows(HELD)
    assert formats.CSV.shows(HELD)


@pytest.mark.parametrize(
    ("sort", "frees", "titles"),
    [
        ("name", False, []),
        ("allocs", False, []),
        ("bytes", False, []),
        ("frees", True, ["FREES"]),
        ("live", False, ["LIVE"]),
        ("delta", False, ["+/-"]),
        ("growth", False, ["GROWTH/h", "RECLAIM"]),
        ("recent", False, ["1", "MIN"]),
        ("mem", False, ["MEM"]),
        ("objsize", False, ["OBJSIZE"]),
        ("bytes", True, ["FREES"]),
        ("mem", True, ["FREES", "MEM"]),
    ],
)
def test_text_has_a_column_for_what_it_is_sorted_by_and_for_frees(sort: str, frees: bool, titles: list[str]) -> None:
    form = formats.slabratetop(1, clear=False, sort=sort, columns=formats.text_columns(None, sort, frees))
    assert form.write(SAMPLE, [HELD]).splitlines()[3].split() == ["CACHE", "ALLOCS", "BYTES", *titles]
    assert form.shows(HELD) is bool(titles)
    assert form.shows(NEW)


def test_text_has_the_columns_that_are_asked_for_and_no_others() -> None:
    assert formats.text_columns(("mem", "name"), "frees", frees=True) == ("mem", "name")
    form = formats.slabratetop(1, clear=False, columns=("name", "mem"))
    assert form.write(SAMPLE, [HELD]).splitlines()[3].split() == ["CACHE", "MEM"]
    assert form.shows(HELD)


def test_one_interval_is_the_table_alone() -> None:
    form = formats.once(formats.slabratetop(1, clear=False))
    assert (form.heading, form.ending(SAMPLE)) == ("", "")
    assert form.write(SAMPLE, SAMPLE.rows) == formats.slabratetop(1, clear=False).write(SAMPLE, SAMPLE.rows)[1:]


@pytest.mark.parametrize(
    ("sort", "shown"), [("live", True), ("mem", True), ("growth", True), ("delta", False), ("objsize", False)]
)
def test_text_sorted_by_what_caches_hold_shows_caches_in_which_nothing_happened(sort: str, shown: bool) -> None:
    form = formats.slabratetop(1, clear=False, sort=sort)
    still = replace(HELD, frees=0, live_delta=0)
    assert form.shows(still) is shown
    assert not form.shows(replace(still, live=0, mem=0, growth_bytes_h=0.0))
    assert not form.shows(replace(still, live=None, mem=None, growth_bytes_h=None))


@pytest.mark.parametrize("form", [formats.slabratetop(1, clear=False), formats.JSON, formats.CSV])
def test_all_shows_idle_caches_in_each_format_without_a_limit(form: formats.Format) -> None:
    idle = cache(1, "idle")
    assert not form.shows(idle)
    assert formats.with_idle(form).shows(idle)
    assert formats.with_idle(form).most is None


def test_the_alias_that_a_cache_was_found_by_is_after_its_name() -> None:
    form = formats.slabratetop(1, clear=False, alias=lambda row: "maple_node" if row.name == "vm_area" else "")
    lines = form.write(SAMPLE, [cache(1, "vm_area", allocs=1), cache(2, "other", allocs=1)]).splitlines()
    assert [line[:32].rstrip() for line in lines[4:]] == ["vm_area (maple_node)", "other"]


@pytest.mark.parametrize("asked", ["dentry", key(1, "dentry")], ids=["name", "key"])
def test_an_inspection_is_printed_as_its_table_with_as_many_rows_as_asked_for(asked: CacheKey | str) -> None:
    request = InspectionRequest(asked, (InspectionKind.STACKS,))
    found = replace(SAMPLE, inspections=(replace(STACKS, rows=STACKS.rows * 3),))
    form = formats.inspection(request, 2)
    assert form.write(found, ()) == text_tables.write_inspection(found, request, 2)
    assert (form.heading, form.ending(found)) == ("", "")


@given(ROWS)
def test_json_is_one_line_that_ends(rows: list[CacheRow]) -> None:
    line = formats.JSON.write(SAMPLE, rows)
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    assert line[:-1] == codec.dumps(SAMPLE, rows)
    assert [found["name"] for found in json.loads(line)["caches"]] == [row.name for row in rows]


def test_json_has_nothing_around_it() -> None:
    assert (formats.JSON.heading, formats.JSON.ending(SAMPLE), formats.JSON.most) == ("", "", None)


def test_csv_has_its_heading_once_and_all_rows() -> None:
    assert formats.CSV.heading == csv_tables.heading()
    assert formats.CSV.write(SAMPLE, SAMPLE.rows) == csv_tables.write_caches(SAMPLE, SAMPLE.rows)
    assert (formats.CSV.ending(SAMPLE), formats.CSV.ending(None), formats.CSV.most) == ("", "", None)


@pytest.mark.parametrize(
    ("last", "folded"),
    [
        (None, ""),
        (SAMPLE, ""),
        (replace(SAMPLE, inspections=(STACKS,)), "open;alloc 5\n"),
        (replace(SAMPLE, inspections=(OTHER,)), ""),
        (replace(SAMPLE, inspections=(OTHER, STACKS)), "open;alloc 5\n"),
    ],
)
def test_stacks_are_folded_once_at_the_end(last: Snapshot | None, folded: str) -> None:
    form = formats.folded(REQUEST)
    assert form.heading == form.write(replace(SAMPLE, inspections=(STACKS,)), ()) == ""
    assert form.ending(last) == folded


def test_of_several_inspections_the_one_that_was_asked_for_is_printed() -> None:
    both = replace(SAMPLE, inspections=(OTHER, STACKS))
    assert formats.inspection(REQUEST, None).write(both, ()) == formats.inspection(REQUEST, None).write(
        replace(SAMPLE, inspections=(STACKS,)), ()
    )
