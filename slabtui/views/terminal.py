"""The terminal: the styles on it, its screen, and urwid's event loop inside a function that must run around it."""

import contextlib
import os
from collections.abc import Callable

import urwid

try:
    import curses

    _HAS_CURSES = True
except ImportError:  # some builds of Python lack it
    _HAS_CURSES = False

# Styles: (name, foreground and background in 16 colours, settings in one colour). Most keep the terminal's background,
# which may be light or dark; a colour of its own has a foreground that can be read on it. The bright colours of a
# terminal with 8 are bold, and dark gray is bold black there: on black it cannot be seen. So what is pale is faint
# (SGR 2), which most terminals know and the others ignore. No meaning is in a colour alone: PAUSED, lost and ~ are
# words and signs.
PALETTE = (
    ("title", "default,bold", "default", "bold"),
    ("live", "black", "dark green", "bold"),
    ("paused", "black", "brown", "standout"),
    ("warning", "white,bold", "dark red", "standout,bold"),
    ("scope", "black", "dark magenta", "standout,bold"),
    ("dim", "default,faint", "default", "default"),
    ("rule", "default,faint", "default", "default"),
    ("heading", "black", "dark cyan", "standout"),
    ("sorted", "white,bold", "dark blue", "bold,underline"),
    ("row", "default", "default", "default"),
    ("growing", "light red,bold", "default", "bold"),
    ("selected", "default,standout", "default", "standout"),
    ("selected growing", "white,bold", "dark red", "bold,standout"),
    ("bar", "dark cyan", "default", "default"),
    ("chart", "dark cyan", "default", "default"),
    ("part", "dark magenta", "default", "default"),
    ("key", "default,bold", "default", "bold"),
    ("label", "black", "dark cyan", "standout"),
    ("prompt", "default,bold", "default", "bold"),
    ("category", "default,bold,underline", "default", "bold,underline"),
)

# What the styles mean, for the help screen.
MEANINGS = (
    ("growing", "grows as a leak does: by more than its noise, and the kernel cannot reclaim it"),
    ("dim", "can be reclaimed, or is of little interest"),
    ("selected", "the row on which the keys act"),
    ("sorted", "the column by which the rows are sorted; the tab that is open"),
    ("scope", "only these processes are counted"),
    ("paused", "the screen is paused, or a note says what is limited"),
    ("warning", "memory will be full, or counts are missing"),
)

_FEWEST_COLOURS = 8  # a terminal with less is drawn in one
_CONSOLE = "linux"


def screen() -> urwid.BaseScreen:
    """Return the terminal, in as many colours as it has: in one where its terminfo has none, or NO_COLOR is set."""
    # Forced, because not every terminal that marks what is pasted answers the question whether it does.
    terminal = urwid.display.raw.Screen(bracketed_paste_mode=True)
    if os.environ.get("NO_COLOR") or not _has_colours():  # no-color.org
        terminal.set_terminal_properties(colors=1)
    return terminal


def has_mouse() -> bool:
    """Return whether the terminal may report the mouse: not the Linux console, where urwid would run a program."""
    return os.environ.get("TERM", "").partition("-")[0] != _CONSOLE


def _has_colours() -> bool:
    """Return whether the terminal has colours, by its terminfo; a terminal that is not listed there has.

    urwid takes a terminal without colours, such as a vt100, for one with 16.
    """
    if not _HAS_CURSES:
        return True
    with contextlib.suppress(curses.error):
        curses.setupterm()
        return curses.tigetnum("colors") >= _FEWEST_COLOURS
    return True


class Loop(urwid.SelectEventLoop):
    """urwid's event loop.

    Args:
        around: called with a function that runs the loop until something ends it.
    """

    def __init__(self, around: Callable[[Callable[[], None]], None]) -> None:
        super().__init__()
        self._around = around

    def run(self) -> None:
        """Run the loop until something ends it."""
        self._around(super().run)
