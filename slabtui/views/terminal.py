"""The terminal: the styles on it, its screen, and urwid's event loop inside a function that must run around it."""

import os
from collections.abc import Callable

import urwid

# Styles: (name, foreground and background in 16 colours, settings in one colour). Most keep the terminal's background,
# which may be light or dark. No meaning is in a colour alone: PAUSED, lost and ~ are words and signs.
PALETTE = (
    ("title", "default,bold", "default", "bold"),
    ("live", "dark green,bold", "default", "bold"),
    ("paused", "black", "yellow", "standout"),
    ("warning", "white,bold", "dark red", "standout"),
    ("dim", "dark gray", "default", "default"),
    ("heading", "black", "dark cyan", "standout"),
    ("sorted", "white,bold", "dark blue", "standout,bold"),
    ("row", "default", "default", "default"),
    ("growing", "light red,bold", "default", "bold"),
    ("selected", "black", "light gray", "standout"),
    ("rule", "dark cyan", "default", "default"),
    ("bar", "dark cyan", "default", "default"),
    ("key", "default,bold", "default", "bold"),
    ("label", "black", "dark cyan", "standout"),
    ("prompt", "default,bold", "default", "bold"),
    ("category", "dark cyan,bold", "default", "bold,underline"),
)


def screen() -> urwid.BaseScreen:
    """Return the terminal, in as many colours as it has, or in one where NO_COLOR is set."""
    # Forced, because not every terminal that marks what is pasted answers the question whether it does.
    terminal = urwid.display.raw.Screen(bracketed_paste_mode=True)
    if os.environ.get("NO_COLOR"):  # no-color.org
        terminal.set_terminal_properties(colors=1)
    return terminal


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
