"""The dialogs: the help screen, made from the definitions of what it explains, and a stack in full."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import urwid

from slabtui.columns import caches, holders, inspections, leaks, numbers
from slabtui.columns.column import Column
from slabtui.columns.numbers import Style, Unit
from slabtui.model.inspection import InspectionKind, InspectionRow
from slabtui.views import commands, header, keymap, status, terminal, time_line
from slabtui.views.cells import cells, drawable, is_plain
from slabtui.views.commands import Command
from slabtui.views.keymap import Action, KeyContext
from slabtui.views.state import State
from slabtui.views.widgets import Labelled, framed, scrolling
from slabtui.views.windows import HelpWindow, StackWindow

Line = urwid.Text | Labelled

_HELP_COLUMNS = 100  # of the terminal: a longer line is hard to read
_LABEL = 14  # columns of the help
_MOST_OF_COMMAND = 10  # processes of a command that have a line each below a stack
_FRAME, _BAR = 2, 1  # columns, and lines, beside the content


@dataclass(frozen=True, slots=True)
class Dialog:
    """A dialog and how large it should be.

    Attributes:
        widget: the dialog.
        columns: columns of the terminal that it can use.
        rows: returns the lines that it needs with a number of columns.
    """

    widget: urwid.Widget
    columns: int
    rows: Callable[[int], int]


def dialog(state: State) -> Dialog | None:
    """Return the dialog that is on top; None: there is none."""
    match state.window:
        case HelpWindow():
            return _dialog(content(state.context_below), "slabtui help", _HELP_COLUMNS)
        case StackWindow():
            return _stack(state.window)
        case _:
            return None


def content(context: KeyContext) -> tuple[Line, ...]:
    """Return the lines of the help screen: what the screen means, then the keys of a context, then all others."""
    return _content(context, is_plain())


@cache  # the widgets never change, and making them is most of what it takes to open the dialog
def _content(context: KeyContext, plain: bool) -> tuple[Line, ...]:
    here = keymap.in_context(context)
    tables = [
        *_section("Columns of the table", _columns(caches.COLUMNS)),
        *_section("Columns of the leak view", _columns(_of_leaks())),
        *_section("Columns of what is held", _columns(chain.from_iterable(holders.COLUMNS.values()))),
        *_section("Columns of the other tabs of a page", _columns(chain.from_iterable(inspections.COLUMNS.values()))),
    ]
    elsewhere = [
        line
        for heading, actions in keymap.by_category()
        if (others := [(_keys(one), text) for one, text in actions if one not in here])
        for line in _section(heading, others)
    ]
    return (
        *_section("Lines at the top", header.meanings()),
        *_section("Line above the keys", status.MEANINGS),
        *_section("Lines above that", [("time line", time_line.MEANING)]),
        *tables,
        *_section("Colours", terminal.MEANINGS, styled=True),
        *_section(f"Keys here ({_place(context)})", ((_keys(action), action.help) for action in here)),
        *_section("Mouse", MOUSE),
        *elsewhere[:-1],
    )


MOUSE = (
    (
        "click",
        "A heading: sort by it, or reverse the order. A row: select it, or open it if it is selected. A tab: open it. A"
        " key in the last line: press it. The scroll bar: scroll there. The time line: jump there. Beside a"
        " dialog: close it",
    ),
    ("wheel", "Scroll"),
    ("Shift", "While it is held, the terminal selects text; --no-mouse leaves the mouse to the terminal"),
)


def _section(heading: str, entries: Iterable[tuple[str, str]], styled: bool = False) -> list[Line]:
    """Return a heading and its entries, each a label and a text; `styled`: each in the style that its label names."""
    lines: list[Line] = [urwid.Text(("category", heading))]
    lines += [Labelled(label, text, label if styled else "key", _LABEL) for label, text in entries]
    return [*lines, urwid.Text("")]


def _columns(columns: Iterable[Column[Any, Any]]) -> Iterable[tuple[str, str]]:
    return ((column.title, column.help) for column in dict.fromkeys(columns))


def _of_leaks() -> Iterable[Column[Any, Any]]:
    return (column for column in leaks.on_screen(Style.HUMAN) if column.id not in caches.BY_ID)


def _place(context: KeyContext) -> str:
    return keymap.name_context(context)


def _stack(window: StackWindow) -> Dialog:
    """Return a dialog with a stack in full, the innermost function first, and below it the processes that had it."""
    texts = [*window.row.frames]
    title = f"{len(texts)} frames, the innermost first"
    for command in commands.gather(window.owners):
        texts += _owners(command, estimated=window.estimated)
    lines = [urwid.Text(drawable(text)) for text in texts]
    if number := len(window.owners):
        heading = f"{number} process{'es' if number > 1 else ''}"
        lines.insert(len(window.row.frames), urwid.Text(("category", heading)))
    longest = max(cells(text) for text in (*texts, f"  {title}  "))
    return _dialog(lines, title, longest + _FRAME + _BAR)


def _owners(command: Command, *, estimated: bool) -> list[str]:
    """Return how often each process of a command had a stack; if there are many, how often all of them had it."""

    def write(row: InspectionRow, what: str) -> str:
        count = f"{'~' * estimated}{numbers.human(row.rank, Unit.OBJECTS)}"
        return f"{count:>7} {row.pid or numbers.UNKNOWN:>7} {what}"

    if len(command.rows) > _MOST_OF_COMMAND:
        return [write(command.total, f"{command.name} x {len(command.rows)}")]
    return [write(row, inspections.describe(InspectionKind.PROCESSES, row)) for row in command.rows]


def _dialog(lines: Sequence[Line], title: str, columns: int) -> Dialog:
    body = urwid.ListBox(urwid.SimpleListWalker(lines))

    def rows(columns: int) -> int:
        room = max(1, columns - _FRAME - _BAR)
        return sum(line.rows((room,)) for line in lines) + _FRAME

    return Dialog(framed(scrolling(body), title), columns, rows)


def _keys(action: Action) -> str:
    return " ".join(keymap.shown(key) for key in action.keys)
