"""The formats, character by character where someone else reads them."""

import csv
import io
import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.model.inspection import About, Context, Inspection, InspectionRow, Kind, Request
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.outputs import formats
from slabtui.recording import codec
from slabtui.text import printable
from tests.support import strategies
from tests.support.fakes import cache, caches, snapshot

NAMES = st.sampled_from(["", '"', ",", '",",', "'a'", "a b", r"\\n", ";", "名前", "\u0301"]) | st.binary(
    max_size=9
).map(printable)
COUNTS = st.integers(0, 2**64 - 1)
ALIASES = NAMES.filter(lambda name: name and ";" not in name)
ROWS = st.lists(strategies.rows(NAMES, st.lists(ALIASES, max_size=2).map(tuple), COUNTS), max_size=5)
NUMBERS = ("size", "object_size", "allocs", "bytes", "frees", "live", "live_delta", "mem")
TRUTH = {"true": True, "false": False, "": None}
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


def raw(cell: str) -> str:
    """Return the text that a cell was made from: for names that have no apostrophe of their own before such a sign."""
    return re.sub("(^|;)'(?=[=+@-])", r"\1", cell)


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
    assert form.ending(sample()) == form.ending(None) == "Detaching...\n"
    assert form.most == 20


@given(st.text(max_size=30), st.integers(0, 3))
def test_text_has_a_line_for_each_row_and_four_before_them(name: str, number: int) -> None:
    rows = [cache(n, printable(name.encode()), allocs=n) for n in range(number)]
    assert formats.text(sample(), rows).count("\n") == 4 + number


def test_csv_has_a_heading_of_the_names_in_the_schema() -> None:
    assert formats.csv_heading() == "time,elapsed_s," + ",".join(codec.ALL_FIELDS) + "\n"
    assert formats.csv_heading() == (
        "time,elapsed_s,name,cache,aliases,object_size,size,allocs,frees,disagrees,bytes,approximate,live,live_delta,mem\n"
    )
    assert formats.CSV.heading == formats.csv_heading()
    assert formats.CSV.ending(sample()) == formats.CSV.ending(None) == ""
    assert formats.CSV.most is None


def test_csv_has_a_line_for_each_row() -> None:
    rows = [cache(1, "dentry", allocs=3, size=192), replace(cache(2, 'a "b",c', size=None), approximate=True)]
    assert formats.CSV.write(sample(), rows) == (
        "2025-11-25T07:01:35.250Z,1.000000,dentry,0xffff888100000100,,192,192,3,,,576,false,,,\n"
        '2025-11-25T07:01:35.250Z,1.000000,"a ""b"",c",0xffff888100000200,,,,0,,,0,true,,,\n'
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
            raw(line["name"]),
            approximate=TRUTH[line["approximate"]],
            disagrees=TRUTH[line["disagrees"]],
            aliases=tuple(filter(None, raw(line["aliases"]).split(";"))),
            **{name: int(line[name]) if line[name] else None for name in NUMBERS},
        )
        for line in back
    ] == rows


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


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_in_csv_is_a_formula_and_json_has_it_as_it_is(text: str) -> None:
    row = replace(cache(1, text, allocs=1), aliases=("x", text), live_delta=-5)
    line = formats.CSV.write(sample(), [row]).replace('"', "")  # of a cell with a line break
    assert line.startswith(f"2025-11-25T07:01:35.250Z,1.000000,'{text},0xffff888100000100,x;'{text},64,64,1,")
    assert ",-5," in line  # a number
    assert [one["name"] for one in json.loads(formats.JSON.write(sample(), [row]))["caches"]] == [text]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_of_an_inspection_in_csv_is_a_formula(text: str) -> None:
    process = InspectionRow(1, 64, 1, 64, pid=7, comm=text, cgroup=text)
    lines = formats.csv_entries(Inspection("dentry", Kind.PROCESSES, entries=(process,))).replace('"', "")
    assert f"\n7,'{text},'{text},process," in lines
    stack = InspectionRow(1, 64, 1, 64, frames=(text, "open", text))
    lines = formats.csv_entries(Inspection("dentry", Kind.STACKS, entries=(stack,))).replace('"', "")
    assert f"\n'{text};open;'{text},1," in lines


@pytest.mark.parametrize("text", ["a=1", "a-b", "kmalloc-64", "'=1", "", "~=", "1+1"])
def test_other_text_in_csv_stays_as_it_is(text: str) -> None:
    (cells,) = parsed(formats.CSV.write(sample(), [cache(1, text)]))
    assert cells[2] == text


@given(ROWS)
def test_json_is_one_line_that_ends(rows: list[CacheRow]) -> None:
    line = formats.JSON.write(sample(), rows)
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    assert line[:-1] == codec.dumps(sample(), rows)
    assert [found["name"] for found in json.loads(line)["caches"]] == [row.name for row in rows]


def test_json_has_nothing_around_it() -> None:
    assert (formats.JSON.heading, formats.JSON.ending(sample()), formats.JSON.most) == ("", "", None)


def test_fields_are_those_that_are_asked_for_in_their_order() -> None:
    names = ("allocs", "name")
    assert formats.csv_heading(names) == "time,elapsed_s,allocs,name\n"
    assert formats.csv_rows(sample(), caches(1), names) == "2025-11-25T07:01:35.250Z,1.000000,1,cache-0\n"


CALLERS = Inspection(
    "dentry",
    Kind.CALLERS,
    entries=(
        InspectionRow(3, 576, 30, 5760, frames=("d_alloc+0x2a",)),
        InspectionRow(0, 0, 10, 1920, frames=("x" * 60,)),
    ),
)


def test_a_look_is_a_table_below_what_it_is_of() -> None:
    assert printed(replace(sample(), detail=CALLERS)) == (
        "\n07:01:35 callers of dentry\n\n"
        " SHARE    ALLOCS    BYTES     SINCE    BYTES CALL SITE\n"
        " 75.0%         3      576        30     5760 d_alloc+0x2a\n"
        f" 25.0%         0        0        10     1920 {'x' * 60}\n"
    )


def test_a_look_says_what_is_estimated_and_what_was_lost() -> None:
    found = tuple(replace(entry, standard_error=4.0) for entry in CALLERS.entries)
    stacks = replace(CALLERS, kind=Kind.STACKS, one_in=9, lost=4, entries=found)
    lines = printed(replace(sample(), detail=stacks)).splitlines()
    assert lines[1] == "07:01:35 stacks of dentry, one stack in 9: ~ are estimates, lost 4"
    assert lines[3].split()[:3] == ["SHARE", "S.E.", "ALLOCS"]
    assert lines[4].split()[:6] == ["75.0%", "7.9%", "~3", "~576", "~30", "~5760"]


def test_processes_have_their_control_group_at_the_end_of_the_line() -> None:
    processes = (
        InspectionRow(1, 64, 1, 64, pid=7, comm="cron", cgroup="/system.slice"),
        InspectionRow(1, 64, 1, 64, pid=9, comm="kswapd0", context=Context.KERNEL_THREAD),
    )
    look = Inspection("dentry", Kind.PROCESSES, entries=processes)
    lines = printed(replace(sample(), detail=look)).splitlines()
    start = lines[3].index("CGROUP")
    assert lines[4][:start].split() == ["50.0%", "1", "64", "1", "64", "7", "cron"]
    assert lines[4][start:] == "/system.slice"
    assert lines[5].split() == ["50.0%", "1", "64", "1", "64", "9", "[kswapd0]"]
    assert lines[5].endswith("]")  # nothing stands at the end of a line that need not


def test_numbers_of_a_look_have_all_their_digits() -> None:
    big = InspectionRow(2**64 - 1, 2**64 - 1, 2**64 - 1, 2**64 - 1, frames=("f",))
    (line,) = printed(replace(sample(), detail=replace(CALLERS, entries=(big,)))).splitlines()[4:]
    assert line.split() == ["100.0%", *[str(2**64 - 1)] * 4, "f"]


def test_a_look_that_has_found_nothing_says_so() -> None:
    assert printed(sample()) == "\n07:01:35 nothing seen of that cache so far\n"
    about = Inspection("dentry", Kind.ABOUT, about=About(live=5))  # as a recording of the screen may have it
    assert printed(replace(sample(), detail=about)) == printed(sample())
    assert printed(replace(sample(), detail=replace(CALLERS, entries=()))) == (
        "\n07:01:35 callers of dentry\n\n SHARE    ALLOCS    BYTES     SINCE    BYTES CALL SITE\n"
    )


def test_stacks_are_folded_once_at_the_end() -> None:
    stacks = replace(CALLERS, kind=Kind.STACKS, entries=(InspectionRow(1, 1, 5, 5, frames=("alloc", "open")),))
    assert formats.FOLDED.heading == formats.FOLDED.write(replace(sample(), detail=stacks), ()) == ""
    assert formats.FOLDED.ending(replace(sample(), detail=stacks)) == "open;alloc 5\n"
    assert formats.FOLDED.ending(sample()) == formats.FOLDED.ending(None) == ""


def test_the_alias_that_a_cache_was_found_by_stands_behind_its_name() -> None:
    form = formats.slabratetop(1, clear=False, alias=lambda row: "maple_node" if row.name == "vm_area" else "")
    lines = form.write(sample(), [cache(1, "vm_area", allocs=1), cache(2, "other", allocs=1)]).splitlines()
    assert [line[:32].rstrip() for line in lines[4:]] == ["vm_area (maple_node)", "other"]


HELD = replace(cache(9, "held", allocs=0), frees=7, live=15_000, live_delta=-7, mem=1 << 20, disagrees=True)
NEW = replace(cache(8, "new", allocs=2), live=None, mem=None)


@pytest.mark.parametrize(
    ("sort", "frees", "titles", "held", "new"),
    [
        ("frees", True, "    FREES", "       7!", "        -"),
        ("live", False, "     LIVE", "    15000", "        -"),
        ("growth", False, "      +/-", "       -7", "        -"),
        ("mem", False, "     MEM", " 1048576", "       -"),
        ("objsize", False, "  OBJSIZE", "       64", "       64"),
        ("bytes", True, "     FREES", "        7!", "         -"),
        ("mem", True, "     FREES     MEM", "        7! 1048576", "         -       -"),
    ],
)
def test_text_has_a_column_for_what_it_is_sorted_by_and_for_frees(
    sort: str, frees: bool, titles: str, held: str, new: str
) -> None:
    form = formats.slabratetop(1, clear=False, sort=sort, frees=frees)
    lines = form.write(sample(), [HELD, NEW]).splitlines()
    names = "CACHE                            ALLOCS      BYTES", "held                                  0          0"
    assert lines[3].removeprefix(names[0]).split() == titles.split()
    assert lines[4].removeprefix(names[1]).split() == held.split()
    assert lines[5].split()[3:] == new.split()
    assert len(lines[3]) == len(lines[4]) == len(lines[5])
    assert form.shows(HELD)
    assert form.shows(NEW)


@pytest.mark.parametrize("sort", ["name", "allocs", "bytes"])
def test_text_sorted_as_slabratetop_can_be_is_that_of_slabratetop(sort: str) -> None:
    form = formats.slabratetop(1, clear=False, sort=sort)
    assert form.write(sample(), sample().rows) == "\n" + INTERVAL
    assert not form.shows(HELD)


@pytest.mark.parametrize(("sort", "shown"), [("live", True), ("mem", True), ("growth", False), ("objsize", False)])
def test_text_sorted_by_what_is_held_shows_caches_in_which_nothing_happened(sort: str, shown: bool) -> None:
    form = formats.slabratetop(1, clear=False, sort=sort)
    assert form.shows(replace(HELD, frees=0, live_delta=0)) is shown
    assert not form.shows(replace(HELD, frees=0, live_delta=0, live=0, mem=0))


@pytest.mark.parametrize("form", [formats.slabratetop(1, clear=False), formats.JSON, formats.CSV])
def test_all_shows_idle_caches_in_each_format_without_a_limit(form: formats.Format) -> None:
    idle = cache(1, "idle")
    assert not form.shows(idle)
    assert formats.with_idle(form).shows(idle)
    assert formats.with_idle(form).most is None


def test_extra_columns_have_all_digits() -> None:
    big = replace(HELD, live=2**64 - 1, live_delta=2**64 - 1, mem=2**64 - 1, frees=2**64 - 1)
    for sort, written in (("live", ""), ("growth", "+"), ("mem", ""), ("frees", "")):
        line = formats.slabratetop(1, clear=False, sort=sort).write(sample(), [big]).splitlines()[4]
        assert line.split()[3].rstrip("!") == f"{written}{2**64 - 1}"


def test_slabratetop_shows_what_allocated_and_nothing_else() -> None:
    freed = replace(cache(1), frees=5, live_delta=-5)
    assert not formats.slabratetop(1, clear=False).shows(freed)
    assert formats.JSON.shows(freed)
    assert formats.slabratetop(1, clear=False).shows(cache(1, allocs=1))


def printed(one: Snapshot, most: int | None = None) -> str:
    """Return what is printed of a look that was asked for as the snapshot has it, if it has one of that cache."""
    kind = one.detail.kind if one.detail and one.detail.kind is not Kind.ABOUT else Kind.CALLERS
    return formats.look(one, wanted=Request(cache="dentry", kind=kind), most=most)


def test_a_look_at_something_else_is_none() -> None:
    one = replace(sample(), detail=CALLERS)
    nothing = printed(sample())
    assert formats.look(one, wanted=Request(cache="dentry", kind=Kind.STACKS)) == nothing
    assert formats.look(one, wanted=Request(cache="filp", kind=Kind.CALLERS)) == nothing


def test_a_look_has_at_most_so_many_entries() -> None:
    one = replace(sample(), detail=replace(CALLERS, entries=CALLERS.entries * 3))
    assert len(printed(one, 2).splitlines()) == len(printed(one, 1).splitlines()) + 1
