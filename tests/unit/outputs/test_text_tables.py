"""Text output: the table of slabratetop, exact to the character because programs read it, and inspections."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.columns import text
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.inspection import About, Context, Inspection, InspectionKind, InspectionRow
from slabtui.model.request import InspectionRequest
from slabtui.model.snapshot import Snapshot
from slabtui.outputs.text_tables import SLABRATETOP, write_caches, write_inspection
from slabtui.text import printable
from tests.support.fakes import cache, key, snapshot
from tests.support.places import timezone

AT = 1764054095.25  # 2025-11-25 07:01:35 UTC
INTERVAL = """\
07:01:35 loadavg: 0.38 0.21 0.12 1/342 13297

CACHE                            ALLOCS      BYTES
kmalloc-4096                       3554   14557184
kmalloc-256                        2382     609536
cred_jar                           2568     493056
"""
SAMPLE = snapshot(
    cache(1, "kmalloc-4096", allocs=3554, size=4096),
    replace(cache(2, "kmalloc-256", allocs=2382, size=256), bytes=609536),
    cache(3, "cred_jar", allocs=2568, size=192),
    time=AT,
)
GROWTH = {"growth_bytes_h": 3456.4, "growth_objects_s": 0.012, "recent_objects_s": -2.5, "growing": True}
HELD = replace(cache(9, "held"), frees=7, live=15_000, live_delta=-7, mem=1 << 20, disagrees=True, **GROWTH)
HELD = replace(HELD, reclaimable=False)
NEW = replace(cache(8, "new", allocs=2), live=None, mem=None)


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with timezone("UTC"):
        yield


def test_text_is_that_of_slabratetop() -> None:
    assert write_caches(SAMPLE, SAMPLE.rows) == "\n" + INTERVAL


def test_text_without_rows_has_its_headings() -> None:
    assert write_caches(SAMPLE, ()) == "\n" + "".join(INTERVAL.splitlines(keepends=True)[:3])


def test_what_comes_before_an_interval_can_be_chosen() -> None:
    assert write_caches(SAMPLE, SAMPLE.rows, before="\x1b[H\x1b[2J") == "\x1b[H\x1b[2J" + INTERVAL


def test_long_names_and_numbers_are_not_cut() -> None:
    row = replace(cache(1, "n" * 40), allocs=12345678, bytes=12345678901)
    assert write_caches(SAMPLE, [row]).splitlines()[-1] == "n" * 40 + " 12345678 12345678901"
    widest = replace(cache(1, "n" * 32), allocs=999999, bytes=9999999999)
    assert write_caches(SAMPLE, [widest]).splitlines()[-1] == "n" * 32 + " 999999 9999999999"
    largest = replace(cache(1, "n"), allocs=2**64 - 1, bytes=2**64 - 1)
    assert write_caches(SAMPLE, [largest]).splitlines()[-1].split()[1:] == [str(2**64 - 1)] * 2


@pytest.mark.parametrize("name", [" two  words ", "", "名前"])
def test_a_name_keeps_its_spaces(name: str) -> None:
    assert write_caches(SAMPLE, [cache(1, name)]).splitlines()[-1] == f"{name:<32}      0          0"


def test_a_row_that_is_not_exact_is_marked() -> None:
    row = replace(cache(1, "kmalloc-64", allocs=1), approximate=True)
    assert write_caches(SAMPLE, [row]).splitlines()[-1] == "~kmalloc-64                           1         64"


def test_the_clock_shows_local_time() -> None:
    with timezone("EST+5"):
        assert write_caches(SAMPLE, ()).startswith("\n02:01:35 loadavg: ")


@given(st.text(max_size=30), st.integers(0, 3))
def test_text_has_a_line_for_each_row_and_four_before_them(name: str, number: int) -> None:
    rows = [cache(n, printable(name.encode()), allocs=n) for n in range(number)]
    assert write_caches(SAMPLE, rows).count("\n") == 4 + number


@pytest.mark.parametrize(
    ("column", "title", "held", "new"),
    [
        ("frees", "FREES", "7!", "-"),
        ("live", "LIVE", "15000", "-"),
        ("delta", "+/-", "-7", "-"),
        ("mem", "MEM", "1048576", "-"),
        ("objsize", "OBJSIZE", "64", "64"),
        ("growth", "GROWTH/h", "+3456^", "-"),
        ("rate", "OBJ/s", "+0.01", "-"),
        ("recent", "1 MIN", "-2.50", "-"),
        ("reclaim", "RECLAIM", "no", "-"),
    ],
)
def test_more_columns_are_behind_those_of_slabratetop(column: str, title: str, held: str, new: str) -> None:
    lines = write_caches(SAMPLE, [HELD, NEW], columns=[*SLABRATETOP, column]).splitlines()
    before = write_caches(SAMPLE, [HELD, NEW]).splitlines()
    room = text.BY_ID[column].width
    assert lines[3] == f"{before[3]} {title.strip():>{room}}"
    assert lines[4] == f"{before[4]} {held.strip():>{room}}"
    assert lines[5] == f"{before[5]} {new.strip():>{room}}"


def test_more_columns_have_all_digits() -> None:
    big = replace(HELD, live=2**64 - 1, live_delta=2**64 - 1, mem=2**64 - 1, frees=2**64 - 1, growth_bytes_h=2.0**70)
    for column, written in (("live", ""), ("delta", "+"), ("mem", ""), ("frees", "")):
        line = write_caches(SAMPLE, [big], columns=["allocs", column]).splitlines()[4]
        assert line.split()[1].rstrip("!") == f"{written}{2**64 - 1}"
    assert write_caches(SAMPLE, [big], columns=["growth"]).splitlines()[4] == f"+{2**70}^"


def test_columns_stand_in_the_order_that_is_asked_for() -> None:
    lines = write_caches(SAMPLE, [HELD], columns=["mem", "name", "live"]).splitlines()
    assert lines[3].split() == ["MEM", "CACHE", "LIVE"]
    assert lines[4].split() == ["1048576", "held", "15000"]
    assert write_caches(SAMPLE, [HELD], columns=["live", "name"]).splitlines()[4] == "   15000 held"


def test_columns_of_other_widths_do_not_change_those_of_slabratetop() -> None:
    chosen = write_caches(SAMPLE, SAMPLE.rows, columns=["name", "allocs", "bytes"])
    assert chosen == write_caches(SAMPLE, SAMPLE.rows) == "\n" + INTERVAL


DENTRY = key(1, "dentry")  # the second cache of that name
CALLERS = Inspection(
    CacheKey(KeyKind.CACHE, "dentry"),
    InspectionKind.CALLERS,
    rows=(
        InspectionRow(allocs=3, bytes=576, total_allocs=30, total_bytes=5760, frames=("d_alloc+0x2a",)),
        InspectionRow(allocs=0, bytes=0, total_allocs=10, total_bytes=1920, frames=("x" * 60,)),
    ),
)
NOTHING = "\n07:01:35 no callers of dentry yet\n"


def written(
    inspection: Inspection | None,
    cache: CacheKey | str = "dentry",
    kind: InspectionKind = InspectionKind.CALLERS,
    most: int | None = None,
    sample: Snapshot = SAMPLE,
) -> str:
    found = () if inspection is None else (inspection,)
    return write_inspection(replace(sample, inspections=found), InspectionRequest(cache, (kind,)), most)


def test_an_inspection_is_a_table_below_what_it_is_of() -> None:
    assert written(CALLERS) == (
        "\n07:01:35 callers of dentry\n\n"
        " SHARE   ALLOCS   BYTES    SINCE   BYTES CALL SITE\n"
        " 75.0%        3     576       30    5760 d_alloc+0x2a\n"
        f" 25.0%        0       0       10    1920 {'x' * 60}\n"
    )


def test_an_inspection_says_what_is_estimated_and_what_was_lost() -> None:
    rows = tuple(replace(row, standard_error=4.0) for row in CALLERS.rows)
    stacks = replace(CALLERS, kind=InspectionKind.STACKS, one_in=9, lost=4, rows=rows)
    lines = written(stacks, kind=InspectionKind.STACKS).splitlines()
    assert lines[1] == "07:01:35 stacks of dentry, one stack in 9: ~ are estimates, lost 4"
    assert lines[3].split()[:3] == ["SHARE", "S.E.", "ALLOCS"]
    assert lines[4].split()[:6] == ["75.0%", "7.9%", "~3", "~576", "~30", "~5760"]


def test_an_inspection_that_is_not_counted_says_why() -> None:
    failed = replace(CALLERS, rows=(), trouble="out of memory")
    assert written(failed).splitlines()[1] == "07:01:35 callers of dentry, not counted: out of memory"


def test_processes_have_their_command_line_at_the_end_of_the_line() -> None:
    counts = {"allocs": 1, "bytes": 64, "total_allocs": 1, "total_bytes": 64}
    processes = (
        InspectionRow(**counts, pid=7, comm="cron", cmdline="cron -f", ended=True, cgroup="/system.slice"),
        InspectionRow(**counts, pid=9, comm="kswapd0", context=Context.KERNEL_THREAD),
    )
    found = Inspection(DENTRY, InspectionKind.PROCESSES, rows=processes)
    lines = written(found, kind=InspectionKind.PROCESSES).splitlines()
    assert lines[4].split() == ["50.0%", "1", "64", "1", "64", "7", "X", "/system.slice", "cron", "-f"]
    assert lines[4].index("cron -f") == lines[3].index("COMMAND")
    assert lines[5].split() == ["50.0%", "1", "64", "1", "64", "9", "[kswapd0]"]
    assert lines[5].endswith("]")  # no spaces at the end of a line


def test_numbers_of_an_inspection_have_all_their_digits() -> None:
    most = 2**64 - 1
    big = InspectionRow(allocs=most, bytes=most, total_allocs=most, total_bytes=most, frames=("f",))
    (line,) = written(replace(CALLERS, rows=(big,))).splitlines()[4:]
    assert line.split() == ["100.0%", *[str(most)] * 4, "f"]


def test_an_inspection_without_rows_has_its_headings() -> None:
    assert written(replace(CALLERS, rows=())) == (
        "\n07:01:35 callers of dentry\n\n SHARE   ALLOCS   BYTES    SINCE   BYTES CALL SITE\n"
    )


def test_an_inspection_has_at_most_as_many_rows_as_asked_for() -> None:
    many = replace(CALLERS, rows=CALLERS.rows * 3)
    assert [len(written(many, most=most).splitlines()) for most in (1, 2, None)] == [5, 6, 10]


def test_no_inspection_is_said_so() -> None:
    assert written(None) == NOTHING


@pytest.mark.parametrize("kind", [InspectionKind.STACKS, InspectionKind.ABOUT])
def test_an_inspection_of_another_kind_is_none(kind: InspectionKind) -> None:
    """A recording of the screen may have any kind, that of the About page too."""
    about = About(live=5) if kind is InspectionKind.ABOUT else None
    assert written(replace(CALLERS, kind=kind, about=about)) == NOTHING


def test_an_inspection_of_another_cache_is_none() -> None:
    assert written(replace(CALLERS, cache=key(1, "filp"))) == NOTHING


FIRST, SECOND = CacheKey(KeyKind.CACHE, "fuse_inode"), CacheKey(KeyKind.CACHE, "fuse_inode", 2)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (FIRST, [FIRST]),
        (SECOND, [SECOND]),
        ("fuse_inode#2", [SECOND]),
        ("fuse_inode", [FIRST, SECOND]),
        ("fuse_node", []),
        ("fuse_request", [SECOND]),  # an alias
    ],
    ids=str,
)
def test_a_key_means_one_cache_and_a_name_or_an_alias_any_that_has_it(
    asked: CacheKey | str, found: list[CacheKey]
) -> None:
    rows = (
        replace(cache(1, "fuse_inode"), cache=FIRST),
        replace(cache(2, "fuse_inode"), cache=SECOND, aliases=("fuse_request",)),
    )
    sample = snapshot(*rows, time=AT)
    matching = [
        one for one in (FIRST, SECOND) if " yet\n" not in written(replace(CALLERS, cache=one), asked, sample=sample)
    ]
    assert matching == found


def test_two_caches_of_one_name_differ_by_their_key() -> None:
    assert "callers of fuse_inode#2\n" in written(replace(CALLERS, cache=SECOND), SECOND)
