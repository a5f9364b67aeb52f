"""A list of rows, one line each, of which only the visible ones are drawn: the table and the pages are made of it."""

from collections.abc import Callable, Sequence
from typing import Generic, Literal, TypeVar

import urwid

from slabtui.views.cells import cells, clip, drawable
from slabtui.views.widgets import scrolling

GAP = " "

T = TypeVar("T")
Drawing = Callable[[T], tuple[str, str]]  # given an item: its style and its text


class RowLine(urwid.Widget):
    """One item on one line, drawn straight to a canvas: many times cheaper than a widget per cell."""

    _sizing = frozenset((urwid.FLOW,))
    _selectable = True

    def __init__(self, draw: Callable[[], tuple[str, str]]) -> None:
        super().__init__()
        self._draw = draw

    def rows(self, size: tuple[int], focus: bool = False) -> int:
        """Return the height."""
        return 1

    def render(self, size: tuple[int], focus: bool = False) -> urwid.Canvas:
        """Draw the text, cut to the width: the scroll bar comes and goes without moving it."""
        (width,) = size
        style, text = self._draw()
        encoded, charset = urwid.apply_target_encoding(clip(text, width))
        return urwid.TextCanvas([encoded], [[("selected" if focus else style, len(encoded))]], [charset], maxcol=width)

    def keypress(self, size: tuple[int], key: str) -> str:
        """Leave all keys to the list."""
        return key


class Walker(urwid.ListWalker[int, RowLine], Generic[T]):
    """Items as widgets, which are made when they are drawn."""

    def __init__(self, draw: Drawing[T]) -> None:
        self.focus = 0
        self._draw = draw
        self.items: Sequence[T] = ()
        self._widgets: dict[int, RowLine] = {}

    def replace(self, items: Sequence[T], focus: int) -> None:
        """Show other items, with the selection on one of them."""
        self.items = items
        self._widgets.clear()
        self.focus = focus
        self._modified()

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, position: int) -> RowLine:
        item = self.items[self._valid(position)]
        if position not in self._widgets:
            self._widgets[position] = RowLine(lambda: self._draw(item))
        return self._widgets[position]

    def set_focus(self, position: int) -> None:
        """Select another item."""
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
        return range(len(self.items))[:: -1 if reverse else 1]

    def _valid(self, position: int) -> int:
        if not 0 <= position < len(self.items):
            raise IndexError(position)
        return position


class RowList(urwid.WidgetWrap[urwid.ScrollBar[urwid.ListBox[int]]], Generic[T]):
    """The list, with a bar beside it where it does not fit.

    Args:
        draw: what an item looks like.
    """

    def __init__(self, draw: Drawing[T]) -> None:
        self.walker: Walker[T] = Walker(draw)
        self._list = urwid.ListBox(self.walker)
        super().__init__(scrolling(self._list))

    def replace(self, items: Sequence[T], focus: int) -> None:
        """Show other items, with the selection on one of them; if that is the first, scroll to the top."""
        self.walker.replace(items, focus)
        if not focus:
            self._list.set_focus_valign("top")

    def room(self, width: int) -> int:
        """Return how much of a width is left beside the bar."""
        return max(1, width - self._w.scrollbar_width)


def cell(align: Literal["left", "right"], width: int, written: str) -> str:
    """Return a text as it stands in its column: text is cut to fit, numbers are already written to fit."""
    if align == "left":
        return clip(written, width)
    return " " * (width - cells(written)) + drawable(written)
