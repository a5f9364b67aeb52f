"""The line below the table: the keys, or what is being typed."""

from collections.abc import Callable

import urwid

from slabtui.views import keymap
from slabtui.views.paste import pasted
from slabtui.views.widgets import Markup, cells, drawable, is_plain


def hints(on_page: bool, width: int) -> Markup:
    """Return the keys and their labels, those of the table or of a page, as many as fit whole."""
    markup: Markup = []
    used = 0
    for action in keymap.ACTIONS:
        label = action.page_label if on_page else action.label
        pieces: Markup = [("key", keymap.shown(action.keys[0])), ("label", label), (None, " ")]
        needed = sum(cells(text) for _, text in pieces)
        if label and used + needed <= width:
            markup += pieces
            used += needed
    return markup


class Prompt(urwid.WidgetWrap[urwid.Columns]):
    """A line of text being typed, in ASCII where only that is drawn.

    What is wrong with it (a ValueError of a callback) is shown beside it.

    Args:
        caption: what is asked for.
        text: what stands there at first.
        changed: called with each new text.
        entered: called with the text at Enter.
        left: called at Esc.
    """

    def __init__(
        self,
        caption: str,
        text: str,
        *,
        changed: Callable[[str], None] = lambda _: None,
        entered: Callable[[str], None],
        left: Callable[[], None],
    ) -> None:
        self._changed = changed
        self._entered = entered
        self._left = left
        self._edit = urwid.Edit(("prompt", f"{caption}: "), drawable(text), wrap="clip")
        self._complaint = urwid.Text("", wrap="clip")
        complaint = urwid.AttrMap(self._complaint, "warning")
        super().__init__(urwid.Columns([self._edit, ("pack", complaint)], dividechars=1))
        urwid.connect_signal(self._edit, "postchange", lambda *_: self._try(self._changed))

    def keypress(self, size: tuple[int], key: str) -> str | None:
        """Edit the text; Enter and Esc end it. What is pasted is inserted at once."""
        text = pasted(key)
        if text is not None:
            self._edit.insert_text("".join(filter(_is_taken, text)))
        elif key == "enter":
            self._try(self._entered)
        elif key == "esc":
            self._left()
        elif _is_taken(key):
            super().keypress(size, key)
        return None  # no other key does anything while one types

    def _try(self, callback: Callable[[str], None]) -> None:
        try:
            self._complaint.set_text("")
            callback(self._edit.edit_text)
        except ValueError as error:
            self._complaint.set_text(drawable(str(error)))


def _is_taken(key: str) -> bool:
    """Return whether a prompt takes a key or a character: what it can draw."""
    return key.isascii() or not is_plain()
