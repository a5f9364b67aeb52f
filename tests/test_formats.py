"""The formats, character by character where someone else reads them."""

import csv
import io
import json
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui import schema
from slabtui.outputs import formats
from slabtui.snapshot import CacheRow, Snapshot
from slabtui.text import printable
from tests.fakes import cache, caches, snapshot

NAMES = st.sampled_from(["", '"', ",", '",",', "'a'", "a b", r"\\n", ";", "名前", "\u0301"]) | st.binary(
    max_size=9
).map(printable)
COUNTS = st.integers(0, 2**64 - 1)
ROWS = st.lists(
    st.builds(CacheRow, COUNTS, NAMES, st.none() | COUNTS, st.none() | COUNTS, COUNTS, COUNTS, st.booleans()),
    max_size=5,
)
AT = 1764054095.25  # 2025-11-25 07:01:35 UTC
INTERVAL = """\
07:01:35 loadavg: 0.38 0.21 0.12 1/342 13297

CACHE                            ALLOCS      BYTES
kmalloc-4096                       3554   14557184
kmalloc-256                        2382     609536
cred_jar                           2568     493056
"""


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def sample() -> Snapshot:
    rows = (
        cache(1, "kmalloc-4096", allocs=3554, size=4096),
        replace(cache(2, "kmalloc-256", allocs=2382, size=256), bytes=609536),
        cache(3, "cred_jar", allocs=2568, size=192),
    )
    return snapshot(*rows, time=AT)


def parsed(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def test_text_is_that_of_slabratetop() -> None:
    whole = sample()
    assert formats.text(whole, whole.rows) == "\n" + INTERVAL


@pytest.mark.parametrize(("clear", "before"), [(True, "\x1b[H\x1b[2J"), (False, "\n")])
def test_an_interval_begins_below_the_last_or_on_a_clear_screen(clear: bool, before: str) -> None:
    whole = sample()
    assert formats.slabratetop(1, clear).write(whole, whole.rows) == before + INTERVAL


def test_text_without_rows_has_its_headings() -> None:
    assert formats.text(sample(), ()) == "\n" + "".join(INTERVAL.splitlines(keepends=True)[:3])


def test_long_names_and_numbers_are_not_cut() -> None:
    row = replace(cache(1, "n" * 40), allocs=12345678, bytes=12345678901)
    assert formats.text(sample(), [row]).splitlines()[-1] == "n" * 40 + " 12345678 12345678901"
    widest = replace(cache(1, "n" * 32), allocs=999999, bytes=9999999999)
    assert formats.text(sample(), [widest]).splitlines()[-1] == "n" * 32 + " 999999 9999999999"


def test_a_size_class_is_marked_in_text() -> None:
    row = replace(cache(1, "kmalloc-64", allocs=1), approximate=True)
    assert formats.text(sample(), [row]).splitlines()[-1] == "~kmalloc-64                           1         64"


def test_the_clock_is_that_of_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "EST+5")
    time.tzset()
    assert formats.text(sample(), ()).startswith("\n02:01:35 loadavg: ")


@pytest.mark.parametrize(("interval", "written"), [(1, "1"), (1.0, "1"), (0.25, "0.25"), (3600.0, "3600")])
def test_slabratetop_says_what_it_does_and_that_it_ends(interval: float, written: str) -> None:
    form = formats.slabratetop(interval, clear=False)
    assert form.heading == f"Tracing... Output every {written} secs. Hit Ctrl-C to end\n"
    assert form.ending == "Detaching...\n"
    assert form.most == 20


@given(st.text(max_size=30), st.integers(0, 3))
def test_text_has_a_line_for_each_row_and_four_before_them(name: str, number: int) -> None:
    rows = [cache(n, printable(name.encode()), allocs=n) for n in range(number)]
    assert formats.text(sample(), rows).count("\n") == 4 + number


def test_csv_has_a_heading_of_the_names_in_the_schema() -> None:
    assert formats.csv_heading() == "time,elapsed_s," + ",".join(schema.ALL_FIELDS) + "\n"
    assert formats.csv_heading() == "time,elapsed_s,name,cache,object_size,size,allocs,bytes,approximate\n"
    assert formats.CSV.heading == formats.csv_heading()
    assert formats.CSV.ending == ""
    assert formats.CSV.most is None


def test_csv_has_a_line_for_each_row() -> None:
    rows = [cache(1, "dentry", allocs=3, size=192), replace(cache(2, 'a "b",c', size=None), approximate=True)]
    assert formats.CSV.write(sample(), rows) == (
        "2025-11-25T07:01:35.250Z,1.000000,dentry,0xffff888100000100,192,192,3,576,false\n"
        '2025-11-25T07:01:35.250Z,1.000000,"a ""b"",c",0xffff888100000200,,,0,0,true\n'
    )
    assert formats.CSV.write(sample(), []) == ""


@given(ROWS)
def test_csv_reads_back_as_the_same_values(rows: list[CacheRow]) -> None:
    heading, *lines = parsed(formats.csv_heading() + formats.csv_rows(sample(), rows))
    back = [dict(zip(heading, line, strict=True)) for line in lines]
    assert [(line.pop("time"), line.pop("elapsed_s")) for line in back] == [
        ("2025-11-25T07:01:35.250Z", "1.000000")
    ] * len(rows)
    assert [
        CacheRow(
            int(line["cache"], 16),
            line["name"],
            int(line["size"]) if line["size"] else None,
            int(line["object_size"]) if line["object_size"] else None,
            int(line["allocs"]),
            int(line["bytes"]),
            {"true": True, "false": False}[line["approximate"]],
        )
        for line in back
    ] == rows


@given(ROWS)
def test_json_is_one_line_that_ends(rows: list[CacheRow]) -> None:
    line = formats.JSON.write(sample(), rows)
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    assert line[:-1] == schema.dumps(sample(), rows)
    assert [found["name"] for found in json.loads(line)["caches"]] == [row.name for row in rows]


def test_json_has_nothing_around_it() -> None:
    assert (formats.JSON.heading, formats.JSON.ending, formats.JSON.most) == ("", "", None)


def test_fields_are_those_that_are_asked_for_in_their_order() -> None:
    names = ("allocs", "name")
    assert formats.csv_heading(names) == "time,elapsed_s,allocs,name\n"
    assert formats.csv_rows(sample(), caches(1), names) == "2025-11-25T07:01:35.250Z,1.000000,1,cache-0\n"
