"""The tab of what is held: its rows by stack, call site, process and place, how to turn them, what it says above."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import urwid
from urwid.testing import render_runs

from slabtui.model.held import Held, Tracking
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow
from tests.support.fakes import cache
from tests.unit.views.test_app import SIZES, Screen
from tests.unit.views.test_page import body, selected, tab, titles

FILP = replace(cache(1, "filp", allocs=5), live=13245, mem=3 << 20)
ALLOCATOR, ENTRY = ("kmem_cache_alloc_noprof", "alloc_empty_file"), ("do_syscall_64", "entry_SYSCALL_64_after_hwframe")
OPEN = (*ALLOCATOR, "path_openat", "do_file_open", "do_sys_openat2", "__x64_sys_openat", *ENTRY)
EVENT = (*ALLOCATOR, "alloc_file_pseudo", "__anon_inode_getfile", "do_eventfd", "__x64_sys_eventfd2", *ENTRY)


def holds(pid: int, frames: tuple[str, ...], objects: int, comm: str = "python3", **more: object) -> InspectionRow:
    ages = (0, objects, 0, 0, 0, 0)
    held = Held(objects, 192 * objects, 0.0, 9.0, 5.0, ages, 2.0, 0.012, 3.3)
    return InspectionRow(frames=frames, pid=pid, comm=comm, **{"held": held, **more})


LEAK = holds(8445, EVENT, 5500, cmdline="/usr/bin/python3 leak.py")
ROWS = (
    LEAK,
    holds(8446, EVENT, 3, cmdline="/usr/bin/python3 other.py"),
    holds(7, OPEN, 4, "bash", ended=True),
    holds(8445, OPEN, 1, cmdline="/usr/bin/python3 leak.py"),
)
HELD = Inspection(
    FILP.cache, InspectionKind.HELD, rows=ROWS, tracking=Tracking(5508, 9000, live_began=10_000, live=15_733)
)


def opened(*keys: str, size: tuple[int, int] = (80, 24), held: Inspection = HELD) -> Screen:
    screen = Screen(FILP, size=size)
    screen.type("L")
    screen.show(FILP, inspections=(held,))
    screen.type(*keys)
    return screen


def styles(screen: Screen, part: str) -> list[str | None]:
    return [
        style for row in render_runs(screen.app.stack, screen.size, focus=True) for style, text in row if part in text
    ]


def test_l_opens_the_tab_of_what_is_held_and_enter_the_tab_that_was_last() -> None:
    screen = Screen(FILP, size=(80, 24))
    screen.type("enter")
    assert tab(screen) == "2 Stacks"
    screen.type("4", "esc", "L")
    assert tab(screen) == "1 Held"
    screen.type("3", "esc", "enter")
    assert tab(screen) == "3 Processes"


def test_l_on_an_empty_table_opens_nothing() -> None:
    screen = Screen()
    screen.type("L")
    assert screen.state.page is None
    assert screen.has("L does nothing here: no cache is selected")


def test_stacks_are_told_apart_with_all_numbers_at_80_columns() -> None:
    screen = opened()
    assert titles(screen).split() == ["HELD", "BYTES", "+/s", "OLDEST", "MEDIAN", "SHARE", "STACK"]
    first, second = (line.split(maxsplit=6) for line in body(screen))
    assert first == ["5.50k", "1.01Mi", "4", "9s", "5s", "99.9%", "alloc_file_pseudo .. do_eventfd"]
    assert (second[0], second[6]) == ("5", "path_openat < do_file_open")


def test_v_turns_the_rows_between_stacks_call_sites_processes_and_places() -> None:
    screen = opened("v")
    assert titles(screen).split()[6:] == ["CALL", "SITE"]
    assert [line.split() for line in body(screen)] == [
        ["5.51k", "1.01Mi", "8", "9s", "5s", "100.0%", "alloc_empty_file"]
    ]
    screen.type("v")
    assert titles(screen).split()[6:] == ["PID", "S", "COMMAND"]
    assert [line.split()[0] for line in body(screen)] == ["5.50k", "4"]
    assert body(screen)[0].endswith("+ python3 x 2")
    assert body(screen)[1].split()[6:] == ["7", "X", "bash"]
    assert styles(screen, "bash") == ["row"]  # what an ended process keeps is no less interesting
    screen.type("v")
    assert titles(screen).split()[6:] == ["PLACE"]
    assert [line.split()[0] for line in body(screen)] == ["5.51k"]
    screen.type("v")
    assert titles(screen).split()[6:] == ["STACK"]


def test_enter_on_a_place_shows_its_stacks_and_its_path_and_esc_returns_to_it() -> None:
    container, removed = f"/docker/{'3f1a2b3c4d5e6f70' * 4}", "/system.slice/e\\x1b[2Jvil.service"
    rows = (
        replace(ROWS[0], cgroup=container, removed=False),
        *(replace(row, cgroup=removed, removed=True) for row in ROWS[1:]),
    )
    screen = opened("v", "v", "v", "down", held=replace(HELD, rows=rows))
    assert [line.split(maxsplit=6)[6] for line in body(screen)] == ["3f1a2b3c4d5e", f"{removed[14:]} (removed)"]
    screen.type("enter")
    assert screen.lines()[screen.top].startswith(f"{removed[14:]} ")
    assert screen.lines()[screen.top + 1].startswith(f"{removed} ")
    assert [line.split()[0] for line in body(screen)] == ["5", "3"]
    screen.type("enter")
    assert screen.has("8446") or screen.has("bash")
    screen.type("esc", "esc")
    assert "(removed)" in selected(screen)
    assert titles(screen).split()[6:] == ["PLACE"]


def test_a_wide_terminal_says_who_holds_a_stack() -> None:
    screen = opened(size=(160, 24))
    assert "python3 8445 +1" in body(screen)[0]
    assert "bash 7 (ended) +1" in body(screen)[1]


def test_enter_shows_the_stack_in_full_with_its_processes() -> None:
    screen = opened("enter")
    assert screen.has("8 frames, the innermost first")
    assert screen.has("do_eventfd")
    lines = [line.strip("│ ") for line in screen.lines()]
    start = next(place for place, line in enumerate(lines) if line.startswith("2 processes"))
    assert [line.split()[:3] for line in lines[start + 1 : start + 3]] == [
        ["5.50k", "8445", "/usr/bin/python3"],
        ["3", "8446", "/usr/bin/python3"],
    ]


def test_enter_on_a_process_shows_its_stacks_and_esc_returns_to_it() -> None:
    screen = opened("v", "v", "enter")  # a command unfolds first
    assert len(body(screen)) == 4
    before = body(screen)
    screen.type("down", "enter")
    assert screen.lines()[screen.top].startswith("filp > python3 8445 ")
    assert [line.split()[0] for line in body(screen)] == ["5.50k", "1"]
    assert titles(screen).split()[6:] == ["STACK"]
    screen.type("enter")
    assert screen.has("8 frames, the innermost first")
    screen.type("esc", "esc")
    assert body(screen) == before
    assert "8445" in selected(screen)
    screen.type("esc")
    assert screen.state.page is None


def test_enter_on_a_call_site_shows_its_stacks_and_esc_returns() -> None:
    screen = opened("v", "enter")
    assert screen.lines()[screen.top].startswith("filp > alloc_empty_file ")
    assert [line.split()[0] for line in body(screen)] == ["5.50k", "5"]
    screen.type("q")
    assert titles(screen).split()[6:] == ["CALL", "SITE"]


def test_the_selection_follows_its_row_when_the_order_changes() -> None:
    screen = opened("down")
    assert "path_openat" in selected(screen)
    more = holds(7, OPEN, 9000, "bash")
    screen.show(FILP, inspections=(replace(HELD, rows=(*ROWS[:2], more)),))
    assert "path_openat" in selected(screen)
    assert "path_openat" in body(screen)[0]


def test_equal_rows_keep_their_order() -> None:
    alike = [holds(pid, (*ALLOCATOR, f"make_{pid}"), 3) for pid in range(1, 9)]
    screen = opened(held=replace(HELD, rows=tuple(alike)))
    before = body(screen)
    screen.show(FILP, inspections=(replace(HELD, rows=tuple(reversed(alike))),))
    assert body(screen) == before


def test_how_much_of_the_change_of_live_is_explained_stands_above_the_rows() -> None:
    screen = opened()
    assert "holds 5.51k, explains 96% of LIVE +5,733" in screen.lines()[3]
    screen.show(FILP, inspections=(replace(HELD, one_in=4, lost=9),))
    assert "holds ~5.51k" in screen.lines()[3]
    assert screen.lines()[2].endswith("~ 1 in 4 lost 9")
    assert opened(size=(160, 24), held=replace(HELD, one_in=4)).has("~ one address in 4")


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
def test_rows_that_cannot_be_trusted_are_marked_and_the_reason_stands_above_them(size: tuple[int, int]) -> None:
    doubt = "about 90,123 frees have no event, as frees in bulk: their objects seem to be held"
    screen = opened(size=size, held=replace(HELD, tracking=replace(HELD.tracking, doubt=doubt)))
    assert "! about 90,123 frees have no event, as frees in bulk" in screen.lines()[screen.top + 1]
    assert styles(screen, "frees in bulk") == ["warning"]
    assert body(screen)[0].split()[0] == "5.50k!"


def test_rows_that_may_hold_nothing_are_dim() -> None:
    vague = replace(ROWS[2], held=replace(ROWS[2].held, objects=4, standard_error=3.0))
    screen = opened(held=replace(HELD, one_in=4, rows=(LEAK, vague)))
    assert styles(screen, "path_openat") == ["dim"]
    assert styles(screen, "do_eventfd") == ["selected"]


def test_the_ages_of_the_selected_row_are_a_chart_beside_that_of_live() -> None:
    old = replace(ROWS[2], held=replace(ROWS[2].held, ages=(0, 0, 0, 0, 0, 4), lifetime_p99=60.0))
    screen = opened(held=replace(HELD, rows=(LEAK, old)))
    lines = screen.lines()
    assert lines[4].startswith("ages; freed after 12ms, 99% by 3s ")
    assert "LIVE 13.2k" in lines[4]
    assert lines[6].startswith("      █████ ")
    assert lines[7].startswith("<1s   <10s  <1m   <10m  <1h   >1h")
    screen.type("down")
    assert screen.lines()[4].startswith("ages; freed after 12ms, 99% by 1m00s ")
    assert screen.lines()[6].startswith(" " * 30 + "█████")
    assert not opened(size=(40, 10)).has("ages")


def test_the_slope_of_a_row_that_joins_several_is_that_of_their_sum() -> None:
    """Each of these processes keeps one object, and comes when the one before it has ended: none has a slope."""
    rows: list[InspectionRow] = []
    screen = opened(held=replace(HELD, rows=()))
    for pid in range(1, 40):
        held = Held(1, 192, ages=(1, 0, 0, 0, 0, 0), oldest=0.5, median=0.5, growth_objects_s=0.0)
        rows.append(holds(pid, EVENT, 1, "sh", held=held))
        screen.show(FILP, time=1.7e9 + pid, inspections=(replace(HELD, rows=tuple(rows)),))
    assert body(screen)[0].split()[2] == "1"
    screen.type("v")
    assert body(screen)[0].split()[2] == "1"


def test_pause_and_steps_back_show_what_was_held_then() -> None:
    screen = opened()
    screen.show(FILP, time=1.7e9 + 5, inspections=(replace(HELD, rows=ROWS[:1]),))
    assert len(body(screen)) == 1
    screen.type("[")
    assert len(body(screen)) == 2
    screen.type("p", "p")
    screen.show(FILP, time=1.7e9 + 6, inspections=(HELD,))
    assert len(body(screen)) == 1


def test_a_recording_without_what_is_held_says_so_in_one_line() -> None:
    screen = Screen(FILP)
    screen.state.time.replay = screen.state.time.repeats = True  # as in the demo, which has no time line
    screen.type("L")
    assert [line.strip() for line in body(screen)] == ["The recording has no data for “Held” of this cache here."]


def test_where_nothing_is_held_the_tab_says_so() -> None:
    screen = opened(held=replace(HELD, rows=()))
    assert screen.has("Nothing is held of what was allocated since this page was opened.")
    screen.type("v")
    assert screen.has("v does nothing here: it works on the tab of what is held, where that has rows")


@pytest.mark.parametrize("suffix", ["csv", "json", "folded"])
def test_an_export_has_the_rows_of_the_tab(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    screen = opened("v", "v", "enter", "down", "enter", "e", *["backspace"] * 40, *f"a.{suffix}", "enter")
    assert screen.has(f"2 rows of what is held written to a.{suffix}")
    text = (tmp_path / f"a.{suffix}").read_text()
    if suffix == "folded":
        assert [line.split()[-1] for line in text.splitlines()] == ["5500", "1"]
    elif suffix == "csv":
        first, _ = csv.DictReader(io.StringIO(text))
        assert (first["pid"], first["objects"], first["ages"]) == ("8445", "5500", "0;5500;0;0;0;0")
        assert first["lifetime_p99"] == "3.3"
    else:
        assert text.count('"held":{') == 2


@pytest.fixture
def plain() -> Iterator[None]:
    urwid.set_encoding("ascii")
    yield
    urwid.set_encoding("utf8")


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("keys", [(), ("v",), ("v", "v")])
def test_the_tab_is_ascii_outside_utf8(size: tuple[int, int], keys: tuple[str, ...]) -> None:
    screen = opened(*keys, size=size)
    assert all(line.isascii() for line in screen.lines())
