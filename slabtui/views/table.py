"""The table of caches: a heading that shows the sort order, and a list of which only the visible rows are drawn."""

from collections.abc import Iterable
from functools import lru_cache

import urwid

from slabtui.columns import caches, query
from slabtui.columns.caches import CacheColumn, Scene
from slabtui.columns.column import Column
from slabtui.columns.query import Order
from slabtui.model.snapshot import CacheRow
from slabtui.views import actions
from slabtui.views.about import explain_cache
from slabtui.views.cells import cells, drawable, is_plain
from slabtui.views.chart import level, sparkline
from slabtui.views.line import Markup, Segment
from slabtui.views.mouse import is_click
from slabtui.views.row_list import GAP, RowList, arrows, cell
from slabtui.views.state import State
from slabtui.views.widgets import Drawn

_LONGEST_NAME = 512  # characters that count for the width of the column: no terminal shows more
_BRANCHES, _PLAIN_BRANCHES = {False: "├ ", True: "└ "}, {False: "| ", True: "` "}
_BRANCH = 2  # columns
_FLAT = 0.005  # share of LIVE: what changes by less is drawn as a line

_Frame = urwid.Frame[urwid.Widget, Drawn, None]


class Table(urwid.WidgetWrap[_Frame]):
    """The heading and the list."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._cols = 0
        self._longest_name = 0
        self._fitted: tuple[tuple[Column[CacheRow, Scene], int], ...] = ()  # the columns of the lines, as drawn last
        self._drawn_from: object = None
        self._selected_from: object = None
        self._scene = self._make_scene()
        self._list: RowList[CacheRow | None] = RowList(self._draw_line, state.table.cursor, state.moved)
        self._heading = Drawn(lambda width: _titles(state.order, self._fit(), width), self._inputs)
        self._message = urwid.Text("", align="center")
        self._empty = urwid.Filler(urwid.AttrMap(self._message, "dim"), valign="middle")
        super().__init__(_Frame(self._empty, header=self._heading))
        self.refresh()

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        """Draw, with the columns that fit the width."""
        self._cols = size[0]
        self._fitted = self._fit()
        return super().render(size, focus)

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        """Move the selection."""
        self._cols = size[0]
        unhandled: str | None = super().keypress(size, key)
        return unhandled

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        """Sort by the heading that is clicked; select a row, or open the one that is selected."""
        self._cols = size[0]
        below = row - self._heading.rows((size[0],))
        if below < 0:
            if is_click(event, button):
                self._sort_at(col)
            return True
        place = self._list.at((size[0], size[1] - row + below), col, below) if self._state.lines else None
        if is_click(event, button) and place is not None and place == self._state.place:
            actions.press(self._state, "enter")
            return True
        return bool(super().mouse_event(size, event, button, col, row, focus))

    def _sort_at(self, x: int) -> None:
        """Sort by the column whose heading is at x, or reverse the order if rows are sorted by it."""
        column = self.column_at(x)
        if column is None:
            self._state.message = "Rows cannot be sorted by this column"
        elif column == self._state.order.column:
            self._state.reverse()
        else:
            self._state.sort_by(column)

    def refresh(self) -> None:
        """Draw again if the rows, their order or their columns have changed, or the selection."""
        self._heading.refresh()
        selected = (self._state.place, self._state.table.cursor.top)
        if selected != self._selected_from:
            self._selected_from = selected
            self._list.refresh()
        inputs = self._inputs()
        if inputs == self._drawn_from:
            return
        self._drawn_from = inputs
        if self._state.shown is not None:  # of all caches, not only those on the screen: the width must not jump
            longest = _find_longest(tuple([row.name for row in self._state.shown.rows]))
            self._longest_name = longest + 1 + _BRANCH * self._state.leaks
        self._scene = self._make_scene()
        self._list.show(self._state.lines)
        body = self._list if self._state.lines else self._empty
        if body is self._empty:
            self._message.set_text(drawable(self._why_empty()))
        if body is not self._w.body:  # urwid checks the methods of what it is given, which takes time
            self._w.body = body

    def status(self) -> list[Segment]:
        """Return what is not on the screen, what the selection follows, and why its cache grows if its name says so."""
        row = self._state.selected
        if row is None:
            return self._list.unseen()
        said = []
        if self._state.table.followed is not None:
            said.append(Segment("title", (f"follows {row.name}", "follows"), 6))
        if self._state.leaks and (meaning := explain_cache(row)):
            texts = (f"{row.name}: {meaning}", f"{row.name}: {meaning.partition(',')[0]}")
            said.append(Segment("title", texts, 6))
        return [*said, *self._list.unseen()]

    def shown_columns(self) -> tuple[Column[CacheRow, Scene], ...]:
        """Return the columns that fit."""
        return tuple(column for column, _ in self._fit())

    def column_at(self, x: int) -> str | None:
        """Return the id of the column whose heading is at x, if rows can be sorted by it; the gap is its right end."""
        end = 0
        for column, room in self._fit():
            end += room + len(GAP)
            if x < end:
                return column.id if column.value is not None else None
        return None

    def _inputs(self) -> object:
        state = self._state
        return state.revision, state.order, state.frees, state.leaks, state.style, state.basis

    def _fit(self) -> tuple[tuple[Column[CacheRow, Scene], int], ...]:
        shown = self._state.frees or self._state.order.column == caches.FREES.id
        columns = self._state.columns if shown else _without_frees(self._state.columns)
        return caches.fit(columns, self._list.room(self._cols), self._longest_name, self._state.order.column)

    def _make_scene(self) -> Scene:
        state = self._state
        return Scene(
            self._sparkline,
            lambda row: query.alias(row, state.matches),
            units=state.units,
            branch=self._branch,
            trend=self._trend,
            reclaimable=state.reclaimable_names,
            all_growth=state.all_growth,
        )

    def _draw_line(self, row: CacheRow | None) -> tuple[str, str]:
        if row is None:
            bar = ("-" if is_plain() else "─") * max(0, self._cols)
            return "rule", f"{bar[:2]} reclaimable: the kernel frees these when memory is short {bar}"
        scene = self._scene
        written = [cell(column.align, room, column.write(row, room, scene)) for column, room in self._fitted]
        return self._style(row), GAP.join(written)

    def _style(self, row: CacheRow) -> str:
        if row.growing:
            return "growing"
        return "dim" if self._state.leaks and row.cache in self._state.reclaimable else "row"

    def _branch(self, row: CacheRow) -> str:
        last = self._state.branches.get(row.cache)
        return "" if last is None else (_PLAIN_BRANCHES if is_plain() else _BRANCHES)[last]

    def _sparkline(self, row: CacheRow, width: int) -> str:
        return sparkline(self._state.series(row, width), width, plain=is_plain())

    def _trend(self, row: CacheRow, width: int) -> str:
        """Draw LIVE so that a leak of 1 % a minute is a slope, not a full bar."""
        return level(self._state.live_series(row, width), width, flat=_FLAT, plain=is_plain())

    def _why_empty(self) -> str:
        state = self._state
        if state.shown is None and state.time.replay:
            return "Reading the recording…"
        if state.shown is None:
            return f"The first interval takes {state.interval:g} s."
        if state.pattern:
            return f"No active cache matches “{state.pattern}”. Esc clears the filter, z shows idle caches."
        if state.leaks and state.shown is not None and state.shown.origin.scope:
            return "Not known for some processes: LIVE counts the objects of all. Start without -p and --cgroup."
        if state.leaks:
            return "No cache has grown or shrunk yet. Press z to show all caches."
        return "No cache was active. Press z to show idle caches."


@lru_cache(maxsize=1)  # the names hardly ever change
def _find_longest(names: tuple[str, ...]) -> int:
    """Return how many columns the longest of these names takes."""
    return max((cells(name[:_LONGEST_NAME]) for name in names), default=0)


@lru_cache
def _without_frees(columns: tuple[CacheColumn, ...]) -> tuple[CacheColumn, ...]:
    return tuple(one for one in columns if one.id != caches.FREES.id)


def _titles(order: Order, fitted: Iterable[tuple[Column[CacheRow, Scene], int]], width: int) -> Markup:
    """Return the titles over their columns, with the direction beside the one that the rows are sorted by."""
    down, up = arrows()
    markup: Markup = []
    for column, room in fitted:
        sorts = column.id == order.column
        title = column.title + (down if order.descending else up) * sorts
        markup += [("heading", GAP), ("sorted" if sorts else "heading", cell(column.align, room, title))]
    return [*markup[1:], ("heading", " " * width)]
