"""A list of lines of which only the visible ones are drawn: the table and the pages are made of it."""

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, Literal, TypeVar

import urwid

from slabtui.views import keymap
from slabtui.views.cells import cells, clip, drawable, is_plain
from slabtui.views.cursor import Cursor
from slabtui.views.line import Segment
from slabtui.views.mouse import is_click
from slabtui.views.widgets import scrolling

GAP = " "
_MARKS, _PLAIN_MARKS = ("▼", "▲"), ("v", "^")

T = TypeVar("T")
_Charset = list[tuple[Literal["0", "U"] | None, int]]
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


class Lines(urwid.Widget, Generic[T]):
    """Items, each on one line, drawn straight to one canvas: many times cheaper than a widget for each.

    Args:
        draw: what an item looks like.
        cursor: the selection, and which lines are visible.
        moved: called after the user has moved either.
    """

    _sizing = frozenset((urwid.BOX,))
    _selectable = True

    def __init__(self, draw: Drawing[T], cursor: Cursor, moved: Callable[[], None]) -> None:
        super().__init__()
        self.cursor = cursor
        self._moved = moved
        self.items: Sequence[T] = ()
        self.scrolled = False  # by the wheel or the bar, after the last key
        self._draw = draw
        self._drawn: dict[int, tuple[str, bytes, _Charset]] = {}
        self._width = 0

    def forget(self) -> None:
        """Draw all lines again."""
        self._drawn.clear()
        self._invalidate()

    def refresh(self) -> None:
        """Draw the selection again."""
        self._invalidate()

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        """Draw the visible lines, cut to the width: the scroll bar comes and goes without moving them."""
        width, height = size
        self.cursor.resize(height)
        if width != self._width:
            self._width = width
            self._drawn.clear()
        lines = [self._line(place, focus and place == self.cursor.place) for place in self._visible(height)]
        canvas = urwid.TextCanvas(
            [text for text, _, _ in lines],
            [style for _, style, _ in lines],
            [charset for _, _, charset in lines],
            maxcol=width,
            check_width=False,  # every line is exactly this wide
        )
        if len(lines) == height:
            return canvas
        below = urwid.SolidCanvas(" ", width, height - len(lines))
        return urwid.CanvasCombine([(part, None, False) for part in ((canvas, below) if lines else (below,))])

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        """Move the selection."""
        move = _KEYS.get(key)
        if move is None or not self.items:
            return key
        self.scrolled = False
        self.cursor.resize(size[1])
        move(self.cursor)
        self._moved()
        self._invalidate()
        return None

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        """Select the line that is clicked."""
        self.cursor.resize(size[1])
        if not is_click(event, button) or self.at(row) is None:
            return False
        self.cursor.select(self.cursor.top + row)
        self._moved()
        self._invalidate()
        return True

    def at(self, y: int) -> int | None:
        """Return the place of the item on a line of the screen, from 0; None: there is none."""
        place = self.cursor.top + y
        return place if 0 <= place < len(self.items) and place not in self.cursor.skipped else None

    def get_scrollpos(self, size: tuple[int, int], focus: bool = False) -> int:
        """Return the first visible line, for the scroll bar."""
        return self.cursor.top

    def set_scrollpos(self, position: int) -> None:
        """Scroll, for the scroll bar."""
        self.scrolled = True
        self.cursor.scroll(position)
        self._moved()
        self._invalidate()

    def rows_max(self, size: tuple[int, int] | None = None, focus: bool = False) -> int:
        """Return how many lines there are, for the scroll bar."""
        return len(self.items)

    def _visible(self, height: int) -> range:
        return range(self.cursor.top, min(self.cursor.top + height, len(self.items)))

    def _line(self, place: int, selected: bool) -> tuple[bytes, list[tuple[Hashable, int]], _Charset]:
        if place not in self._drawn:
            style, text = self._draw(self.items[place])
            self._drawn[place] = (style, *urwid.apply_target_encoding(clip(text, self._width)))
        style, encoded, charset = self._drawn[place]
        return encoded, [("selected" if selected else style, len(encoded))], charset


class RowList(urwid.WidgetWrap[urwid.ScrollBar[Lines[T]]], Generic[T]):
    """The list, with a bar beside it where it does not fit.

    Args:
        draw: what an item looks like.
        cursor: the selection; None: the list has its own.
        moved: called after the user has moved the selection, or scrolled.
    """

    def __init__(
        self, draw: Drawing[T], cursor: Cursor | None = None, moved: Callable[[], None] = lambda: None
    ) -> None:
        self._lines = Lines(draw, cursor or Cursor(), moved)
        super().__init__(scrolling(self._lines))

    @property
    def cursor(self) -> Cursor:
        """The selection, and which lines are visible."""
        return self._lines.cursor

    @property
    def items(self) -> Sequence[T]:
        """The items."""
        return self._lines.items

    @property
    def place(self) -> int:
        """The place of the selected item."""
        return self.cursor.place

    def replace(self, items: Sequence[T], place: int) -> None:
        """Show other items, with the selection on one of them.

        The top stays in view as long as that fits, but not where the user has scrolled.
        """
        self.cursor.replace(len(items))
        if self._lines.scrolled:
            self.cursor.select(place)
        else:
            self.cursor.follow(place)
        self.show(items)

    def show(self, items: Sequence[T]) -> None:
        """Show other items, where the cursor knows about them."""
        self._lines.items = items
        self._lines.forget()

    def refresh(self) -> None:
        """Draw the selection again."""
        self._lines.refresh()

    def at(self, size: tuple[int, int], col: int, row: int) -> int | None:
        """Return the place of the item at a place on the screen; None: there is none, or the scroll bar."""
        on_bar = col >= self.room(size[0]) and len(self.items) > size[1]
        return None if on_bar else self._lines.at(row)

    def unseen(self) -> list[Segment]:
        """Return what is said of the rows above and below the visible ones; nothing where all are visible."""
        down, up = _PLAIN_MARKS if is_plain() else _MARKS
        numbers = ((self.cursor.above, up, "above"), (self.cursor.below, down, "below"))
        return [
            Segment("dim", (f"{mark} {number} row{'s' * (number != 1)} {where}", f"{mark}{number}"), 5)
            for number, mark, where in numbers
            if number
        ]

    def room(self, width: int) -> int:
        """Return how much of a width is left beside the bar."""
        return max(1, width - self._w.scrollbar_width)


def cell(align: Literal["left", "right"], width: int, written: str) -> str:
    """Return a text as it stands in its column: text is cut to fit, numbers are already written to fit."""
    if align == "left":
        return clip(written, width)
    if written.isascii():  # nearly every number
        return written.rjust(width)
    return " " * (width - cells(written)) + drawable(written)
