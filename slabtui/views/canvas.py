"""Draws lines of text in styles: straight to one canvas, without the layout that a text of several paragraphs needs."""

from collections.abc import Hashable
from typing import Literal

import urwid

from slabtui.views.cells import cells, cut, drawable, head, is_plain
from slabtui.views.line import Markup

Charset = list[tuple[Literal["0", "U"] | None, int]]  # runs of bytes in one set of characters
Attributes = list[tuple[Hashable, int]]  # runs of bytes in one style


def draw(markup: Markup, width: int) -> urwid.TextCanvas:
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
    drawn = [_draw_line(line, width) for line in lines]
    return urwid.TextCanvas(
        [text for text, _, _ in drawn],
        [attributes for _, attributes, _ in drawn],
        [charset for _, _, charset in drawn],
        maxcol=width,
        check_width=False,  # each is exactly this wide
    )


def encode(text: str) -> tuple[bytes, Charset]:
    """Return a text in the encoding of the terminal. Printable ASCII is the same in all of them."""
    if text.isprintable() and (text.isascii() or not is_plain()):  # nearly every text
        encoded = text.encode()
        return encoded, [(None, len(encoded))] if text else []
    encoded, charset = urwid.apply_target_encoding(text)
    return encoded, charset


def _draw_line(line: Markup, width: int) -> tuple[bytes, Attributes, Charset]:
    parts: list[bytes] = []
    attributes: Attributes = []
    charset: Charset = []
    left = width
    for style, whole in (*line, (None, " " * width)):
        text = drawable(head(whole, left))
        used = cells(text)
        if used > left:
            text, used = cut(text, left), left
        if text:
            encoded, runs = encode(text)
            parts.append(encoded)
            attributes.append((style, len(encoded)))
            charset += runs
            left -= used
    return b"".join(parts), attributes, charset
