"""The last line: the keys of the topmost window and their labels, or the text that a prompt asks for."""

from collections.abc import Callable

import urwid

from slabtui.views import keymap
from slabtui.views.cells import cells, drawable, is_plain
from slabtui.views.keymap import KeyContext
from slabtui.views.line import Markup
from slabtui.views.paste import pasted
from slabtui.views.windows import PromptWindow


def hints(context: KeyContext, width: int) -> Markup:
    """Return the keys that work in a context, as many as fit whole."""
    markup: Markup = []
    used = 0
    for action in keymap.in_context(context):
        pieces: Markup = [("key", keymap.shown(action.keys[0])), ("label", action.label), (None, " ")]
        needed = sum(cells(text) for _, text in pieces)
        if action.label and used + needed <= width:
            markup += pieces
            used += needed
    return markup


class Prompt(urwid.WidgetWrap[urwid.Columns]):
    """The prompt, in ASCII where only that is drawn, with what is wrong with the text beside it.

    Args:
        window: what is asked for.
        typed: called with each new text.
    """

    def __init__(self, window: PromptWindow, typed: Callable[[str], None]) -> None:
        self._window = window
        self._edit = urwid.Edit(("prompt", f"{window.purpose.value}: "), drawable(window.text), wrap="clip")
        self._complaint = urwid.Text("", wrap="clip")
        complaint = urwid.AttrMap(self._complaint, "warning")
        super().__init__(urwid.Columns([self._edit, ("pack", complaint)], dividechars=1))
        urwid.connect_signal(self._edit, "postchange", lambda *_: typed(self._edit.edit_text))

    def keypress(self, size: tuple[int], key: str) -> str | None:
        """Edit the text; what is pasted is inserted at once. Return a key that does not edit."""
        text = pasted(key)
        if text is not None:
            self._edit.insert_text("".join(filter(_is_accepted, text)))
            return None
        unhandled: str | None = super().keypress(size, key) if _is_accepted(key) else key
        return unhandled

    def refresh(self) -> None:
        """Show what is wrong with the text."""
        self._complaint.set_text(drawable(self._window.complaint))


def _is_accepted(key: str) -> bool:
    """Return whether a prompt accepts a key or a character: what it can draw."""
    return key.isascii() or not is_plain()
