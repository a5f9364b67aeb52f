"""The leak view on the screen: what grows, in groups, with what can be reclaimed below a rule."""

from dataclasses import replace
from pathlib import Path

import pytest
from urwid.testing import render_runs

from slabtui.columns.numbers import Style
from slabtui.columns.units import Basis
from slabtui.model.host import Origin
from slabtui.model.snapshot import CacheRow
from tests.support.fakes import cache
from tests.unit.views.test_app import Screen
from tests.unit.views.test_keys_stateful import FakePlayer

GROUP = ("filp", "kmalloc-64", "lsm_file_cache")


def leak(name: str, bytes_h: float | None, *, reclaimable: bool = False, **more: object) -> CacheRow:
    row = replace(cache(0, name, allocs=9, size=64), live=5000, live_delta=0, mem=1 << 20, reclaimable=reclaimable)
    rate = None if bytes_h is None else bytes_h / 3600 / 64
    return replace(row, growth_bytes_h=bytes_h, growth_objects_s=rate, recent_objects_s=rate, **more)


def host(**more: float) -> list[CacheRow]:
    rows = [
        leak("dentry", 300e6, reclaimable=True, grows_with=("lsm_inode_cache",)),
        leak("lsm_inode_cache", 200e6, grows_with=("dentry",)),
        leak("TCP", 5e6, growing=False),
        *(
            leak(name, 20e6 - place, growing=True, grows_with=tuple({*GROUP} - {name}))
            for place, name in enumerate(GROUP)
        ),
        leak("calm", 0.0, growing=False),
    ]
    return [replace(row, growth_bytes_h=more.get(row.name, row.growth_bytes_h)) for row in rows]


def leaks(*rows: CacheRow, size: tuple[int, int] = (80, 24), **more: object) -> Screen:
    screen = Screen(size=size)
    screen.show(*(rows or host()), **more)
    screen.type("l")
    return screen


def test_what_stays_comes_first_and_what_can_be_reclaimed_is_below_a_rule() -> None:
    screen = leaks()
    assert screen.names() == ["filp", "├", "└", "TCP", "──", "dentry", "└"]
    assert screen.body()[0].split()[:2] == ["filp", "+19.1Mi^"]
    assert screen.body()[1].startswith("├ kmalloc-64 ")
    assert screen.body()[2].startswith("└ lsm_file_cache ")
    assert screen.body()[4].startswith("── reclaimable: ")
    assert screen.body()[6].startswith("└ lsm_inode_cache ")
    screen.type("l")
    assert screen.names()[0] != "filp"
    assert "BYTES/s▼" in screen.heading()


def test_another_run_begins_without_the_caches_that_grew_in_the_one_before() -> None:
    """As where a demo begins again."""
    screen = leaks(origin=Origin(since=1.7e9))
    screen.show(leak("TCP", 5e6), leak("filp", None), origin=Origin(since=1.8e9))
    assert screen.names() == ["TCP"]


def test_only_what_leaks_is_marked_and_only_what_is_reclaimable_is_dim() -> None:
    """`find /` and short connections painted six rows red in 30 s, and marked dentry 25 times."""
    screen = leaks()
    styles = {}
    for row in render_runs(screen.app.stack, screen.size)[3:-2]:
        for style, text in row:
            if text.strip() and style in ("growing", "dim", "row", "rule"):
                styles[text.strip("├└─ ").split()[0]] = style
    assert styles == {
        "filp": "growing",
        "kmalloc-64": "growing",
        "lsm_file_cache": "growing",
        "TCP": "row",
        "reclaimable:": "rule",
        "dentry": "dim",
        "lsm_inode_cache": "dim",
    }
    screen.type("l")
    assert [line.split()[0] for line in screen.lines()[3:-2] if "^" in line] == sorted(GROUP, reverse=False)


def test_the_selected_row_keeps_its_mark() -> None:
    screen = leaks()
    for key, expected in (("home", "selected growing"), ("end", "selected")):
        screen.type(key)
        rows = render_runs(screen.app.stack, screen.size, focus=True)
        assert {style for row in rows for style, _ in row if "selected" in str(style)} == {expected}


def test_a_rise_in_each_interval_is_no_leak_and_neither_needs_one() -> None:
    screen = Screen()
    for second in range(12):
        row = replace(leak("dentry", 1e6, growing=False), live=1000 + second, live_delta=1)
        screen.show(row, replace(leak("filp", 1e6, growing=True), live_delta=-3))
    marked = [line.split()[0] for line in screen.lines() if "^" in line]
    assert marked == ["filp"]


def test_the_order_does_not_change_with_every_interval() -> None:
    screen = leaks()
    first = screen.names()
    for factor in (1.01, 0.99, 1.02):
        screen.clock += 3
        screen.show(*host(TCP=5e6 * factor, **{name: 20e6 * factor - place * 1e5 for place, name in enumerate(GROUP)}))
        assert screen.names() == first
    screen.show(*host(TCP=50e6))
    assert screen.names()[0] == "filp"  # what leaks stays above what only grows


def test_since_and_net_begin_at_the_mark() -> None:
    screen, producer = Screen(size=(120, 24)), FakePlayer()
    screen.app.connect(producer)
    row = replace(
        leak("filp", 1e6, growing=True), disagrees=False, frees=4, total_frees=100, total_allocs=500, live=900
    )
    screen.show(row, time=1.7e9)
    screen.type("f", "l")
    assert "NET" in screen.heading()
    screen.show(replace(row, live=1000, total_allocs=600, total_frees=120), time=1.7e9 + 1)
    cells = screen.body()[0].split()
    assert cells[:6] == ["filp", "+977Ki^", "+4.34", "+4.34", "+6.25Ki", "+85"]
    screen.type("0")
    assert producer.marks == 1
    assert screen.has("Mark set at ")
    screen.show(replace(row, live=1010, total_allocs=620, total_frees=125), time=1.7e9 + 2)
    assert screen.body()[0].split()[4:6] == ["+640", "+15"]


def test_a_step_back_before_the_mark_counts_from_the_start() -> None:
    screen = Screen(size=(120, 24))
    for second in range(3):
        screen.show(replace(leak("filp", 1e6), live=100 * second, live_delta=100), time=1.7e9 + second)
    screen.type("l", "0", "[")
    assert screen.body()[0].split()[4] == "+12.5Ki"


def test_nothing_to_mark_before_the_first_interval_is_said() -> None:
    screen = Screen()
    screen.type("0")
    assert screen.has("0 does nothing here: nothing is counted yet")


@pytest.mark.parametrize("key", ["u", "a", "b", "s", "d"])
def test_keys_without_effect_in_the_leak_view_say_so(key: str) -> None:
    screen = leaks()
    before = screen.lines()[:-2]
    screen.type(key)
    assert screen.has(f"{key} does nothing here: ")
    assert screen.lines()[:-2] == before


@pytest.mark.parametrize(
    ("key", "mark"), [(">", "OBJ/s▼"), ("<", "CACHE▲"), ("n", "CACHE▲"), ("c", "MEM▼"), ("o", "LIVE▼")]
)
def test_the_leak_view_has_an_order_of_its_own(key: str, mark: str) -> None:
    screen = leaks()
    screen.type(key)
    assert mark in screen.heading()
    screen.type("l")
    assert "BYTES/s▼" in screen.heading()
    screen.type("l")
    assert mark in screen.heading()


def test_the_rule_cannot_be_selected_and_enter_opens_the_row() -> None:
    screen = leaks()
    screen.type("down", "down", "down", "down")
    assert screen.state.selected is not None
    assert screen.state.selected.name == "dentry"
    assert screen.app._table._list.at((80, 19), 5, 4) is None
    screen.type("enter")
    assert screen.state.page is not None
    assert screen.state.page.row.name == "dentry"


def test_idle_caches_and_the_filter_work_as_in_the_table() -> None:
    screen = leaks()
    screen.type("z")
    assert "calm" in screen.names()
    screen.type("/", *"lsm", "enter")
    assert screen.names() == ["lsm_file_cache", "──", "lsm_inode_cache"] or "lsm_file_cache" in screen.names()
    screen.type("esc")
    assert not screen.state.leaks
    assert screen.state.pattern == "lsm"


def test_before_growth_is_known_the_view_says_so() -> None:
    screen = leaks(replace(cache(1, "a", allocs=5), live=7, live_delta=0))
    assert screen.has("No cache has grown or shrunk yet. Press z to show all caches.")


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (40, 10)])
@pytest.mark.parametrize("style", Style)
def test_it_fits_every_size(size: tuple[int, int], style: Style) -> None:
    screen = leaks(size=size)
    while screen.state.style is not style:
        screen.type("B")
    lines = screen.lines()
    assert len(lines) == size[1]
    assert all(len(line) <= size[0] for line in lines)
    assert "GROWTH/h▼" in screen.heading()
    assert screen.body()[0].startswith("filp ")
    if size[0] == 200:
        assert screen.heading()[-2:] == ["LIVE", "BEFORE"]


def test_the_headings_follow_the_units_and_say_so() -> None:
    """The header was per second and the table per interval, and neither said so."""
    screen = Screen(size=(120, 24))
    screen.show(cache(1, "dentry", allocs=500), elapsed=2.0)
    seen = []
    for key in ("ctrl l", "u", "u", "u"):
        screen.type(key)
        seen.append((screen.heading()[2], screen.body()[0].split()[2], screen.state.basis))
    assert seen == [
        ("ALLOCS/s", "250", Basis.SECOND),
        ("ALLOCS/int", "500", Basis.INTERVAL),
        ("ALLOCS", "500", Basis.SINCE),
        ("ALLOCS/s", "250", Basis.SECOND),
    ]
    screen.type("u", "u")
    assert screen.heading()[2:4] == ["ALLOCS", "SINCE"]


@pytest.mark.parametrize(("presses", "words"), [(0, "250 allocs/s"), (1, "500 allocs/int"), (2, "500 allocs since")])
def test_the_header_has_the_sum_of_the_column_in_the_same_words(presses: int, words: str) -> None:
    screen = Screen(size=(120, 24))
    screen.show(cache(1, "dentry", allocs=300), cache(2, "filp", allocs=200), elapsed=2.0)
    screen.type(*["u"] * presses)
    assert screen.has(f" {words} ")
    assert screen.has({0: "15.6KiB/s", 1: "31.2KiB/int", 2: "31.2KiB since"}[presses])


def test_sums_since_the_start_keep_caches_that_are_idle_now() -> None:
    screen = Screen()
    screen.show(cache(1, "busy", allocs=1), cache(2, "was", allocs=9000))
    screen.show(cache(1, "busy", allocs=1), replace(cache(2, "was"), total_allocs=9000, total_bytes=576_000))
    assert screen.names() == ["busy"]
    screen.type("u", "u")
    assert screen.names() == ["was", "busy"]


def test_digits_turn_between_three_styles() -> None:
    screen = Screen(cache(1, "dentry", allocs=1_234_567), size=(120, 24))
    seen = []
    for _ in Style:
        screen.type("B")
        seen.append(screen.body()[0].split()[2])
    assert seen == ["1,234,567", "1234567", "1.23M"]


def test_an_export_has_the_rows_and_the_fields_of_the_leak_view(tmp_path: Path) -> None:
    screen = leaks(size=(200, 24))
    path = tmp_path / "out.csv"
    screen.type("e", *["backspace"] * 40, *str(path), "enter")
    assert screen.has("6 caches written to")
    lines = path.read_text().splitlines()
    names = lines[0].split(",")
    assert {"growth_bytes_h", "growth_objects_s", "recent_objects_s", "growing", "grows_with", "reclaimable"} <= {
        *names
    }
    rows = [dict(zip(names, line.split(","), strict=True)) for line in lines[1:]]
    assert [row["name"] for row in rows[:2]] == ["filp", "kmalloc-64"]
    assert (rows[0]["growing"], rows[0]["grows_with"].count(";")) == ("true", 1)


def test_a_replay_of_an_older_recording_without_memory_and_growth_shows_the_view() -> None:
    screen = Screen()
    for second in range(3):
        row = replace(cache(1, "filp", allocs=5), live=100 + second, live_delta=None)
        screen.show(row, time=1.7e9 + second)
    screen.type("l")
    assert screen.body()[0].split()[:5] == ["filp", "-", "-", "-", "+128"]


def test_live_is_drawn_from_the_least_to_the_most_that_it_was() -> None:
    screen = Screen(size=(200, 24))
    for second in range(9):
        steady = replace(leak("calm", 1.0), live=50_000 + second % 2)
        screen.show(replace(leak("filp", 9e6), live=5000 + 50 * second), steady)
    screen.type("l", "z")
    assert [line.split()[-1] for line in screen.body()[:2]] == ["▁▂▃▄▅▆▇██", "▁▁▁▁▁▁▁▁▁"]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
def test_sockets_in_time_wait_are_named_as_what_they_are(size: tuple[int, int]) -> None:
    """A load that becomes heavier put tw_sock_TCP first in the leak view, and nothing said why it grows."""
    screen = leaks(leak("tw_sock_TCP", 9e7, growing=False), leak("TCP", 5e6, growing=False), size=size)
    said = "sockets in TIME_WAIT, which end after 60 s"
    assert screen.has(f"tw_sock_TCP: {said}")
    screen.type("down")
    assert not screen.has(said)
    screen.type("up", "enter")
    assert screen.has("  sockets in TIME_WAIT")  # beside its growth
    screen.type("5")
    assert screen.has(f"Objects     {said}")


@pytest.mark.parametrize("size", [(80, 24), (40, 10)])
def test_with_a_scope_the_leak_view_says_why_it_is_empty(size: tuple[int, int]) -> None:
    """It said that no cache has grown yet, and went on saying so beside a leak."""
    unknown = replace(cache(0, "filp", allocs=9), live=None, live_delta=None)
    screen = leaks(unknown, size=size, origin=Origin(scope="pid 8445 python3"))
    said = " ".join(" ".join(screen.body()).split())
    assert "Start without -p and --cgroup." in said
    assert "No cache has grown" not in said


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (40, 10)])
def test_with_a_scope_the_table_has_net_in_place_of_live(size: tuple[int, int]) -> None:
    screen = Screen(size=size)
    screen.app.state.toggle_frees()
    origin = Origin(scope="cgroup /a")
    row = replace(cache(0, "filp", allocs=100), disagrees=False, frees=40, total_frees=40, total_allocs=100)
    unsure = replace(row, cache=cache(1).cache, name="epi", disagrees=True)
    screen.show(row, unsure, origin=origin)
    screen.show(row, unsure, origin=origin, time=1.7e9 + 1)
    assert "LIVE" not in screen.heading()
    end = screen.lines()[screen.top].index(" NET") + len(" NET")
    assert [line[:end].split()[-1] for line in sorted(screen.body()[:2])] == ["-", "+60"]
    screen.type("o")
    assert "NET▼" in screen.heading()
    screen.type("f", "l")
    assert "LIVE" in screen.heading() or size == (40, 10)
