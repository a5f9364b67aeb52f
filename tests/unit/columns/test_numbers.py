"""Numbers are written in one of three styles, and fit the width that they are given."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.columns import numbers
from slabtui.columns.numbers import Style, Unit


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0"),
        (1023, "1023"),
        (1023.4, "1023"),
        (1023.6, "1.00Ki"),
        (1024, "1.00Ki"),
        (1024 * 1024 - 1, "1.00Mi"),
        (1023 * 1024, "1023Ki"),
        (1.25 * 1024 * 1024, "1.25Mi"),
    ],
)
def test_four_digits_stand_before_the_next_unit_of_bytes_only(number: float, written: str) -> None:
    assert numbers.human(number, Unit.BYTES) == written


@pytest.mark.parametrize(
    ("share", "written"), [(0, "0.0%"), (0.0994, "9.9%"), (0.0996, "10%"), (0.42, "42%"), (1, "100%")]
)
def test_a_share_has_two_digits(share: float, written: str) -> None:
    assert numbers.percent(share) == written


@pytest.mark.parametrize(
    ("number", "unit", "written"),
    [
        (0, Unit.OBJECTS, "0"),
        (7, Unit.OBJECTS, "7"),
        (5.0, Unit.OBJECTS, "5"),
        (5.333, Unit.OBJECTS, "5.33"),
        (5.996, Unit.OBJECTS, "6"),
        (12.04, Unit.OBJECTS, "12"),
        (0.25, Unit.OBJECTS, "0.25"),
        (0.001, Unit.OBJECTS, "0.00"),
        (-0.001, Unit.OBJECTS, "-0.00"),
        (-42, Unit.OBJECTS, "-42"),
        (999.4, Unit.OBJECTS, "999"),
        (999.5, Unit.OBJECTS, "1.00k"),
        (1234, Unit.OBJECTS, "1.23k"),
        (12_345, Unit.OBJECTS, "12.3k"),
        (123_456, Unit.OBJECTS, "123k"),
        (999_500, Unit.OBJECTS, "1.00M"),
        (-1_234_567, Unit.OBJECTS, "-1.23M"),
        (1023, Unit.BYTES, "1023"),
        (1023.6, Unit.BYTES, "1.00Ki"),
        (1023 * 1024, Unit.BYTES, "1023Ki"),
        (1.25 * 1024**2, Unit.BYTES, "1.25Mi"),
        (2**64 - 1, Unit.BYTES, "16.0Ei"),
        (2**64 - 1, Unit.OBJECTS, "18.4E"),
        (2**100, Unit.BYTES, "1.00Qi"),
        (-(2.0**127), Unit.BYTES, "-2e+38"),
    ],
)
def test_a_number_for_people_has_three_significant_digits(number: float, unit: Unit, written: str) -> None:
    assert numbers.human(number, unit) == written


@pytest.mark.parametrize(
    ("number", "unit", "style", "width", "written"),
    [
        (512, Unit.BYTES, Style.HUMAN, 8, "512  "),
        (4096, Unit.BYTES, Style.HUMAN, 8, "4.00Ki"),
        (512, Unit.OBJECTS, Style.HUMAN, 8, "512 "),
        (1_234_567, Unit.OBJECTS, Style.GROUPED, 9, "1,234,567"),
        (1_234_567, Unit.OBJECTS, Style.GROUPED, 8, "1.23M"),
        (1_234_567, Unit.BYTES, Style.RAW, 7, "1234567"),
        (0.667, Unit.OBJECTS, Style.RAW, 9, "0.67"),
        (1499.55, Unit.OBJECTS, Style.GROUPED, 9, "1,500"),
        (-1234, Unit.OBJECTS, Style.GROUPED, 9, "-1,234"),
    ],
)
def test_a_number_is_written_as_asked_and_units_stand_below_each_other(
    number: float, unit: Unit, style: Style, width: int, written: str
) -> None:
    assert numbers.write(number, unit, style, width) == written


@given(st.floats(-(2.0**128), 2.0**128), st.sampled_from([Unit.OBJECTS, Unit.BYTES]), st.sampled_from(Style))
def test_no_number_is_wider_than_a_column_that_has_room_for_people(number: float, unit: Unit, style: Style) -> None:
    for width in range(5 + numbers.UNIT_WIDTH[unit], 27):
        assert 0 < len(numbers.write(number, unit, style, width)) <= width


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0 s"),
        (40.4, "40 s"),
        (60, "1 min"),
        (90, "1 min 30 s"),
        (13_200, "3 h 40 min"),
        (13_229, "3 h 40 min"),
        (7199, "2 h"),
        (86_400 * 12 + 4 * 3600, "12 d 4 h"),
        (86_400 * 400, "1 y 35 d"),
    ],
)
def test_a_length_of_time_has_its_two_largest_units(seconds: float, written: str) -> None:
    assert numbers.duration(seconds) == written


def test_times_of_a_recording_that_was_made_up_are_written() -> None:
    assert re.fullmatch(r"\d\d:\d\d:\d\d", numbers.clock(-1e300))
    assert re.fullmatch(r"999[89]", numbers.clock(math.inf, "%Y"))
    assert numbers.duration(math.inf) == numbers.duration(1e300) == "8034 y 122 d"
