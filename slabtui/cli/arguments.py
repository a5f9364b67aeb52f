"""Checks and converts the values on the command line; an error says what a value should be."""

import argparse
import math
from pathlib import Path

from slabtui.columns import caches, query

SHORTEST, LONGEST = 0.1, 3600.0  # seconds

_MOST_DIGITS = 19


def column(text: str) -> str:
    """Return the name of a column that rows can be sorted by."""
    if text not in caches.SORTS:
        raise argparse.ArgumentTypeError(f"no column {text!r}: choose one of {', '.join(caches.SORTS)}")
    return text


def pattern(text: str) -> str:
    """Return a filter of names."""
    try:
        query.matcher(text)
    except query.BadFilterError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def pid(text: str) -> int:
    """Return the number of a process.

    Raises:
        SlabtuiError: /proc is not mounted.
    """
    from slabtui.kernel.procfs import mounts  # imported here, because no other value needs the kernel

    number = positive(text, "PID")
    mounts.demand()
    try:
        status = Path(f"/proc/{number}/status").read_bytes()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"no process {number}") from error
    leader = int(next(line.split()[1] for line in status.splitlines() if line.startswith(b"Tgid:")))
    if leader != number:
        raise argparse.ArgumentTypeError(f"{number} is a thread of process {leader}")
    return number


def path(text: str) -> Path:
    """Return a path; refuse an empty one, as from an unset shell variable."""
    if not text:
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(text)


def interval(text: str) -> float:
    """Return a number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not SHORTEST <= seconds <= LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from {SHORTEST:g} to {LONGEST:g}")
    return seconds


def positive(text: str, what: str) -> int:
    """Return a whole number from 1.

    Args:
        text: the number.
        what: its name in the error message.
    """
    if not (text.isascii() and text.isdecimal() and len(text) < _MOST_DIGITS and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a {what}, which is a whole number from 1")
    return int(text)
