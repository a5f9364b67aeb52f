"""The rows of a page: stacks in little room, processes by command, the way from a process to its stacks and back."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
import urwid
from urwid.testing import render_runs

from slabtui.model.inspection import Context, Inspection, InspectionKind, InspectionRow
from slabtui.text import printable
from slabtui.views.page_state import STEP
from tests.support.fakes import cache
from tests.unit.views.test_app import SIZES, Screen
from tests.unit.views.test_page import KINDS, LABEL, body, inspected, selected, tab, titles

FILP = replace(cache(1, "filp", allocs=5), live=13245, mem=3 << 20)
ALLOCATOR, ENTRY = ("kmem_cache_alloc_noprof", "alloc_empty_file"), ("do_syscall_64", "entry_SYSCALL_64_after_hwframe")
OPEN = (*ALLOCATOR, "path_openat", "do_file_open", "do_sys_openat2", "__x64_sys_openat", *ENTRY)
EVENT = (*ALLOCATOR, "alloc_file_pseudo", "__anon_inode_getfile", "do_eventfd", "__x64_sys_eventfd2", *ENTRY)
POD = "/kubepods.slice/kubepods-pod0f9c6a1e_1b2c_4d3e_8f90_123456789abc.slice/cri-containerd-" + "3f1a" * 16 + ".scope"


def process(pid: int, total: int, comm: str = "python3", **more: object) -> InspectionRow:
    return inspected(1, 64, total, 64 * total, pid=pid, comm=comm, cgroup=POD, **more)


PROCESSES = Inspection(
    FILP.cache,
    InspectionKind.PROCESSES,
    rows=(
        process(8445, 50, cmdline="/usr/bin/python3 leak.py"),
        process(7, 40, "bash", ended=True),
        process(8446, 30, cmdline="/usr/bin/python3 other.py"),
        process(8447, 20, ended=True),
    ),
)
STACKS = Inspection(
    FILP.cache,
    InspectionKind.STACKS,
    one_in=3,
    rows=(
        process(8445, 48, frames=EVENT, cmdline="/usr/bin/python3 leak.py"),
        process(7, 39, "bash", frames=OPEN),
        process(8446, 30, frames=OPEN, cmdline="/usr/bin/python3 other.py"),
        process(8445, 3, frames=OPEN, cmdline="/usr/bin/python3 leak.py"),
    ),
)
CALLERS = Inspection(FILP.cache, InspectionKind.CALLERS)
ALL = (STACKS, PROCESSES, CALLERS)


def opened(*keys: str, size: tuple[int, int] = (80, 24), inspections: tuple[Inspection, ...] = ALL) -> Screen:
    screen = Screen(FILP, size=size)
    screen.type("enter")
    screen.show(FILP, inspections=inspections)
    screen.type(*keys)
    return screen


def path(screen: Screen) -> str:
    return screen.lines()[screen.top].partition("  ")[0].rstrip(" 1")


def texts(screen: Screen) -> list[str]:
    """Return what stands in the last column, which begins below its title."""
    start = max(titles(screen).rfind(title) for title in ("STACK", "COMMAND"))
    return [line[start:].rstrip() for line in body(screen)]


def style(screen: Screen, part: str) -> str | None:
    runs = [run for row in render_runs(screen.app.stack, screen.size, focus=True) for run in row]
    return next(style for style, text in runs if part in text)


def test_stacks_are_told_apart_at_80_columns_without_opening_them() -> None:
    """The common beginning was shown and the difference cut: 14 stacks had 3 different texts."""
    assert texts(opened()) == [
        "path_openat < do_file_open < do_sys_openat2",
        "alloc_file_pseudo < __anon_inode_getfile < do_eventfd",
    ]
    assert texts(opened(size=(40, 10))) == ["path_openat < do_file_open", "alloc_file_pseudo .. do_eventfd"]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 24)])
def test_many_alike_stacks_show_different_texts(size: tuple[int, int]) -> None:
    rows = tuple(
        inspected(
            1, 64, 100 - number, 64, frames=(*ALLOCATOR, f"make_{number % 4}", "vfs", f"call_{number // 4}", *ENTRY)
        )
        for number in range(12)
    )
    found = texts(opened(size=size, inspections=(replace(STACKS, rows=rows),)))
    assert len(found) == len(set(found)) == 12


def test_a_stack_of_several_processes_is_one_row_with_their_sum() -> None:
    screen = opened()
    assert [line.split()[:2] for line in body(screen)] == [["60.0%", "~72"], ["40.0%", "~48"]]


def test_the_text_of_stacks_is_scrolled_in_full_and_back() -> None:
    screen = opened()
    short, whole = texts(screen), " < ".join(OPEN[1:])
    screen.type(".")
    room = len(texts(screen)[0].rstrip("…"))
    assert texts(screen)[0] == f"{whole[:room]}…"
    screen.type("shift right")
    assert texts(screen)[0].startswith(whole[STEP : STEP + room])
    assert f"STACK +{2 * STEP}" not in titles(screen)
    assert f"STACK +{STEP}" in titles(screen)
    screen.type(*["."] * 20)
    assert screen.has(". does nothing here: this is the right end")
    screen.type(*[","] * 20)
    assert screen.has(", does nothing here: this is the left end")
    assert texts(screen)[:2] == short


def test_command_lines_are_scrolled_too_and_a_change_of_the_tab_goes_back_to_the_left() -> None:
    long = replace(PROCESSES.rows[0], comm="nginx", cmdline=f"nginx: {'worker ' * 9}")
    screen = opened("3", inspections=(replace(PROCESSES, rows=(long,)),))
    assert texts(screen) == [f"{long.cmdline[: len(texts(screen)[0]) - 1]}…"]
    screen.type(".")
    assert texts(screen)[0].startswith(long.cmdline[STEP : STEP + 9])
    screen.type("4", "3")
    assert texts(screen)[0].startswith("nginx: worker")


def test_processes_are_listed_by_command_with_their_number_and_unfold() -> None:
    screen = opened("3")
    assert titles(screen).split() == ["SHARE", "SINCE", "BYTES", "PID", "S", "CGROUP", "COMMAND"]
    assert [line.split() for line in body(screen)] == [
        ["71.4%", "100", "6.25Ki", "-", "0f9c6a1e", "3f1a3f1a3f1a", "+", "python3", "x", "3,", "1", "ended"],
        ["28.6%", "40", "2.50Ki", "7", "X", "0f9c6a1e", "3f1a3f1a3f1a", "bash"],
    ]
    for fold in ("f5", " "):
        screen.type(fold)
        assert [text.split()[0] for text in texts(screen)] == [
            "-",
            "leak.py",
            "other.py",
            "python3",
            "bash",
        ]
        assert [line.split()[3] for line in body(screen)] == ["-", "8445", "8446", "8447", "7"]
        screen.type("down", "down", fold)  # on a process its command is folded and selected
        assert "+ python3 x 3" in selected(screen)
        assert len(body(screen)) == 2


def test_a_process_that_is_alone_cannot_be_folded() -> None:
    screen = opened("3", "down", "f5")
    assert screen.has("F5 does nothing here: it is the only process of its command")


def test_who_has_ended_has_a_sign_and_is_dim() -> None:
    screen = opened("3", "f5", "end", "up")
    assert " X " in body(screen)[3]
    screen.type("home")
    assert style(screen, " 8447 ") == "dim"
    assert style(screen, " 8446 ") == "row"


def test_enter_goes_from_a_process_to_its_stacks_and_back() -> None:
    screen = opened("3", "enter")  # a command unfolds first
    assert len(body(screen)) == 5
    before = body(screen)
    screen.type("down", "enter")
    assert path(screen) == "filp > python3 8445"
    assert tab(screen) == "2 Stacks"
    assert [line.split()[:2] for line in body(screen)] == [["94.1%", "~48"], ["5.9%", "~3"]]
    for back in ("esc", "q"):
        screen.type(back)
        assert path(screen) == "filp"
        assert tab(screen) == "3 Processes"
        assert body(screen) == before
        assert " 8445 " in selected(screen)
        screen.type("enter")
    screen.type("enter")
    assert screen.has("8 frames, the innermost first")
    screen.type("q", "q", "q")
    assert screen.state.page is None


def test_enter_on_a_command_that_is_unfolded_shows_the_stacks_of_all_its_processes() -> None:
    screen = opened("3", "enter", "enter")
    assert path(screen) == "filp > python3"
    assert [line.split()[1] for line in body(screen)] == ["~48", "~33"]


def test_a_stack_of_a_process_looks_as_it_does_among_those_of_all() -> None:
    screen = opened()
    among_all = texts(screen)
    screen.type("3", "down", "enter")
    assert path(screen) == "filp > bash 7"
    assert texts(screen) == among_all[:1]


def test_the_tabs_lead_from_the_stacks_of_a_process_to_those_of_all() -> None:
    screen = opened("3", "down", "enter")
    assert path(screen) == "filp > bash 7"
    screen.type("2")
    assert path(screen) == "filp"
    assert len(body(screen)) == 2


def test_a_process_without_a_stack_says_so_and_the_way_back_works() -> None:
    screen = opened("3", "enter", "down", "down", "down", "enter")
    assert screen.has("No stack of python3 8447 was sampled so far.")
    assert "EnterOpen" not in screen.lines()[-1]
    screen.type("q")
    assert tab(screen) == "3 Processes"


def test_a_recording_that_does_not_say_whose_stacks_it_has_says_so() -> None:
    unknown = replace(STACKS, rows=tuple(replace(row, pid=None, comm="") for row in STACKS.rows))
    screen = opened("3", "down", "enter", inspections=(unknown, PROCESSES))
    assert screen.has("Enter does nothing here: the recording does not say whose stacks it has")


def test_the_stacks_of_a_process_follow_the_intervals() -> None:
    screen = opened("3", "down", "enter")
    more = replace(STACKS, rows=(*STACKS.rows, process(7, 99, "bash", frames=EVENT)))
    screen.show(FILP, inspections=(more, PROCESSES))
    assert [line.split()[1] for line in body(screen)] == ["~99", "~39"]


def test_a_stack_in_full_has_the_processes_below_it() -> None:
    screen = opened("enter")
    lines = [line.strip(" │") for line in screen.lines()]
    start = next(place for place, line in enumerate(lines) if "3 processes" in line)
    assert [
        line.split()[-4:] for line in (" ".join(one.split("│")[1:2]) for one in screen.lines()[start + 1 : start + 4])
    ] == [
        ["~39", "7", "bash"],
        ["~30", "8446", "/usr/bin/python3", "other.py"],
        ["~3", "8445", "/usr/bin/python3", "leak.py"],
    ]


def test_the_processes_below_a_stack_are_grouped_by_command() -> None:
    """A stack of a shell that starts programs had a line for each of 1800 processes, nearly all ended."""
    many = tuple(replace(STACKS.rows[0], pid=pid, total_allocs=2) for pid in range(1, 100))
    screen = opened("enter", inspections=(replace(STACKS, rows=many),))
    assert screen.has("99 processes")
    assert screen.has("   ~198       - python3 x 99")
    screen = opened("enter", inspections=(replace(STACKS, rows=many[:1]),))
    assert screen.has("1 process ")


def test_the_selection_follows_a_command_when_the_order_changes() -> None:
    screen = opened("3", "down")
    assert " bash" in selected(screen)
    first, *rest = PROCESSES.rows
    screen.show(FILP, inspections=(replace(PROCESSES, rows=(replace(first, total_allocs=1), *rest[:1])),))
    assert " bash" in selected(screen)


def test_a_page_opens_at_once_with_what_is_known() -> None:
    growing = replace(
        FILP,
        aliases=("file_a",),
        growth_objects_s=20.0,
        growth_bytes_h=4608000.0,
        growing=True,
        grows_with=("kmalloc-64",),
        reclaimable=False,
    )
    screen = Screen(growing, size=(110, 24))
    for number in range(3):
        screen.show(replace(growing, live=13000 + number))
    screen.type("enter")
    assert screen.lines()[3].split("  ") == [
        "live 13.0k",
        "memory 3.00Mi",
        "growth +20/s^, +4.39Mi/h, with kmalloc-64",
        "unreclaimable",
        "aliases file_a",
    ]
    assert "min 13.0k" in screen.lines()[4]
    assert screen.has("Collecting…")
    screen.type("5")
    assert not screen.has("Collecting")
    assert f"{'Aliases':<{LABEL}}file_a" in body(screen)
    assert f"{'Growth':<{LABEL}}+20/s^, +4.39Mi/h, with kmalloc-64" in body(screen)
    assert screen.has("allocs/s 5 ")


@pytest.mark.parametrize(
    ("size", "lines"), [((80, 24), 4), ((200, 50), 8), ((80, 33), 6), ((40, 10), 0), ((80, 18), 0)]
)
def test_the_charts_are_as_high_as_there_is_room(size: tuple[int, int], lines: int) -> None:
    screen = opened(size=size)
    title = next(place for place, line in enumerate(screen.lines()) if "STACK" in line)
    assert title - screen.top - 2 == lines
    assert ("now" in screen.lines()[title - 1]) == bool(lines)


def test_the_time_of_the_charts_ends_where_the_screen_is_paused() -> None:
    screen = opened("p")
    assert screen.lines()[7].split()[-1].count(":") == 2
    screen.type("p")
    assert screen.lines()[7].split()[-1] == "now"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", [b"\x1b[2J\xff\n;\x07\xe2\x80\xae", "\u540d\u524d".encode() * 40, b"a " * 99, b""])
def test_any_name_stays_within_its_line(size: tuple[int, int], name: bytes) -> None:
    comm, line = printable(name[:15]), printable(name)
    rows = tuple(process(pid, 9, comm, cmdline=line, ended=pid == 1) for pid in range(1, 4))
    stack = replace(rows[0], frames=(line, comm, "x"))
    screen = opened(
        "3", "f5", ".", "home", size=size, inspections=(replace(STACKS, rows=(stack,)), replace(PROCESSES, rows=rows))
    )
    screen.type("down", "enter", "enter")
    assert all(text.isprintable() for text in screen.lines())
    assert screen.state.windows[1:]


@pytest.fixture
def plain() -> Iterator[None]:
    urwid.set_encoding("ascii")
    yield
    urwid.set_encoding("utf8")


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("key", ["1", "2", "3", "4", "5"])
def test_pages_are_ascii_outside_utf8(size: tuple[int, int], key: str) -> None:
    screen = opened(key, "f5", size=size)
    assert all(line.isascii() for line in screen.lines())
    screen.type("enter")
    assert all(line.isascii() for line in screen.lines())


def test_kernel_threads_and_interrupts_have_pages_too() -> None:
    rows = (
        process(5, 9, "kworker/0:1", context=Context.KERNEL_THREAD),
        process(6, 8, "kworker/1:1", context=Context.KERNEL_THREAD),
        process(0, 7, "", context=Context.INTERRUPT),
    )
    stacks = tuple(replace(row, frames=(*OPEN, str(row.pid))) for row in rows)
    screen = opened("3", "end", "enter", inspections=(replace(STACKS, rows=stacks), replace(PROCESSES, rows=rows)))
    assert path(screen) == "filp > (interrupts)"
    assert len(body(screen)) == 1
    screen.type("esc", "home", "enter", "enter")
    assert path(screen) == "filp > [kworker]"
    assert len(body(screen)) == 2


def test_what_the_tabs_list_is_worked_out_once_for_each_interval() -> None:
    screen = opened("3", "f5")
    pages = screen.state.pages
    before = {kind: pages.list_tab(kind) for kind in KINDS}
    screen.type("2", "down", "3", "up", "down", "4", "3")
    assert all(pages.list_tab(kind) is listing for kind, listing in before.items())
    groups = {id(item) for listing in before.values() if listing for item in listing.items}
    screen.type("f5", "f5")
    listing = pages.list_tab(InspectionKind.PROCESSES)
    assert listing is not None
    assert {id(item) for item in listing.items} <= groups
    assert all(one <= other for one, other in pairwise(listing.places.values()))


def test_the_biggest_rows_stay_in_view_when_the_selected_one_falls() -> None:
    """After a cursor move the list scrolled under the selection: the first rows left the screen."""
    rows = [process(pid, 1000 - pid, f"comm{pid}") for pid in range(1, 60)]
    screen = opened("3", "down", "down", inspections=(replace(PROCESSES, rows=tuple(rows)),))
    assert "comm3" in selected(screen)
    height = len(body(screen))
    assert f"▼ {59 - height} rows below" in screen.lines()[-2]
    for total, line, name in ((1000 - height, -2, "comm3"), (1, -2, f"comm{height}")):
        rows[2] = replace(rows[2], total_allocs=total)
        screen.show(FILP, inspections=(replace(PROCESSES, rows=tuple(rows)),))
        assert " comm1 " in body(screen)[0]
        assert name in selected(screen)
        assert name in body(screen)[line]


def test_numbers_are_written_in_the_style_of_the_table() -> None:
    screen = opened("3")
    assert "6.25Ki" in body(screen)[0]
    screen.type("B")
    assert "6,400" in body(screen)[0]
    screen.type("B")
    assert "6400" in body(screen)[0]
    screen.type("esc", "esc")
    assert screen.state.page is None
