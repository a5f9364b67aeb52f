"""Checks and converts the values on the command line; an error says what a value should be."""

import argparse
import enum
import math
from pathlib import Path
from typing import NamedTuple

from slabtui.columns import query, text
from slabtui.metrics.address import Address
from slabtui.model.request import LONGEST, SHORTEST
from slabtui.recording import moments


class Way(enum.Enum):
    """The ways to record."""

    FILE = enum.auto()
    DIRECTORY = enum.auto()
    STANDARD_OUTPUT = enum.auto()


class Destination(NamedTuple):
    """Where to record to."""

    way: Way
    path: Path


# Seconds. A bin of the shortest run has 0.8 s, which is longer than most grace periods of RCU.
SHORTEST_RUN, LONGEST_RUN = 10.0, 7 * 86400.0

METRICS_SUFFIX = ".prom"  # of the files that node_exporter reads

REPORTS = (".html", ".md", ".json")  # endings of the names of reports, by which they have their format

_MOST_DIGITS = 19
_OTHER_COMPRESSIONS = (".bz2", ".lz4", ".xz", ".zip")
_BYTES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


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


def metrics(given: str) -> Address | Path:
    """Return where metrics go: to a file if the name ends in `.prom`, else the address of a server."""
    if given.endswith(METRICS_SUFFIX):
        return Path(given)
    try:
        return Address.parse(given)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{given!r} is neither an address, as in 9811, 0.0.0.0:9811 or [::]:9811, nor a file that ends in .prom"
        ) from error


def destination(given: str) -> Destination:
    """Return where to record to."""
    if given == "-":
        return Destination(Way.STANDARD_OUTPUT, Path(given))
    named = path(given)
    if named.suffix in _OTHER_COMPRESSIONS:
        raise argparse.ArgumentTypeError(f"{given!r} ends in {named.suffix}; recordings are compressed as .gz or .zst")
    return Destination(Way.DIRECTORY if given.endswith("/") or named.is_dir() else Way.FILE, named)


def moment(given: str) -> moments.Moment:
    """Return a moment of a recording."""
    try:
        return moments.parse(given)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{given!r} is not a moment, as 02:30, -6h or 2026-11-26T02:30 (ISO 8601)"
        ) from error


def interval(given: str) -> float:
    """Return the seconds of an interval."""
    return _seconds(given, SHORTEST, LONGEST)


def run_length(given: str) -> float:
    """Return the seconds of a run that looks for leaks."""
    return _seconds(given, SHORTEST_RUN, LONGEST_RUN)


def _seconds(given: str, least: float, most: float) -> float:
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not least <= seconds <= most:
        raise argparse.ArgumentTypeError(f"{given!r} is not a number of seconds from {least:g} to {most:g}")
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


def duration(given: str) -> int:
    """Return the seconds of a duration, as in 90s, 15m, 1h, 7d and 2w."""
    try:
        return moments.duration(given)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def size(given: str) -> int:
    """Return the bytes of a size, as in 500M and 1G."""
    found = moments.with_unit(given, _BYTES)
    if not found:
        raise argparse.ArgumentTypeError(f"{given!r} is not a size, as 100M or 1G")
    return found
