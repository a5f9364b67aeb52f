"""The dialogs: the help begins with what the screen means, and a dialog is as large as its content."""

import pytest
from urwid.testing import click, press, render_text

from slabtui.columns import caches, inspections
from slabtui.model.inspection import InspectionRow
from slabtui.views import dialogs, header, keymap, status, terminal
from slabtui.views.app import App
from slabtui.views.keymap import KeyContext
from slabtui.views.state import State
from slabtui.views.widgets import Labelled
from slabtui.views.windows import StackWindow
from tests.support.fakes import caches as make_caches
from tests.support.fakes import snapshot

SIZES = [(40, 10), (80, 24), (200, 50)]


def help_text(context: KeyContext) -> str:
    return "\n".join(line for entry in dialogs.content(context) for line in entry.render((400,)).decoded_text)


def opened(size: tuple[int, int]) -> App:
    app = App(State(1.0))
    app.show(snapshot(*make_caches(100)))
    press(app.stack, size, "?")
    return app


def box(app: App, size: tuple[int, int]) -> tuple[int, int]:
    """Return the columns and lines of the dialog."""
    lines = render_text(app.stack, size, focus=True)
    rows = [y for y, line in enumerate(lines) if "┌" in line or "└" in line]
    top = lines[rows[0]]
    return top.rindex("┐") - top.index("┌") + 1, rows[-1] - rows[0] + 1


@pytest.mark.parametrize("context", [KeyContext.TABLE, KeyContext.PAGE, KeyContext.STACKS])
def test_the_help_says_what_the_screen_means_and_then_which_keys_work_here(context: KeyContext) -> None:
    text = help_text(context)
    explained = (*header.meanings(), *status.MEANINGS, *terminal.MEANINGS, *dialogs.MOUSE)
    for _, meaning in explained:
        assert meaning in text
    for column in (*caches.COLUMNS, *(one for columns in inspections.COLUMNS.values() for one in columns)):
        assert column.help.replace("±", "+-").split("+-")[0] in text.replace("±", "+-")
    here = text.index("Keys here")
    assert all(text.index(meaning) < here for _, meaning in (*header.meanings(), *status.MEANINGS))


@pytest.mark.parametrize("context", [KeyContext.TABLE, KeyContext.PAGE, KeyContext.STACKS])
def test_the_help_has_every_key_once_and_those_of_the_context_first(context: KeyContext) -> None:
    entries = [
        (line.label, line.text) if isinstance(line, Labelled) else (line.text, "") for line in dialogs.content(context)
    ]
    begin = next(place for place, entry in enumerate(entries) if entry[0].startswith("Keys here"))
    end = entries.index(("Mouse", ""))
    for action in keymap.ACTIONS:
        keys = " ".join(keymap.shown(key) for key in action.keys)
        places = [place for place, entry in enumerate(entries) if entry[0] == keys and entry[1].startswith(action.help)]
        assert len(places) == 1, action.name
        assert (begin < places[0] < end) == (action in keymap.in_context(context)), action.name


@pytest.mark.parametrize("size", SIZES)
def test_the_help_uses_the_room_that_it_needs_and_no_more(size: tuple[int, int]) -> None:
    columns, rows = box(opened(size), size)
    assert columns == min(size[0], 100)
    assert rows == size[1] - 2


@pytest.mark.parametrize("size", SIZES)
def test_a_stack_has_a_box_as_large_as_its_frames(size: tuple[int, int]) -> None:
    app = opened(size)
    frames = ("kmem_cache_alloc", "getname_flags", "do_sys_openat2+0x5c")
    app.state.windows[-1] = StackWindow(InspectionRow(frames=frames))
    app.sync()
    columns, rows = box(app, size)
    assert rows == len(frames) + 2
    assert columns == len(f"{len(frames)} frames, the innermost first") + 7
    long = "a_function_with_a_very_long_name" * 3
    app.state.windows[-1] = StackWindow(InspectionRow(frames=(long,) * 60))
    app.sync()
    assert box(app, size) == (min(size[0], len(long) + 3), size[1] - 2)


def test_a_dialog_follows_the_size_of_the_terminal_and_keeps_its_place() -> None:
    app = opened((80, 24))
    press(app.stack, (80, 24), "down", "down", "down", "page down")
    first = render_text(app.stack, (80, 24), focus=True)[1].strip("│ ")
    assert box(app, (200, 50)) == (100, 48)
    assert box(app, (40, 10)) == (40, 8)
    assert box(app, (80, 24)) == (80, 22)
    assert "Lines at the top" not in "".join(render_text(app.stack, (80, 24), focus=True))
    assert first


def test_a_click_beside_a_dialog_closes_it_and_one_inside_does_not() -> None:
    size = (200, 50)
    app = opened(size)
    app.stack.render(size, focus=True)
    click(app.stack, size, 100, 20)
    assert app.state.context is KeyContext.DIALOG
    click(app.stack, size, 2, 20)
    assert app.state.context is KeyContext.TABLE
    assert app.stack.depth == 0


@pytest.mark.parametrize("size", SIZES)
def test_the_keys_of_lists_scroll_the_help(size: tuple[int, int]) -> None:
    app = opened(size)
    press(app.stack, size, "end")
    assert any("Ctrl-E End" in line for line in render_text(app.stack, size, focus=True))
    press(app.stack, size, "home")
    assert any("Lines at the top" in line for line in render_text(app.stack, size, focus=True))
