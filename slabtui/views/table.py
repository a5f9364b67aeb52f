"""The table of caches: a heading that shows the sort order, and a list of which only the visible rows are drawn."""

from collections.abc import Callable, Iterable, Sequence

import urwid

from slabtui import columns
from slabtui.history import sparkline
from slabtui.query import Order
from slabtui.snapshot import CacheRow
from slabtui.views import keymap
from slabtui.views.bars import Drawn, Markup, cells, clip, scrolling
from slabtui.views.state import State

_GAP = " "
_MARKS, _PLAIN_MARKS = ("▼", "▲"), ("v", "^")

Fitted = Callable[[], tuple[tuple[columns.Column, int], ...]]  # the columns that the table's width holds


_Frame = urwid.Frame[urwid.Widget, Drawn, None]


class Row(urwid.Widget):
    """One cache on one line, drawn straight to a canvas: many times cheaper than a widget per cell, and it adds up."""

    _sizing = frozenset((urwid.FLOW,))
    _selectable = True

    def __init__(self, row: CacheRow, fitted: Fitted, past: columns.Past) -> None:
        super().__init__()
        self._row = row
        self._past = past
        self._fitted = fitted

    def rows(self, size: tuple[int], focus: bool = False) -> int:
        """Return the height."""
        return 1

    def render(self, size: tuple[int], focus: bool = False) -> urwid.Canvas:
        """Draw the cells, for the width of the table: the scroll bar comes and goes without moving them."""
        (width,) = size
        line = _GAP.join(
            cell(column, room, column.write(self._row, room, self._past)) for column, room in self._fitted()
        )
        encoded, charset = urwid.apply_target_encoding(clip(line, width))
        style = "selected" if focus else "row"
        return urwid.TextCanvas([encoded], [[(style, len(encoded))]], [charset], maxcol=width)

    def keypress(self, size: tuple[int], key: str) -> str:
        """Leave every key to the list."""
        return key


class Walker(urwid.ListWalker[int, Row]):
    """The rows of the state as widgets, made when they are looked at."""

    def __init__(self, fitted: Fitted, past: columns.Past) -> None:
        self.focus = 0
        self._past = past
        self._rows: Sequence[CacheRow] = ()
        self._widgets: dict[int, Row] = {}
        self._fitted = fitted

    def replace(self, rows: Sequence[CacheRow], focus: int) -> None:
        """Show other rows, with the selection on one of them."""
        self._rows = rows
        self._widgets.clear()
        self.focus = focus
        self._modified()

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, position: int) -> Row:
        if not 0 <= position < len(self._rows):
            raise IndexError(position)
        if position not in self._widgets:
            self._widgets[position] = Row(self._rows[position], self._fitted, self._past)
        return self._widgets[position]

    def set_focus(self, position: int) -> None:
        """Select another row."""
        self.focus = position
        self._modified()

    def next_position(self, position: int) -> int:
        """Return the position below; IndexError at the end."""
        return self._valid(position + 1)

    def prev_position(self, position: int) -> int:
        """Return the position above; IndexError at the top."""
        return self._valid(position - 1)

    def positions(self, reverse: bool = False) -> range:
        """Return all positions in order."""
        return range(len(self._rows))[:: -1 if reverse else 1]

    def _valid(self, position: int) -> int:
        if not 0 <= position < len(self._rows):
            raise IndexError(position)
        return position


class Table(urwid.WidgetWrap[_Frame]):
    """The heading and the list. The selection stays on its cache; at the top it stays at the top."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._cols = 0
        self._longest_name = 0
        self._walker = Walker(self._fitted, self._sparkline)
        self._list = urwid.ListBox(self._walker)
        self._list._command_map = keymap.list_commands()
        self._bar = scrolling(self._list)
        self._heading = Drawn(lambda width: _titles(state.order, self._fitted(), width))
        self._message = urwid.Text("", align="center")
        self._empty = urwid.Filler(urwid.AttrMap(self._message, "dim"), valign="middle")
        super().__init__(_Frame(self._empty, header=self._heading))
        self.refresh()

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        """Draw, with the columns that fit the width."""
        self._cols = size[0]
        return super().render(size, focus)

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        """Move the selection, which from then on follows the cache that it is on."""
        self._cols = size[0]
        unhandled: str | None = super().keypress(size, key)
        if unhandled is None and self._state.rows:
            focus = self._walker.focus
            self._state.followed = self._state.rows[focus].cache if focus else None
        return unhandled

    def refresh(self) -> None:
        """Take over the rows and the order of the state."""
        self._heading.refresh()
        if self._state.shown is not None:  # all that are known, not only those on the screen: it must not jump
            self._longest_name = max((cells(row.name) + 1 for row in self._state.shown.rows), default=0)
        rows, followed = self._state.rows, self._state.followed
        focus = next((place for place, row in enumerate(rows) if row.cache == followed), 0)
        self._walker.replace(rows, focus)
        if not focus:
            self._list.set_focus_valign("top")
        self._message.set_text(self._why_empty())
        self._w.body = self._bar if rows else self._empty

    def shown_columns(self) -> tuple[columns.Column, ...]:
        """Return the columns that fit."""
        return tuple(column for column, _ in self._fitted())

    def _fitted(self) -> tuple[tuple[columns.Column, int], ...]:
        return columns.fitting(max(1, self._cols - self._bar.scrollbar_width), self._longest_name)

    def _sparkline(self, row: CacheRow, width: int) -> str:
        return sparkline(self._state.series(row, width), width, plain=not urwid.supports_unicode())

    def _why_empty(self) -> str:
        if self._state.shown is None and self._state.replay:
            return "The recording begins."
        if self._state.shown is None:
            return f"The first interval takes {self._state.interval:g} s."
        if self._state.pattern:
            return (
                f"No cache that allocated matches “{self._state.pattern}”. Esc clears the filter, z shows idle caches."
            )
        return "No cache allocated anything. z shows idle caches."


def _titles(order: Order, fitted: Iterable[tuple[columns.Column, int]], width: int) -> Markup:
    """Return the titles over their columns, with the direction beside the one that the rows are sorted by."""
    down, up = _MARKS if urwid.supports_unicode() else _PLAIN_MARKS
    markup: Markup = []
    for column, room in fitted:
        sorts = column.id == order.column
        title = column.title + (down if order.descending else up) * sorts
        markup += [("heading", _GAP), ("sorted" if sorts else "heading", cell(column, room, title))]
    return [*markup[1:], ("heading", " " * width)]


def cell(column: columns.Column, width: int, written: str) -> str:
    """Return a text as it stands in its column: a name is cut to fit, a number never needs to be."""
    if column.align == "left":
        return clip(written, width)
    return " " * (width - cells(written)) + written
