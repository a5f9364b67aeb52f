"""The table of caches: a heading that shows the sort order, and a list of which only the visible rows are drawn."""

from collections.abc import Iterable

import urwid

from slabtui.columns import caches, query
from slabtui.columns.caches import Scene
from slabtui.columns.query import Order
from slabtui.model.history import sparkline
from slabtui.model.snapshot import CacheRow
from slabtui.views.row_list import GAP, Listing, cell
from slabtui.views.state import State
from slabtui.views.widgets import Drawn, Markup, cells, drawable, is_plain

_LONGEST_NAME = 512  # characters that count for the width of the column: no terminal shows more
_MARKS, _PLAIN_MARKS = ("▼", "▲"), ("v", "^")

_Frame = urwid.Frame[urwid.Widget, Drawn, None]


class Table(urwid.WidgetWrap[_Frame]):
    """The heading and the list. The selection stays on its cache; at the top it stays at the top."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._cols = 0
        self._longest_name = 0
        self._scene = Scene(self._sparkline, lambda row: query.alias(row, state.matches), state.grows)
        self._list: Listing[CacheRow] = Listing(self._drawn)
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
            focus = self._list.walker.focus
            self._state.followed = self._state.rows[focus].cache if focus else None
        return unhandled

    def refresh(self) -> None:
        """Take over the rows and the order of the state."""
        self._heading.refresh()
        if self._state.shown is not None:  # all that are known, not only those on the screen: it must not jump
            names = (row.name[:_LONGEST_NAME] for row in self._state.shown.rows)
            self._longest_name = max((cells(name) + 1 for name in names), default=0)
        rows, followed = self._state.rows, self._state.followed
        focus = next((place for place, row in enumerate(rows) if row.cache == followed), 0)
        self._list.replace(rows, focus)
        self._message.set_text(drawable(self._why_empty()))
        self._w.body = self._list if rows else self._empty

    @property
    def selected(self) -> CacheRow | None:
        """The cache that the selection is on."""
        return self._list.selected

    def shown_columns(self) -> tuple[caches.Column, ...]:
        """Return the columns that fit."""
        return tuple(column for column, _ in self._fitted())

    def _fitted(self) -> tuple[tuple[caches.Column, int], ...]:
        return caches.fitting(self._list.room(self._cols), self._longest_name, self._state.frees)

    def _drawn(self, row: CacheRow) -> tuple[str, str]:
        written = (cell(column.align, room, column.write(row, room, self._scene)) for column, room in self._fitted())
        return "growing" if self._state.grows(row) else "row", GAP.join(written)

    def _sparkline(self, row: CacheRow, width: int) -> str:
        return sparkline(self._state.series(row, width), width, plain=is_plain())

    def _why_empty(self) -> str:
        if self._state.shown is None and self._state.replay:
            return "The recording begins."
        if self._state.shown is None:
            return f"The first interval takes {self._state.interval:g} s."
        if self._state.pattern:
            return (
                f"No cache that did anything matches “{self._state.pattern}”."
                " Esc clears the filter, z shows idle caches."
            )
        return "No cache did anything. z shows idle caches."


def _titles(order: Order, fitted: Iterable[tuple[caches.Column, int]], width: int) -> Markup:
    """Return the titles over their columns, with the direction beside the one that the rows are sorted by."""
    down, up = _PLAIN_MARKS if is_plain() else _MARKS
    markup: Markup = []
    for column, room in fitted:
        sorts = column.id == order.column
        title = column.title + (down if order.descending else up) * sorts
        markup += [("heading", GAP), ("sorted" if sorts else "heading", cell(column.align, room, title))]
    return [*markup[1:], ("heading", " " * width)]
