"""Numbers fit the width that they are given, with every digit where that is possible."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slabtui.columns import numbers
from slabtui.columns.numbers import Unit

WIDTHS = st.integers(5, 20)
NUMBERS = st.integers(0, 10**18) | st.integers(0, 18).map(lambda power: 10**power) | st.integers(0, 10**6)


@pytest.mark.parametrize(
    ("number", "width", "written"),
    [
        (0, 5, "0"),
        (99_999, 5, "99999"),
        (100_000, 5, "100k"),
        (123_456, 6, "123456"),
        (1_234_567, 6, "1.23M"),
        (999_499, 5, "999k"),
        (999_500, 5, "1.00M"),
        (999_999, 5, "1.00M"),
        (999_999, 6, "999999"),
        (1_250_000, 5, "1.25M"),
        (12_500_000, 5, "12.5M"),
        (10**18, 5, "1.00E"),
    ],
)
def test_a_count_is_written_in_thousands_where_its_digits_do_not_fit(number: int, width: int, written: str) -> None:
    assert numbers.count(number, width) == written


@pytest.mark.parametrize(
    ("number", "width", "written"),
    [
        (1023, 5, "1023"),
        (1024, 5, "1024"),
        (1023 * 1024, 5, "1.0Mi"),
        (1023 * 1024, 6, "1023Ki"),
        (1024 * 1024 - 1, 6, "1.00Mi"),
        (1024 * 1024 - 1, 7, "1048575"),
        (1024 * 1024, 6, "1.00Mi"),
        (1280 * 1024, 6, "1.25Mi"),
        (10**18, 6, "888Pi"),
        (2**60, 6, "1.00Ei"),
    ],
)
def test_a_size_is_written_in_iec_units_where_its_digits_do_not_fit(number: int, width: int, written: str) -> None:
    assert numbers.size(number, width) == written


@pytest.mark.parametrize("write", [numbers.count, numbers.size])
@given(number=NUMBERS, width=WIDTHS)
@example(number=1023 * 1024, width=5)
def test_no_number_is_wider_than_its_column(write, number: int, width: int) -> None:
    assert 0 < len(write(number, width)) <= width


@pytest.mark.parametrize("write", [numbers.count, numbers.size])
@given(number=NUMBERS, width=WIDTHS)
def test_every_digit_is_written_exactly_where_all_fit(write, number: int, width: int) -> None:
    assert (write(number, width) == str(number)) == (len(str(number)) <= width)


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0 B/s"),
        (1023, "1023 B/s"),
        (1023.4, "1023 B/s"),
        (1023.6, "1.00 KiB/s"),
        (1024, "1.00 KiB/s"),
        (1024 * 1024 - 1, "1.00 MiB/s"),
        (1023 * 1024, "1023 KiB/s"),
        (1.25 * 1024 * 1024, "1.25 MiB/s"),
    ],
)
def test_a_rate_of_bytes_is_written_in_iec_units(number: float, written: str) -> None:
    assert numbers.byte_rate(number) == written


@given(st.floats(0, 1e18))
def test_a_rate_of_bytes_takes_ten_columns_at_most(number: float) -> None:
    assert len(numbers.byte_rate(number)) <= len("1023 KiB/s")


@pytest.mark.parametrize(("unit", "written"), [(Unit.OBJECTS, "1.31M"), (Unit.BYTES, "1.2Mi")])
def test_an_amount_is_written_by_what_it_counts(unit: Unit, written: str) -> None:
    assert numbers.WRITERS[unit](1_310_720, 5) == written
