"""The last line: the keys of the topmost window and their labels, or the text that a prompt asks for."""

from collections.abc import Callable, Iterable

import urwid
from urwid.command_map import Command

from slabtui.views import keymap
from slabtui.views.cells import cells, clip, drawable, is_plain
from slabtui.views.keymap import Action, KeyContext
from slabtui.views.line import Markup, piece_at
from slabtui.views.mouse import is_click
from slabtui.views.paste import pasted
from slabtui.views.widgets import Drawn
from slabtui.views.windows import PromptWindow

# What comes first where not all fit; the others follow in the order of the key map.
_ORDER = ("help", "quit", "leave", "leave-leaks", "filter", "open-page", "leaks", "sort-next", "frees", "units")
_PIECES = 3  # of each hint: its key, its label, and a space
_EDITED = 15  # columns that a complaint leaves to the prompt and its text, or half of a narrower terminal


def fitting(context: KeyContext, width: int) -> list[tuple[str, Action]]:
    """Return the actions of a context whose hints fit whole, those that matter most first, each with its key.

    Where all fit with the function keys that htop has for them, these are shown.
    """
    actions = [action for action in keymap.in_context(context) if action.label]
    actions.sort(key=lambda action: _ORDER.index(action.name) if action.name in _ORDER else len(_ORDER))
    with_function_keys = [(_function_key(action), action) for action in actions]
    if _width(with_function_keys) <= width:
        return with_function_keys
    fitting: list[tuple[str, Action]] = []
    for action in actions:
        hint = action.keys[0], action
        if _width([*fitting, hint]) <= width:
            fitting.append(hint)
    return fitting


def _function_key(action: Action) -> str:
    """Return the first function key of an action, or else its first key. What Esc leaves, Esc is shown for."""
    if action.keys[0] == "esc":
        return "esc"
    return next((key for key in action.keys if key[0] == "f" and key[1:].isdigit()), action.keys[0])


def _width(hints: Iterable[tuple[str, Action]]) -> int:
    return sum(cells(text) for hint in hints for _, text in _hint(*hint))


def hints(context: KeyContext, width: int) -> Markup:
    """Return the keys that work in a context, as many as fit whole."""
    return [piece for hint in fitting(context, width) for piece in _hint(*hint)]


def _hint(key: str, action: Action) -> Markup:
    return [("key", keymap.shown(key)), ("label", action.label), (None, " ")]


class Hints(Drawn):
    """The hints. A click on one does what its key does.

    Args:
        context: returns whose keys are shown.
        press: called with the key of a hint that was clicked.
    """

    def __init__(self, context: Callable[[], KeyContext], press: Callable[[str], object]) -> None:
        super().__init__(lambda width: hints(context(), width), context)
        self._context = context
        self._press = press

    def mouse_event(self, size: tuple[int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        """Press the key of the hint that is clicked."""
        context = self._context()
        place = piece_at(hints(context, size[0]), col)
        if place is None or not is_click(event, button):
            return False
        key, _ = fitting(context, size[0])[place // _PIECES]
        self._press(key)
        return True


class Prompt(urwid.WidgetWrap[urwid.Columns]):
    """The prompt, in ASCII where only that is drawn, with what is wrong with the text beside it.

    Args:
        window: what is asked for.
        typed: called with each new text.
    """

    def __init__(self, window: PromptWindow, typed: Callable[[str], None]) -> None:
        self._window = window
        self._edit = urwid.Edit(("prompt", _caption(window)), drawable(window.text), wrap="clip")
        self._edit._command_map = _commands()
        self._complaint = _Complaint(window)
        super().__init__(urwid.Columns([self._edit, ("pack", self._complaint)], dividechars=1))
        urwid.connect_signal(self._edit, "postchange", lambda *_: typed(self._edit.edit_text))

    def keypress(self, size: tuple[int], key: str) -> str | None:
        """Edit the text; what is pasted is inserted at once. Return a key that does not edit."""
        text = pasted(key)
        if text is not None:
            self._edit.insert_text("".join(filter(_is_accepted, text)))
            return None
        unhandled: str | None = super().keypress(size, key) if _is_accepted(key) else key
        edits = keymap.find(KeyContext.PROMPT, key) is not None  # though there was nothing to delete, say
        return None if edits else unhandled

    def refresh(self) -> None:
        """Show what is wrong with the text."""
        self._complaint.refresh()


class _Complaint(Drawn):
    """What is wrong with the text of a prompt, in the longest form that fits beside it.

    Where none fits, the text is scrolled to make room for the shortest.

    Args:
        window: whose complaint it is.
    """

    def __init__(self, window: PromptWindow) -> None:
        super().__init__(self._draw, lambda: window.complaints)
        self._window = window

    def pack(self, size: tuple[int], focus: bool = False) -> tuple[int, int]:
        """Return the columns of the form that fits in a line of this width, and one line; no columns: there is none."""
        widths = [cells(form) for form in self._window.complaints] or [0]
        edited = cells(_caption(self._window)) + cells(drawable(self._window.text)) + 1  # the cursor
        room = size[0] - edited - 1  # a space
        most = max(size[0] - _EDITED, size[0] // 2)
        return next((width for width in widths if width <= room), min(widths[-1], most)), 1

    def _draw(self, width: int) -> Markup:
        forms = self._window.complaints or ("",)
        return [("warning", clip(next((form for form in forms if cells(form) <= width), forms[-1]), width))]


def _caption(window: PromptWindow) -> str:
    return f"{window.purpose.value}: "


def _commands() -> urwid.CommandMap:
    """Return the command map for the text: urwid's own, and the keys of the key map."""
    commands = urwid.CommandMap()
    for action in keymap.in_context(KeyContext.PROMPT):
        for key in action.keys if action.command else ():
            commands[key] = Command(action.command)
    return commands


def _is_accepted(key: str) -> bool:
    """Return whether a prompt accepts a key or a character: what it can draw."""
    return key.isascii() or not is_plain()
