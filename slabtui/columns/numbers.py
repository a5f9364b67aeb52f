"""Writes numbers: for people with a unit, with digits in groups, or with every digit; in a given width."""

import enum
import time
from functools import lru_cache
from itertools import pairwise

UNKNOWN = "-"  # in place of a number

_STEPS = "kMGTPE"
_LARGER_STEPS = "ZYRQ"  # a product of two numbers of 64 bits, from a recording that someone made up
_ALL_STEPS = ("", *_STEPS, *_LARGER_STEPS)
_LETTERS = "".join((_STEPS, _STEPS.upper(), _LARGER_STEPS, "i"))
_WHOLE = 99.95  # from here on a number with three significant digits has no decimals
_LAST_MOMENT = 253370764800.0  # seconds since the epoch: the year 9999 begins
_TIMES = (("y", 365 * 86400), ("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


class Unit(enum.StrEnum):
    """What a number counts."""

    OBJECTS = "objects"
    BYTES = "bytes"
    PERCENT = "percent"


UNIT_WIDTH = {Unit.OBJECTS: 1, Unit.BYTES: 2, Unit.PERCENT: 0}  # columns of `k` and `Ki`


class Style(enum.StrEnum):
    """How numbers are written."""

    HUMAN = "human"  # three significant digits and a unit: 1.23M objects, 1.23Mi bytes
    GROUPED = "grouped"  # 1,234,567
    RAW = "raw"  # 1234567


def human(number: int | float, unit: Unit) -> str:
    """Write a number with three significant digits: objects in SI units (`1.23M`), bytes in IEC units (`1.23Mi`).

    Four digits stand before the next unit only from 1000 to 1023, of bytes. A number that is not 0 but too small for
    two decimals is `0.00`.
    """
    base = 1024 if unit is Unit.BYTES else 1000
    scaled, place = float(abs(number)), 0
    while scaled >= base - 0.5 and place < len(_ALL_STEPS) - 1:
        scaled /= base
        place += 1
    step = _ALL_STEPS[place]
    if not scaled < base - 0.5:
        return f"{number:.0e}"  # of no host
    digits = _significant(scaled)
    if not step and digits != "0.00":  # whole numbers need no decimals
        digits = digits.removesuffix(".00").removesuffix(".0")
    return ("-" if number < 0 else "") + digits + _symbol(step, unit)


@lru_cache(maxsize=4096)  # sizes, and figures of caches that hardly change, stand on the screen in every interval
def write(number: int | float, unit: Unit, style: Style, width: int) -> str:
    """Write a number for a column that is `width` wide, so that digits and units stand below each other.

    A number that does not fit is written for people, which takes 5 columns for objects and 6 for bytes, and one more
    for a sign.
    """
    if style is not Style.HUMAN:
        digits = f"{round(number):,}" if style is Style.GROUPED else str(round(number))
        if abs(number) < _WHOLE and number != round(number):
            digits = human(number, unit)  # two in three seconds are 0.67 per second, not 1
        if len(digits) <= width:
            return digits
    written = human(number, unit)
    padding = " " * (UNIT_WIDTH[unit] - len(written) + len(written.rstrip(_LETTERS)))
    return written + padding if len(written) + len(padding) <= width else written


def duration(seconds: float) -> str:
    """Write a length of time with its two largest units: `3 h 40 min`, `12 d 4 h`, `40 s`; 8,034 years at most."""
    seconds = min(seconds, _LAST_MOMENT)
    whole = round(seconds)
    for (unit, length), (smaller, part) in pairwise(_TIMES):
        if whole >= length:
            whole = round(seconds / part) * part
            rest = whole % length // part
            return f"{whole // length} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{whole} s"


def brief(seconds: float) -> str:
    """Write a length of time in six columns: `350us`, `12ms`, `45s`, `4m59s`, `1h02m`, `12d03h`, `140d`."""
    whole = round(seconds)
    if seconds < 0.9995:
        micro = round(seconds * 1e6)
        return f"{micro}us" if micro < 1000 else f"{round(seconds * 1e3)}ms"
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02}h" if whole < 100 * 86400 else f"{whole // 86400}d"


def percent(share: float) -> str:
    """Write a share for people, in four columns: `4.2%`, `42%`."""
    number = 100 * share
    return f"{number:.1f}%" if number < 9.95 else f"{number:.0f}%"


def clock(moment: float, form: str = "%H:%M:%S") -> str:
    """Write the local time of a moment in seconds since the epoch: `14:05:09`, or in another form of strftime(3).

    Of a moment before the epoch or after the year 9998, as a recording that was made up may have, the nearest one.
    """
    return time.strftime(form, time.localtime(max(0.0, min(moment, _LAST_MOMENT))))


def date_and_clock(moment: float) -> str:
    """Write the local date and time of a moment in seconds since the epoch: `2026-11-26 14:05:09`."""
    return f"{date(moment)} {clock(moment)}"


def day_and_clock(moment: float) -> str:
    """Write the local day of the year and time of a moment in seconds since the epoch: `11-26 14:05`."""
    return time.strftime("%m-%d %H:%M", time.localtime(moment))


def date(moment: float) -> str:
    """Write the local date of a moment in seconds since the epoch: `2026-11-26`."""
    return time.strftime("%Y-%m-%d", time.localtime(moment))


def _significant(scaled: float) -> str:
    """Write a number that is not negative with three significant digits, and two decimals at most."""
    for decimals, limit in ((2, 9.995), (1, _WHOLE)):
        if scaled < limit:
            return f"{scaled:.{decimals}f}" if scaled else "0"
    return f"{scaled:.0f}"


def _symbol(step: str, unit: Unit) -> str:
    return f"{step.upper()}i" if step and unit is Unit.BYTES else step
