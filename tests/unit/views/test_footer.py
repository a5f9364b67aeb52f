"""The last line: hints that a click presses, and prompts that are edited as in a shell."""

import pytest
import urwid
from urwid.testing import click, press, render_text

from slabtui.model.host import Origin
from slabtui.views import keymap
from slabtui.views.app import App
from slabtui.views.footer import Hints, fitting, hints
from slabtui.views.keymap import KeyContext
from slabtui.views.line import piece_at
from slabtui.views.paste import Pastes
from slabtui.views.state import State
from tests.support.fakes import cache, snapshot

SIZE = (80, 24)


def prompt(text: str) -> App:
    """Return the application with this text in the prompt for the filter."""
    app = App(State(1.0))
    app.show(snapshot(cache(1, "dentry", allocs=1)))
    press(app.stack, SIZE, "/", *text)
    return app


def last_line(app: App, size: tuple[int, int] = SIZE) -> str:
    return render_text(app.stack, size, focus=True, strip=True)[-1]


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        (["ctrl u"], ""),
        (["ctrl w"], "one"),
        (["ctrl w", "ctrl w"], ""),
        (["ctrl a", "x"], "xone two"),
        (["ctrl a", "ctrl e", "x"], "one twox"),
        (["ctrl a", "right", "right", "right", "ctrl k"], "one"),
        (["left", "left", "left", "ctrl u"], "two"),
        (["home", "x"], "xone two"),
        (["ctrl u", "ctrl u", "ctrl w", "ctrl a"], ""),
    ],
)
def test_keys_of_a_shell_edit_the_text(keys: list[str], left: str) -> None:
    app = prompt("one two")
    assert press(app.stack, SIZE, *keys) == []
    assert last_line(app) == f"Filter: {left}".rstrip()
    assert app.state.pattern.strip() == left
    assert app.state.message == ""


def test_every_key_that_edits_is_in_the_help_and_only_works_in_a_prompt() -> None:
    for key in ("ctrl u", "ctrl k", "ctrl w", "ctrl a", "ctrl e"):
        action = keymap.find(KeyContext.PROMPT, key)
        assert action is not None
        assert action.help
        assert action.contexts == {KeyContext.PROMPT}


@pytest.mark.parametrize(
    ("size", "keys", "shown"),
    [
        ((80, 24), ["t", *"99:99"], "Go to: 99:99" + " " * 23 + "no moment, as 02:30, -10m or 2026-11-26T02:30"),
        ((40, 10), ["t", *"99:99"], "Go to: 99:99   no moment, as 02:30, -10m"),
        ((40, 10), ["t"], "Go to:         no moment, as 02:30, -10m"),
        ((20, 5), ["t", *"99:99"], "to: 99:99  no moment"),
        ((20, 5), ["t"], "Go to:     no moment"),
        ((40, 10), ["t", *"2025-06-15T15:00"], "Go to: 2025-06-15T15:00        too early"),
        ((40, 10), ["/", *"~["], "Filter: ~[      not a regular expression"),
        ((20, 5), ["/", *"~["], "ilter: ~[  not valid"),
        ((40, 10), ["e", "ctrl u", "x"], "Write to: x    must end in .csv or .json"),
        ((20, 5), ["e", "ctrl u", "x"], "te to: x  must end …"),
    ],
)
def test_what_is_wrong_with_a_text_is_said_beside_it_on_the_smallest_screen(
    size: tuple[int, int], keys: list[str], shown: str
) -> None:
    app = App(State(1.0, replay=True))
    origin = Origin("replay", "host", "6.12", 1_750_000_000.0)
    app.show(snapshot(cache(1, "dentry", allocs=1), time=1_750_000_010.0, origin=origin))
    press(app.stack, size, *keys)
    last_line(app, size)
    press(app.stack, size, "enter")
    assert last_line(app, size) == shown


@pytest.mark.parametrize("context", [KeyContext.TABLE, KeyContext.PAGE, KeyContext.DIALOG])
@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_a_click_on_a_hint_presses_its_key_and_no_other(context: KeyContext, width: int) -> None:
    pressed: list[str] = []
    widget = Hints(lambda: context, pressed.append)
    markup = hints(context, width)
    for x in range(width):
        place = piece_at(markup, x)
        expected = [] if place is None else [fitting(context, width)[place // 3][0]]
        pressed.clear()
        click(widget, (width,), x, 0)
        assert pressed == expected
    pressed.clear()
    click(widget, (width,), 0, 0, button=3)
    click(widget, (width,), 0, 0, event="mouse release", button=0)
    assert not pressed


def test_the_mouse_does_nothing_while_a_paste_goes_on() -> None:
    pastes, pressed = Pastes(), ("mouse press", 1, 3, 4)
    assert pastes.join([pressed, "a"]) == [pressed, "a"]
    assert pastes.join(["begin paste", "x", pressed, "y"]) == []
    assert pastes.join([pressed, "z", "end paste", pressed]) == ["paste xyz", pressed]


def test_a_click_on_quit_quits() -> None:
    app = App(State(1.0))
    app.show(snapshot(cache(1, "dentry", allocs=1)))
    place = last_line(app).index("Quit")
    with pytest.raises(urwid.ExitMainLoop):
        click(app.stack, SIZE, place, SIZE[1] - 1)


def test_the_keys_that_matter_most_are_shown_on_the_smallest_screen() -> None:
    labels = [action.label for _, action in fitting(KeyContext.TABLE, 40)]
    assert labels[:4] == ["Help", "Quit", "Filter", "Open"]


@pytest.mark.parametrize("context", [KeyContext.TABLE, KeyContext.PAGE])
def test_function_keys_are_shown_where_all_hints_fit_with_them(context: KeyContext) -> None:
    wide, narrow = fitting(context, 400), fitting(context, 30)
    assert [action for _, action in wide][: len(narrow)] == [action for _, action in narrow]
    assert not any(key[0] == "f" and key[1:].isdigit() for key, _ in narrow)
    for key, action in wide:
        has = [one for one in action.keys if one[0] == "f" and one[1:].isdigit()]
        assert key == (has or action.keys)[0]
