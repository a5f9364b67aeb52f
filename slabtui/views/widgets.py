"""Lines of text as wide as the terminal: words that are shortened, then dropped where they do not fit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import urwid

from slabtui.text import ascii_only
from slabtui.views import keymap

_LABEL = 11  # columns
_MOST_PER_CELL = 8  # characters that are measured for one column: a letter with seven combining ones

Markup = list[tuple[str | None, str]]  # (style, text); None: the style of what is around it


@dataclass(frozen=True, slots=True)
class Segment:
    """One piece of a line.

    Attributes:
        style: a name of the palette.
        texts: what it says, the longest way first; when none fits, it goes.
        priority: the higher, the longer it stays.
    """

    style: str | None
    texts: tuple[str, ...]
    priority: int


def line(left: Sequence[Segment], right: Sequence[Segment], width: int, gap: str = "  ") -> Markup:
    """Lay segments out on one line of `width` columns, one group at each end, with `gap` between neighbours."""
    chosen = dict.fromkeys((*left, *right), 0)  # which of its texts; past the last: gone

    def kept(group: Sequence[Segment]) -> Markup:
        texts = [(one.style, one.texts[chosen[one]]) for one in group if chosen[one] < len(one.texts)]
        return [piece for text in texts for piece in ((None, gap), text)][1:]

    def space() -> int:
        """Return how many columns are left between the groups; less than 0: they do not fit."""
        ends = kept(left), kept(right)
        used = sum(cells(text[: _MOST_PER_CELL * width + 1]) for end in ends for _, text in end)
        return width - used - (len(gap) if all(ends) else 0)

    while space() < 0 and (remaining := [one for one, which in chosen.items() if which < len(one.texts)]):
        chosen[min(remaining, key=lambda segment: segment.priority)] += 1
    for one in sorted(chosen, key=lambda segment: -segment.priority):  # what fits again, since a long one went
        shortest = chosen[one]
        for which in range(shortest + 1):
            chosen[one] = which
            if which == shortest or space() >= 0:
                break
    ends = kept(left), kept(right)
    gaps = len(gap) if all(ends) else 0
    return [*ends[0], (None, " " * max(0, space() + gaps)), *ends[1]]


def is_plain() -> bool:
    """Return whether only ASCII is drawn: everywhere but in UTF-8.

    In other encodings urwid measures bytes, and text as if it were in UTF-8; where the two differ it raises.
    """
    return urwid.get_encoding_mode() != "utf8"


def drawable(text: str) -> str:
    """Return a text as it is drawn."""
    return ascii_only(text) if is_plain() else text


def cells(text: str) -> int:
    """Return how many columns of the terminal a text takes when it is drawn."""
    text = drawable(text)
    return urwid.calc_width(text, 0, len(text))


def clip(text: str, width: int) -> str:
    """Cut a text to `width` columns, with a sign for what is missing, and fill it up with spaces."""
    text = drawable(text[: _MOST_PER_CELL * width + 1])
    if text.isascii() and len(text) <= width:  # what nearly every name is
        return text.ljust(width)
    if cells(text) > width:
        end, _ = urwid.calc_text_pos(text, 0, len(text), max(0, width - 1))
        text = text[:end] + ((">" if is_plain() else "…") if width else "")
    return text + " " * (width - cells(text))


def scrolling(body: urwid.ListBox[Any]) -> urwid.ScrollBar[Any]:
    """Return a list with a bar beside it where it does not fit; thin, for sparklines end in full blocks.

    One moves in it by the keys of the key map, and no others.
    """
    body._command_map = keymap.list_commands()
    thumb = "|" if is_plain() else "┃"
    return urwid.ScrollBar(body, thumb_char=thumb, attr="bar", thumb_attr="bar")


def framed(body: urwid.Widget, title: str) -> urwid.Widget:
    """Return a widget with lines around it, for a dialog."""
    if not is_plain():
        return urwid.LineBox(body, title)
    return urwid.LineBox(body, title, "center", None, "+", "-", "|", "+", "+", "|", "-", "+")


def entry(label: str, value: str) -> urwid.Columns:
    """Return a label and, beside it, what it stands for."""
    return urwid.Columns([(_LABEL, urwid.Text(("key", label))), urwid.Text(drawable(value))], dividechars=1)


class Drawn(urwid.Widget):
    """A flow widget that is drawn by a function of its width.

    Args:
        draw: returns the markup of all lines, separated by newlines.
        height: how many lines there are.
    """

    _sizing = frozenset((urwid.FLOW,))

    def __init__(self, draw: Callable[[int], Markup], height: int = 1) -> None:
        super().__init__()
        self._draw = draw
        self._height = height

    def rows(self, size: tuple[int], focus: bool = False) -> int:
        """Return the height."""
        return self._height

    def render(self, size: tuple[int], focus: bool = False) -> urwid.Canvas:
        """Draw the lines."""
        markup = [(style, drawable(text)) for style, text in self._draw(size[0])]
        return urwid.CompositeCanvas(urwid.Text(markup or "", wrap="clip").render(size))

    def refresh(self) -> None:
        """Draw anew: what the function looks at has changed."""
        self._invalidate()
