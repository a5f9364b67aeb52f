"""The rendered page of one cache, how it opens and closes, and its requests to the producer."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from urwid.testing import check_box_sizing, render_runs

from slabtui.model.beside import KernelSite, SideCount
from slabtui.model.held import Held, Tracking
from slabtui.model.inspection import ON_PAGE, About, Context, Inspection, InspectionKind, InspectionRow
from slabtui.model.request import InspectionRequest, Request
from slabtui.model.snapshot import CacheRow
from slabtui.producer import Producer
from slabtui.text import printable
from slabtui.views.app import App
from slabtui.views.state import State
from slabtui.views.terminal import PALETTE
from tests.support.fakes import cache, caches
from tests.unit.views.test_app import SIZES, Screen

DENTRY = cache(1, "dentry", allocs=5)
HOSTILE = b"\x1b[2J\xff\n;\x07\xe2\x80\xae"
DENTRY_KEY = DENTRY.cache


def inspected(allocs: int, bytes_: int, total_allocs: int, total_bytes: int, **more: object) -> InspectionRow:
    return InspectionRow(
        **{"allocs": allocs, "bytes": bytes_, "total_allocs": total_allocs, "total_bytes": total_bytes, **more}
    )


STACK = inspected(
    3,
    192,
    30,
    1920,
    frames=("kmem_cache_alloc", "getname_flags", "do_sys_openat2", "x64_sys_call"),
    standard_error=4.0,
)
CALLERS = Inspection(
    DENTRY_KEY,
    InspectionKind.CALLERS,
    rows=(
        inspected(3, 192, 30, 1920, frames=("d_alloc+0x2a",)),
        inspected(1, 64, 10, 640, frames=("d_copy+0x10",)),
    ),
)
STACKS = Inspection(
    DENTRY_KEY,
    InspectionKind.STACKS,
    one_in=9,
    lost=4,
    rows=(STACK, replace(STACK, frames=("kmem_cache_alloc", "other"), total_allocs=10, standard_error=2.0)),
)
PROCESSES = Inspection(
    DENTRY_KEY,
    InspectionKind.PROCESSES,
    rows=(
        inspected(2, 128, 60, 3840, pid=4194304, comm=printable(HOSTILE), cgroup=printable(b"/a\x1b[31m\n")),
        inspected(1, 64, 30, 1920, pid=85, comm="kswapd0", cgroup="/", context=Context.KERNEL_THREAD),
        inspected(0, 0, 10, 640, pid=0, context=Context.INTERRUPT),
    ),
)
ABOUT = Inspection(
    DENTRY_KEY,
    InspectionKind.ABOUT,
    about=About(("x", "y"), 192, 200, 21, 4096, ("reclaimable", "accounted"), ((0, 3), (1, 4)), 5, 8192),
)
HELD = Inspection(
    DENTRY_KEY,
    InspectionKind.HELD,
    rows=(
        InspectionRow(
            frames=STACK.frames,
            pid=4194304,
            comm=printable(HOSTILE),
            cgroup=printable(b"/a\x1b[31m\n"),
            held=Held(60, 3840, 0.0, 42.0, 9.5, (3, 27, 30, 0, 0, 0), 1.5, 0.012, 3.3),
        ),
        InspectionRow(
            frames=("kmem_cache_alloc", "other"),
            pid=85,
            comm="kswapd0",
            context=Context.KERNEL_THREAD,
            held=Held(40, 2560, 0.0, 4000.0, 700.0, (0, 0, 0, 10, 20, 10)),
        ),
    ),
    tracking=Tracking(100, 300, live_began=1000, live=1104),
)
INSPECTIONS = {inspection.kind: inspection for inspection in (HELD, STACKS, PROCESSES, CALLERS, ABOUT)}
KINDS = ON_PAGE
LABEL = 12  # columns of the terminal


class FakeProducer(Producer):
    """A producer that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self.measurements = 0

    def request(self, wanted: Request) -> None:
        self.requests.append(wanted)

    def measure(self) -> None:
        self.measurements += 1


def opened(
    kind: InspectionKind = InspectionKind.CALLERS, size: tuple[int, int] = (80, 24), *others: CacheRow
) -> Screen:
    """Return a screen with the page of a cache, on a tab, and the interval that has its inspection."""
    screen = Screen(DENTRY, *others, size=size)
    screen.type("enter", str(ON_PAGE.index(kind) + 1))
    screen.show(DENTRY, *others, inspections=(INSPECTIONS[kind],))
    return screen


def heading(screen: Screen) -> int:
    """Return how many lines stand above the rows of a page."""
    return screen.top + screen.app._page._heading.rows(screen.size[:1])


def titles(screen: Screen) -> str:
    return screen.lines()[heading(screen) - 1]


def body(screen: Screen) -> list[str]:
    return [line for line in screen.lines()[heading(screen) : -2] if line.strip()]


def tab(screen: Screen) -> str:
    """Return the tab that stands out."""
    line = render_runs(screen.app.stack, screen.size, focus=True)[screen.top]
    (shown,) = (text for style, text in line if style == "sorted")
    return shown.strip()


def selected(screen: Screen) -> str:
    (row,) = (
        text
        for row in render_runs(screen.app.stack, screen.size, focus=True)
        for style, text in row
        if style == "selected"
    )
    return row


def test_enter_opens_the_page_of_the_selected_cache() -> None:
    screen = Screen(*caches(5))
    screen.type("down", "enter")
    assert screen.lines()[2].startswith("cache-3 ")
    assert tab(screen) == "2 Stacks"
    assert "EscBack" in screen.lines()[-1]
    assert screen.has("Collecting…")


def test_a_page_that_is_opened_while_paused_says_how_to_go_on() -> None:
    screen = Screen(*caches(5))
    screen.type(" ", "enter")
    assert screen.has("The screen is paused: p goes on.")
    assert not screen.has("Collecting")


def test_enter_on_an_empty_table_opens_nothing() -> None:
    screen = Screen()
    screen.type("enter")
    assert screen.state.page is None
    assert screen.has("The first interval takes")


def test_esc_returns_to_the_table_as_it_was() -> None:
    screen = Screen(*caches(30))
    screen.type("/", *"cache-2", "enter", "n", "r", "down", "down")
    before, at = screen.lines(), screen.line_of_selection()
    screen.type("enter", "3", "esc")
    assert screen.lines() == before
    assert (screen.selected(), screen.line_of_selection()) == ("cache-27", at)
    assert screen.has("filter: cache-2")
    screen.type("esc")
    assert not screen.has("filter:")
    assert screen.line_of_selection() == at


def test_tabs_are_turned_by_tab_by_arrows_and_by_their_numbers() -> None:
    screen = opened()
    shown = []
    for key in ("tab", "tab", "right", "tab", "shift tab", "left", "3", "5", "2", "4"):
        screen.type(key)
        shown.append(tab(screen).split()[0])
    assert shown == ["5", "1", "2", "3", "2", "1", "3", "5", "2", "4"]


def test_the_producer_is_asked_once_for_all_tabs_of_the_page_and_no_longer() -> None:
    """Each change of the tab began a new inspection, so that the counts of the others were lost."""
    screen, producer = Screen(*caches(3)), FakeProducer()
    screen.app.connect(producer)
    screen.type("enter", "tab", "down", "x", "5", "esc", "down")
    assert producer.requests == [Request(inspection=InspectionRequest(cache(2).cache, KINDS)), Request()]


def test_a_change_of_the_tab_keeps_the_figures_and_needs_no_new_interval() -> None:
    screen = opened(InspectionKind.CALLERS)
    screen.show(DENTRY, inspections=tuple(INSPECTIONS.values()))
    before = body(screen)
    for key in ("2", "3", "4"):
        screen.type(key)
        assert screen.state.pages.listing is not None
        assert not screen.has("Collecting")
    assert body(screen) == before


def test_the_producer_is_asked_for_frees_and_to_measure_also_on_a_page() -> None:
    screen, producer = Screen(*caches(3)), FakeProducer()
    screen.app.connect(producer)
    screen.type("f", "m", "enter", "m", "esc", "f")
    page = InspectionRequest(cache(2).cache, KINDS)
    assert producer.requests == [Request(frees=True), Request(True, page), Request(frees=True), Request()]
    assert producer.measurements == 2


def test_frees_that_are_counted_from_the_start_are_asked_for_at_once() -> None:
    producer, app = FakeProducer(), App(State(1.0, frees=True))
    app.connect(producer)
    assert producer.requests == [Request(frees=True)]


def test_frees_have_a_column_while_they_are_counted() -> None:
    row = replace(DENTRY, frees=1234, disagrees=True)
    screen = Screen(row)
    assert "FREES" not in screen.lines()[2]
    screen.type("f")
    assert "FREES/s" in screen.lines()[2].split()
    assert "1.23k!" in screen.lines()[3].split()
    screen.type("f")
    assert "FREES" not in screen.lines()[2]


def test_callers_show_with_their_shares() -> None:
    screen = opened(InspectionKind.CALLERS)
    assert titles(screen).split() == ["CALL", "SITE", "SHARE", "SINCE", "BYTES"]
    assert [line.split() for line in body(screen)] == [
        ["d_alloc+0x2a", "75.0%", "30", "1.88Ki"],
        ["d_copy+0x10", "25.0%", "10", "640"],
    ]


def test_stacks_say_that_they_are_estimates_and_what_was_lost() -> None:
    screen = opened(InspectionKind.STACKS)
    assert screen.lines()[2].endswith("~ 1 in 9 lost 4")

    assert titles(screen).split() == ["SHARE", "SINCE", "BYTES", "STACK"]
    assert body(screen)[0].split()[:4] == ["75.0%", "~30", "~1.88Ki", "getname_flags"]
    wide = opened(InspectionKind.STACKS, (160, 24))
    assert titles(wide).split() == ["SHARE", "S.E.", "ALLOCS/s", "BYTES/s", "SINCE", "BYTES", "STACK"]
    assert body(wide)[0].split()[:6] == ["75.0%", "4.5%", "~3", "~192", "~30", "~1.88Ki"]


@pytest.mark.parametrize(("total", "style"), [(100, "warning"), (1000, None), (350_000, "dim")])
def test_what_an_inspection_lost_is_loud_only_where_it_is_much(total: int, style: str | None) -> None:
    screen = opened(InspectionKind.STACKS)
    rows = (replace(STACKS.rows[0], total_allocs=total),)
    screen.show(DENTRY, inspections=(replace(STACKS, rows=rows, lost=9),))
    row = render_runs(screen.app.stack, screen.size, focus=True)[screen.top]
    assert [found for found, text in row if "lost 9" in text] == [style]


def test_a_stack_opens_in_full_and_closes_again() -> None:
    screen = opened(InspectionKind.STACKS)
    page = screen.lines()
    for close in ("esc", "q", "enter"):
        screen.type("enter")
        assert screen.has("4 frames, the innermost first")
        assert all(screen.has(frame) for frame in STACK.frames)
        screen.type(close)
        assert screen.lines() == page
    screen.type("down", "enter")
    assert screen.has("2 frames, the innermost first")
    screen.type("esc", "esc")
    assert screen.state.page is None


@pytest.mark.parametrize("kind", [InspectionKind.CALLERS, InspectionKind.ABOUT])
def test_enter_opens_nothing_where_there_is_nothing_to_open_and_says_where_there_is(kind: InspectionKind) -> None:
    screen = opened(kind)
    page = screen.lines()
    assert "Enter" not in page[-1]
    screen.type("enter")
    assert screen.lines()[-2] == "Enter does nothing here: it works on a stack or a process"
    assert screen.lines()[:-3] == page[:-3]


@pytest.mark.parametrize("kind", [InspectionKind.STACKS, InspectionKind.PROCESSES])
def test_the_footer_offers_enter_only_where_there_are_rows(kind: InspectionKind) -> None:
    screen = opened(kind)
    assert "EnterOpen" in screen.lines()[-1]
    screen.show(DENTRY, inspections=(replace(INSPECTIONS[kind], rows=()),))
    assert "EnterOpen" not in screen.lines()[-1]
    screen.type("enter")
    assert screen.has("Enter does nothing here: it works on a stack or a process")


@pytest.mark.parametrize("size", SIZES)
def test_a_hostile_process_name_is_shown_and_not_acted_upon(size: tuple[int, int]) -> None:
    screen = opened(InspectionKind.PROCESSES, size)
    assert "".join(screen.lines()).isprintable()
    first, second, third = body(screen)
    assert r"\x1b[2J\xff\x0a;" in first
    assert "[kswapd0]" in second
    assert "(interrupts)" in third
    if size[0] == 200:
        assert r"/a\x1b[31m\x0a" in first
        assert "4194304" in first.split()
        assert "-" in third.split()


def test_all_that_the_kernel_says_and_the_charts_of_the_past_show() -> None:
    screen = Screen()
    for allocs, live in ((1, 100), (4, 200), (8, 400)):
        screen.show(replace(cache(1, "dentry", allocs=allocs), live=live), inspections=(ABOUT,))
    screen.type("enter", "5")
    lines = body(screen)
    for label, value in (
        ("Growth", "?"),
        ("Aliases", "x, y"),
        ("Object", "200 bytes, 192 asked for"),
        ("Slab", "4.00Ki, 21 objects"),
        ("Flags", "reclaimable, accounted"),
        ("Nodes", "node 0: 3 slabs, node 1: 4 slabs"),
        ("Live", "5 objects"),
        ("Memory", "8.00Ki held"),
    ):
        assert f"{label:<{LABEL}}{value}" in lines
    first = next(place for place, line in enumerate(lines) if line.startswith("allocs/s"))
    assert re.fullmatch("allocs/s 8  min 1  max 8 +LIVE 400  min 100  max 400", lines[first])
    assert re.fullmatch(r" *8│ +█ +400│ +█", lines[first + 1])
    assert re.fullmatch(r" *0│ +▂██ +0│ +▄██", lines[first + 2])
    assert re.fullmatch(" +-3s now +-3s now", lines[first + 3])
    assert lines[first + 4].startswith("bytes/s 512  min 64  max 512 ")
    assert "MEM ?" in lines[first + 4]


def test_what_the_kernel_counts_beside_a_cache_and_the_code_that_it_knows_show() -> None:
    counts = SideCount("dentries", 1131456, 1131400), SideCount("unused", 12, 12)
    site = KernelSite("slab_debug", 500, 96000, ("__d_alloc", "d_alloc"), pids="1-150")
    assert ABOUT.about is not None
    screen = opened(InspectionKind.ABOUT)
    screen.show(DENTRY, inspections=(replace(ABOUT, about=replace(ABOUT.about, counts=counts, sites=(site,))),))
    text = " ".join(" ".join(body(screen)).replace("┃", "").split())
    assert "Counted 1,131,456 dentries (+56), 12 unused" in text
    assert "In use by slab_debug: 93.8KiB in 500 objects, __d_alloc < d_alloc, pid 1-150" in text


def test_what_the_kernel_does_not_say_is_a_question_mark_and_no_zero() -> None:
    screen = opened(InspectionKind.ABOUT)
    screen.show(DENTRY, inspections=(replace(ABOUT, about=About()),))
    lines = body(screen)
    assert f"{'Aliases':<{LABEL}}none" in lines
    assert f"{'Flags':<{LABEL}}none" in lines
    for label in ("Object", "Slab", "Nodes", "Live", "Memory", "Growth"):
        assert any(re.fullmatch(rf"{label} +\?\s*", line) for line in lines), label


def test_an_inspection_of_another_cache_or_kind_is_not_shown_as_this_one() -> None:
    screen = opened(InspectionKind.CALLERS)
    screen.show(DENTRY, inspections=(replace(CALLERS, cache=cache(9, "filp").cache),))
    assert screen.has("Collecting…")
    screen.show(DENTRY, inspections=(replace(STACKS),))
    assert screen.has("Collecting…")
    screen.show(DENTRY, inspections=(replace(CALLERS, rows=()),))
    assert screen.has("No allocations since this page was opened.")
    screen.show(DENTRY, inspections=(CALLERS,))
    assert len(body(screen)) == 2


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ON_PAGE)
def test_a_page_says_why_nothing_is_counted(kind: InspectionKind, size: tuple[int, int]) -> None:
    screen = opened(kind, size)
    trouble = "no raw tracepoint: load the module"
    screen.show(DENTRY, inspections=(Inspection(DENTRY_KEY, kind, trouble=trouble),))
    assert [line.strip() for line in body(screen)] == [trouble]
    screen.show(DENTRY, inspections=(Inspection(DENTRY_KEY, kind),), notes=("inspection not counted: by a note",))
    assert not any("by a note" in line for line in body(screen))


def test_trouble_stands_above_the_rows_that_were_counted_before_it() -> None:
    screen = opened(InspectionKind.CALLERS)
    screen.show(DENTRY, inspections=(replace(CALLERS, trouble="detached: the module is gone"),))
    assert "detached: the module is gone" in screen.lines()[3]
    assert len(body(screen)) == 2


def test_a_recording_without_an_inspection_says_so() -> None:
    screen = Screen(DENTRY)
    screen.state.time.replay = True
    screen.type("enter", "4")
    assert screen.has("The recording has no data for “Callers” of this cache here.")


@pytest.mark.parametrize(
    ("kind", "suffix"), [*zip(ON_PAGE, (".csv", ".folded", ".csv", ".csv", ".json"), strict=True)], ids=str
)
def test_the_proposed_name_ends_in_a_format_that_the_tab_has(
    kind: InspectionKind, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    opened(kind, (200, 24)).type("e", "enter")
    assert [path.suffix for path in tmp_path.iterdir()] == [suffix]


@pytest.mark.parametrize("name", ["dentry", "n" * 64, "\u540d" * 30])
def test_a_narrow_page_shows_the_number_of_every_tab(name: str) -> None:
    """At 40 columns they had to give way to how exact the stacks are."""
    for kind in ON_PAGE:
        screen = opened(kind, (40, 10))
        assert screen.state.page is not None
        screen.state.page.row = replace(DENTRY, name=name)
        screen.show(DENTRY, inspections=(replace(INSPECTIONS[kind], one_in=1234, lost=99999),))
        line = screen.lines()[screen.top]
        assert all(f" {number} " in f"{line} " for number in (1, 2, 3, 4, 5)), line
        assert kind.capitalize() in line
        assert line.startswith(name[:5])


def test_the_names_of_the_tabs_go_where_what_was_lost_has_no_room_else() -> None:
    screen = opened(InspectionKind.STACKS, (60, 24))
    assert screen.lines()[2].split() == [
        "dentry",
        "1",
        "2",
        "Stacks",
        "3",
        "4",
        "5",
        "~",
        "one",
        "stack",
        "in",
        "9",
        "lost",
        "4",
    ]


def test_what_was_allocated_in_an_interval_is_shown_per_second() -> None:
    screen = opened(InspectionKind.CALLERS, (160, 24))
    screen.show(DENTRY, elapsed=2.0, inspections=(CALLERS,))
    assert "ALLOCS/s" in titles(screen).split()
    assert body(screen)[0].split()[2:4] == ["1.50", "96"]


def test_the_selection_follows_its_caller_and_at_the_top_stays_at_the_top() -> None:
    screen = opened(InspectionKind.CALLERS)
    first, second = CALLERS.rows
    screen.type("down")
    assert "d_copy" in selected(screen)
    screen.show(DENTRY, inspections=(replace(CALLERS, rows=(second, first)),))
    assert "d_copy" in selected(screen)
    screen.type("home")
    screen.show(DENTRY, inspections=(replace(CALLERS, rows=(first, second)),))
    assert "d_alloc" in selected(screen)


def test_a_page_that_is_held_stays_while_intervals_go_by() -> None:
    screen = opened(InspectionKind.CALLERS)
    screen.type("p")
    before = body(screen)
    screen.show(DENTRY, inspections=(replace(CALLERS, rows=CALLERS.rows[:1]),))
    assert body(screen) == before
    screen.type("p")
    assert len(body(screen)) == 1


def test_the_export_of_a_page_says_what_it_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One stack of two processes is one stack; what is known of a cache has no number."""
    monkeypatch.chdir(tmp_path)
    screen = opened(InspectionKind.STACKS)
    twice = (STACKS.rows[0], replace(STACKS.rows[0], pid=2))
    screen.show(DENTRY, inspections=(replace(STACKS, rows=twice), ABOUT))
    screen.type("e", "enter")
    assert screen.has("1 stacks written to slabtui-")
    screen.type("5", "e", "enter")
    assert screen.has("About written to slabtui-")


@pytest.mark.parametrize(
    ("kind", "suffix", "content"),
    [
        (
            InspectionKind.STACKS,
            "folded",
            "x64_sys_call;do_sys_openat2;getname_flags;kmem_cache_alloc 30\nother;kmem_cache_alloc 10\n",
        ),
        (
            InspectionKind.CALLERS,
            "csv",
            "d_alloc+0x2a 30,d_copy+0x10 10",
        ),
    ],
)
def test_the_export_of_a_page_writes_its_inspection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: InspectionKind, suffix: str, content: str
) -> None:
    monkeypatch.chdir(tmp_path)
    screen = opened(kind)
    screen.type("e")
    assert re.match(rf"Write to: slabtui-\d{{8}}-\d{{6}}\.{suffix}$", screen.lines()[-1])
    screen.type("enter")
    (path,) = tmp_path.iterdir()
    assert path.name == screen.lines()[-2].split()[-1]
    assert screen.has(f"2 {kind} written to slabtui-")
    assert path.suffix == f".{suffix}"
    written = path.read_text()
    if suffix == "csv":
        written = ",".join(f"{row['frames']} {row['total_allocs']}" for row in csv.DictReader(written.splitlines()))
    assert written == content


def test_an_export_goes_where_the_program_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("here", "away"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    screen = Screen(DENTRY, size=(200, 24))
    monkeypatch.chdir(tmp_path / "away")
    screen.type("e", "enter")
    assert [path.parent.name for path in tmp_path.glob("*/*.csv")] == ["here"]


def test_the_export_of_an_inspection_that_has_not_begun_says_so_and_that_of_the_table_works(tmp_path: Path) -> None:
    screen = Screen(DENTRY, size=(200, 24))
    screen.type("enter", "e")
    assert screen.has("e does nothing here: there is nothing to write yet")
    screen.type("esc", "e", *["backspace"] * 40, *str(tmp_path / "a.json"), "enter")
    assert [row["name"] for row in json.loads((tmp_path / "a.json").read_text())["caches"]] == ["dentry"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ON_PAGE)
def test_nothing_on_a_page_is_wider_than_the_screen_or_without_a_style(
    kind: InspectionKind, size: tuple[int, int]
) -> None:
    screen = opened(kind, size)
    long = replace(DENTRY, name="n" * 64)
    huge = 2**64 - 1
    wide = replace(
        INSPECTIONS[kind],
        cache=long.cache,
        one_in=10**6 if kind is InspectionKind.STACKS else 1,
        lost=huge,
        rows=tuple(
            replace(row, allocs=huge, bytes=huge, total_allocs=huge, total_bytes=huge, cgroup="/c" * 200)
            for row in INSPECTIONS[kind].rows * 30
        ),
    )
    assert screen.state.page is not None
    screen.state.page.row = long
    screen.show(long, inspections=(wide,))
    lines = screen.lines()
    assert len(lines) == size[1]
    assert all(len(line) <= size[0] for line in lines)
    assert str(ON_PAGE.index(kind) + 1) == tab(screen)[0]
    runs = render_runs(screen.app.stack, screen.size, focus=True)
    assert {style for row in runs for style, _ in row} - {None} <= {entry[0] for entry in PALETTE}
    if kind is not InspectionKind.ABOUT:
        assert len(body(screen)) <= size[1] - heading(screen) - 2
        share = {
            InspectionKind.HELD: "",
            InspectionKind.STACKS: "50.0%",
            InspectionKind.PROCESSES: "33.3%",
            InspectionKind.CALLERS: "1.7%",
        }
        assert all(share[kind] in line for line in body(screen))
        assert len(body(screen)) >= 2


@pytest.mark.parametrize("kind", ON_PAGE)
def test_every_size_of_a_page_down_to_one_cell_renders(kind: InspectionKind) -> None:
    screen = opened(kind)
    check_box_sizing(screen.app.stack)
    if kind is InspectionKind.STACKS:
        screen.type("enter")
        check_box_sizing(screen.app.stack)


def test_an_alias_shows_where_the_filter_matched_nothing_else() -> None:
    merged = replace(cache(1, "vm_area_struct", allocs=1), aliases=("maple_node",))
    screen = Screen(merged, DENTRY, size=(120, 24))
    assert not screen.has("maple_node")
    screen.type("/", *"maple")
    assert screen.lines()[3].startswith("vm_area_struct (maple_node) ")
    screen.type(*["backspace"] * 5, *"vm_")
    assert screen.names() == ["vm_area_struct"]
    assert not screen.has("maple_node")


@pytest.mark.parametrize(
    ("note", "shown"),
    [
        ("no names of functions (no CAP_SYSLOG): run it as root", "no names of functions (no CAP_SYSLOG)"),
        (
            "control group gone: /system.sl...56789abcdef.scope",
            "control group gone: /system.sl...56789abcdef.scope",
        ),
        (
            "control group created again: /system.sl...56789abcdef.scope; its first allocations may be missing",
            "control group created again",
        ),
    ],
)
def test_a_page_of_80_columns_says_why_something_is_missing(note: str, shown: str) -> None:
    screen = opened(InspectionKind.CALLERS)
    screen.show(DENTRY, inspections=(CALLERS,), notes=(note,), events=10**7, nanoseconds=100.0, lost=123456)
    assert screen.has(shown)
