"""The table of caches: a heading that shows the sort order, and a list of which only the visible rows are drawn."""

from collections.abc import Iterable

import urwid

from slabtui.columns import caches, query
from slabtui.columns.caches import Scene
from slabtui.columns.column import Column
from slabtui.columns.query import Order
from slabtui.model.snapshot import CacheRow
from slabtui.views.cells import cells, drawable, is_plain
from slabtui.views.chart import sparkline
from slabtui.views.line import Markup
from slabtui.views.row_list import GAP, RowList, cell
from slabtui.views.state import State
from slabtui.views.widgets import Drawn

_LONGEST_NAME = 512  # characters that count for the width of the column: no terminal shows more
_MARKS, _PLAIN_MARKS = ("▼", "▲"), ("v", "^")

_Frame = urwid.Frame[urwid.Widget, Drawn, None]


class Table(urwid.WidgetWrap[_Frame]):
    """The heading and the list. The selection stays on its cache; at the top it stays at the top."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._cols = 0
        self._longest_name = 0
        self._drawn_from: object = None
        self._scene = Scene(self._sparkline, lambda row: query.alias(row, state.matches), state.grows)
        self._list: RowList[CacheRow] = RowList(self._draw_row)
        self._heading = Drawn(lambda width: _titles(state.order, self._fit(), width), self._inputs)
        self._message = urwid.Text("", align="center")
        self._empty = urwid.Filler(urwid.AttrMap(self._message, "dim"), valign="middle")
        super().__init__(_Frame(self._empty, header=self._heading))
        self.refresh()

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        """Draw, with the columns that fit the width."""
        self._cols = size[0]
        return super().render(size, focus)

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        """Move the selection."""
        self._cols = size[0]
        unhandled: str | None = super().keypress(size, key)
        if unhandled is None and self._state.rows:
            self._state.select(self._list.walker.focus)
        return unhandled

    def refresh(self) -> None:
        """Draw again if the rows, their order or their columns have changed."""
        self._heading.refresh()
        inputs = self._inputs()
        if inputs == self._drawn_from:
            return
        self._drawn_from = inputs
        if self._state.shown is not None:  # of all caches, not only those on the screen: the width must not jump
            names = (row.name[:_LONGEST_NAME] for row in self._state.shown.rows)
            self._longest_name = max((cells(name) + 1 for name in names), default=0)
        self._list.replace(self._state.rows, self._state.place)
        self._message.set_text(drawable(self._why_empty()))
        self._w.body = self._list if self._state.rows else self._empty

    def shown_columns(self) -> tuple[Column[CacheRow, Scene], ...]:
        """Return the columns that fit."""
        return tuple(column for column, _ in self._fit())

    def _inputs(self) -> object:
        return self._state.revision, self._state.order, self._state.frees

    def _fit(self) -> tuple[tuple[Column[CacheRow, Scene], int], ...]:
        return caches.fit(self._list.room(self._cols), self._longest_name, self._state.frees)

    def _draw_row(self, row: CacheRow) -> tuple[str, str]:
        written = (cell(column.align, room, column.write(row, room, self._scene)) for column, room in self._fit())
        return "growing" if self._state.grows(row) else "row", GAP.join(written)

    def _sparkline(self, row: CacheRow, width: int) -> str:
        return sparkline(self._state.series(row, width), width, plain=is_plain())

    def _why_empty(self) -> str:
        if self._state.shown is None and self._state.time.replay:
            return "Reading the recording…"
        if self._state.shown is None:
            return f"The first interval takes {self._state.interval:g} s."
        if self._state.pattern:
            return f"No active cache matches “{self._state.pattern}”. Esc clears the filter, z shows idle caches."
        return "No cache was active. Press z to show idle caches."


def _titles(order: Order, fitted: Iterable[tuple[Column[CacheRow, Scene], int]], width: int) -> Markup:
    """Return the titles over their columns, with the direction beside the one that the rows are sorted by."""
    down, up = _PLAIN_MARKS if is_plain() else _MARKS
    markup: Markup = []
    for column, room in fitted:
        sorts = column.id == order.column
        title = column.title + (down if order.descending else up) * sorts
        markup += [("heading", GAP), ("sorted" if sorts else "heading", cell(column.align, room, title))]
    return [*markup[1:], ("heading", " " * width)]
