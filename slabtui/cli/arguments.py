"""Checks and converts the values on the command line; an error says what a value should be."""

import argparse
import math
from pathlib import Path

from slabtui.columns import query, text

SHORTEST, LONGEST = 0.1, 3600.0  # seconds
SHORTEST_RUN, LONGEST_RUN = 10.0, 7 * 86400.0  # seconds; with less a bin would be as short as a grace period of RCU

REPORTS = (".html", ".md", ".json")  # endings of the names of reports, by which they have their format

_MOST_DIGITS = 19


def column(given: str) -> str:
    """Return the name of a column."""
    if given not in text.BY_ID:
        raise argparse.ArgumentTypeError(f"no column {given!r}: choose one of {', '.join(text.BY_ID)}")
    return given


def columns(given: str) -> tuple[str, ...]:
    """Return the names of columns, which are given with commas between them."""
    return tuple(dict.fromkeys(column(name.strip()) for name in given.split(",")))


def pattern(given: str) -> str:
    """Return a filter of names."""
    try:
        query.matcher(given)
    except query.BadFilterError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return given


def pid(given: str) -> int:
    """Return the number of a process.

    Raises:
        SlabtuiError: /proc is not mounted.
    """
    from slabtui.kernel.procfs import mounts  # imported here, because no other value needs the kernel

    number = positive(given, "PID")
    mounts.demand()
    try:
        status = Path(f"/proc/{number}/status").read_bytes()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"no process {number}") from error
    leader = int(next(line.split()[1] for line in status.splitlines() if line.startswith(b"Tgid:")))
    if leader != number:
        raise argparse.ArgumentTypeError(f"{number} is a thread of process {leader}")
    return number


def path(given: str) -> Path:
    """Return a path; refuse an empty one, as from an unset shell variable."""
    if not given:
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(given)


def interval(given: str) -> float:
    """Return a number of seconds."""
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not SHORTEST <= seconds <= LONGEST:
        raise argparse.ArgumentTypeError(f"{given!r} is not a number of seconds from {SHORTEST:g} to {LONGEST:g}")
    return seconds


def run_length(given: str) -> float:
    """Return the seconds of a run that looks for leaks."""
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not SHORTEST_RUN <= seconds <= LONGEST_RUN:
        raise argparse.ArgumentTypeError(
            f"{given!r} is not a number of seconds from {SHORTEST_RUN:g} to {LONGEST_RUN:g}"
        )
    return seconds


def report_file(given: str) -> Path:
    """Return the path of a report, whose name ends in its format."""
    if Path(given).suffix not in REPORTS:
        raise argparse.ArgumentTypeError(f"{given!r} does not end in {', '.join(REPORTS[:-1])} or {REPORTS[-1]}")
    return Path(given)


def positive(given: str, what: str) -> int:
    """Return a whole number from 1.

    Args:
        given: the number.
        what: its name in the error message.
    """
    if not (given.isascii() and given.isdecimal() and len(given) < _MOST_DIGITS and int(given) > 0):
        raise argparse.ArgumentTypeError(f"{given!r} is not a {what}, which is a whole number from 1")
    return int(given)
