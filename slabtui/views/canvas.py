"""Draws lines of text in styles: straight to one canvas, without the layout that a text of several paragraphs needs."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Literal

import urwid

from slabtui.views.cells import cells, cut, drawable, head, is_plain
from slabtui.views.line import Markup

# Runs that urwid writes unchanged. In others it looks for control characters, which takes longer than all else that it
# does to a line with a sparkline; here they have been looked for.
_AS_IT_IS: Literal["U"] = "U"

Run = tuple[Hashable, Literal["0", "U"] | None, bytes]  # bytes in one style and one set of characters


class Lines(urwid.Canvas):
    """Lines of runs, each as wide as the canvas.

    A TextCanvas has the text of a line, its styles and its sets of characters side by side, and computes the runs from
    them each time that it is compared with what is on the screen.

    Args:
        lines: the runs of each line; there is at least one line.
        width: columns.
    """

    def __init__(self, lines: list[list[Run]], width: int) -> None:
        super().__init__()
        self._lines = lines
        self._width = width

    def cols(self) -> int:
        """Return the width."""
        return self._width

    def rows(self) -> int:
        """Return the height."""
        return len(self._lines)

    def content(
        self,
        trim_left: int = 0,
        trim_top: int = 0,
        cols: int = 0,
        rows: int = 0,
        attr: Mapping[Hashable, Hashable] | None = None,
    ) -> Iterator[list[Run]]:
        """Return the runs of each line, or of the part of it that a dialog leaves in sight; see urwid.Canvas."""
        if trim_left or cols not in (0, self._width):
            yield from self._as_text().content(trim_left, trim_top, cols, rows, attr)
            return
        for line in self._lines[trim_top : trim_top + rows] if rows else self._lines[trim_top:]:
            yield [(attr.get(style, style), charset, text) for style, charset, text in line] if attr else line

    def _as_text(self) -> urwid.TextCanvas:
        """Return the same as a canvas that can be cut anywhere."""
        return urwid.TextCanvas(
            [b"".join(text for _, _, text in line) for line in self._lines],
            [[(style, len(text)) for style, _, text in line] for line in self._lines],
            [[(charset, len(text)) for _, charset, text in line] for line in self._lines],
            maxcol=self._width,
            check_width=False,  # each is exactly this wide
        )


def draw(markup: Markup, width: int) -> Lines:
    """Return a canvas of this width: a line for each that a newline ends or that is the last; what is too long is cut.

    Args:
        markup: pieces of text, each with its style.
        width: columns.
    """
    lines: list[Markup] = [[]]
    for style, text in markup:
        first, *others = text.split("\n")
        lines[-1].append((style, first))
        lines += [[(style, other)] for other in others]
    return Lines([_draw_line(line, width) for line in lines], width)


def encode(style: Hashable, text: str) -> list[Run]:
    """Return a text in a style, in the encoding of the terminal. Printable ASCII is the same in all of them."""
    if text.isprintable() and (text.isascii() or not is_plain()):  # nearly every text
        return [(style, None if text.isascii() else _AS_IT_IS, text.encode())] if text else []
    encoded, charsets = urwid.apply_target_encoding(text)
    runs: list[Run] = []
    begin = 0
    for charset, length in charsets:
        runs.append((style, charset, encoded[begin : begin + length]))
        begin += length
    return runs


def _draw_line(line: Markup, width: int) -> list[Run]:
    runs: list[Run] = []
    left = width
    for style, whole in (*line, (None, " " * width)):
        text = drawable(head(whole, left))
        used = cells(text)
        if used > left:
            text, used = cut(text, left), left
        if text:
            runs += encode(style, text)
            left -= used
    return runs
