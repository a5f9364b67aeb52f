"""Runs commands in a root, logs each, and turns failures into one line."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from slabtui.errors import SlabtuiError
from tests.support.terminal import Terminal

_Found = TypeVar("_Found")


class StepError(Exception):
    """A step failed; `str()` of it is one line."""


def run(command: Sequence[str], log: Path, *, seconds: int, statuses: Sequence[int] = (0,)) -> str:
    """Run a command without a terminal; return and log what it printed on both streams.

    Raises:
        StepError: it ended with another status, or took too long.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as file:
        try:
            ended = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise StepError(f"still running after {seconds} s") from None
    output = log.read_text(errors="replace")
    if ended.returncode not in statuses:
        raise StepError(f"status {ended.returncode} ({last_words(output)})")
    return output


def watch(command: Sequence[str], log: Path, use: Callable[[Terminal], None]) -> None:
    """Run a command in a terminal of 80x24; log the last screen.

    Raises:
        StepError: something was not seen in time.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with Terminal(command) as terminal:
        try:
            use(terminal)
        except AssertionError as error:
            raise StepError(f"{str(error).splitlines()[0]} ({last_words(terminal.text)})") from None
        finally:
            log.write_text(f"{terminal.text}\n")


class Steps:
    """Runs steps in turn, even if some fail. `troubles` has one line per failure."""

    def __init__(self) -> None:
        self.troubles: list[str] = []

    def run(self, name: str, step: Callable[[], _Found]) -> _Found | None:
        """Return what the step returns; None if it failed."""
        try:
            return step()
        except (StepError, SlabtuiError) as error:
            self.troubles.append(f"{name}: {error}")
            return None


def last_words(output: str) -> str:
    """Return the last line of an output that is not empty."""
    return next(iter(reversed(words(output))), "it printed nothing")


def words(output: str) -> list[str]:
    """Return the lines of an output, without empty ones and those that make(1) adds when a command fails."""
    lines = [line.strip() for line in output.splitlines()]
    return [line for line in lines if line and not line.startswith("make: ***")]
