"""The end of the program: the first signal raises an exception, and what blocks after it is given up after a second."""

import os
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

PATIENCE = 1.0  # seconds that one step of the way out may take; closing files and leaving the screen take milliseconds
WAIT = PATIENCE / 2  # seconds that another thread is waited for within a step

_RETRY = 0.01  # seconds until an exception that Python has dropped is raised again
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Everything that urwid may have switched on is switched off: bracketed paste, reports of the focus, the second
# character set, colours, the alternate screen, and the hidden cursor (ECMA-48; xterm's control sequences).
_LEAVE_SCREEN = b"\x1b[?2004l\x1b[?1004l\x0f\x1b[0m\x1b[?1049l\x1b[?25h"


class Ending:
    """Handles SIGINT, SIGTERM and SIGHUP, those excepted that the caller ignores, as nohup(1) does.

    The first one raises KeyboardInterrupt, or SystemExit with 128 and the number, in the main thread, so that every
    `finally` is carried out. From then on each step of the way out may take `PATIENCE` seconds. A step that takes
    longer, or a second signal, ends the process by _exit(2), with the settings of the terminal restored.

    Used in the main thread, where Python runs handlers of signals: in a write to a pipe or a terminal, too.
    """

    def __init__(self) -> None:
        self._status = 0
        self._raised: BaseException | None = None
        self._dropped = False
        self._settings: list[Any] | None = None  # of the terminal, while the screen is open
        self._report = sys.unraisablehook

    def install(self) -> None:
        """Handle the signals from now on."""
        signal.signal(signal.SIGALRM, self._time_out)
        sys.unraisablehook = self._unraisable
        self._handle(self._begin)

    def begin(self, status: int) -> None:
        """Begin the way out without a signal; the next one ends the process at once.

        Args:
            status: the exit status, should a step take too long; that of a signal stays.
        """
        self._status = self._status or status
        self._handle(self._give_up)
        self.next_step()

    def end(self) -> None:
        """End the way out: from here on nothing blocks any more."""
        signal.setitimer(signal.ITIMER_REAL, 0)  # the interpreter resets the handlers when it ends

    def next_step(self) -> None:
        """Let the next step of the way out take its time from here on."""
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)

    @contextmanager
    def screen(self) -> Iterator[None]:
        """Let the terminal be restored if the process has to end at once inside."""
        with suppress(termios.error):
            self._settings = termios.tcgetattr(sys.stdin)
        try:
            yield
        finally:
            self._settings = None

    def _handle(self, handler: Callable[[int, FrameType | None], NoReturn]) -> None:
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, handler)

    def _begin(self, number: int, frame: FrameType | None) -> NoReturn:
        self._handle(self._give_up)
        self._status = 128 + number
        self._raised = KeyboardInterrupt() if number == signal.SIGINT else SystemExit(self._status)
        self.next_step()
        raise self._raised

    def _unraisable(self, unraisable: "sys.UnraisableHookArgs") -> None:
        """Raise the exception of a signal once more that was raised where nothing catches it.

        That is a finalizer or the callback of a weak reference, which may run anywhere: Python reports the exception
        and goes on.
        """
        if unraisable.exc_value is None or unraisable.exc_value is not self._raised:
            self._report(unraisable)
            return
        self._dropped = True
        signal.setitimer(signal.ITIMER_REAL, _RETRY)

    def _time_out(self, number: int, frame: FrameType | None) -> None:
        dropped, self._dropped = self._dropped, False
        if dropped and self._raised is not None:
            self.next_step()
            raise self._raised
        self._give_up(number, frame)

    def _give_up(self, number: int, frame: FrameType | None) -> NoReturn:
        if self._settings is not None:
            _restore(self._settings)
        os._exit(self._status or (0 if number == signal.SIGALRM else 128 + number))


def _restore(settings: list[Any]) -> None:
    """Give a terminal its settings and its screen back, without waiting for it to take what was written.

    What it has not taken is discarded (TCOFLUSH, ioctl_tty(2)), so that there is room for what leaves the screen.
    """
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # a job in the background would stop instead
    with suppress(termios.error):
        termios.tcsetattr(0, termios.TCSANOW, settings)
        termios.tcflush(1, termios.TCOFLUSH)
        termios.tcflow(1, termios.TCOOFF)
        termios.tcflow(1, termios.TCOON)  # which does not start what Ctrl-S has stopped, unless TCOOFF did too
    with suppress(OSError):
        os.set_blocking(1, False)
        try:
            os.write(1, _LEAVE_SCREEN)
        finally:
            os.set_blocking(1, True)  # others have the terminal open, by the same description
