"""CSV: every value reads back as it was, the names of the fields stay, and no text is a formula."""

import csv
import io
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.columns import caches as columns
from slabtui.columns import inspections
from slabtui.columns.column import field_names
from slabtui.model.held import Held, Tracking
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import Context, Inspection, InspectionKind, InspectionRow
from slabtui.model.request import InspectionRequest
from slabtui.model.snapshot import CacheRow
from slabtui.outputs import csv_tables, formats
from slabtui.recording import codec
from slabtui.text import printable
from tests.support import strategies
from tests.support.fakes import cache, caches, key, snapshot

NAMES = st.sampled_from(["", '"', ",", '",",', "'a'", "a b", r"\\n", ";", "名前", "\u0301"]) | st.binary(
    max_size=9
).map(printable)
COUNTS = st.integers(0, 2**64 - 1)
ALIASES = NAMES.filter(lambda name: name and ";" not in name)
ROWS = st.lists(strategies.rows(NAMES, st.lists(ALIASES, max_size=2).map(tuple), COUNTS), max_size=5)
NAMED = ("aliases", "grows_with")
BOOLEANS = ("approximate", "disagrees", "reclaimable", "growing")
TEXTS = ("name", "cache", *NAMED, *BOOLEANS, *codec.RATES)
TRUTH = {"true": True, "false": False, "": None}
SAMPLE = snapshot(time=1764054095.25)  # 2025-11-25 07:01:35 UTC
WHEN = "2025-11-25T07:01:35.250Z,1.000000,"
FORMULAS = [
    "=1+cmd|'/C a'!A",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff201",
]


def raw(cell: str) -> str:
    """Return the text that a cell was made from: for names that have no apostrophe of their own before such a sign."""
    return re.sub("(^|;)'(?=[=+@-])", r"\1", cell)


def parsed(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def test_the_fields_of_the_first_version_keep_their_places() -> None:
    """Some scripts read columns by their number."""
    assert csv_tables.heading().startswith(
        "time,elapsed_s,name,cache,aliases,object_size,size,allocs,frees,disagrees,bytes,approximate,live,live_delta,mem,"
    )


def test_every_field_of_a_row_in_json_is_in_csv() -> None:
    names = csv_tables.heading().strip().split(",")
    assert set(names) == {"time", "elapsed_s", *codec.ROW_FIELDS}
    assert len(set(names)) == len(names)


def test_there_is_a_line_for_each_row() -> None:
    rows = [
        replace(cache(0, "dentry", allocs=3, size=192), address=0xFFFF888100000100, total_allocs=7, total_frees=2),
        replace(cache(1, 'a "b",c', size=None), approximate=True),
    ]
    names = (*field_names(columns.COLUMNS), "address", "total_allocs", "total_bytes", "total_frees")
    assert csv_tables.write_caches(SAMPLE, rows, names) == (
        f"{WHEN}dentry,dentry,,192,192,3,,,576,false,,,,0xffff888100000100,7,576,2\n"
        f'{WHEN}"a ""b"",c","a ""b"",c#2",,,,0,,,0,true,,,,,0,0,\n'
    )
    assert csv_tables.write_caches(SAMPLE, []) == ""


@given(ROWS)
def test_csv_reads_back_as_the_same_values(rows: list[CacheRow]) -> None:
    heading, *lines = parsed(csv_tables.heading() + csv_tables.write_caches(SAMPLE, rows))
    back = [dict(zip(heading, line, strict=True)) for line in lines]
    assert [(line.pop("time"), line.pop("elapsed_s")) for line in back] == [
        ("2025-11-25T07:01:35.250Z", "1.000000")
    ] * len(rows)
    assert [
        CacheRow(
            cache=CacheKey.parse(raw(line["cache"])),
            name=raw(line["name"]),
            **{name: TRUTH[line[name]] for name in BOOLEANS},
            **{name: tuple(filter(None, raw(line[name]).split(";"))) for name in NAMED},
            **{name: float(line[name]) if line[name] else None for name in codec.RATES},
            **{name: int(text, 0) if text else None for name, text in line.items() if name not in TEXTS},
        )
        for line in back
    ] == rows


def test_fields_are_those_that_are_asked_for_in_their_order() -> None:
    names = ("allocs", "name")
    assert csv_tables.heading(names) == "time,elapsed_s,allocs,name\n"
    assert csv_tables.write_caches(SAMPLE, caches(1), names) == f"{WHEN}1,cache-0\n"


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_is_a_formula_and_json_has_it_as_it_is(text: str) -> None:
    row = replace(cache(0, text, allocs=1), aliases=("x", text), live_delta=-5)
    line = csv_tables.write_caches(SAMPLE, [row]).replace('"', "")  # of a cell with a line break
    assert line.startswith(f"{WHEN}'{text},'{text},x;'{text},64,64,1,")
    assert ",-5," in line  # a number
    assert [one["name"] for one in json.loads(formats.JSON.write(SAMPLE, [row]))["caches"]] == [text]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_of_an_inspection_is_a_formula(text: str) -> None:
    counts = {"allocs": 1, "bytes": 64, "total_allocs": 1, "total_bytes": 64}
    process = InspectionRow(**counts, pid=7, comm=text, cmdline=text, cgroup=text)
    found = Inspection(key(0, "dentry"), InspectionKind.PROCESSES, rows=(process,))
    lines = csv_tables.write_inspection(found).replace('"', "")
    assert lines.count(f",'{text}") == lines.count(text) == 3
    stack = InspectionRow(**counts, frames=(text, "open", text))
    found = Inspection(key(0, "dentry"), InspectionKind.STACKS, rows=(stack,))
    lines = csv_tables.write_inspection(found).replace('"', "")
    assert f"\n'{text};open;'{text}," in lines


@pytest.mark.parametrize("text", ["a=1", "a-b", "kmalloc-64", "'=1", "", "~=", "1+1"])
def test_other_text_stays_as_it_is(text: str) -> None:
    (cells,) = parsed(csv_tables.write_caches(SAMPLE, [cache(1, text)]))
    assert cells[2] == text


@pytest.mark.parametrize("kind", inspections.COLUMNS)
def test_the_fields_of_an_inspection_are_those_that_json_has(kind: InspectionKind) -> None:
    found = Inspection(key(0, "dentry"), kind, rows=(InspectionRow(context=Context.PROCESS, pid=7),))
    heading, line = parsed(csv_tables.write_inspection(found))
    assert set(heading) == set(codec.inspection_fields(kind))
    assert len(line) == len(heading)


FILP = key(3)
HELD = Held(9, 1728, 2.5, 61.25, 3.5, (4, 4, 0, 1, 0, 0), 0.125, 0.5, 1.5)
HOLDER = InspectionRow(frames=("alloc", "open"), pid=7, comm="=1", cgroup="/a", removed=True, held=HELD)
REQUEST = InspectionRequest(FILP, (InspectionKind.HELD,))


def held(**more: object) -> Inspection:
    return Inspection(FILP, InspectionKind.HELD, **{"rows": (HOLDER, replace(HOLDER, pid=8)), "one_in": 4, **more})


def written_of_held(inspection: Inspection, most: int | None = None) -> list[dict[str, str]]:
    form = formats.inspection_csv(REQUEST, most)
    text = form.heading + form.write(replace(SAMPLE, inspections=(inspection,)), ())
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_an_interval_of_what_is_held_has_a_line_for_each_row_with_its_time() -> None:
    first, second = written_of_held(held(tracking=Tracking(doubt="frees in bulk")))
    assert first == {
        "time": WHEN.split(",", maxsplit=1)[0],
        "elapsed_s": "1.000000",
        "cache": str(FILP),
        "one_in": "4",
        "trouble": "frees in bulk",
        "frames": "alloc;open",
        "pid": "7",
        "comm": "'=1",
        "cmdline": "",
        "ended": "",
        "cgroup": "/a",
        "removed": "true",
        "context": "process",
        "objects": "9",
        "bytes": "1728",
        "standard_error": "2.5",
        "oldest": "61.25",
        "median": "3.5",
        "ages": "4;4;0;1;0;0",
        "growth_objects_s": "0.125",
        "lifetime_median": "0.5",
        "lifetime_p99": "1.5",
    }
    assert second["pid"] == "8"
    assert [row["pid"] for row in written_of_held(held(), most=1)] == ["7"]


def test_where_nothing_is_counted_a_line_says_why() -> None:
    (only,) = written_of_held(held(rows=(), trouble="refused"))
    assert (only["trouble"], only["pid"], only["objects"]) == ("refused", "", "")
    assert written_of_held(held(rows=())) == []
    assert written_of_held(replace(held(), cache=key(4))) == []


@pytest.mark.parametrize("kind", [InspectionKind.STACKS, InspectionKind.PROCESSES, InspectionKind.CALLERS])
def test_intervals_of_the_other_inspections_have_the_fields_of_an_export(kind: InspectionKind) -> None:
    row = InspectionRow(frames=("alloc+0x1", "open"), pid=7, total_allocs=5)
    inspection = Inspection(FILP, kind, rows=(row,))
    form = formats.inspection_csv(InspectionRequest(FILP, (kind,)), None)
    lines = (form.heading + form.write(replace(SAMPLE, inspections=(inspection,)), ())).splitlines()
    exported = csv_tables.write_inspection(inspection).splitlines()
    assert lines == [f"time,elapsed_s,cache,one_in,trouble,{exported[0]}", f"{WHEN}{FILP},1,,{exported[1]}"]
