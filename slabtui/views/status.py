"""The line above the keys: the message, and which rows are not on the screen. It is always there."""

from collections.abc import Callable
from typing import ClassVar

import urwid

from slabtui.views.canvas import draw
from slabtui.views.cells import clip
from slabtui.views.line import Segment, line
from slabtui.views.state import State


class Status(urwid.Widget):
    """The line. It does not come and go with a message, so that no row moves for one.

    Args:
        state: has the message.
        rows: returns what is said of the rows of the list.
    """

    no_cache: ClassVar[list[str]] = ["render"]  # what is in view is known only when the list above has been drawn
    _sizing = frozenset((urwid.FLOW,))

    def __init__(self, state: State, rows: Callable[[], list[Segment]]) -> None:
        super().__init__()
        self._state = state
        self._rows = rows

    def rows(self, size: tuple[int], focus: bool = False) -> int:
        """Return the height."""
        return 1

    def render(self, size: tuple[int], focus: bool = False) -> urwid.Canvas:
        """Draw the line."""
        (width,) = size
        message = self._state.message
        left = [Segment("title", (message, clip(message, width)), 9)] if message else []
        right = self._rows() if self._state.page is None else []
        return draw(line(left, right, width), width)
