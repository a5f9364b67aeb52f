"""Writes numbers in a given width: every digit where they fit, else with a unit."""

import enum

UNKNOWN = "-"  # in place of a number

_STEPS = "kMGTPE"


class Unit(enum.StrEnum):
    """What a number counts."""

    OBJECTS = "objects"
    BYTES = "bytes"
    PERCENT = "percent"


def amount(number: int | float | None, unit: Unit, width: int) -> str:
    """Write a number of objects or bytes, or that it is unknown, in at most `width` columns."""
    if number is None:
        return UNKNOWN
    return size(number, width) if unit is Unit.BYTES else count(number, width)


def count(number: int | float, width: int) -> str:
    """Write a count in at most `width` columns: every digit where they fit, else thousands (`1.25M`)."""
    return _fit(number, width, 1000, "")


def size(number: int | float, width: int) -> str:
    """Write a number of bytes in at most `width` columns: every digit where they fit, else IEC units (`1.25Gi`)."""
    return _fit(number, width, 1024, "i")


def volume(number: float) -> str:
    """Write a number of bytes in IEC units: `512 B`, `1.25 MiB`."""
    if round(number) < 1024:
        return f"{round(number)} B"
    scaled, step = _scale(number, 1024, 4)
    return f"{_digits(scaled, 4)} {step.upper()}iB"


def byte_rate(number: float) -> str:
    """Write a rate of bytes in IEC units: `512 B/s`, `1.25 MiB/s`."""
    return f"{volume(number)}/s"


def _fit(number: int | float, width: int, base: int, suffix: str) -> str:
    whole = str(round(number))
    if len(whole) <= width or abs(number) < base:
        return whole
    digits = width - 1 - len(suffix)
    scaled, step = _scale(number, base, digits)
    return _digits(scaled, digits) + (step.upper() if suffix else step) + suffix


def _scale(number: int | float, base: int, digits: int) -> tuple[float, str]:
    """Divide until the rest is less than the base and has at most `digits` digits: 1023 Ki may have to be 1.0 Mi."""
    limit = min(base, 10**digits) - 0.5
    scaled = number / base
    for step in _STEPS:
        if abs(scaled) < limit or step == _STEPS[-1]:
            break
        scaled /= base
    return scaled, step


def _digits(scaled: float, width: int) -> str:
    """Write with as many decimals, two at most, as fit into `width` columns."""
    for decimals in (2, 1):
        written = f"{scaled:.{decimals}f}"
        if len(written) <= width:
            return written
    return f"{scaled:.0f}"
