"""Text measured in columns of the terminal, and cut to fit them."""

import re

import urwid

from slabtui.text import ascii_only

_NARROW = re.compile(
    "[ -~▁-█…▲▼┃]*"
)  # ASCII and what slabtui draws itself: one column each; measuring takes far longer
_MOST_PER_CELL = 8  # characters that are measured for one column: a letter with seven combining ones


def is_plain() -> bool:
    """Return whether only ASCII is drawn: everywhere but in UTF-8.

    In other encodings urwid measures bytes, and text as if it were in UTF-8; where the two differ it raises.
    """
    return urwid.get_encoding_mode() != "utf8"


def drawable(text: str) -> str:
    """Return a text as it is drawn."""
    return ascii_only(text) if not text.isascii() and is_plain() else text


def cells(text: str) -> int:
    """Return how many columns of the terminal a text without control characters takes when it is drawn."""
    if text.isascii():  # nearly every text
        return len(text)
    text = drawable(text)
    return len(text) if _NARROW.fullmatch(text) else urwid.calc_width(text, 0, len(text))


def head(text: str, width: int) -> str:
    """Return the beginning of a text, which takes more than `width` columns if the text does: cheaper to measure."""
    return text[: _MOST_PER_CELL * width + 1]


def cut(text: str, width: int) -> str:
    """Return the beginning of a text as it is drawn that fits a width; a space stands for half of a wide character."""
    end, used = urwid.calc_text_pos(text, 0, len(text), width)
    return text[:end] + " " * (width - used)


def clip(text: str, width: int) -> str:
    """Cut a text to `width` columns, with a sign for what is missing, and fill it up with spaces."""
    text = drawable(head(text, width))
    if len(text) <= width and (text.isascii() or _NARROW.fullmatch(text)):  # nearly every text
        return text.ljust(width)
    if cells(text) > width:
        end, _ = urwid.calc_text_pos(text, 0, len(text), max(0, width - 1))
        text = text[:end] + ((">" if is_plain() else "…") if width else "")
    return text + " " * (width - cells(text))
