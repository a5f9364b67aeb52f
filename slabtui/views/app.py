"""The application: puts the screen together, wakes when a snapshot comes, and turns keys into changes of the state."""

import errno
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

import urwid

from slabtui.errors import SlabtuiError
from slabtui.feed import FeedEndedError, Snapshots
from slabtui.model.inspection import Kind
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.outputs.export import export, export_detail
from slabtui.recording.addresses import Concealer, show_all
from slabtui.views import help, keymap
from slabtui.views.footer import Prompt, hints
from slabtui.views.header import header
from slabtui.views.page import Page, frames
from slabtui.views.palette import PALETTE
from slabtui.views.paste import Pastes
from slabtui.views.state import State
from slabtui.views.table import Table
from slabtui.views.widgets import Drawn, drawable

Event = str | tuple[str, int, int, int]  # what urwid makes of what comes from the terminal: a key, or the mouse

_TOLD_FOR = 6.0  # seconds


@runtime_checkable
class Playback(Protocol):
    """A feed that can be played faster and slower, and be held."""

    @property
    def speed(self) -> float:
        """How many times as fast as recorded it runs."""

    def faster(self) -> None:
        """Play at twice the speed."""

    def slower(self) -> None:
        """Play at half the speed."""

    def hold(self, held: bool) -> None:
        """Stand still, or go on."""


class App:
    """The full-screen application.

    Args:
        state: what to show, and of what.
        count: end after this many snapshots, those that could not be read included; None: never.
        conceal: what becomes of a snapshot before it is exported.
        leaving: called when the loop and the feed have ended, before the terminal is restored.
    """

    def __init__(
        self,
        state: State,
        count: int | None = None,
        conceal: Concealer = show_all,
        leaving: Callable[[], None] = lambda: None,
    ) -> None:
        self.state = state
        self._conceal = conceal
        # bcc goes to another directory while it compiles, with the whole process, and that may be just now.
        cwd = Path("/proc/self/cwd")
        self._directory = cwd.readlink() if cwd.is_symlink() else Path()
        self._left = count
        self._leaving = leaving
        self._pastes = Pastes()
        self._feed: Snapshots | None = None
        self._loop: urwid.MainLoop | None = None
        self._header = header(state)
        self._table = Table(state)
        self._page = Page(state)
        self._messages = urwid.Notifications(max_count=1, severity_attr={urwid.Severity.INFO: "title"}, wrap="clip")
        self._hints = Drawn(lambda width: hints(state.subject is not None, width))
        self._keys = urwid.Pile([("pack", self._messages), ("pack", self._hints)])
        self._frame = urwid.Frame[Table | Page, Drawn, urwid.Pile | Prompt](self._table, self._header, self._keys)
        self.stack = urwid.OverlayStack(self._frame)
        self.actions: dict[str, Callable[[], None]] = {
            "quit": self._quit,
            "help": self._help,
            "filter": self._open_filter,
            "leave": self._leave,
            "open": self._open,
            "next-tab": partial(self._turn, 1),
            "previous-tab": partial(self._turn, -1),
            "frees": self._changing(self._toggle_frees),
            "measure": self._measure,
            "pause": self._changing(self._toggle_pause),
            "back": self._changing(self._back),
            "forward": self._changing(self._forward),
            "faster": self._changing(lambda: self._play(lambda feed: feed.faster())),
            "slower": self._changing(lambda: self._play(lambda feed: feed.slower())),
            "reverse": self._changing(state.reverse),
            "idle": self._changing(state.toggle_idle),
            "export": self._open_export,
            "redraw": self._redraw,
        }
        for name, kind in keymap.TABS.items():
            self.actions[name] = partial(self._show_tab, kind)
        for name, column in keymap.SORTS.items():
            self.actions[name] = self._changing(partial(state.sort_by, column))

    def run(self, feed_for: Callable[[Callable[[], None]], Snapshots], screen: urwid.BaseScreen | None = None) -> None:
        """Show snapshots until the user has had enough.

        Args:
            feed_for: makes the feed, given the function that it calls in its thread for every snapshot.
            screen: where to draw; None: the terminal, in as many colours as it has, or in one where NO_COLOR is set.

        Raises:
            OSError: EIO, the terminal is gone.
            Exception: whatever ended the feed's thread; the terminal is as it was.
        """
        self._loop = urwid.MainLoop(
            self.stack,
            PALETTE,
            screen or _screen(),
            handle_mouse=False,
            event_loop=_Loop(self._run_feed),
            input_filter=self._filter_input,
            unhandled_input=self.press,
        )
        wake = self._loop.watch_pipe(lambda _: self._woken())
        os.set_blocking(wake, False)
        self._feed = feed_for(lambda: _write(wake))
        if self.state.frees:
            self._watch()
        try:
            self._loop.run()
        except urwid.InputClosedError as error:
            raise OSError(errno.EIO, "the terminal is gone") from error
        finally:
            self._feed.stop()  # before its end of the pipe is closed: the number could be another file's by then
            os.close(wake)

    def _run_feed(self, loop: Callable[[], None]) -> None:
        """Let the feed run while the loop does. It is stopped before the terminal is restored, which may block."""
        assert self._feed is not None
        try:
            self._feed.start()
            loop()
        finally:
            self._feed.stop()
            self._leaving()

    def press(self, key: Event) -> bool:
        """Do what the key map says; False for a key that it does not have."""
        action = keymap.BY_KEY.get(key) if isinstance(key, str) else None
        if self.stack.depth:
            if action is not None and action.name in ("quit", "help", "leave", "open"):
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
            SlabtuiError: the same, and it could not be read.
        """
        self.state.receive(snapshot)
        self._refresh()
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                if snapshot.error:
                    raise SlabtuiError(snapshot.error, "start slabtui again")
                raise urwid.ExitMainLoop

    def _woken(self) -> bool:
        assert self._feed is not None
        try:
            snapshot = self._feed.take()
        except FeedEndedError:
            self.state.ended = True
            self._refresh()
            return True
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
        self._frame.body.refresh()

    def _leave(self) -> None:
        if self.state.subject is None:
            self._filter("")
        else:
            self._look_at(None)

    def _open(self) -> None:
        entry = self._page.selected
        if self.state.subject is None:
            self._look_at(self._table.selected)
        elif self.state.tab is Kind.STACKS and entry is not None:
            self._show_dialog(frames(entry))

    def _look_at(self, row: CacheRow | None) -> None:
        """Show the page of a cache; None: the table."""
        self.state.subject = row
        self._frame.body = self._table if row is None else self._page
        self._hints.refresh()
        self._watch()
        self._refresh()

    def _turn(self, by: int) -> None:
        kinds = list(Kind)
        self._show_tab(kinds[(kinds.index(self.state.tab) + by) % len(kinds)])

    def _show_tab(self, kind: Kind) -> None:
        if self.state.subject is not None:
            self.state.tab = kind
            self._watch()
            self._refresh()

    def _toggle_frees(self) -> None:
        self.state.frees = not self.state.frees
        self._watch()

    def _measure(self) -> None:
        self.state.measurements += 1
        self._watch()

    def _watch(self) -> None:
        if self._feed is not None:
            self._feed.watch(self.state.watch)

    def _toggle_pause(self) -> None:
        self.state.toggle_pause()
        self._play(lambda feed: feed.hold(self.state.paused))

    def _back(self) -> None:
        if not self.state.paused:
            self._toggle_pause()
        self.state.show(self.state.back + 1)

    def _forward(self) -> None:
        if self.state.paused and self.state.back:
            self.state.show(self.state.back - 1)
        elif self.state.paused and self.state.replay and self._feed is not None:
            self.state.stepping = True
            self._feed.hurry()

    def _play(self, change: Callable[[Playback], None]) -> None:
        feed: object = self._feed
        if isinstance(feed, Playback):
            change(feed)
            self.state.speed = feed.speed

    def _ask(self, prompt: Prompt) -> None:
        self._frame.footer = prompt
        self._frame.focus_position = "footer"

    def _answered(self) -> None:
        self._frame.footer = self._keys
        self._frame.focus_position = "body"

    def _open_filter(self) -> None:
        if self.state.subject is not None:
            return  # there is nothing to filter on a page

        def clear() -> None:
            self._filter("")
            self._answered()

        self._ask(
            Prompt("Filter", self.state.pattern, changed=self._filter, entered=lambda _: self._answered(), left=clear)
        )

    def _filter(self, pattern: str) -> None:
        self.state.filter_by(pattern)
        self._refresh()

    def _open_export(self) -> None:
        if self.state.shown is not None:
            ending = ".folded" if self.state.subject and self.state.tab is Kind.STACKS else ".csv"
            name = time.strftime(f"slabtui-%Y%m%d-%H%M%S{ending}", time.localtime(self.state.shown.time))
            self._ask(Prompt("Write to", name, entered=self._export, left=self._answered))

    def _export(self, name: str) -> None:
        assert self.state.shown is not None
        shown = self._conceal(replace(self.state.shown, rows=tuple(self.state.rows)))
        detail = shown.detail if self.state.detail else None
        path = self._directory / name
        if self.state.subject is None:
            export(path, shown, shown.rows, self._table.shown_columns())
            written = f"{len(shown.rows)} caches"
        else:
            export_detail(path, shown, detail)
            written = f"{len(detail.entries) if detail else 0} {self.state.tab}"
        self._answered()
        self._messages.notify(drawable(f"{written} written to {name}"), timeout=_TOLD_FOR if self._loop else None)

    def _help(self) -> None:
        self._show_dialog(help.dialog())

    def _show_dialog(self, dialog: urwid.Widget) -> None:
        self.stack.open(dialog, width=("relative", 90), height=("relative", 90), min_width=38)

    def _filter_input(self, events: list[Event], raw: list[int]) -> list[Event]:
        """Drop what is no key, and make each paste one.

        Shift-F3 looks like a report of the cursor, at which urwid 5.1 ends the main loop.
        """
        return [*self._pastes.join(event for event in events if isinstance(event, str))]

    def _redraw(self) -> None:
        if self._loop is not None:
            self._loop.screen.clear()

    def _quit(self) -> None:
        raise urwid.ExitMainLoop


def _screen() -> urwid.BaseScreen:
    # Forced, because not every terminal that marks what is pasted answers the question whether it does.
    screen = urwid.display.raw.Screen(bracketed_paste_mode=True)
    if os.environ.get("NO_COLOR"):  # no-color.org
        screen.set_terminal_properties(colors=1)
    return screen


class _Loop(urwid.SelectEventLoop):
    """urwid's event loop, inside of a function that is given it."""

    def __init__(self, around: Callable[[Callable[[], None]], None]) -> None:
        super().__init__()
        self._around = around

    def run(self) -> None:
        """Run the loop until something ends it."""
        self._around(super().run)


def _write(wake: int) -> None:
    with suppress(BlockingIOError):  # the pipe is full, so that the loop will wake
        os.write(wake, b"\0")
