"""The help screen, made from the key map and the column definitions."""

import urwid

from slabtui.columns import caches
from slabtui.views import keymap
from slabtui.views.keymap import Action
from slabtui.views.widgets import entry, framed, scrolling


def content() -> list[urwid.Text | urwid.Columns]:
    """Return the lines: the keys by category, in the order of the key map, then the columns."""
    lines: list[urwid.Text | urwid.Columns] = []
    for category in dict.fromkeys(action.category for action in keymap.ACTIONS):
        lines.append(urwid.Text(("category", category)))
        lines += [entry(_keys(action), action.help) for action in keymap.ACTIONS if action.category == category]
    lines.append(urwid.Text(("category", "Columns")))
    lines += [entry(column.title, column.help) for column in caches.COLUMNS]
    return lines


def dialog() -> urwid.Widget:
    """Return the help screen as a dialog that scrolls where it does not fit."""
    body = urwid.ListBox(urwid.SimpleListWalker(content()))
    return framed(scrolling(body), "slabtui help")


def _keys(action: Action) -> str:
    return " ".join(keymap.shown(key) for key in action.keys)
