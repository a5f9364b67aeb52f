"""The rendered screen: its content, the effect of keys, and what fits at which size."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import urwid
from urwid.testing import check_box_sizing, press, render_runs, render_text, resolve_runs

from slabtui.errors import SlabtuiError
from slabtui.model.host import Origin
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.text import printable
from slabtui.views.app import App
from slabtui.views.header import height
from slabtui.views.state import State
from slabtui.views.terminal import PALETTE
from tests.support.fakes import LOADAVG, cache, caches, snapshot

SIZES = [(80, 24), (200, 50), (40, 10)]
UNKNOWN_COST = "? ev/s x ? ns = ?% CPU"


class Screen:
    """The application at one size, driven by keys as the main loop would."""

    def __init__(self, *rows: CacheRow, size: tuple[int, int] = (80, 24), interval: float = 1.0) -> None:
        self.size = size
        self.clock = 0.0
        self.state = State(interval, now=lambda: self.clock)
        self.app = App(self.state)
        if rows:
            self.show(*rows)

    def show(self, *rows: CacheRow, **more: object) -> None:
        self.app.show(snapshot(*rows, **more))
        self.lines()

    def type(self, *keys: str) -> None:
        for key in keys:
            assert press(self.app.stack, self.size, key) == []
            self.lines()

    def lines(self) -> list[str]:
        return render_text(self.app.stack, self.size, focus=True, strip=True)

    @property
    def top(self) -> int:
        """How many lines the header has."""
        return height(self.size[1])

    def heading(self) -> list[str]:
        """Return the titles of the columns."""
        return self.lines()[self.top].split()

    def body(self) -> list[str]:
        """Return the lines between the heading and the last two lines."""
        return self.lines()[self.top + 1 : -2]

    def names(self) -> list[str]:
        return [line.split()[0] for line in self.body() if line.strip()]

    def selected(self) -> str:
        rows = render_runs(self.app.stack, self.size, focus=True)
        marked = [text for row in rows for style, text in row if style == "selected"]
        assert len(marked) == 1
        return marked[0].split()[0]

    def line_of_selection(self) -> int:
        name = self.selected()
        return next(number for number, line in enumerate(self.lines()) if line.startswith(f"{name} "))

    def has(self, text: str) -> bool:
        return any(text in line for line in self.lines())


def test_the_screen_before_the_first_interval_says_what_it_waits_for() -> None:
    screen = Screen(interval=2.5)
    assert screen.has("waiting for the first interval")
    assert screen.has("The first interval takes 2.5 s.")
    assert screen.lines()[0].split()[-4:] == ["every", "2.5", "s", "LIVE"]


def test_rates_are_per_second_of_the_real_interval() -> None:
    screen = Screen()
    screen.app.show(Snapshot(1.7e9, 2.0, LOADAVG, (cache(1, allocs=500),), 0))
    assert screen.has("250 allocs/s")


def test_the_table_is_sorted_by_bytes_at_first_and_says_so() -> None:
    screen = Screen(cache(1, "small", allocs=100, size=8), cache(2, "large", allocs=10, size=4096))
    assert screen.lines()[2].split() == ["CACHE", "OBJSIZE", "ALLOCS/s", "BYTES/s▼", "LIVE", "+/-/s", "MEM", "HISTORY"]
    assert screen.names() == ["large", "small"]
    assert screen.lines()[3].split() == ["large", "4096", "10", "40.0Ki", "-", "-", "-", "█"]


@pytest.mark.parametrize(
    ("key", "first", "heading"),
    [("a", "small", "ALLOCS/s▼"), ("b", "large", "BYTES/s▼"), ("n", "large", "CACHE▲"), ("s", "large", "OBJSIZE▼")],
)
def test_sort_keys_act_at_once_and_move_the_mark(key: str, first: str, heading: str) -> None:
    screen = Screen(cache(1, "small", allocs=100, size=8), cache(2, "large", allocs=10, size=4096))
    screen.type(key)
    assert screen.names()[0] == first
    assert heading in screen.lines()[2].split()
    screen.type("r")
    assert screen.names()[-1] == first


def test_only_active_caches_show_until_the_idle_ones_are_asked_for() -> None:
    screen = Screen(cache(1, "busy", allocs=1), cache(2, "idle"))
    assert screen.names() == ["busy"]
    screen.type("z")
    assert screen.names() == ["busy", "idle"]
    screen.type("z")
    assert screen.names() == ["busy"]


def test_an_interval_in_which_nothing_happened_says_how_to_see_the_caches() -> None:
    screen = Screen(cache(1, "idle"))
    assert screen.has("No cache was active. Press z to show idle caches.")


def test_the_filter_acts_with_every_key_and_esc_clears_it() -> None:
    screen = Screen(cache(1, "dentry", allocs=2), cache(2, "inode_cache", allocs=1), cache(3, "TCP", allocs=1))
    screen.type("/", "d", "e")
    assert screen.names() == ["dentry", "inode_cache"]
    screen.type("n")
    assert screen.names() == ["dentry"]
    assert screen.lines()[-1] == "Filter: den"
    screen.type("enter")
    assert screen.has("filter: den")
    assert screen.lines()[-1].startswith("?Help")
    screen.type("esc")
    assert len(screen.names()) == 3
    assert not screen.has("filter:")


def test_esc_while_typing_brings_back_the_filter_that_was_kept_before() -> None:
    """It cleared that filter, too."""
    screen = Screen(cache(1, "dentry", allocs=1), cache(2, "TCP", allocs=1), cache(3, "TCPv6", allocs=1))
    screen.type("/", "t", "c", "p", "enter")
    assert screen.names() == ["TCP", "TCPv6"]
    screen.type("/", "v")
    assert screen.names() == ["TCPv6"]
    screen.type("esc")
    assert screen.names() == ["TCP", "TCPv6"]
    assert screen.lines()[-1].startswith("?Help")
    screen.type("esc")
    assert len(screen.names()) == 3


def test_keys_of_the_table_are_letters_while_one_types() -> None:
    screen = Screen(cache(1, "qpz?", allocs=1))
    screen.type("/", "q", "p", "z", "?")
    assert screen.lines()[-1] == "Filter: qpz?"
    assert screen.names() == ["qpz?"]
    assert not screen.state.time.paused


def test_a_leading_tilde_makes_the_filter_an_expression() -> None:
    screen = Screen(cache(1, "kmalloc-64", allocs=1), cache(2, "kmalloc-cg-64", allocs=1))
    screen.type("/", *"~^kmalloc-\\d")
    assert screen.names() == ["kmalloc-64"]


def test_half_an_expression_is_complained_of_and_changes_nothing() -> None:
    screen = Screen(cache(1, "dentry", allocs=1), cache(2, "TCP", allocs=1))
    screen.type("/", "~", "d")
    assert screen.names() == ["dentry"]
    screen.type("(")
    assert screen.names() == ["dentry"]
    assert "not a regular expression" in screen.lines()[-1]
    screen.type("enter")
    assert screen.has("Enter does nothing here: the filter is not valid")
    assert "not a regular expression" in screen.lines()[-1]
    screen.type("esc")
    assert screen.names() == ["TCP", "dentry"]


def test_a_filter_that_matches_nothing_says_how_to_clear_it() -> None:
    screen = Screen(cache(1, "dentry", allocs=1))
    screen.type("/", "x", "enter")
    assert screen.has("No active cache matches “x”. Esc clears the filter")


def test_a_pause_holds_the_table_while_sorting_goes_on() -> None:
    screen = Screen(cache(1, "one", allocs=1, size=4096), cache(2, "two", allocs=2))
    screen.type("p")
    screen.show(cache(1, "one", allocs=1), cache(2, "two", allocs=2), cache(3, "new", allocs=3, size=9999))
    assert "PAUSED" in screen.lines()[0]
    assert screen.names() == ["one", "two"]
    screen.type("a")
    assert screen.names() == ["two", "one"]
    screen.type(" ")
    assert "LIVE" in screen.lines()[0]
    assert screen.names() == ["new", "two", "one"]


@pytest.mark.parametrize(
    ("keys", "selected"), [(("G",), "cache-0"), (("end", "g"), "cache-49"), (("page down",), None)]
)
def test_the_list_scrolls(keys: tuple[str, ...], selected: str | None) -> None:
    screen = Screen(*caches(50))
    screen.type(*keys)
    assert screen.selected() == selected or (selected is None and screen.selected() not in ("cache-49", "cache-0"))


def test_the_help_opens_over_the_table_and_closes_again() -> None:
    screen = Screen(*caches(3))
    for close in ("esc", "q", "?", "h"):
        screen.type("?")
        assert screen.has("slabtui help")
        screen.type(close)
        assert not screen.has("slabtui help")


def test_q_closes_what_is_in_front_and_quits_on_the_table_only() -> None:
    """On the page of a cache it quit, and 300 intervals were lost."""
    screen = Screen(*caches(3))
    screen.type("enter", "?", "q", "q", "l", "?", "q", "q")
    assert screen.state.windows == [screen.state.table]
    assert not screen.state.leaks
    with pytest.raises(urwid.ExitMainLoop):
        screen.type("q")


@pytest.mark.parametrize("key", ["Q", "f10"])
@pytest.mark.parametrize("before", [(), ("l",), ("enter",), ("?",), ("enter", "?")])
def test_another_key_quits_from_anywhere(before: tuple[str, ...], key: str) -> None:
    screen = Screen(*caches(3))
    screen.type(*before)
    with pytest.raises(urwid.ExitMainLoop):
        screen.type(key)


def test_the_last_snapshot_that_was_asked_for_ends_the_program() -> None:
    app = App(State(1.0), count=3)
    app.show(snapshot(cache(1)))
    app.show(snapshot(elapsed=0.0, error="cannot read"))
    with pytest.raises(urwid.ExitMainLoop):
        app.show(snapshot(cache(1)))


def test_a_last_snapshot_that_could_not_be_read_ends_the_program_with_its_reason() -> None:
    app = App(State(1.0), count=2)
    app.show(snapshot(cache(1)))
    with pytest.raises(SlabtuiError, match=r"^cannot read: start slabtui again$"):
        app.show(snapshot(elapsed=0.0, error="cannot read"))


def test_a_failed_reading_is_shown_and_the_table_stays() -> None:
    screen = Screen(cache(1, "dentry", allocs=1))
    screen.show(elapsed=0.0, error="cannot read the counters: gone")
    assert screen.lines()[-2] == "cannot read the counters: gone"
    assert screen.names() == ["dentry"]
    screen.show(cache(1, "dentry", allocs=1))
    assert not screen.has("cannot read")


@pytest.mark.parametrize("size", SIZES)
def test_nothing_overlaps_and_no_number_is_cut(size: tuple[int, int]) -> None:
    rows = [replace(cache(i, allocs=10**i, size=4096), frees=10**i, live=10**i, mem=10**i) for i in range(19)]
    screen = Screen(
        *(replace(row, live_delta=(-1) ** i * 10**i, disagrees=i > 9) for i, row in enumerate(rows)), size=size
    )
    screen.state.pattern = "cache"
    screen.type("z", "f")
    lines = screen.lines()
    assert len(lines) == size[1]
    assert all(len(line) <= size[0] for line in lines)
    assert lines[0].endswith("LIVE")
    assert lines[-2].endswith("lost 0")
    headings = screen.heading()
    for line in screen.body():
        cells = re.sub(r" +([!^])", r"\1", line.removesuffix("┃")).split()
        numbers = [cell for cell in cells[1:] if not set(cell) <= set("█▁▂▃▄▅▆▇┃")]
        assert len(numbers) in (0, len(set(headings) - {"HISTORY"}) - 1)
        assert all(re.fullmatch(r"[+-]?\d+(\.\d+)?([kKMGTPEZ]i?)?!?|-", number) for number in numbers)


@pytest.mark.parametrize("size", SIZES)
def test_narrow_screens_drop_the_least_important_column(size: tuple[int, int]) -> None:
    headings = Screen(*caches(3), size=size).heading()
    wanted = {
        200: ["CACHE", "OBJSIZE", "ALLOCS/s", "BYTES/s▼", "LIVE", "+/-/s", "MEM", "GROWTH/h", "RECLAIM", "HISTORY"],
        80: ["CACHE", "OBJSIZE", "ALLOCS/s", "BYTES/s▼", "LIVE", "+/-/s", "MEM", "HISTORY"],
        40: ["CACHE", "ALLOCS/s", "BYTES/s▼"],
    }
    assert headings == wanted[size[0]]


def test_every_size_down_to_one_cell_renders() -> None:
    screen = Screen(*caches(100))
    check_box_sizing(screen.app.stack)
    screen.type("?")
    check_box_sizing(screen.app.stack)


def test_hostile_names_are_shown_and_not_acted_upon() -> None:
    hostile = [b"\x1b[2J\x1b]0;owned\x07", b"a b", b"x" * 64, b"\xff\xfe\n\r\t", "\u202eevil\u200b".encode(), b"back\\"]
    screen = Screen(*(cache(i, printable(name), allocs=1) for i, name in enumerate(hostile)), size=(120, 24))
    drawn = "".join(screen.lines())
    assert drawn.isprintable()
    assert screen.has(r"\x1b[2J\x1b]0;owned\x07")
    assert screen.has("a b ")
    assert any(re.match(r"x{20,}… ", line) for line in screen.lines())
    assert screen.has(r"\xff\xfe\x0a\x0d\x09")


def test_every_style_on_the_screen_is_in_the_palette_and_has_a_form_without_colours() -> None:
    screen = Screen(*caches(100))
    screen.show(*caches(100), lost=3)
    known = {entry[0] for entry in PALETTE}
    assert all(len(entry) == 4 for entry in PALETTE)
    for key in ("p", "/", "esc", "?"):
        screen.type(key)
        runs = render_runs(screen.app.stack, screen.size, focus=True)
        assert {style for row in runs for style, _ in row} - {None} <= known
        for row in resolve_runs(runs, PALETTE, colors=1):
            settings = {setting for spec, _ in row for setting in spec.foreground.split(",")}
            assert settings <= {"default", "bold", "underline", "standout"}


def test_the_history_grows_to_the_left_and_goes_where_there_is_no_room_for_it() -> None:
    screen = Screen()
    for allocs in (1, 4, 8):
        screen.show(cache(1, "dentry", allocs=allocs))
    assert screen.lines()[3].endswith(" ▁▄█")
    assert "HISTORY" not in Screen(*caches(3), size=(60, 10)).lines()[2]


def test_stepping_back_shows_the_whole_moment_and_forward_returns() -> None:
    screen = Screen()
    for second in range(5):
        screen.show(cache(1, "dentry", allocs=second + 1), time=1.7e9 + second, lost=second)
    now = screen.lines()
    screen.type("[", "[")
    assert "PAUSED -2" in screen.lines()[0]
    assert screen.lines()[3].split()[:3] == ["dentry", "64", "3"]
    assert "lost 2" in screen.lines()[-2]
    assert screen.lines()[0][6:8] == now[0][6:8].replace("4", "2")
    screen.type("]", "]", "]")
    assert screen.lines()[3].split()[2] == "5"
    screen.type("p")
    assert "LIVE" in screen.lines()[0]


def test_a_moment_stays_while_intervals_go_by_and_the_oldest_is_the_end() -> None:
    screen = Screen(cache(1, "dentry", allocs=1))
    screen.show(cache(1, "dentry", allocs=2))
    screen.type("[")
    for allocs in range(3, 10):
        screen.show(cache(1, "dentry", allocs=allocs))
    assert screen.lines()[3].split()[2] == "1"
    assert "PAUSED -8" in screen.lines()[0]
    screen.type("[", "[")
    assert screen.lines()[3].split()[2] == "1"


def test_a_replay_says_its_host_and_its_speed() -> None:
    screen = Screen(size=(120, 24))
    screen.state.time.replay = True
    screen.show(cache(1, allocs=1), origin=Origin("replay", "db7", "6.1.0"))
    assert "db7 6.1.0" in screen.lines()[0]
    assert screen.lines()[0].split()[-5:] == ["every", "1.0", "s", "REPLAY", "x1"]
    screen.state.end()
    screen.app.sync()
    assert screen.lines()[0].endswith(" END")


def test_a_stream_says_so_and_has_no_speed() -> None:
    screen = Screen(size=(120, 24))
    screen.state.time.replay = screen.state.time.streamed = True
    screen.show(cache(1, allocs=1), origin=Origin("replay", "db7", "6.1.0"))
    assert screen.lines()[0].endswith(" STREAM")
    screen.type("+")
    assert "a stream has no speed: it is shown as it comes" in screen.lines()[-2]
    screen.type("p", "]")
    assert "this is the newest interval" in screen.lines()[-2]


def test_a_paused_replay_keeps_its_moment_whatever_was_on_its_way() -> None:
    screen = Screen()
    screen.state.time.replay = True
    for allocs in (1, 2, 3):
        screen.show(cache(1, "dentry", allocs=allocs))
    screen.type("[", "[")
    screen.show(cache(1, "dentry", allocs=4))
    assert screen.lines()[3].split()[2] == "1"
    assert "PAUSED -3" in screen.lines()[0]


def test_an_interval_that_took_longer_says_so() -> None:
    screen = Screen()
    screen.app.show(Snapshot(1.7e9, 61.2, LOADAVG, (cache(1, allocs=500),), 0))
    assert "every 61.2 s" in screen.lines()[0]


def test_what_the_source_cannot_do_is_said_on_the_screen() -> None:
    screen = Screen()
    screen.show(cache(1, allocs=1), notes=("recording stopped: No space left on device",))
    assert screen.has("recording stopped: No space left on device")
    narrow = Screen(size=(40, 10))
    narrow.show(cache(1, allocs=1), notes=("recording stopped: No space left on device",))
    assert narrow.has("recording stopped ")


def test_what_a_long_note_has_displaced_comes_back_where_only_its_beginning_is_shown() -> None:
    screen = Screen(size=(100, 24))
    note = "cost not measured: cannot start a thread: raise `ulimit -u`, or pids.max of the control group, then press m"
    screen.show(cache(1, allocs=500), notes=(note,))
    assert screen.has("500 allocs/s")
    assert screen.has("cost not measured ")
    narrow = Screen(size=(40, 10))
    narrow.show(cache(1, allocs=500), notes=("control group gone: /system.sl...56789abcdef.scope",))
    assert narrow.has("control group gone ")
    assert narrow.has("500 allocs/s")


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_the_export_writes_what_the_screen_shows(tmp_path: Path, suffix: str) -> None:
    screen = Screen(
        cache(1, "dentry", allocs=5), cache(2, "TCP", allocs=9), cache(3, "idle"), cache(4, "dent", allocs=7)
    )
    path = tmp_path / f"out.{suffix}"
    screen.type("/", *"den", "enter", "a", "e")
    assert "Write to: slabtui-2023" in screen.lines()[-1]
    screen.type(*["backspace"] * 40, *str(path), "enter")
    assert screen.has("2 caches written to")
    written = path.read_text()
    if suffix == "csv":
        assert [line.split(",")[2] for line in written.splitlines()] == ["name", "dent", "dentry"]
    else:
        assert [row["name"] for row in json.loads(written)["caches"]] == ["dent", "dentry"]


def test_an_export_never_overwrites_and_says_why(tmp_path: Path) -> None:
    screen = Screen(cache(1, allocs=1), size=(200, 24))
    path = tmp_path / "here.csv"
    path.write_text("precious")
    screen.type("e", *["backspace"] * 40, *str(path), "enter")
    assert "that file exists" in screen.lines()[-1]
    assert path.read_text() == "precious"
    screen.type("esc")
    assert screen.lines()[-1].startswith(("?Help", "F1Help"))


def test_an_interval_with_an_error_shows_both() -> None:
    screen = Screen(cache(1, "dentry", allocs=1))
    screen.show(cache(1, "dentry", allocs=3), error="cannot read the counters: gone")
    assert screen.lines()[-2] == "cannot read the counters: gone"
    assert screen.lines()[3].split()[2] == "3"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("keys", [("f7",), ("enter", "b"), ("/", "f7"), ("?", "b"), ("enter", "3", "?", "z")])
def test_a_key_that_does_nothing_says_so_above_the_last_line_at_every_size(
    keys: tuple[str, ...], size: tuple[int, int]
) -> None:
    screen = Screen(*caches(100), size=size)
    screen.type(*keys[:-1])
    footer = screen.lines()[-1]
    screen.type(keys[-1])
    lines = screen.lines()
    assert len(lines) == size[1]
    assert all(len(line) <= size[0] for line in lines)
    assert lines[-1] == footer
    shown = screen.state.message
    assert "does nothing here: " in shown
    cut = shown if len(shown) <= size[0] else f"{shown[: size[0] - 1]}…"
    assert lines[-2].startswith(cut)
    screen.type("ctrl l")
    assert screen.state.message == ""


@pytest.mark.parametrize("size", SIZES)
def test_a_dialog_leaves_the_keys_in_sight(size: tuple[int, int]) -> None:
    screen = Screen(*caches(100), size=size)
    screen.type("?")
    assert screen.has("slabtui help")
    assert screen.lines()[-1] in ("EscClose", "F1Close")
    screen.type("end", "esc")
    assert screen.lines()[-1].startswith(("?Help", "F1Help"))


def test_the_notes_of_other_parts_are_shown_beside_those_of_the_interval() -> None:
    notes = ["recording stopped: disk full"]
    screen = Screen(size=(200, 24))
    screen.app = App(screen.state, notes=lambda: tuple(notes))
    screen.show(cache(1, allocs=1), notes=("no names of functions",))
    assert screen.has("no names of functions  recording stopped: disk full")
    notes.clear()
    screen.type("down")
    assert screen.has("no names of functions")
    assert not screen.has("recording stopped")
