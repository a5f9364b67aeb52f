"""What is held as a table: rows with ages and shares, and a line about all of them."""

from dataclasses import replace

import pytest

from slabtui.columns.held import COLUMNS, is_estimate, share, summarize, where_held, who_holds
from slabtui.columns.inspections import Scene
from slabtui.model.held import Held, Tracking
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.inspection import Context, Inspection, InspectionKind, InspectionRow, fold_stacks
from slabtui.model.request import InspectionRequest
from slabtui.outputs import text_tables
from tests.support.fakes import snapshot

FILP = CacheKey(KeyKind.CACHE, "filp")
FRAMES = ("kmem_cache_alloc", "alloc_empty_file", "do_eventfd")
LEAKED = Held(300, 57_600, 12.4, 3700.0, 61.0, growth_objects_s=20.5)
LEAK = InspectionRow(frames=FRAMES, pid=7, comm="leak", held=LEAKED)
OTHER = InspectionRow(frames=("kmem_cache_alloc", "pipe"), pid=8, comm="sh", ended=True, held=Held(100, 19_200))
ALL = Inspection(FILP, InspectionKind.HELD, rows=(LEAK, OTHER), tracking=Tracking(410, 500, 0, 7, 1000, 1416))


def written(row: InspectionRow) -> dict[str, str]:
    return {column.title: column.write(row, column.width, Scene(ALL)) for column in COLUMNS}


def test_a_row_says_how_much_is_held_since_when_and_by_whom() -> None:
    assert written(LEAK) == {
        "HELD": "~300",
        "S.E.": "12",
        "BYTES": "57600",
        "+/s": "20.5",
        "OLDEST": "1 h 2 min",
        "MEDIAN": "1 min 1 s",
        "SHARE": "75.0%",
        "PROCESS": "leak 7",
        "PLACE": "-",
        "STACK": "alloc_empty_file < do_eventfd",
    }


def test_what_is_not_known_is_a_dash() -> None:
    found = written(OTHER)
    assert (found["HELD"], found["S.E."], found["+/s"], found["OLDEST"]) == ("~100", "0", "-", "-")
    assert found["PROCESS"] == "sh 8 (ended)"


def test_numbers_are_exact_where_each_object_was_tracked() -> None:
    assert is_estimate(ALL)
    exact = replace(ALL, tracking=Tracking())
    assert not is_estimate(exact)
    assert COLUMNS[0].write(OTHER, 8, Scene(exact)) == "100"
    assert is_estimate(replace(exact, one_in=2))


def test_interrupts_and_kernel_threads_have_their_names() -> None:
    assert who_holds(InspectionRow(pid=0, context=Context.INTERRUPT)) == "(interrupts)"
    assert who_holds(InspectionRow(pid=3, comm="kworker", context=Context.KERNEL_THREAD)) == "[kworker] 3"


@pytest.mark.parametrize(
    ("cgroup", "removed", "written"),
    [
        ("/system.slice/cron.service", False, "cron.service"),
        ("/system.slice/cron.service", True, "cron.service (removed)"),
        (f"/docker/{'3f1a2b3c4d5e6f70' * 4}", True, "3f1a2b3c4d5e (removed)"),
        ("/", None, "/"),
        ("", True, "(removed)"),
        ("", None, "-"),
    ],
)
def test_a_place_is_named_as_removed_where_its_control_group_is(
    cgroup: str, removed: bool | None, written: str
) -> None:
    assert where_held(replace(LEAK, cgroup=cgroup, removed=removed), 23) == written


def test_the_share_of_nothing_is_nothing() -> None:
    nothing = replace(LEAK, held=Held())
    assert share(nothing, replace(ALL, rows=(nothing,))) == 0


def test_the_summary_sets_what_is_held_against_the_live_objects() -> None:
    assert summarize(ALL) == "400 held, explains 96% of LIVE +416"
    freed = replace(ALL, tracking=Tracking(0, 500, 0, 0, 1000, 990))
    assert summarize(freed) == "400 held, LIVE -10"
    assert summarize(replace(ALL, tracking=None, one_in=4)) == "400 held, one address in 4"
    doubtful = replace(ALL, tracking=Tracking(live_began=1, live=2, doubt="frees in bulk"))
    assert summarize(doubtful).endswith("LIVE +1, not trustworthy: frees in bulk")


def test_text_has_the_summary_and_a_line_for_each_row() -> None:
    text = text_tables.write_inspection(snapshot(inspections=(ALL,)), InspectionRequest("filp", (InspectionKind.HELD,)))
    lines = text.splitlines()
    assert lines[1].endswith("held of filp: 400 held, explains 96% of LIVE +416")
    assert lines[3].split() == [column.title for column in COLUMNS]
    assert [line.split()[0] for line in lines[4:]] == ["~300", "~100"]


def test_folded_stacks_have_the_objects_held_of_all_processes() -> None:
    rows = (LEAK, replace(LEAK, pid=9), OTHER)
    assert fold_stacks(rows) == "do_eventfd;alloc_empty_file;kmem_cache_alloc 600\npipe;kmem_cache_alloc 100\n"
