"""The transitions of the view, without a screen: the effect of each key on the state, and its requests."""

import subprocess
import sys
from dataclasses import replace

import pytest

from slabtui.columns.query import BadFilterError
from slabtui.model.inspection import ON_PAGE, Inspection, InspectionKind, InspectionRow
from slabtui.model.request import InspectionRequest, Request
from slabtui.model.snapshot import merge
from slabtui.views.actions import press
from slabtui.views.effects import Effect
from slabtui.views.keymap import KeyContext
from slabtui.views.state import State
from slabtui.views.windows import HelpWindow, PageWindow, PromptWindow, Purpose, StackWindow, TableWindow
from tests.support.fakes import cache, caches, snapshot

DENTRY = cache(1, "dentry", allocs=5)
STACKS = Inspection(
    DENTRY.cache,
    InspectionKind.STACKS,
    rows=(InspectionRow(("a", "b"), total_allocs=3), InspectionRow(("a", "c"), total_allocs=2)),
)


def state(*rows: object, **more: object) -> State:
    """Return a state that has had one snapshot."""
    one = State(1.0, **more)
    one.receive(snapshot(*(rows or caches(5))))
    return one


def typed(one: State, *keys: str) -> State:
    for key in keys:
        assert press(one, key), key
    return one


def names(one: State) -> list[str]:
    return [row.name for row in one.rows]


def test_windows_are_a_stack_and_the_topmost_one_decides_what_keys_do() -> None:
    one = state(DENTRY)
    one.receive(snapshot(DENTRY, inspections=(STACKS,)))
    contexts, windows = [one.context], [type(one.window)]
    for key in ("enter", "enter", "esc", "?", "q", "e", "esc", "5", "esc", "/", "esc"):
        typed(one, key)
        contexts.append(one.context)
        windows.append(type(one.window))
    table, page, stacks, dialog, prompt = (
        KeyContext.TABLE, KeyContext.PAGE, KeyContext.STACKS, KeyContext.DIALOG, KeyContext.PROMPT,
    )  # fmt: skip
    assert contexts == [
        table, stacks, dialog, stacks, dialog, stacks, prompt, stacks, page, table, prompt, table,
    ]  # fmt: skip
    assert windows == [
        TableWindow, PageWindow, StackWindow, PageWindow, HelpWindow, PageWindow, PromptWindow, PageWindow,
        PageWindow, TableWindow, PromptWindow, TableWindow,
    ]  # fmt: skip
    assert one.message == ""


def test_a_page_stays_open_below_a_dialog_and_a_prompt_and_so_does_its_request() -> None:
    one = typed(state(DENTRY), "enter")
    wanted = Request(inspection=InspectionRequest(DENTRY.cache, ON_PAGE))
    one.receive(snapshot(DENTRY, inspections=(Inspection(DENTRY.cache, InspectionKind.STACKS),)))
    for key, back in (("?", "esc"), ("e", "esc")):
        typed(one, key)
        assert one.page is not None
        assert one.request == wanted
        typed(one, back)
    assert typed(one, "esc").request == Request()


@pytest.mark.parametrize("key", ["b", "a", "l", "n", "s", "d", "F", "o", "c", "r", "z", "f", "/", "u", "0", "<", ">"])
def test_a_key_of_the_table_changes_nothing_below_a_page_and_says_so(key: str) -> None:
    one = typed(state(), "enter")
    before = (one.order, one.idle, one.frees, one.pattern, names(one), one.revision, one.leaks, one.style, one.basis)
    typed(one, key)
    after = (one.order, one.idle, one.frees, one.pattern, names(one), one.revision, one.leaks, one.style, one.basis)
    assert after == before
    assert one.message == f"{key} does nothing here: it works on the table"
    typed(one, "esc")
    assert one.message == ""


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (("]",), "] does nothing here: the screen is not paused: press p or [ first"),
        (("p", "]"), "] does nothing here: this is the newest interval"),
        (("[",), "[ does nothing here: this is the oldest interval that is kept"),
        (
            ("+",),
            "+ does nothing here: only a replay has a speed; the interval is set at the start, as in slabtui -d 5",
        ),
        (
            ("-",),
            "- does nothing here: only a replay has a speed; the interval is set at the start, as in slabtui -d 5",
        ),
        (("esc",), "Esc does nothing here: there is no filter to clear"),
        (("enter", "enter"), "Enter does nothing here: it works on a stack or a process"),
        (("enter", ","), ", does nothing here: this is the left end"),
        (("enter", "5", "."), ". does nothing here: this is the right end"),
        (("paste b",), "Pasted text does nothing here: ? shows all keys"),
    ],
)
def test_a_transition_that_is_not_possible_says_why(keys: tuple[str, ...], message: str) -> None:
    assert typed(state(), *keys).message == message


@pytest.mark.parametrize(
    ("key", "why"), [("enter", "no cache is selected"), ("e", "there is nothing to write yet"), ("[", "this is the")]
)
def test_keys_before_the_first_interval_say_what_they_lack(key: str, why: str) -> None:
    one = typed(State(1.0), key)
    assert why in one.message
    assert one.windows == [one.table]
    assert not one.time.paused


def test_moves_and_letters_that_are_typed_are_left_to_the_widgets() -> None:
    one = state()
    assert not press(one, "down")
    typed(one, "/")
    assert not press(one, "q")
    assert not press(one, "f5")
    assert one.take_effects() == []


@pytest.mark.parametrize(
    ("keys", "effects"),
    [
        (("q",), [Effect.QUIT]),
        (("enter", "Q"), [Effect.QUIT]),
        (("l", "?", "f10"), [Effect.QUIT]),
        (("0", "l", "0"), [Effect.MARK, Effect.MARK]),
        (("ctrl l", "?", "ctrl l"), [Effect.REDRAW, Effect.REDRAW]),
        (("m", "enter", "m"), [Effect.MEASURE, Effect.MEASURE]),
        (("e", "enter"), [Effect.EXPORT]),
        (("?", "q", "/", "enter"), []),
    ],
)
def test_a_transition_asks_for_what_the_state_cannot_do(keys: tuple[str, ...], effects: list[Effect]) -> None:
    one = typed(state(), *keys)
    assert one.take_effects() == effects
    assert one.take_effects() == []


def test_a_replay_is_played_faster_slower_and_step_by_step() -> None:
    one = state(replay=True)
    typed(one, "+", "=", "-", "p", "]")
    assert one.take_effects() == [Effect.FASTER, Effect.FASTER, Effect.SLOWER, Effect.STEP]
    one.receive(snapshot(cache(9, "next", allocs=1)))
    assert names(one) == ["next"]
    one.receive(snapshot(cache(8, "late", allocs=1)))  # it was on its way
    assert (names(one), one.time.back) == (["next"], 1)
    typed(one, "]")
    assert (names(one), one.take_effects()) == (["late"], [])
    one.end()
    typed(one, "]")
    assert "newest interval" in one.message


def test_a_speed_that_does_not_change_is_the_limit() -> None:
    one = state(replay=True)
    one.play(2.0)
    assert (one.time.speed, one.message) == (2.0, "")
    one.play(2.0)
    assert one.message == "x2 is the limit"


def test_a_speed_that_the_header_does_not_show_is_a_message() -> None:
    one = typed(state(replay=True), "p", "+")
    assert one.take_effects() == [Effect.FASTER]
    one.play(2.0)
    assert one.message == "The replay continues at x2"


@pytest.mark.parametrize("key", ["+", "-"])
def test_a_replay_at_its_end_has_no_speed(key: str) -> None:
    one = state(replay=True)
    one.end()
    assert typed(one, key).message == f"{key} does nothing here: the recording is at its end"
    assert one.take_effects() == []


def test_a_replay_has_nothing_to_measure() -> None:
    one = typed(state(replay=True), "m")
    assert one.message == "m does nothing here: a replay counts nothing"
    assert one.take_effects() == []


def test_a_snapshot_that_covers_no_time_changes_the_error_only() -> None:
    one = state(DENTRY)
    shown, revision = one.shown, one.revision
    one.receive(snapshot(cache(2, allocs=1), elapsed=0.0, error="cannot read", notes=("a note",)))
    assert one.error == "cannot read"
    assert (one.shown, one.revision, len(one.time.history)) == (shown, revision, 1)
    one.receive(snapshot(DENTRY))
    assert one.error == ""


def test_an_interval_that_was_merged_with_an_error_shows_both() -> None:
    one = state(DENTRY)
    one.receive(merge(snapshot(replace(DENTRY, allocs=7)), snapshot(elapsed=0.0, error="cannot read")))
    assert one.error == "cannot read"
    assert one.rows[0].allocs == 7
    assert len(one.time.history) == 2


def test_what_other_parts_say_stands_beside_the_notes_of_the_interval() -> None:
    one = State(1.0)
    one.other_notes = ("recording stopped",)
    assert one.notes == ("recording stopped",)
    one.receive(snapshot(DENTRY, notes=("no names",)))
    assert one.notes == ("no names", "recording stopped")


def test_the_selection_on_a_page_follows_its_row_but_not_at_the_top() -> None:
    one = typed(state(DENTRY), "enter")
    one.receive(snapshot(DENTRY, inspections=(STACKS,)))
    one.pages.select(1)
    first, second = STACKS.rows
    one.receive(snapshot(DENTRY, inspections=(replace(STACKS, rows=(replace(second, total_allocs=9), first)),)))
    assert one.pages.place == 0
    assert isinstance(one.pages.selected, InspectionRow)
    assert one.pages.selected.frames == second.frames
    one.pages.select(0)
    one.receive(snapshot(DENTRY, inspections=(STACKS,)))
    assert one.pages.place == 0


def test_two_caches_of_one_name_have_pages_of_their_own() -> None:
    first, second = cache(1, "fuse_inode", allocs=9), cache(2, "fuse_inode", allocs=1)
    one = state(first, second)
    one.select(1)
    typed(one, "enter")
    assert one.request.inspection == InspectionRequest(second.cache, ON_PAGE)
    one.receive(snapshot(first, second, inspections=(replace(STACKS, cache=first.cache),)))
    assert one.pages.inspection is None
    one.receive(snapshot(first, replace(second, allocs=3), inspections=(replace(STACKS, cache=second.cache),)))
    assert one.pages.inspection is not None
    assert one.pages.inspected is not None
    assert one.pages.inspected.allocs == 3
    assert [row and row.allocs for _, row in one.pages.past()] == [1, 1, 3]


def test_the_filter_acts_while_it_is_typed_and_is_kept_or_cleared() -> None:
    one = typed(state(), "/")
    assert one.prompt is not None
    assert one.prompt.purpose is Purpose.FILTER
    one.type("cache-3")
    assert names(one) == ["cache-3"]
    typed(one, "enter")
    assert (one.prompt, one.pattern) == (None, "cache-3")
    typed(one, "/", "esc")
    assert (one.prompt, one.pattern, names(one)) == (None, "cache-3", ["cache-3"])
    typed(one, "esc")
    assert (one.pattern, len(names(one))) == ("", 5)
    typed(one, "/")
    one.type("~(")
    assert one.prompt is not None
    assert one.prompt.complaint.startswith("not a regular expression")
    assert len(names(one)) == 5
    one.type("~3$")
    assert (one.prompt.complaint, names(one)) == ("", ["cache-3"])
    with pytest.raises(BadFilterError):
        one.filter_by("~[")


def test_an_export_that_failed_keeps_its_prompt_and_one_that_succeeded_says_so() -> None:
    one = typed(state(), "e")
    assert one.prompt is not None
    one.complain("that file exists")
    assert one.prompt.complaint == "that file exists"
    one.type("another.csv")
    assert (one.prompt.text, one.prompt.complaint) == ("another.csv", "")
    one.finish_export("5 caches written to another.csv")
    assert (one.prompt, one.message) == (None, "5 caches written to another.csv")
    one.expire_message()
    assert one.message == ""


def test_the_table_cannot_be_closed() -> None:
    one = state()
    one.close()
    assert one.windows == [one.table]


def test_the_state_and_its_transitions_need_no_screen() -> None:
    program = "import sys, slabtui.views.actions; sys.exit('urwid' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
