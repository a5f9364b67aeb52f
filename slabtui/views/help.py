"""The help screen, made from the key map and the column definitions."""

from itertools import groupby

import urwid

from slabtui import columns
from slabtui.views import keymap
from slabtui.views.keymap import Action


def content() -> list[urwid.Text]:
    """Return the lines: the keys by category, then the columns."""
    lines = []
    by_category = sorted(keymap.ACTIONS, key=lambda action: action.category)
    for category, actions in groupby(by_category, key=lambda action: action.category):
        lines += [urwid.Text(("category", category)), *(_entry(_keys(action), action.help) for action in actions)]
    lines.append(urwid.Text(("category", "Columns")))
    lines += [_entry(column.title, column.help) for column in columns.COLUMNS]
    return lines


def dialog() -> urwid.Widget:
    """Return the help screen as a dialog that scrolls where it does not fit."""
    body = urwid.ListBox(urwid.SimpleListWalker(content()))
    body._command_map = keymap.list_commands()
    return urwid.AttrMap(
        urwid.LineBox(urwid.ScrollBar(body, attr="bar", thumb_attr="bar"), title="slabtui help"), "dialog"
    )


def _keys(action: Action) -> str:
    return " ".join(keymap.shown(key) for key in action.keys)


def _entry(name: str, explanation: str) -> urwid.Text:
    return urwid.Text([("key", f"{name:<11} "), explanation])
