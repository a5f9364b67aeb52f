"""Ends the program: the first signal raises an exception, and each step of the cleanup may then take one second."""

import os
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

PATIENCE = 1.0  # seconds that one step of the cleanup may take; closing files and leaving the screen take milliseconds
WAIT = PATIENCE / 2  # seconds to wait for another thread within a step

_RETRY = 0.01  # seconds until an exception that Python has dropped is raised again
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Switches off everything that urwid may have switched on: bracketed paste, reports of the focus and of the mouse, the
# second character set, colours and the alternate screen; and shows the cursor (ECMA-48; xterm's control sequences).
_LEAVE_SCREEN = b"\x1b[?2004l\x1b[?1004l\x1b[?1006l\x1b[?1002l\x1b[?1000l\x0f\x1b[0m\x1b[?1049l\x1b[?25h"


class Interrupted(KeyboardInterrupt):
    """SIGINT.

    If a KeyboardInterrupt itself passes through exec(), by which dataclass() makes functions, Python ends itself by
    SIGINT although it was caught: run_eval_code_obj() in Python/pythonrun.c.
    """


class Ending:
    """Handles SIGINT, SIGTERM and SIGHUP, except those that are ignored, as under nohup(1).

    The first signal raises KeyboardInterrupt, or SystemExit with 128 plus its number, in the main thread, so that every
    `finally` runs. From then on each step of the cleanup may take `PATIENCE` seconds. A step that takes longer, or a
    second signal, ends the process by _exit(2), with the settings of the terminal restored.

    Use it in the main thread: Python runs signal handlers there, even during a write to a pipe or a terminal.
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
        """Begin the cleanup without a signal; the next signal ends the process at once.

        Args:
            status: the exit status if a step takes too long; a status that was set before, as by a signal, stays.
        """
        self._status = self._status or status
        self._handle(self._give_up)
        self.next_step()

    def end(self) -> None:
        """End the cleanup: nothing blocks after this."""
        signal.setitimer(signal.ITIMER_REAL, 0)  # the interpreter resets the handlers when it ends

    def next_step(self) -> None:
        """Begin the next step of the cleanup, with its full time."""
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)

    @contextmanager
    def unwrap(self) -> Iterator[None]:
        """Raise the exception of a signal itself if another exception was raised from it inside this block.

        Before version 3.12, Python raises RuntimeError from any exception in `__set_name__`, which runs while a
        dataclass is made: type_new_set_names() in Objects/typeobject.c.
        """
        try:
            yield
        except Exception as error:
            if self._raised is not None and self._raised in _causes(error):
                raise self._raised from None
            raise

    @contextmanager
    def screen(self) -> Iterator[None]:
        """Restore the terminal if the process must end at once inside this block."""
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
        self._raised = Interrupted() if number == signal.SIGINT else SystemExit(self._status)
        self.next_step()
        raise self._raised

    def _unraisable(self, unraisable: "sys.UnraisableHookArgs") -> None:
        """Raise the exception of a signal again if Python dropped it.

        Python reports an exception in a finalizer or in the callback of a weak reference, and continues. These may run
        anywhere.
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


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions from which this one was raised, the nearest first."""
    while error.__cause__ is not None:
        error = error.__cause__
        yield error


def _restore(settings: list[Any]) -> None:
    """Restore the settings and the screen of the terminal, without waiting for pending output.

    Pending output is discarded (TCOFLUSH, ioctl_tty(2)), to make room for the sequences that leave the screen.
    """
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # else a background job would stop here
    with suppress(termios.error):
        termios.tcsetattr(0, termios.TCSANOW, settings)
        termios.tcflush(1, termios.TCOFLUSH)
        termios.tcflow(1, termios.TCOOFF)
        termios.tcflow(1, termios.TCOON)  # after Ctrl-S, TCOON restarts output only if TCOOFF came first
    with suppress(OSError):
        os.set_blocking(1, False)
        try:
            os.write(1, _LEAVE_SCREEN)
        finally:
            os.set_blocking(1, True)  # other processes share this open file description
