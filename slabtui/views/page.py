"""The page of one cache: tabs that show who allocates from it, and what the kernel says about it."""

from collections.abc import Sequence

import urwid

from slabtui.columns import held, holders, inspections, numbers, stacks
from slabtui.columns.inspections import InspectionColumn, Scene
from slabtui.columns.numbers import Unit
from slabtui.model.holders import By
from slabtui.model.inspection import ON_PAGE, Inspection, InspectionKind
from slabtui.views import actions
from slabtui.views.about import (
    CHART_WIDTH,
    about,
    beside,
    cache_curves,
    charts,
    explain_cache,
    growth,
    unless_none,
    width_of_each,
    write_bytes,
    write_objects,
)
from slabtui.views.ages import chart_ages
from slabtui.views.cells import clip, drawable, is_plain
from slabtui.views.chart import NOW, Curve
from slabtui.views.commands import Command, Item, PlacePath, name_command
from slabtui.views.line import Markup, Segment, line, piece_at
from slabtui.views.listing import Listing
from slabtui.views.mouse import is_click
from slabtui.views.row_list import GAP, RowList, cell
from slabtui.views.state import State
from slabtui.views.status import find_loss_style
from slabtui.views.widgets import Drawn, Labelled, scrolling
from slabtui.views.windows import PageWindow

# Lines of the charts above the rows, by the least height of the page: the title, the bars and the time.
_CHART_HEIGHTS = ((44, 8), (28, 6), (18, 4))
_TAB_STYLES = ("sorted", "label")  # of the one that is open, and of the others
_HEADING = 3  # lines, without the charts
_INDENT = 2  # columns of a process below its command
_SHORT_PATH = 30  # columns of the path of a place, where there is no room for all of it
_LEAST_NAME = 12  # columns of the name of a cache, or of a process, where there is no room for all of it

_Frame = urwid.Frame[urwid.Widget, Drawn, None]


class Page(urwid.WidgetWrap[_Frame]):
    """The inspection of one cache.

    The selection stays on its row, unless that leaves the first screen; at the top it stays at the top.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._size = (0, 0)
        self._drawn_from: object = None
        self._listed: object = None
        self._prepared: tuple[int, PageWindow | None] = (0, None)
        self._short: tuple[Listing, int, dict[stacks.Stack, str]] | None = None
        self._list: RowList[Item] = RowList(self._draw_row)
        self._heading = Drawn(self._draw_heading, self._heading_inputs, height=lambda: _HEADING + self._chart_height())
        self._lines: urwid.SimpleListWalker[urwid.Text | Labelled] = urwid.SimpleListWalker([])
        self._about = scrolling(urwid.ListBox(self._lines))
        self._message = urwid.Text("", align="center")
        self._empty = urwid.Filler(urwid.AttrMap(self._message, "dim"), valign="middle")
        super().__init__(_Frame(self._empty, header=self._heading))

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        """Draw, with the columns and the charts that fit the size."""
        if self._size != size:
            self._size = size
            self.refresh()
        return super().render(size, focus)

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        """Move the selection."""
        unhandled: str | None = super().keypress(size, key)
        if unhandled is None and self._list.items:
            self._state.pages.select(self._list.place)
        return unhandled

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        """Open the tab that is clicked; select a row, or open the one that is selected."""
        heading, pages = self._heading.rows((size[0],)), self._state.pages
        if row < heading:
            if is_click(event, button) and row == 0:
                self._press_tab(col)
            return True
        shown = self._w.body is self._list
        place = self._list.at((size[0], size[1] - heading), col, row - heading) if shown else None
        if is_click(event, button) and place is not None and place == pages.place:
            actions.press(self._state, "enter")
            return True
        handled = bool(super().mouse_event(size, event, button, col, row, focus))
        if shown and self._list.place != pages.place:
            pages.select(self._list.place)
        return handled

    def _press_tab(self, x: int) -> None:
        """Press the key of the tab at x; it is the number that the tab begins with."""
        markup = tabs(self._state, self._size[0])
        place = piece_at(markup, x)
        if place is not None and markup[place][0] in _TAB_STYLES:
            actions.press(self._state, markup[place][1].split()[0])

    def refresh(self) -> None:
        """Draw again if what the page shows has changed."""
        pages = self._state.pages
        if self._prepared != (self._state.revision, pages.page):
            if self._prepared[1] is pages.page:  # with an interval, so that no key need wait for it
                self._prepare()
            self._prepared = self._state.revision, pages.page
        self._heading.refresh()
        inputs = (self._inputs(), self._size)
        if inputs == self._drawn_from:
            return
        self._drawn_from = inputs
        listing = pages.listing
        items = listing.items if listing else ()
        self._keep_top_in_view()
        self._list.replace(items, pages.place)
        if self._shows_about():
            row, inspection = pages.inspected, pages.inspection
            assert row is not None
            room = self._size[0], self._size[1] - _HEADING
            self._lines[:] = about(inspection.about if inspection else None, row, self._curves(), room)
            self._w.body = self._about
        else:
            self._message.set_text(drawable(self._why_empty(listing)))
            self._w.body = self._list if items else self._empty

    def _keep_top_in_view(self) -> None:
        """Let the selection stay on its line where its row has fallen below the first screen."""
        pages, cursor = self._state.pages, self._list.cursor
        same = self._listed == (listed := (pages.page, pages.revision))
        self._listed = listed
        if same and not cursor.top and pages.place >= cursor.height > cursor.place:
            pages.select(cursor.place)

    def status(self) -> list[Segment]:
        """Return how many rows are not on the screen."""
        return self._list.unseen() if self._w.body is self._list else []

    def _prepare(self) -> None:
        """Work out what all tabs show."""
        pages = self._state.pages
        pages.prepare()
        shown = pages.tab if pages.lists is By.STACK else InspectionKind.STACKS
        if (listing := pages.list_tab(shown)) is not None:
            self._shortened(listing, self._fit(shown)[-1][1])

    def _shows_about(self) -> bool:
        """Return whether the page shows what is known of the cache; it does so at once, where nothing forbids it."""
        pages = self._state.pages
        trouble = pages.inspection is not None and pages.inspection.trouble
        return pages.tab is InspectionKind.ABOUT and pages.page is not None and not trouble

    def _inputs(self) -> object:
        pages = self._state.pages
        return self._state.revision, self._state.time.back, self._state.style, pages.page, pages.tab, pages.revision

    def _heading_inputs(self) -> object:
        """Return the same and the selected row, of which the heading charts the ages."""
        return self._inputs(), self._state.pages.place

    def _curves(self) -> tuple[Curve, ...]:
        pages, time = self._state.pages, self._state.time
        end = numbers.clock(time.shown.time) if time.shown is not None and time.paused else NOW
        return cache_curves(pages.past(), pages.first, end)

    def _chart_height(self) -> int:
        if self._state.pages.tab is InspectionKind.ABOUT:  # it has them below
            return 0
        return next((height for least, height in _CHART_HEIGHTS if self._size[1] >= least), 0)

    def _draw_heading(self, width: int) -> Markup:
        below = (None, "\n")
        markup: Markup = [*tabs(self._state, width), below, *facts(self._state, width), below]
        if height := self._chart_height():
            for text in self._pictures(width, height):
                markup += [("dim", text), below]
        return [*markup, *self._titles(width)]

    def _pictures(self, width: int, height: int) -> list[str]:
        """Return the lines of the charts; of what is held, the ages of the selected row and the past of LIVE."""
        most = max(1, width // CHART_WIDTH)
        if self._state.pages.tab is not InspectionKind.HELD:
            return charts(self._curves()[:most], width, height)
        item = self._state.pages.selected
        row = item.total if isinstance(item, Command) else item
        each, most = width_of_each(width, min(most, 2)), min(most, 2)
        ages = chart_ages(row.held if row else None, each, height, plain=is_plain())
        live = [curve for curve in self._curves() if curve.title == "LIVE"][: most - 1]
        return beside([ages, *([charts(live, each, height)] if live else [])])

    def _fit(self, kind: InspectionKind | None = None) -> tuple[tuple[InspectionColumn, int], ...]:
        pages, room = self._state.pages, self._list.room(self._size[0])
        if (kind or pages.tab) is InspectionKind.HELD:
            return holders.fit(pages.lists or By.STACK, room)
        return inspections.fit(kind or pages.tab, room)

    def _titles(self, width: int) -> Markup:
        pages = self._state.pages
        if pages.tab is InspectionKind.ABOUT:
            return [("heading", " " * width)]
        shifted = f" +{pages.scrolled}" if pages.scrolled else ""
        titles = (
            cell(column.align, room, inspections.rate_title(column) if column.priority else column.title + shifted)
            for column, room in self._fit()
        )
        return [("heading", GAP.join(titles)), ("heading", " " * width)]

    def _draw_row(self, item: Item) -> tuple[str, str]:
        scene = self._scene()
        row = item.total if isinstance(item, Command) else item
        written = (
            cell(column.align, room, column.write(row, room, scene) if column.priority else self._text(item, room))
            for column, room in self._fit()
        )
        # What a process keeps that has ended is no less interesting.
        pale = row.ended if row.held is None else holders.is_vague(row)
        return "dim" if pale else "row", GAP.join(written)

    def _scene(self) -> Scene:
        pages = self._state.pages
        listing, source = pages.listing, pages.source(pages.tab)
        assert listing is not None
        assert source is not None
        return Scene(listing.inspection, self._state.style, source.elapsed, listing.parts)

    def _text(self, item: Item, room: int) -> str:
        """Return what a row is, in the column that is always there."""
        pages = self._state.pages
        page, listing = pages.page, pages.listing
        assert page is not None
        assert listing is not None
        if isinstance(item, Command):
            ended = f", {item.ended} ended" if item.ended and not item.total.ended else ""
            return f"{'-' if item.name in page.unfolded else '+'} {item.name} x {len(item.rows)}{ended}"
        if pages.scrolled is None:
            return self._shortened(listing, room)[item.frames]
        if pages.lists is By.PLACE and not pages.scrolled:
            return held.where_held(item, room)
        text = inspections.describe(pages.described, item)
        below = pages.described is InspectionKind.PROCESSES and name_command(item) in page.unfolded
        if below:  # the program is named above it
            text = text.partition(" ")[2] or text
        return " " * _INDENT * below + text[pages.scrolled :]

    def _shortened(self, listing: Listing, room: int) -> dict[stacks.Stack, str]:
        """Return the texts of stacks: those of one process look as they do among those of all."""
        if self._short is None or self._short[0] is not listing or self._short[1] != room:
            self._short = listing, room, stacks.shorten(frozenset(row.frames for row in listing.whole.rows), room)
        return self._short[2]

    def _why_empty(self, listing: Listing | None) -> str:
        pages = self._state.pages
        if listing is None:
            if self._state.time.replay:
                why = f"The recording has no data for “{pages.tab.capitalize()}” of this cache here."
                shown = self._state.shown
                here = sorted({found.cache.name for found in shown.inspections} if shown else ())
                return why + _elsewhere(self._state.inspected_caches, here)
            return "The screen is paused: p goes on." if self._state.time.paused else "Collecting…"
        if listing.inspection.trouble:
            return listing.inspection.trouble
        owner = pages.page.owner if pages.page is not None else None
        if pages.tab is InspectionKind.HELD:
            none = "Nothing is held of what was allocated since this page was opened."
            return f"{owner} holds nothing." if owner else none
        return f"No stack of {owner} was sampled so far." if owner else "No allocations since this page was opened."


def _elsewhere(caches: Sequence[str], here: Sequence[str]) -> str:
    """Return which caches the recording has inspections of, and which of them in this interval."""
    if not caches:
        return ""
    now = f"; in this interval of {', '.join(here)}" if here else ""
    return f" It has inspections of {', '.join(caches)}{now}."


def tabs(state: State, width: int) -> Markup:
    """Return the line with where the page is, the tabs, and how exact the inspection is."""
    pages = state.pages
    inspection = pages.inspection
    right = []
    if (earlier := pages.earlier) is not None:
        right.append(Segment("paused", (f"as of {numbers.clock(earlier.time)}", numbers.clock(earlier.time)), 7))
    if inspection is not None and inspection.one_in > 1:
        what = "address" if inspection.kind is InspectionKind.HELD else "stack"
        texts = (f"~ one {what} in {inspection.one_in}", f"~ 1 in {inspection.one_in}")
        right.append(Segment("paused", texts, 6))
    if inspection is not None and inspection.lost:
        seen = inspection.tracking.seen if inspection.tracking else None
        style = find_loss_style(inspection.lost, seen or inspection.total_allocs or inspection.held_objects)
        right.append(Segment(style, (f"lost {numbers.human(inspection.lost, Unit.OBJECTS)}",), 7))
    path = pages.path
    names = tuple(dict.fromkeys((" > ".join(path), *path[-1:], *(clip(name, _LEAST_NAME) for name in path[-1:]))))
    markup: Markup = []
    # The names of the tabs go before anything else, then the gaps between them; their numbers stay.
    for named, gap in ((True, " "), (False, " "), (False, "")):
        shown = [
            Segment("sorted" if kind is pages.tab else "label", (_tab(kind, named=named or kind is pages.tab),), 9)
            for kind in ON_PAGE
        ]
        markup = line([Segment("title", names, 8), *shown], right, width, gap=gap)
        texts_shown = {text for _, text in markup}
        if all(texts_shown.intersection(segment.texts) for segment in (*shown, *right)):
            break
    return markup


def _tab(kind: InspectionKind, *, named: bool) -> str:
    number = ON_PAGE.index(kind) + 1
    return f" {number} {kind.capitalize()} " if named else f" {number} "


def _explain(inspection: Inspection) -> list[Segment]:
    """Return how much of the change of the live objects is explained, and why that cannot be trusted, if so."""
    if inspection.trouble:
        return []
    doubt = inspection.tracking.doubt if inspection.tracking else ""
    explained = holders.explain(inspection)
    amount = "~" * held.is_estimate(inspection) + write_objects(inspection.held_objects)
    texts = (f"holds {amount}, {explained}", explained) if explained else (f"holds {amount}",)
    segments = [Segment(None, texts, 9)]
    if doubt:
        reasons = (
            f"{holders.DOUBT} {doubt}",
            f"{holders.DOUBT} {doubt.partition(':')[0]}",
            f"{holders.DOUBT} doubtful",
        )
        segments.append(Segment("warning", reasons, 10))
    return segments


def _locate(state: State) -> list[Segment]:
    """Return the path of the place whose stacks are shown, if its name is not the path itself."""
    owner = state.pages.page.owner if state.pages.page is not None else None
    if not isinstance(owner, PlacePath) or str(owner) == owner.path:
        return []
    return [Segment("title", (owner.path, clip(owner.path, _SHORT_PATH)), 10)]


def facts(state: State, width: int) -> Markup:
    """Return the line with what is known about the cache at once, before anything is inspected."""
    row, inspection = state.pages.inspected, state.pages.inspection
    if row is None:
        return [(None, " " * width)]
    live = unless_none(row.live, write_objects)
    known = [
        *_locate(state),
        *(_explain(inspection) if inspection is not None and inspection.kind is InspectionKind.HELD else ()),
        Segment(None, (f"live {live}",), 9),
        Segment(None, (f"memory {unless_none(row.mem, write_bytes)}",), 8),
    ]
    if row.growth_objects_s is not None:
        known.append(Segment("growing" if row.growing else None, tuple(f"growth {one}" for one in growth(row)), 6))
    if meaning := explain_cache(row):
        known.append(Segment("title", (meaning, meaning.partition(",")[0]), 6))
    if row.reclaimable is not None:
        known.append(Segment("dim", ("reclaimable" if row.reclaimable else "unreclaimable",), 4))
    if row.aliases:
        short = f"{len(row.aliases)} alias{'es' if len(row.aliases) > 1 else ''}"
        known.append(Segment("dim", (f"aliases {', '.join(row.aliases)}", short), 3))
    if inspection is not None and inspection.rows and inspection.trouble:
        known.append(Segment("warning", (inspection.trouble, inspection.trouble.partition(":")[0]), 7))
    return line(known, [], width)
