"""Checks single values of a line of JSON, from any source, and returns them as the model has them."""

import reprlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from slabtui.model.identity import CacheKey
from slabtui.recording import bounds
from slabtui.text import escaped

Check = Callable[..., Any]  # given the value, and as cattrs does, the type of the field

_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)  # a time in any zone
_BRIEF = 80  # characters of a value in a message


class WrongValueError(ValueError):
    """A field may not have this value; `str()` completes a sentence that begins with the name of the field."""


def brief(value: object) -> str:
    """Return how a value is written, as far as it fits into a message."""
    text = reprlib.repr(value)
    return text if len(text) <= _BRIEF else f"{text[: _BRIEF - 3]}..."


def wrong(value: object) -> WrongValueError:
    """Return the error for a value."""
    return WrongValueError(f"is {brief(value)}")


def nullable(check: Check) -> Check:
    """Return the check of a field that may be null, too."""
    return lambda value, kind=None: None if value is None else check(value, kind)


def text(value: Any, _: object = None, longest: int = bounds.LONGEST_TEXT) -> str:
    """Return a text that is harmless to print."""
    if value.__class__ is not str:
        raise wrong(value)
    if len(value) > longest:
        raise WrongValueError(f"has {len(value)} characters, and may have {longest}")
    return value if value.isprintable() else escaped(value.encode("utf-8", "surrogatepass"))


def boolean(value: Any, _: object = None) -> bool:
    """Return a boolean."""
    if value.__class__ is not bool:
        raise wrong(value)
    return bool(value)


def count(value: Any, _: object = None, least: int = 0) -> int:
    """Return a whole number that the kernel can count to."""
    if value.__class__ is not int or not least <= value <= bounds.LARGEST_COUNT:
        raise wrong(value)
    return int(value)


def change(value: Any, _: object = None) -> int:
    """Return a difference of two counts."""
    return count(value, least=-bounds.LARGEST_COUNT)


def decimal(value: Any, _: object = None, digits: int = 1, most: float = bounds.LARGEST_COUNT) -> float:
    """Return a number of 0 or more, rounded as it is written."""
    if value.__class__ not in (int, float) or not 0 <= value <= most:
        raise wrong(value)
    return round(float(value), digits)


def rate(value: Any, _: object = None, digits: int = 1) -> float:
    """Return a number that may be less than 0, rounded as it is written."""
    if value.__class__ not in (int, float) or not abs(value) <= bounds.LARGEST_RATE:
        raise wrong(value)
    return round(float(value), digits) + 0.0  # -0.0 becomes 0.0


def time(value: Any, _: object = None) -> float:
    """Return seconds since the epoch."""
    written = text(value)
    try:
        found = datetime.fromisoformat(written)
    except ValueError as error:
        raise wrong(written) from error
    if found.tzinfo is None or not _EARLIEST <= found < _LATEST:
        raise wrong(written)
    return found.timestamp()


def address(value: Any, _: object = None) -> int:
    """Return the number that a text is in hexadecimal."""
    if value.__class__ is not str:
        raise wrong(value)
    try:
        number = int(value[: bounds.LONGEST_ADDRESS + 1], 16)  # one more is out of range
    except ValueError as error:
        raise WrongValueError(f"{brief(value)} is no address") from error
    return count(number)


def key(value: Any, _: object = None) -> CacheKey:
    """Return the key of a cache."""
    written = text(value)
    try:
        found = CacheKey.parse(written)
    except ValueError as error:
        raise WrongValueError(f"{brief(written)} is no key of a cache") from error
    count(found.generation)
    return found


def members(value: Any, most: int) -> list[Any]:
    """Return a list."""
    if value.__class__ is not list:
        raise wrong(value)
    if len(value) > most:
        raise WrongValueError(f"has {len(value)} members, and may have {most}")
    found: list[Any] = value
    return found


def texts(value: Any, _: object = None, most: int = bounds.MOST_ALIASES) -> tuple[str, ...]:
    """Return texts."""
    return tuple(map(text, members(value, most)))


def nodes(value: Any, _: object = None) -> tuple[tuple[int, int], ...]:
    """Return NUMA nodes, each with the number of slabs on it."""
    found = []
    for pair in members(value, bounds.MOST_NODES):
        if pair.__class__ is not list or len(pair) != 2:
            raise WrongValueError(f"has {brief(pair)}, which is no pair")
        found.append((count(pair[0]), count(pair[1])))
    return tuple(found)
