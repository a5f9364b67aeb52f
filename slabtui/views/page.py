"""The page of one cache: tabs that tell who allocates from it, and all that the kernel says about it."""

from collections.abc import Callable, Sequence

import urwid

from slabtui import text
from slabtui.columns import inspections
from slabtui.model.history import sparkline
from slabtui.model.inspection import About, Inspection, InspectionRow, Kind
from slabtui.model.snapshot import CacheRow
from slabtui.views.row_list import GAP, Listing, cell
from slabtui.views.state import State
from slabtui.views.widgets import Drawn, Markup, Segment, drawable, entry, framed, is_plain, line, scrolling

_TROUBLE = "inspection not counted: "  # how the note begins that says why a page stays empty
_BESIDE_CHART = 29  # columns for its label and its maximum

_Frame = urwid.Frame[urwid.Widget, Drawn, None]


class Page(urwid.WidgetWrap[_Frame]):
    """What the state says is looked at closely. The selection stays on its entry; at the top it stays at the top."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._cols = 0
        self._followed: tuple[object, ...] | None = None
        self._list: Listing[InspectionRow] = Listing(self._drawn)
        self._heading = Drawn(self._draw_heading, height=3)
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
        """Move the selection, which from then on follows the entry that it is on."""
        unhandled: str | None = super().keypress(size, key)
        selected = self._list.selected
        if unhandled is None and selected is not None:
            self._followed = selected.key if self._list.walker.focus else None
        return unhandled

    def refresh(self) -> None:
        """Take over what the state shows."""
        self._heading.refresh()
        detail = self._state.detail
        found = detail.entries if detail else ()
        focus = next((place for place, entry in enumerate(found) if entry.key == self._followed), 0)
        self._list.replace(found, focus)
        if self._state.tab is Kind.ABOUT and detail is not None and detail.about is not None:
            self._lines[:] = about(detail.about, self._state.past(), self._cols)
            self._w.body = self._about
        else:
            self._message.set_text(drawable(self._why_empty(detail)))
            self._w.body = self._list if found else self._empty

    @property
    def selected(self) -> InspectionRow | None:
        """The entry that the selection is on."""
        return self._list.selected

    def _drawn(self, entry: InspectionRow) -> tuple[str, str]:
        detail = self._state.detail
        assert detail is not None
        written = (cell(field.align, room, field.write(entry, detail, room)) for field, room in self._fitted())
        return "row", GAP.join(written)

    def _draw_heading(self, width: int) -> Markup:
        below = (None, "\n")
        return [*tabs(self._state, width), below, *facts(self._state, width), below, *self._titles(width)]

    def _fitted(self) -> tuple[tuple[inspections.Field, int], ...]:
        return inspections.fitting(self._state.tab, self._list.room(self._cols))

    def _titles(self, width: int) -> Markup:
        if self._state.tab is Kind.ABOUT:
            return [("heading", " " * width)]
        titles = GAP.join(cell(field.align, room, field.title) for field, room in self._fitted())
        return [("heading", titles), ("heading", " " * width)]

    def _why_empty(self, detail: Inspection | None) -> str:
        if self._state.replay and detail is None:
            return f"The recording does not have the {self._state.tab} of this cache."
        shown = self._state.shown
        trouble = next((note for note in shown.notes if note.startswith(_TROUBLE)), "") if shown else ""
        if trouble:
            return trouble
        if detail is None:
            return "Collecting…"
        return "No allocations since this page was opened."


def tabs(state: State, width: int) -> Markup:
    """Return the line with the name of the cache, the tabs, and how exact the one that shows is."""
    subject = state.subject
    name = subject.name if subject else ""
    detail = state.detail
    right = []
    if detail is not None and detail.one_in > 1:
        right.append(Segment("paused", (f"~ one stack in {detail.one_in}", f"1 in {detail.one_in}"), 7))
    if detail is not None and detail.lost:
        right.append(Segment("warning", (f"lost {text.count(detail.lost, 6)}",), 8))
    shown = [
        Segment("sorted" if kind is state.tab else "label", (f" {number} {kind.capitalize()} ", f" {number} "), 5)
        for number, kind in enumerate(Kind, 1)
    ]
    current = list(Kind).index(state.tab)
    shown[current] = Segment("sorted", (f" {current + 1} {state.tab.capitalize()} ",), 9)
    return line([Segment("title", (name,), 8), *shown], right, width, gap=" ")


def facts(state: State, width: int) -> Markup:
    """Return the line that says at once what is known of the cache: before its programs are there, too."""
    row = state.current
    if row is None:
        return [("label", " " * width)]
    known = [
        Segment("label", (f"live {_unless_none(row.live, lambda live: text.count(live, 8))}",), 9),
        Segment("label", (f"memory {_unless_none(row.mem, text.volume)}",), 8),
    ]
    aliases = (
        [Segment("dim", (f"aliases {', '.join(row.aliases)}", f"{len(row.aliases)} aliases"), 3)] if row.aliases else []
    )
    return line([*known, *aliases], [], width)


def about(known: About, past: Sequence[CacheRow | None], width: int) -> list[urwid.Text | urwid.Columns]:
    """Return the lines of the last tab: facts first, then the charts, the last interval at the right."""
    facts = [
        ("Aliases", ", ".join(known.aliases) or "none"),
        ("Object", _objects(known)),
        ("Slab", _slab(known)),
        ("Flags", ", ".join(known.flags) or "none"),
        ("Nodes", ", ".join(f"node {node}: {slabs} slabs" for node, slabs in known.nodes) or "?"),
        ("Live", _unless_none(known.live, lambda live: f"{live} objects")),
        ("Memory", _unless_none(known.mem, lambda mem: f"{text.volume(mem)} held")),
    ]
    charts = [
        ("Allocs", [row.allocs if row else 0 for row in past]),
        ("Bytes", [row.bytes if row else 0 for row in past]),
        ("Live", [(row.live or 0) if row else 0 for row in past]),
    ]
    return [
        *(entry(label, value) for label, value in facts),
        urwid.Text(("category", "History")),
        *(entry(label, _chart(series, width)) for label, series in charts),
    ]


def frames(stack: InspectionRow) -> urwid.Widget:
    """Return a dialog with a stack in full, the innermost function first."""
    body = urwid.ListBox(urwid.SimpleListWalker([urwid.Text(drawable(frame)) for frame in stack.frames]))
    return framed(scrolling(body), f"{len(stack.frames)} frames, the innermost first")


def _chart(series: Sequence[int], width: int) -> str:
    top = max(series, default=0)
    room = max(1, width - _BESIDE_CHART)
    return f"{sparkline(series, room, plain=is_plain())} max {text.count(top, 8)}"


def _objects(known: About) -> str:
    return " ".join(
        (
            _unless_none(known.size, lambda size: f"{size} bytes,"),
            _unless_none(known.object_size, lambda size: f"{size} asked for"),
        )
    )


def _slab(known: About) -> str:
    return " ".join(
        (
            _unless_none(known.slab_bytes, lambda size: f"{text.volume(size)},"),
            _unless_none(known.objects_per_slab, lambda objects: f"{objects} objects"),
        )
    )


def _unless_none(value: int | None, write: Callable[[int], str]) -> str:
    return "?" if value is None else write(value)
