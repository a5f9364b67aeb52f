"""The line below the table: the keys, or the filter while it is being typed."""

from collections.abc import Callable

import urwid

from slabtui.query import BadFilterError
from slabtui.views import keymap
from slabtui.views.bars import Markup, cells


def hints(width: int) -> Markup:
    """Return the keys and their labels, as many as fit whole, in the order of the key map."""
    markup: Markup = []
    used = 0
    for action in keymap.ACTIONS:
        pieces = [("key", keymap.shown(action.keys[0])), ("label", action.label), (None, " ")]
        needed = sum(cells(text) for _, text in pieces)
        if action.label and used + needed <= width:
            markup += pieces
            used += needed
    return markup


class FilterPrompt(urwid.WidgetWrap[urwid.Columns]):
    """Where the filter is typed; it acts with every key.

    Args:
        pattern: the filter to begin with.
        apply: called with each new text; BadFilterError is shown beside it.
        done: called when typing ends: by Enter, which keeps the filter, or by Esc, which clears it.
    """

    def __init__(self, pattern: str, apply: Callable[[str], None], done: Callable[[], None]) -> None:
        self._apply = apply
        self._done = done
        self._edit = urwid.Edit(("prompt", "Filter: "), pattern, wrap="clip")
        self._complaint = urwid.Text("", wrap="clip")
        super().__init__(
            urwid.Columns([self._edit, ("pack", urwid.AttrMap(self._complaint, "warning"))], dividechars=1)
        )
        urwid.connect_signal(self._edit, "postchange", self._changed)

    def keypress(self, size: tuple[int], key: str) -> str | None:
        """Edit the text; Enter and Esc end it."""
        if key == "esc":
            self._edit.edit_text = ""
        if key in ("enter", "esc"):
            self._done()
            return None
        super().keypress(size, key)
        return None  # no other key does anything while one types

    def _changed(self, edit: urwid.Edit, before: str) -> None:
        try:
            self._apply(edit.edit_text)
            self._complaint.set_text("")
        except BadFilterError as error:
            self._complaint.set_text(str(error))
