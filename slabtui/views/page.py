"""The page of one cache: tabs that show who allocates from it, and what the kernel says about it."""

import urwid

from slabtui.columns import inspections, numbers
from slabtui.columns.column import Column
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow
from slabtui.views.about import about, unless_none
from slabtui.views.cells import drawable
from slabtui.views.line import Markup, Segment, line
from slabtui.views.row_list import GAP, RowList, cell
from slabtui.views.state import State
from slabtui.views.widgets import Drawn, scrolling

_Frame = urwid.Frame[urwid.Widget, Drawn, None]


class Page(urwid.WidgetWrap[_Frame]):
    """The inspection of one cache. The selection stays on its row; at the top it stays at the top."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._cols = 0
        self._drawn_from: object = None
        self._list: RowList[InspectionRow] = RowList(self._draw_row)
        self._heading = Drawn(self._draw_heading, self._inputs, height=3)
        self._lines: urwid.SimpleListWalker[urwid.Text | urwid.Columns] = urwid.SimpleListWalker([])
        self._about = scrolling(urwid.ListBox(self._lines))
        self._message = urwid.Text("", align="center")
        self._empty = urwid.Filler(urwid.AttrMap(self._message, "dim"), valign="middle")
        super().__init__(_Frame(self._empty, header=self._heading))

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        """Draw, with the columns that fit the width."""
        if self._cols != size[0]:
            self._cols = size[0]
            self.refresh()  # the charts are as wide as the page
        return super().render(size, focus)

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        """Move the selection."""
        unhandled: str | None = super().keypress(size, key)
        if unhandled is None and self._list.items:
            self._state.select_row(self._list.place)
        return unhandled

    def refresh(self) -> None:
        """Draw again if what the page shows has changed."""
        self._heading.refresh()
        inputs = (self._inputs(), self._cols)
        if inputs == self._drawn_from:
            return
        self._drawn_from = inputs
        inspection = self._state.inspection
        rows = inspection.rows if inspection else ()
        self._list.replace(rows, self._state.row_place)
        if self._state.tab is InspectionKind.ABOUT and inspection is not None and inspection.about is not None:
            self._lines[:] = about(inspection.about, self._state.past(), self._cols)
            self._w.body = self._about
        else:
            self._message.set_text(drawable(self._why_empty(inspection)))
            self._w.body = self._list if rows else self._empty

    def _inputs(self) -> object:
        return self._state.revision, self._state.time.back, self._state.page, self._state.tab

    def _draw_row(self, row: InspectionRow) -> tuple[str, str]:
        inspection = self._state.inspection
        assert inspection is not None
        written = (cell(column.align, room, column.write(row, room, inspection)) for column, room in self._fit())
        return "row", GAP.join(written)

    def _draw_heading(self, width: int) -> Markup:
        below = (None, "\n")
        return [*tabs(self._state, width), below, *facts(self._state, width), below, *self._titles(width)]

    def _fit(self) -> tuple[tuple[Column[InspectionRow, Inspection], int], ...]:
        return inspections.fit(self._state.tab, self._list.room(self._cols))

    def _titles(self, width: int) -> Markup:
        if self._state.tab is InspectionKind.ABOUT:
            return [("heading", " " * width)]
        titles = GAP.join(cell(column.align, room, column.title) for column, room in self._fit())
        return [("heading", titles), ("heading", " " * width)]

    def _why_empty(self, inspection: Inspection | None) -> str:
        if inspection is None:
            if self._state.time.replay:
                return f"The recording has no data for “{self._state.tab.capitalize()}” of this cache here."
            return "Collecting…"
        return inspection.trouble or "No allocations since this page was opened."


def tabs(state: State, width: int) -> Markup:
    """Return the line with the name of the cache, the tabs, and how exact the inspection is."""
    name = state.page.row.name if state.page else ""
    inspection = state.inspection
    right = []
    if inspection is not None and inspection.one_in > 1:
        texts = (f"~ one stack in {inspection.one_in}", f"1 in {inspection.one_in}")
        right.append(Segment("paused", texts, 7))
    if inspection is not None and inspection.lost:
        right.append(Segment("warning", (f"lost {numbers.count(inspection.lost, 6)}",), 8))
    shown = [
        Segment("sorted" if kind is state.tab else "label", (f" {number} {kind.capitalize()} ", f" {number} "), 5)
        for number, kind in enumerate(InspectionKind, 1)
    ]
    current = list(InspectionKind).index(state.tab)
    shown[current] = Segment("sorted", (f" {current + 1} {state.tab.capitalize()} ",), 9)
    return line([Segment("title", (name,), 8), *shown], right, width, gap=" ")


def facts(state: State, width: int) -> Markup:
    """Return the line with what is known about the cache at once, before anything is inspected."""
    row = state.inspected
    if row is None:
        return [("label", " " * width)]
    known = [
        Segment("label", (f"live {unless_none(row.live, lambda live: numbers.count(live, 8))}",), 9),
        Segment("label", (f"memory {unless_none(row.mem, numbers.volume)}",), 8),
    ]
    if row.aliases:
        known.append(Segment("dim", (f"aliases {', '.join(row.aliases)}", f"{len(row.aliases)} aliases"), 3))
    inspection = state.inspection
    if inspection is not None and inspection.rows and inspection.trouble:
        known.append(Segment("warning", (inspection.trouble, inspection.trouble.partition(":")[0]), 7))
    return line(known, [], width)
