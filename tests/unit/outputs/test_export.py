"""An export writes what the screen shows to a new file, which only its owner can read."""

import csv
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from slabtui.columns import caches
from slabtui.model.inspection import About, Context, Inspection, InspectionKind, InspectionRow
from slabtui.outputs.export import ExportError, export, export_inspection
from slabtui.recording import codec
from slabtui.recording.decoder import Decoder
from tests.support.fakes import cache, key, snapshot

DENTRY = key(0, "dentry")
ROWS = (
    replace(
        cache(2, 'b, "名前"', allocs=3),
        frees=1,
        live=10,
        live_delta=-2,
        mem=8192,
        disagrees=True,
        aliases=("x", "y"),
    ),
    cache(1, "a", allocs=2, size=None),
)
SHOWN = snapshot(*ROWS, cache(3, "not shown"), time=1764054095.25)


def refused(path: Path) -> str:
    with pytest.raises(ExportError) as caught:
        export(path, SHOWN, ROWS, caches.COLUMNS)
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_csv_has_a_heading_and_the_rows_in_their_order(tmp_path: Path) -> None:
    export(tmp_path / "a.csv", SHOWN, ROWS, caches.COLUMNS)
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == (
        "time,elapsed_s,name,cache,aliases,object_size,size,allocs,frees,disagrees,bytes,approximate,live,live_delta,mem\n"
        '2025-11-25T07:01:35.250Z,1.000000,"b, ""名前""","b, ""名前""#3",x;y,64,64,3,1,true,192,false,10,-2,8192\n'
        "2025-11-25T07:01:35.250Z,1.000000,a,a#2,,,,2,,,0,false,,,\n"
    )


def test_json_is_the_line_of_the_schema(tmp_path: Path) -> None:
    export(tmp_path / "a.json", SHOWN, ROWS, caches.COLUMNS)
    line = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert line == codec.dumps(SHOWN, ROWS) + "\n"
    assert Decoder().decode(line).rows == ROWS


def test_only_the_fields_of_the_columns_are_written(tmp_path: Path) -> None:
    shown = [caches.BY_ID["allocs"], caches.HISTORY, caches.BY_ID["name"]]
    export(tmp_path / "a.csv", SHOWN, ROWS[1:], shown)
    export(tmp_path / "a.json", SHOWN, ROWS[1:], shown)
    assert (tmp_path / "a.csv").read_text() == (
        "time,elapsed_s,allocs,name,cache,aliases\n2025-11-25T07:01:35.250Z,1.000000,2,a,a#2,\n"
    )
    written = json.loads((tmp_path / "a.json").read_text())
    assert {*written["caches"][0]} > {"address", "total_bytes"}  # a line of the schema, which can be replayed
    assert Decoder().decode((tmp_path / "a.json").read_text()).rows == tuple(ROWS[1:])


@pytest.mark.parametrize("name", ["a.csv", "a.json"])
def test_a_file_that_exists_is_refused_and_untouched(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"mine")
    assert refused(tmp_path / name) == "that file exists"
    assert (tmp_path / name).read_bytes() == b"mine"


def test_a_link_to_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "b.csv")
    assert refused(tmp_path / "a.csv") == "that file exists"
    assert not (tmp_path / "b.csv").exists()


@pytest.mark.parametrize("name", ["a", "a.txt", "a.csv.gz", "a.CSV", ".csv", "csv"])
def test_another_ending_is_refused_and_nothing_made(tmp_path: Path, name: str) -> None:
    assert refused(tmp_path / name) == "must end in .csv or .json"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("missing/a.csv", "No such file or directory"),
        ("a\0b.csv", "embedded null byte"),
        ("n" * 300 + ".csv", "File name too long"),
    ],
)
def test_an_impossible_name_is_refused_with_the_reason(tmp_path: Path, name: str, why: str) -> None:
    assert refused(tmp_path / name) == why
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.csv", "a.json", "b.folded", "b.csv"])
def test_only_its_owner_can_read_an_export(tmp_path: Path, name: str) -> None:
    before = os.umask(0)
    try:
        if name.startswith("b"):
            export_inspection(tmp_path / name, SHOWN, STACKS)
        else:
            export(tmp_path / name, SHOWN, ROWS, caches.COLUMNS)
    finally:
        os.umask(before)
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    assert refused(tmp_path / "a.csv") == "that file exists"


STACKS = Inspection(
    DENTRY,
    InspectionKind.STACKS,
    one_in=3,
    rows=(
        InspectionRow(
            allocs=1,
            bytes=64,
            total_allocs=9,
            total_bytes=576,
            frames=("alloc", "open; drop", "syscall"),
            pid=7,
            comm="sh",
            cmdline="sh -c x",
            ended=False,
            cgroup="/x",
            standard_error=2.4,
        ),
        InspectionRow(allocs=0, bytes=0, total_allocs=3, total_bytes=192, frames=("alloc",)),
    ),
)
PROCESSES = Inspection(
    DENTRY,
    InspectionKind.PROCESSES,
    rows=(
        InspectionRow(
            allocs=1,
            bytes=64,
            total_allocs=9,
            total_bytes=576,
            pid=7,
            comm='a,"b"',
            cmdline="x",
            ended=True,
            cgroup="/x",
            context=Context.PROCESS,
        ),
    ),
)
ABOUT = Inspection(DENTRY, InspectionKind.ABOUT, about=About(live=5))
UNKNOWN_ENDING = "must end in "


def test_stacks_are_written_as_flame_graph_tools_read_them(tmp_path: Path) -> None:
    export_inspection(tmp_path / "a.folded", SHOWN, STACKS)
    assert (tmp_path / "a.folded").read_text() == "syscall;open; drop;alloc 9\nalloc 3\n"


def test_an_inspection_is_csv_with_the_fields_of_its_kind(tmp_path: Path) -> None:
    export_inspection(tmp_path / "stacks.csv", SHOWN, STACKS)
    text = (tmp_path / "stacks.csv").read_text()
    first, second = csv.DictReader(io.StringIO(text))
    assert {*first} == {*codec.inspection_fields(InspectionKind.STACKS)}
    assert text.startswith("frames,")
    assert [first[name] for name in ("frames", "standard_error", "total_bytes", "pid", "comm", "cmdline", "ended")] == [
        "alloc;open; drop;syscall",
        "2.4",
        "576",
        "7",
        "sh",
        "sh -c x",
        "false",
    ]
    assert [second[name] for name in ("frames", "standard_error", "pid", "ended")] == ["alloc", "0.0", "", ""]
    export_inspection(tmp_path / "processes.csv", SHOWN, PROCESSES)
    text = (tmp_path / "processes.csv").read_text()
    (only,) = csv.DictReader(io.StringIO(text))
    assert text.startswith("pid,comm,context,cgroup,")
    assert only == {
        "pid": "7",
        "comm": 'a,"b"',
        "context": "process",
        "cgroup": "/x",
        "removed": "",
        "cmdline": "x",
        "ended": "true",
        "allocs": "1",
        "bytes": "64",
        "total_allocs": "9",
        "total_bytes": "576",
    }


@pytest.mark.parametrize("inspection", [STACKS, PROCESSES, ABOUT], ids=lambda inspection: str(inspection.kind))
def test_an_inspection_alone_is_json_of_the_schema(tmp_path: Path, inspection: Inspection) -> None:
    shown = replace(SHOWN, inspections=(STACKS, PROCESSES, ABOUT))  # the screen has all tabs
    export_inspection(tmp_path / "a.json", shown, inspection)
    back = Decoder().decode((tmp_path / "a.json").read_text())
    assert (back.inspections, back.rows, back.time) == ((inspection,), (), SHOWN.time)


@pytest.mark.parametrize(
    ("inspection", "name", "why"),
    [
        (None, "a.json", "there is nothing to write yet"),
        (None, "a.folded", "there is nothing to write yet"),
        (PROCESSES, "a.folded", f"{UNKNOWN_ENDING}.csv or .json"),
        (ABOUT, "a.folded", f"{UNKNOWN_ENDING}.json"),
        (ABOUT, "a.csv", f"{UNKNOWN_ENDING}.json"),
        (STACKS, "a.txt", f"{UNKNOWN_ENDING}.csv or .folded or .json"),
        (STACKS, "folded", f"{UNKNOWN_ENDING}.csv or .folded or .json"),
        (STACKS, "missing/a.folded", "No such file or directory"),
    ],
)
def test_what_cannot_be_written_of_an_inspection_is_refused_and_nothing_made(
    tmp_path: Path, inspection: Inspection | None, name: str, why: str
) -> None:
    with pytest.raises(ExportError) as caught:
        export_inspection(tmp_path / name, SHOWN, inspection)
    assert str(caught.value) == why
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.folded", "a.csv", "a.json"])
def test_an_inspection_is_never_written_over_a_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(ExportError, match="that file exists"):
        export_inspection(tmp_path / name, SHOWN, STACKS)
    assert (tmp_path / name).read_bytes() == b"mine"
