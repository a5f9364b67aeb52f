"""What happens on the screen after some time though nothing comes: a message goes, rows take their places."""

from collections.abc import Callable

import urwid

from slabtui.views.state import State

_MESSAGE_SECONDS = 6.0


class Timers:
    """The timers of a state.

    Args:
        state: whose message goes, and whose rows are held.
        sync: called after a timer has changed the state.
    """

    def __init__(self, state: State, sync: Callable[[], None]) -> None:
        self._state = state
        self._sync = sync
        self._message = ""  # the one that the timer will remove
        self._message_alarm: object = None
        self._hold_alarm: object = None

    def refresh(self, loop: urwid.MainLoop) -> None:
        """Start or stop what the state asks for."""
        if self._state.message != self._message:
            self._message = self._state.message
            if self._message_alarm is not None:
                loop.remove_alarm(self._message_alarm)
                self._message_alarm = None
            if self._message:
                self._message_alarm = loop.set_alarm_in(_MESSAGE_SECONDS, lambda *_: self._expire())
        if self._hold_alarm is None and (seconds := self._state.held_seconds):
            self._hold_alarm = loop.set_alarm_in(seconds, lambda *_: self._release())

    def _expire(self) -> None:
        self._message_alarm = None
        self._state.expire_message()
        self._sync()

    def _release(self) -> None:
        self._hold_alarm = None
        self._state.release()
        self._sync()
