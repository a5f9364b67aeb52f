"""The keys of the topmost window and their labels, on the last line."""

from slabtui.views import keymap
from slabtui.views.cells import cells
from slabtui.views.keymap import KeyContext
from slabtui.views.line import Markup


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
