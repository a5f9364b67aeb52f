"""The application: puts the screen together, wakes when a snapshot comes, and turns keys into changes of the state."""

import os
from collections.abc import Callable
from functools import partial
from typing import Protocol

import urwid

from slabtui.snapshot import Snapshot
from slabtui.views import help, keymap
from slabtui.views.bars import Drawn
from slabtui.views.footer import FilterPrompt, hints
from slabtui.views.header import header
from slabtui.views.palette import PALETTE
from slabtui.views.state import State
from slabtui.views.table import Table


class Feed(Protocol):
    """Where snapshots come from: a thread that offers the newest one."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""

    def take(self) -> Snapshot | None:
        """Return the snapshot on offer, if there is one; raise whatever ended the thread."""


class App:
    """The full-screen application.

    Args:
        state: what to show, and of what.
        count: end after so many snapshots; None: never.
    """

    def __init__(self, state: State, count: int | None = None) -> None:
        self.state = state
        self._left = count
        self._header = header(state)
        self._table = Table(state)
        self._frame = urwid.Frame[Table, Drawn, Drawn | FilterPrompt](
            self._table, header=self._header, footer=Drawn(hints)
        )
        self.stack = urwid.OverlayStack(self._frame)
        self.actions: dict[str, Callable[[], None]] = {
            "quit": self._quit,
            "help": self._help,
            "filter": self._open_filter,
            "clear-filter": partial(self._filter, ""),
            "pause": self._changing(state.toggle_pause),
            "reverse": self._changing(state.reverse),
            "idle": self._changing(state.toggle_idle),
            "redraw": self._redraw,
        }
        for name, column in keymap.SORTS.items():
            self.actions[name] = self._changing(partial(state.sort_by, column))
        self._loop: urwid.MainLoop | None = None

    def run(self, feed_for: Callable[[Callable[[], None]], Feed], screen: urwid.BaseScreen | None = None) -> None:
        """Show snapshots until the user has had enough.

        Args:
            feed_for: makes the feed, given the function that it calls in its thread for every snapshot.
            screen: where to draw; None: the terminal, in as many colours as it has, or in one where NO_COLOR is set.

        Raises:
            Exception: whatever ended the feed's thread; the terminal is as it was.
        """
        self._loop = urwid.MainLoop(
            self.stack, PALETTE, screen or _screen(), handle_mouse=False, unhandled_input=self.press
        )
        feed: Feed
        wake = self._loop.watch_pipe(lambda _: self._woken(feed))
        feed = feed_for(lambda: _write(wake))
        try:
            feed.start()
            self._loop.run()
        finally:
            feed.stop()  # before its end of the pipe is closed: the number could be another file's by then
            os.close(wake)

    def press(self, key: str | tuple[str, int, int, int]) -> bool:
        """Do what the key map says; False for a key that it does not have."""
        action = keymap.BY_KEY.get(key) if isinstance(key, str) else None
        if self.stack.depth:
            if action is not None and action.name in ("quit", "help", "clear-filter"):
                self.stack.close()
            return True
        if action is None or action.name not in self.actions:
            return False
        self.actions[action.name]()
        return True

    def show(self, snapshot: Snapshot) -> None:
        """Take in a snapshot.

        Raises:
            urwid.ExitMainLoop: it was the last that was asked for.
        """
        self.state.receive(snapshot)
        self._refresh()
        if self._left is not None and not snapshot.error:
            self._left -= 1
            if self._left <= 0:
                raise urwid.ExitMainLoop

    def _woken(self, feed: Feed) -> bool:
        snapshot = feed.take()
        if snapshot is not None:
            self.show(snapshot)
        return True

    def _changing(self, change: Callable[[], None]) -> Callable[[], None]:
        """Return an action that changes the state and draws what follows from it."""

        def act() -> None:
            change()
            self._refresh()

        return act

    def _refresh(self) -> None:
        self._header.refresh()
        self._table.refresh()

    def _open_filter(self) -> None:
        self._frame.footer = FilterPrompt(self.state.pattern, self._filter, self._close_filter)
        self._frame.focus_position = "footer"

    def _close_filter(self) -> None:
        self._frame.footer = Drawn(hints)
        self._frame.focus_position = "body"

    def _filter(self, pattern: str) -> None:
        self.state.filter_by(pattern)
        self._refresh()

    def _help(self) -> None:
        self.stack.open(help.dialog(), width=("relative", 90), height=("relative", 90), min_width=38)

    def _redraw(self) -> None:
        if self._loop is not None:
            self._loop.screen.clear()

    def _quit(self) -> None:
        raise urwid.ExitMainLoop


def _screen() -> urwid.BaseScreen:
    screen = urwid.display.raw.Screen()
    if os.environ.get("NO_COLOR"):  # no-color.org
        screen.set_terminal_properties(colors=1)
    return screen


def _write(wake: int) -> None:
    os.write(wake, b"\0")
