"""The line above the keys: messages, notes and what slabtui costs have it, and nothing else moves for them."""

import re

import pytest
from urwid.testing import render_runs, render_text

from slabtui.views.app import App
from slabtui.views.state import State
from tests.support.fakes import cache, caches, snapshot

SIZES = [(80, 24), (200, 50), (40, 10)]
NOTE = "recording stopped: No space left on device"


def lines(app: App, size: tuple[int, int]) -> list[str]:
    return render_text(app.stack, size, focus=True)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("what", ["message", "note", "error", "lost", "filter"])
def test_nothing_else_moves_when_there_is_something_to_say(what: str, size: tuple[int, int]) -> None:
    app, other = App(State(1.0)), App(State(1.0))
    for one in (app, other):
        one.show(snapshot(*caches(100), events=1000))
    if what in ("note", "lost"):
        other.show(snapshot(*caches(100), events=1000))
    before = lines(other, size)
    match what:
        case "message":
            app.press("f9")
            app.sync()
        case "note":
            app.show(snapshot(*caches(100), events=1000, notes=(NOTE,)))
        case "error":
            app.show(snapshot(elapsed=0.0, error="cannot read the counters: gone"))
        case "lost":
            app.show(snapshot(*caches(100), events=1000, lost=500))
        case "filter":
            app.state.filter_by("cache")
            app.sync()
    after = lines(app, size)
    assert after[-2] != before[-2]
    assert [line for place, line in enumerate(after) if place != size[1] - 2] == [
        line for place, line in enumerate(before) if place != size[1] - 2
    ]


@pytest.mark.parametrize(
    ("lost", "events", "style", "words"),
    [
        (3, 307_000, "dim", "lost 3"),
        (0, 307_000, "dim", "lost 0"),
        (500, 100_000, None, "lost 500"),
        (2_000, 100_000, "warning", "lost 2%"),
        (None, 100_000, None, "lost ?"),
        (7, None, None, "lost 7 at most"),
    ],
)
@pytest.mark.parametrize("size", SIZES)
def test_what_is_lost_is_pale_or_loud_by_its_share(
    size: tuple[int, int], lost: int | None, events: int | None, style: str | None, words: str
) -> None:
    app = App(State(1.0))
    app.show(snapshot(cache(1, allocs=1), lost=lost, events=events))
    row = render_runs(app.stack, size)[-2]
    assert row[-1][0] == style or row[-1] == (None, "")
    assert words in "".join(text for _, text in row)
    assert [one for one, text in row if words in text] == [style]


def test_what_slabtui_costs_stands_in_the_corner_and_never_moves() -> None:
    app = App(State(1.0))
    ends = set()
    for events, nanoseconds in ((9, 8.0), (12_345_678, 151.2), (5_000, 99.6)):
        app.show(snapshot(cache(1, allocs=1), events=events, nanoseconds=nanoseconds, bulk=True))
        row = lines(app, (120, 24))[-2]
        ends.add((row.index("% CPU"), row.index("bulk counted")))
    assert len(ends) == 1
    app.show(snapshot(cache(1, allocs=1), events=5_000, nanoseconds=None))
    assert "5.00k ev/s x ? ns = ? CPU" in lines(app, (120, 24))[-2]


def test_a_message_takes_the_place_of_the_line_and_a_note_comes_back_after_it() -> None:
    app = App(State(1.0))
    app.show(snapshot(cache(1, allocs=1), notes=(NOTE,)))
    assert NOTE in lines(app, (80, 24))[-2]
    app.press("f9")
    app.sync()
    assert "F9 does nothing here" in lines(app, (80, 24))[-2]
    app.state.expire_message()
    app.sync()
    assert NOTE in lines(app, (80, 24))[-2]


@pytest.mark.parametrize(
    ("events", "nanoseconds", "bulk", "shown"),
    [
        (1_234_567, 151.4, True, ["1.23M ev/s x 151 ns = 19% CPU", "bulk counted"]),
        (100, 151.4, False, ["100 ev/s x 151 ns = <0.1% CPU", "bulk not counted"]),
        (0, 0.0, None, ["0 ev/s x 0 ns = 0.0% CPU"]),
        (None, 151.4, None, []),
        (100, None, None, ["100 ev/s x ? ns = ? CPU"]),
    ],
)
def test_what_counting_costs_is_said_as_far_as_it_is_known(
    events: int | None, nanoseconds: float | None, bulk: bool | None, shown: list[str]
) -> None:
    app = App(State(1.0))
    app.show(snapshot(cache(1, "dentry", allocs=5), events=events, nanoseconds=nanoseconds, bulk=bulk))
    last = lines(app, (200, 50))[-2].replace("lost 0", "  lost 0")
    assert re.split("  +", last.strip()) == ["1 of 1 caches", *shown, "lost 0"]


@pytest.mark.parametrize(("size", "shown"), [((80, 24), "1.23M ev/s x 151 ns = 19% CPU"), ((40, 10), "19%")])
def test_a_narrow_terminal_keeps_the_share_and_what_was_lost(size: tuple[int, int], shown: str) -> None:
    app = App(State(1.0))
    app.show(snapshot(cache(1, "dentry", allocs=1500), events=1_234_567, nanoseconds=151.4, bulk=True))
    line = lines(app, size)[-2]
    assert shown in line
    assert line.endswith("lost 0")
    assert len(line) == size[0]
