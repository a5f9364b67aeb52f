"""Moments that a user names: by the clock, by how long before another moment, or as a date. Pure.

A date or a time of day without a zone is of the zone of the machine that replays (tzset(3); TZ=UTC changes it).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_DAY = timedelta(days=1)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}  # of a unit
_LONGEST = 100 * 366 * 86400  # seconds; a moment that long ago is still a date
_MOST_DIGITS = 19


@dataclass(frozen=True, slots=True)
class Ago:
    """So many seconds before the end of the recording, or before the moment on the screen."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day, as it was or comes next."""

    hour: int
    minute: int
    second: int


@dataclass(frozen=True, slots=True)
class Date:
    """One moment, in seconds since the epoch."""

    time: float


Moment = Ago | Clock | Date


def duration(text: str) -> int:
    """Return the seconds of a duration, as in 90s, 15m, 1h, 7d and 2w; ValueError where it is none."""
    seconds = with_unit(text, _SECONDS)
    if not 0 < seconds <= _LONGEST:
        raise ValueError(f"{text!r} is not a duration, as 90s, 15m, 1h, 7d or 2w")
    return seconds


def with_unit(text: str, units: Mapping[str, int]) -> int:
    """Return a whole number that a unit of one letter follows, times what the unit is; 0 where it is none."""
    number, unit = text[:-1], text[-1:]
    is_number = number.isascii() and number.isdecimal() and len(number) < _MOST_DIGITS
    return int(number) * units.get(unit, 0) if is_number else 0


def parse(text: str) -> Moment:
    """Return how long ago it was (-6h), a time of day, or a date of ISO 8601; ValueError where it is none of them."""
    if text.startswith("-"):
        return Ago(duration(text[1:]))
    if found := _CLOCK.fullmatch(text):
        return Clock(*(int(number or 0) for number in found.groups()))
    try:
        return Date(datetime.fromisoformat(text).timestamp())
    except (OverflowError, OSError) as error:  # a year that mktime(3) does not know
        raise ValueError(str(error)) from error


def spell(moment: Moment) -> str:
    """Return a text from which `parse` makes this moment; a date is in UTC."""
    match moment:
        case Ago(seconds):
            return f"-{seconds}s"
        case Clock(hour, minute, second):
            return f"{hour:02}:{minute:02}:{second:02}"
        case Date(time):
            return datetime.fromtimestamp(time, UTC).isoformat()


def span(begin: Moment | None, end: Moment | None, last: float) -> tuple[float, float]:
    """Return the moments between which a recording is shown, in seconds since the epoch.

    A time of day at the beginning is the last such time in the recording; at the end, the next one after the
    beginning.

    Args:
        begin: None: the beginning of the recording.
        end: None: its end.
        last: when the recording ends.
    """
    since = 0.0 if begin is None else _before(begin, last)
    if end is None:
        return since, float("inf")
    if isinstance(end, Clock) and begin is not None:
        return since, _at(end, since, +1)
    return since, _before(end, last)


def find(moment: Moment, here: float, begin: float, end: float) -> float:
    """Return when it is, seen from a moment of a recording, in seconds since the epoch.

    A time of day is the nearest one that lies in the recording, else the nearest one.

    Args:
        moment: a time of day, a date, or how long before `here`.
        here: the moment that is on the screen.
        begin: when the recording begins.
        end: when it ends; infinite where that is not known yet.
    """
    if isinstance(moment, Date):
        return moment.time
    if isinstance(moment, Ago):
        return here - moment.seconds
    near = sorted((_at(moment, here, -1), _at(moment, here, +1)), key=lambda time: abs(time - here))
    beyond = [_at(moment, begin, +1), _at(moment, min(end, here), -1)]
    return next((time for time in (*near, *beyond) if begin <= time <= end), near[0])


def _before(moment: Moment, last: float) -> float:
    """Return when it was, at the end of the recording."""
    if isinstance(moment, Date):
        return moment.time
    if isinstance(moment, Ago):
        return last - moment.seconds
    return _at(moment, last, -1)


def _at(clock: Clock, near: float, direction: int) -> float:
    """Return the first such time of day from a moment on, forwards or backwards."""
    day = datetime.fromtimestamp(near)  # the local zone is what the user means
    found = day.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=0)
    if (found.timestamp() - near) * direction < 0:
        found += direction * _DAY
    return found.timestamp()
