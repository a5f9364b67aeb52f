"""Small widgets that the windows are made of: lines drawn by a function, a scroll bar, a frame, a labelled value."""

from collections.abc import Callable
from typing import Any

import urwid
from urwid.command_map import Command

from slabtui.views import keymap
from slabtui.views.canvas import draw
from slabtui.views.cells import drawable, is_plain
from slabtui.views.keymap import KeyContext
from slabtui.views.line import Markup

_LABEL = 11  # columns


class Drawn(urwid.Widget):
    """A flow widget that is written by a function of its width.

    Args:
        write: returns the markup of all lines, separated by newlines.
        inputs: returns everything that the drawing depends on beside the width.
        height: how many lines there are, or a function that returns it.
    """

    _sizing = frozenset((urwid.FLOW,))

    def __init__(
        self, write: Callable[[int], Markup], inputs: Callable[[], object], height: int | Callable[[], int] = 1
    ) -> None:
        super().__init__()
        self._write = write
        self._inputs = inputs
        self._drawn_from: object = None
        self._height = height

    def rows(self, size: tuple[int], focus: bool = False) -> int:
        """Return the height."""
        return self._height if isinstance(self._height, int) else self._height()

    def resize(self, height: int) -> None:
        """Draw this many lines from now on."""
        if height != self._height:
            self._height = height
            self._invalidate()

    def render(self, size: tuple[int], focus: bool = False) -> urwid.Canvas:
        """Draw the lines."""
        return draw(self._write(size[0]), size[0])

    def refresh(self) -> None:
        """Draw again if an input has changed."""
        inputs = self._inputs()
        if inputs != self._drawn_from:
            self._drawn_from = inputs
            self._invalidate()


def scrolling(body: Any) -> urwid.ScrollBar[Any]:
    """Return a list with a bar beside it where it does not fit; thin, because sparklines end in full blocks.

    The keys of the key map move in it, and no others.
    """
    body._command_map = _list_commands()
    thumb = "|" if is_plain() else "┃"
    return urwid.ScrollBar(body, thumb_char=thumb, attr="bar", thumb_attr="bar", scroll_by_focus=True)


def _list_commands() -> urwid.CommandMap:
    """Return the command map for lists: the moves of the key map and nothing else."""
    commands = urwid.CommandMap()
    commands.clear()
    for action in keymap.in_context(KeyContext.DIALOG):
        for key in action.keys if action.command else ():
            commands[key] = Command(action.command)
    return commands


def framed(body: urwid.Widget, title: str) -> urwid.Widget:
    """Return a widget with lines around it, for a dialog."""
    if not is_plain():
        return urwid.LineBox(body, title)
    return urwid.LineBox(body, title, "center", None, "+", "-", "|", "+", "+", "|", "-", "+")


class Labelled(urwid.Widget):
    """A label and a text beside it; each takes as many lines as it needs.

    A widget for columns makes the same of any number of widgets: it takes ten times as long to make, and the help
    screen has more than a hundred.

    Args:
        label: the label.
        text: what stands beside it.
        style: of the label.
        width: columns of the label.

    Attributes:
        label: the label.
        text: the text.
    """

    _sizing = frozenset((urwid.FLOW,))

    def __init__(self, label: str, text: str, style: str = "key", width: int = _LABEL) -> None:
        super().__init__()
        self.label, self.text = label, text
        self._label = urwid.Text((style, drawable(label)))
        self._text = urwid.Text(drawable(text))
        self._width = width

    def rows(self, size: tuple[int], focus: bool = False) -> int:
        """Return the lines of the longer one."""
        label, text = self._split(size[0])
        return max(self._label.rows((label,)) if label else 0, self._text.rows((text,)))

    def render(self, size: tuple[int], focus: bool = False) -> urwid.Canvas:
        """Draw both, with one column between them."""
        label, text = self._split(size[0])
        drawn = (self._text.render((text,)), None, False, text)
        if not label:
            return urwid.CompositeCanvas(drawn[0])
        return urwid.CanvasJoin([(self._label.render((label,)), None, False, label + 1), drawn])

    def _split(self, width: int) -> tuple[int, int]:
        """Return the columns of the label and of the text; on the narrowest terminals there is no label."""
        label = max(0, min(self._width, width - 2))
        return label, width - label - 1 if label else width
