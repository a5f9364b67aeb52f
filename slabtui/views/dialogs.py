"""The dialogs: the help screen, made from the key map and the column definitions, and a stack in full."""

from functools import cache

import urwid

from slabtui.columns import caches, leaks
from slabtui.columns.numbers import Style
from slabtui.model.inspection import InspectionRow
from slabtui.views import keymap
from slabtui.views.cells import drawable
from slabtui.views.keymap import Action
from slabtui.views.widgets import framed, labelled, scrolling


@cache  # the widgets never change, and making them is most of what it takes to open the dialog
def content() -> tuple[urwid.Text | urwid.Columns, ...]:
    """Return the lines of the help screen: the keys by category, in the order of the key map, then the columns."""
    lines: list[urwid.Text | urwid.Columns] = []
    for heading, actions in keymap.by_category():
        lines.append(urwid.Text(("category", heading)))
        lines += [labelled(_keys(action), text) for action, text in actions]
    lines.append(urwid.Text(("category", "Columns")))
    lines += [labelled(column.title, column.help) for column in caches.COLUMNS]
    lines.append(urwid.Text(("category", "Columns of the leak view")))
    of_leaks = (column for column in leaks.on_screen(Style.HUMAN) if column.id not in caches.BY_ID)
    lines += [labelled(column.title, column.help) for column in of_leaks]
    return tuple(lines)


def dialog() -> urwid.Widget:
    """Return the help screen as a dialog that scrolls where it does not fit."""
    body = urwid.ListBox(urwid.SimpleListWalker(content()))
    return framed(scrolling(body), "slabtui help")


def stack(row: InspectionRow) -> urwid.Widget:
    """Return a dialog with a stack in full, the innermost function first."""
    body = urwid.ListBox(urwid.SimpleListWalker([urwid.Text(drawable(frame)) for frame in row.frames]))
    return framed(scrolling(body), f"{len(row.frames)} frames, the innermost first")


def _keys(action: Action) -> str:
    return " ".join(keymap.shown(key) for key in action.keys)
