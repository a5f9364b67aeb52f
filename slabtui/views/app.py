"""The application: hands keys and snapshots to the state, and then draws and requests what changed."""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeGuard

import urwid

from slabtui.errors import SlabtuiError
from slabtui.model.request import Request
from slabtui.model.snapshot import Snapshot
from slabtui.outputs.export import ExportError, export, export_inspection
from slabtui.producer import Snapshots
from slabtui.queues import SnapshotQueue, SnapshotsEndedError
from slabtui.recording.addresses import Concealer, show_all
from slabtui.views import actions, dialogs, mouse, terminal
from slabtui.views.dialogs import Dialog
from slabtui.views.effects import Effect
from slabtui.views.footer import Hints, Prompt
from slabtui.views.header import header, height
from slabtui.views.line import Segment
from slabtui.views.page import Page
from slabtui.views.paste import Mouse, Pastes
from slabtui.views.playing import Playing
from slabtui.views.state import State
from slabtui.views.status import Status
from slabtui.views.table import Table
from slabtui.views.time_line import TimeLine
from slabtui.views.time_line import height as time_line_height
from slabtui.views.timers import Timers
from slabtui.views.widgets import Drawn
from slabtui.views.windows import PromptWindow

Event = str | Mouse  # what urwid makes of what comes from the terminal; it may also be a report of the cursor

_LEAST_ROWS = 5  # of the terminal, for the line above the keys
_FOOTER = 2  # lines: the message and the keys; a dialog leaves them in sight


class App:
    """The full-screen application.

    Args:
        state: what to show, and of what.
        count: end after this many snapshots, those that could not be read included; None: never.
        conceal: replaces the addresses of a snapshot before it is exported.
        leaving: called when the loop and the producer have ended, before the terminal is restored.
        notes: returns what other parts of the program have to say.
        mouse: whether the terminal is asked to report the mouse.
    """

    def __init__(
        self,
        state: State,
        count: int | None = None,
        conceal: Concealer = show_all,
        leaving: Callable[[], None] = lambda: None,
        notes: Callable[[], tuple[str, ...]] = lambda: (),
        *,
        mouse: bool = True,
    ) -> None:
        self.state = state
        self._mouse = mouse
        self._conceal = conceal
        # A path by the name of a directory stays right though another part of the process may change it for a moment.
        cwd = Path("/proc/self/cwd")
        self._directory = cwd.readlink() if cwd.is_symlink() else Path()
        self._left = count
        self._leaving = leaving
        self._notes = notes
        self._pastes = Pastes()
        self._producer: Snapshots | None = None
        self._queue: SnapshotQueue | None = None
        self._loop: urwid.MainLoop | None = None
        self._requested = Request()
        self._playing = Playing(state)
        self._header = header(state)
        self._table = Table(state)
        self._page = Page(state)
        self._timers = Timers(state, self.sync)
        self._status = Status(state, self._say_of_rows)
        self._hints = Hints(lambda: state.context, self.press)
        self._time_line = TimeLine(state)
        self._prompt: Prompt | None = None
        self._footer = urwid.Pile([("pack", self._status), ("pack", self._hints)])
        self._frame = urwid.Frame[Table | Page, Drawn, urwid.Pile](self._table, self._header, self._footer)
        self._windows: tuple[object, ...] = (state.table,)
        self._dialog: Dialog | None = None
        self._room: object = None  # of the dialog
        self._size = (80, 24)  # of the terminal, until it is drawn
        self.stack = _Stack(self._frame, self)
        self._effects: dict[Effect, Callable[[], None]] = {
            Effect.QUIT: self._quit,
            Effect.REDRAW: self._redraw,
            Effect.MEASURE: self._measure,
            Effect.MARK: self._mark,
            Effect.EXPORT: self._export,
            **self._playing.effects,
        }

    def run(self, producer: Snapshots, screen: urwid.BaseScreen | None = None) -> None:
        """Start a producer and show its snapshots until the user ends the program.

        Args:
            producer: not started yet; it is stopped at the end.
            screen: where to draw; None: the terminal.

        Raises:
            OSError: EIO, the terminal is gone.
            Exception: whatever ended the producer's thread; the terminal is as it was.
        """
        self._loop = urwid.MainLoop(
            self.stack,
            terminal.PALETTE,
            screen or terminal.screen(),
            handle_mouse=self._mouse and terminal.has_mouse(),
            event_loop=terminal.Loop(self._run_producer),
            input_filter=self._filter_input,
        )
        wake = self._loop.watch_pipe(lambda _: self._take_snapshots())
        os.set_blocking(wake, False)
        self._queue = SnapshotQueue(1, notify=lambda: _write(wake))
        producer.subscribe(self._queue)
        self.connect(producer)
        try:
            self._playing.start(lambda: _write(wake))
            self._loop.run()
        except urwid.InputClosedError as error:
            raise OSError(errno.EIO, "the terminal is gone") from error
        finally:
            self._playing.stop()
            producer.stop()  # before its end of the pipe is closed: the number could be another file's by then
            producer.unsubscribe(self._queue)
            self._loop.remove_watch_pipe(wake)
            os.close(wake)

    def connect(self, producer: Snapshots) -> None:
        """Request from this producer what the state needs, from now on."""
        self._producer = producer
        self._playing.connect(producer)
        self.sync()

    def press(self, key: str) -> bool:
        """Do what a key does; False: the topmost widget must be given it."""
        return actions.press(self.state, key)

    def admits(self, event: str, button: int, size: tuple[int, int], place: tuple[int, int]) -> bool:
        """Return whether the widgets are given an event of the mouse; while one types only the prompt is.

        Args:
            event: its name.
            button: its button.
            size: columns and rows of the terminal.
            place: the column and the row of the pointer, which may be those of a size that the terminal had before.
        """
        if not (0 <= place[0] < size[0] and 0 <= place[1] < size[1]):
            return False
        if mouse.follows_press(event):
            return self.state.prompt is None
        if not mouse.is_click(event, button) and not mouse.wheel(event, button):
            return False
        self.state.expire_message()
        return self.state.prompt is None or place[1] == size[1] - 1

    def fit(self, size: tuple[int, int]) -> None:
        """Fit the header, and the dialog that is open, to a size of the terminal."""
        self._size = size
        self._header.resize(height(size[1]))
        self._lay_out_footer()
        if self._dialog is not None:
            self._open(self._dialog)

    def show(self, snapshot: Snapshot) -> None:
        """Take in a snapshot.

        Raises:
            urwid.ExitMainLoop: it was the last that was asked for.
            SlabtuiError: the same, and it could not be read.
        """
        self._playing.receive(snapshot)
        self.sync()
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                if snapshot.error:
                    raise SlabtuiError(snapshot.error, "start slabtui again")
                raise urwid.ExitMainLoop

    def sync(self) -> None:
        """Do, request and draw what follows from the state; called after each key, snapshot and timer."""
        self._hand_over()
        while effects := self.state.take_effects():  # what was looked for and is known asks for a jump
            for effect in effects:
                self._effects[effect]()
        self.state.other_notes = self._notes()
        self._draw_windows()
        if self._loop is not None:
            self._timers.refresh(self._loop)
        self._header.refresh()
        self._frame.body.refresh()
        self._time_line.refresh()
        self._hints.refresh()
        if self._prompt is not None:
            self._prompt.refresh()

    def _run_producer(self, loop: Callable[[], None]) -> None:
        """Let the producer run while the loop does. It is stopped before the terminal is restored, which may block."""
        assert self._producer is not None
        try:
            self._producer.start()
            loop()
        finally:
            if self._left != 0:
                self._producer.finish()  # a recording gets the interval so far, too
            self._producer.stop()
            self._leaving()

    def _take_snapshots(self) -> bool:
        """Take what is on the queue; called for one byte or more in the pipe, so that there may be several."""
        assert self._queue is not None
        try:
            while (snapshot := self._queue.get()) is not None:
                self.show(snapshot)
        except SnapshotsEndedError:
            self.state.end()
        self._playing.take_survey()
        self.sync()
        return True

    def finish(self, unhandled: str | None = None) -> None:
        """Follow an event that the state, or the widget on top, was given; `unhandled` is a key that did nothing."""
        if unhandled is not None and self.state.prompt is not None:
            actions.refuse(self.state, unhandled)
        self.sync()

    def _hand_over(self) -> None:
        """Tell the producer what is to be counted, and whether the screen is paused."""
        if self._producer is None:
            return
        if self.state.request != self._requested:
            self._requested = self.state.request
            self._producer.request(self._requested)
        self._playing.hold()

    def _draw_windows(self) -> None:
        """Show the windows of the state: the table or a page, and a dialog over it or a prompt below it."""
        windows = tuple(self.state.windows)
        if windows == self._windows:
            return
        self._windows = windows
        self._frame.body = self._table if self.state.page is None else self._page
        self._dialog = dialogs.dialog(self.state)
        if self._dialog is None:
            self.stack.close()
        else:
            self._open(self._dialog)
        window = self.state.window
        self._prompt = Prompt(window, self.state.type) if isinstance(window, PromptWindow) else None
        self._lay_out_footer()
        self._frame.focus_position = "body" if self._prompt is None else "footer"

    def _lay_out_footer(self) -> None:
        """Show the prompt or the keys, below the status where there is room for it."""
        last: urwid.Widget = self._prompt or self._hints
        wanted: list[urwid.Widget] = [self._status, last] if self._size[1] >= _LEAST_ROWS else [last]
        if self.state.time.can_jump and (lines := time_line_height(self._size[1])):
            self._time_line.resize(lines)
            wanted.insert(0, self._time_line)
        if [widget for widget, _ in self._footer.contents] != wanted:
            self._footer.contents = [(widget, self._footer.options("pack")) for widget in wanted]
            self._footer.focus_position = len(wanted) - 1

    def _open(self, dialog: Dialog) -> None:
        """Show a dialog as large as its content, if there is room for that; it keeps its place in the text."""
        columns, rows = self._size
        width = min(dialog.columns, columns)
        room = (dialog, width, min(dialog.rows(width), max(1, rows - _FOOTER)))
        if room == self._room and self.stack.depth:
            return
        self._room = room
        self.stack.close()
        self.stack.open(dialog.widget, width=width, height=room[2], bottom=_FOOTER, close_on_click_outside=True)

    def _say_of_rows(self) -> list[Segment]:
        return self._table.status() if self.state.page is None else self._page.status()

    def _measure(self) -> None:
        if self._producer is not None:
            self._producer.measure()

    def _mark(self) -> None:
        if self._producer is not None:
            self._producer.mark()

    def _export(self) -> None:
        prompt, shown = self.state.prompt, self.state.shown
        assert prompt is not None
        assert shown is not None
        pages = self.state.pages
        shown = pages.source(pages.tab) or shown
        inspections = (pages.inspection,) if pages.inspection else ()
        concealed = self._conceal(replace(shown, rows=tuple(self.state.rows), inspections=inspections))
        path = self._directory / prompt.text
        try:
            if self.state.page is None:
                export(path, concealed, concealed.rows, self._table.shown_columns())
                written = f"{len(concealed.rows)} caches"
            else:
                inspection = pages.narrow(concealed.inspection(pages.tab)) if pages.inspection else None
                export_inspection(path, concealed, inspection)
                written = pages.exported
        except ExportError as error:
            self.state.complain(str(error))
        else:
            self.state.finish_export(f"{written} written to {prompt.text}")

    def _filter_input(self, events: list[Event], raw: list[int]) -> list[str | Mouse]:
        """Drop what is neither a key nor the mouse, and make each paste one key.

        Shift-F3 looks like a report of the cursor, at which urwid 5.1 ends the main loop.
        """
        return self._pastes.join(event for event in events if isinstance(event, str) or self._is_mouse(event))

    def _is_mouse(self, event: object) -> TypeGuard[Mouse]:
        return self._mouse and urwid.util.is_mouse_event(event)

    def _redraw(self) -> None:
        if self._loop is not None:
            self._loop.screen.clear()

    def _quit(self) -> None:
        raise urwid.ExitMainLoop


class _Stack(urwid.OverlayStack):
    """The windows as widgets.

    Args:
        base: the widget below all dialogs.
        app: handles every event before and after the widgets.
    """

    def __init__(self, base: urwid.Widget, app: App) -> None:
        super().__init__(base)
        self._app = app

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        """Draw, with everything fitted to the size."""
        self._app.fit(size)
        return super().render(size, focus)

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        """Handle every key."""
        self._app.finish(None if self._app.press(key) else super().keypress(size, key))
        return None

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        """Handle every event of the mouse; a click beside a dialog closes it."""
        if self._app.admits(event, button, size, (col, row)):
            depth = self.depth
            for _ in range(mouse.WHEEL_ROWS if mouse.wheel(event, button) else 1):
                super().mouse_event(size, event, button, col, row, focus)
            if self.depth < depth:
                self._app.state.close()
            self._app.finish()
        return True


def _write(wake: int) -> None:
    with suppress(BlockingIOError):  # the pipe is full, so that the loop will wake
        os.write(wake, b"\0")
