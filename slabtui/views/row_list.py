"""A list of lines of which only the visible ones are drawn: the table and the pages are made of it."""

from collections.abc import Callable, Sequence
from typing import Generic, Literal, TypeVar

import urwid

from slabtui.views import keymap
from slabtui.views.canvas import Lines, Run, encode
from slabtui.views.cells import cells, clip, drawable, is_plain
from slabtui.views.cursor import Cursor
from slabtui.views.line import Segment
from slabtui.views.mouse import follows_press, is_click, is_drag, wheel
from slabtui.views.scroll_bar import ScrollBar

GAP = " "
_ARROWS, _PLAIN_ARROWS = ("▼", "▲"), ("v", "^")
_SELECTED = {"growing": "selected growing"}  # the style of a selected line, by the one that it has else

T = TypeVar("T")
Drawing = Callable[[T], tuple[str, str]]  # given an item: its style and its text

_MOVES: dict[str, Callable[[Cursor], None]] = {
    "cursor up": lambda cursor: cursor.move(-1),
    "cursor down": lambda cursor: cursor.move(1),
    "cursor page up": lambda cursor: cursor.turn(-1),
    "cursor page down": lambda cursor: cursor.turn(1),
    "cursor max left": Cursor.to_top,
    "cursor max right": Cursor.to_bottom,
}
_KEYS = {key: _MOVES[action.command] for action in keymap.ACTIONS if action.command in _MOVES for key in action.keys}


class RowList(urwid.Widget, Generic[T]):
    """Items, each on one line, with a bar beside them where they do not fit.

    They are drawn straight to one canvas, the bar with them: many times cheaper than a widget for each.

    Args:
        draw: what an item looks like.
        cursor: the selection; None: the list has its own.
        moved: called after the user has moved the selection, or scrolled.

    Attributes:
        cursor: the selection, and which lines are visible.
        items: the items.
    """

    _sizing = frozenset((urwid.BOX,))
    _selectable = True

    def __init__(
        self, draw: Drawing[T], cursor: Cursor | None = None, moved: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__()
        self.cursor = cursor or Cursor()
        self.items: Sequence[T] = ()
        self._draw = draw
        self._moved = moved
        self._drawn: dict[int, tuple[str, list[Run]]] = {}
        self._room = 0  # columns of a line, as drawn last
        self._scrolled = False  # by the wheel or the bar, after the last key
        self._dragged = False  # the bar, by the button that is down

    @property
    def place(self) -> int:
        """The place of the selected item."""
        return self.cursor.place

    def replace(self, items: Sequence[T], place: int) -> None:
        """Show other items, with the selection on one of them.

        The top stays in view as long as that fits, but not where the user has scrolled.
        """
        self.cursor.replace(len(items))
        if self._scrolled:
            self.cursor.select(place)
        else:
            self.cursor.follow(place)
        self.show(items)

    def show(self, items: Sequence[T]) -> None:
        """Show other items, where the cursor knows about them."""
        self.items = items
        self._drawn.clear()
        self._invalidate()

    def refresh(self) -> None:
        """Draw the selection again."""
        self._invalidate()

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        """Draw the visible lines, cut to the room beside the bar, which comes and goes without moving them."""
        width, height = size
        self.cursor.resize(height)
        if self.room(width) != self._room:
            self._room = self.room(width)
            self._drawn.clear()
        places = range(self.cursor.top, min(self.cursor.top + height, len(self.items)))
        drawn = [self._line(place, focus and place == self.cursor.place) for place in places]
        beside = " " * (width - self._room)
        bar = self._draw_bar(width - self._room, height) or [encode(style, beside) for style, _ in drawn]
        lines = [[*runs, *more] for (_, runs), more in zip(drawn, bar, strict=False)]
        canvas = Lines(lines, width)
        if len(lines) == height:
            return canvas
        below = urwid.SolidCanvas(" ", width, height - len(lines))
        return urwid.CanvasCombine([(part, None, False) for part in ((canvas, below) if lines else (below,))])

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        """Move the selection."""
        move = _KEYS.get(key)
        if move is None or not self.items:
            return key
        self._scrolled = False
        self.cursor.resize(size[1])
        move(self.cursor)
        self._moved()
        self._invalidate()
        return None

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        """Select the line that is clicked, scroll by one where the wheel turns, or move the bar while it is dragged."""
        self.cursor.resize(size[1])
        if turned := wheel(event, button):
            self._scroll(self.cursor.top + turned)
            return True
        if follows_press(event):
            if self._dragged and is_drag(event):
                self._scroll_bar_to(row)
            self._dragged = self._dragged and is_drag(event)
            return True
        self._dragged = is_click(event, button) and self._is_on_bar(size, col)
        if self._dragged:
            self._scroll_bar_to(row)
            return True
        place = self.at(size, col, row)
        if not is_click(event, button) or place is None:
            return False
        self.cursor.select(place)
        self._moved()
        self._invalidate()
        return True

    def at(self, size: tuple[int, int], col: int, row: int) -> int | None:
        """Return the place of the item at a place on the screen; None: there is none, or the bar."""
        place = self.cursor.top + row
        is_item = 0 <= place < len(self.items) and place not in self.cursor.skipped
        return place if is_item and not self._is_on_bar(size, col) else None

    def unseen(self) -> list[Segment]:
        """Return what is said of the rows above and below the visible ones; nothing where all are visible."""
        down, up = arrows()
        numbers = ((self.cursor.above, up, "above"), (self.cursor.below, down, "below"))
        return [
            Segment("dim", (f"{mark} {number} row{'s' * (number != 1)} {where}", f"{mark}{number}"), 5)
            for number, mark, where in numbers
            if number
        ]

    def room(self, width: int) -> int:
        """Return how much of a width is left beside the bar."""
        return max(1, width - 1)

    def _bar(self, height: int) -> ScrollBar | None:
        return ScrollBar(self.cursor.top, len(self.items), height) if len(self.items) > height else None

    def _draw_bar(self, width: int, height: int) -> list[list[Run]]:
        """Return what stands beside each line; nothing where all items fit."""
        bar = self._bar(height)
        if bar is None:
            return []
        blank = encode("bar", " " * width)
        filled = encode("bar", ("|" if is_plain() else "┃") * width)  # thin, because sparklines end in full blocks
        thumb = bar.thumb
        return [filled if line in thumb else blank for line in range(height)]

    def _is_on_bar(self, size: tuple[int, int], col: int) -> bool:
        return col >= self.room(size[0]) and len(self.items) > size[1]

    def _scroll_bar_to(self, row: int) -> None:
        if bar := self._bar(self.cursor.height):
            self._scroll(bar.top_at(row))

    def _scroll(self, top: int) -> None:
        self._scrolled = True
        self.cursor.scroll(top)
        self._moved()
        self._invalidate()

    def _line(self, place: int, selected: bool) -> tuple[str, list[Run]]:
        """Return the style and the runs of a line, without what stands beside it."""
        if place not in self._drawn:
            style, text = self._draw(self.items[place])
            self._drawn[place] = style, encode(style, clip(text, self._room))
        style, runs = self._drawn[place]
        if not selected:
            return style, runs
        style = _SELECTED.get(style, "selected")
        return style, [(style, charset, text) for _, charset, text in runs]


def arrows() -> tuple[str, str]:
    """Return what points down, and what points up."""
    return _PLAIN_ARROWS if is_plain() else _ARROWS


def cell(align: Literal["left", "right"], width: int, written: str) -> str:
    """Return a text as it stands in its column: text is cut to fit, numbers are already written to fit."""
    if align == "left":
        return clip(written, width)
    if written.isascii():  # nearly every number
        return written.rjust(width)
    return " " * (width - cells(written)) + drawable(written)
