"""Moments that a user names, in the local time zone."""

import time
from collections.abc import Iterator
from datetime import datetime
from math import inf

import pytest

from slabtui.recording.moments import Ago, Clock, Date, Moment, parse, span, spell


@pytest.fixture(autouse=True)
def _zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two hours before UTC in winter."""
    monkeypatch.setenv("TZ", "Europe/Helsinki")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def utc(text: str) -> float:
    return datetime.fromisoformat(f"2026-{text}:00+00:00").timestamp()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("02:30", Clock(2, 30, 0)),
        ("23:59:58", Clock(23, 59, 58)),
        ("2026-11-26T02:30", Date(utc("11-26T00:30"))),
        ("2026-11-26 02:30", Date(utc("11-26T00:30"))),
        ("2026-11-26T02:30Z", Date(utc("11-26T02:30"))),
        ("2026-11-26T02:30+05:30", Date(utc("11-25T21:00"))),
        ("2026-11-26", Date(utc("11-25T22:00"))),
    ],
)
def test_a_moment_is_read(text: str, moment: Moment) -> None:
    assert parse(text) == moment


@pytest.mark.parametrize("moment", [Ago(21_600), Clock(2, 30, 0), Clock(23, 59, 58), Date(utc("11-26T00:30") + 0.5)])
def test_a_moment_is_spelled_as_it_is_read(moment: Moment) -> None:
    assert parse(spell(moment)) == moment


@pytest.mark.parametrize("text", ["", "24:00", "2:60", "now", "2026-13-01", "0001-01-01T00:00", "1:1"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the command line has the words
        parse(text)


LAST = utc("11-26T10:00")  # 12:00 here


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        (None, Ago(3600), (0.0, LAST - 3600)),
        (Ago(60), None, (LAST - 60, inf)),
        (Clock(2, 30, 0), None, (utc("11-26T00:30"), inf)),
        (Clock(12, 0, 0), None, (LAST, inf)),
        (Clock(12, 1, 0), None, (utc("11-25T10:01"), inf)),
        (None, Clock(2, 30, 0), (0.0, utc("11-26T00:30"))),
        (Clock(23, 0, 0), Clock(2, 0, 0), (utc("11-25T21:00"), utc("11-26T00:00"))),
        (Clock(11, 0, 0), Clock(13, 0, 0), (utc("11-26T09:00"), utc("11-26T11:00"))),
        (Date(LAST - 5), Clock(13, 0, 0), (LAST - 5, utc("11-26T11:00"))),
    ],
)
def test_a_time_of_day_is_the_last_one_and_ends_at_the_next_one(
    begin: Moment | None, end: Moment | None, expected: tuple[float, float]
) -> None:
    assert span(begin, end, LAST) == expected


def test_a_day_on_which_the_clock_changes_has_another_length() -> None:
    last = utc("10-25T10:00")  # in Helsinki, the clock was set back by an hour at 01:00 UTC
    assert span(Clock(2, 0, 0), None, last) == (utc("10-24T23:00"), inf)
