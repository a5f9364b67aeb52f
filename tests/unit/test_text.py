"""Hostile names come out harmless and told apart, numbers come out in the width that they are given."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slabtui import text

WIDTHS = st.integers(5, 20)
NUMBERS = st.integers(0, 10**18) | st.integers(0, 18).map(lambda power: 10**power) | st.integers(0, 10**6)
NAMES = st.lists(st.binary(max_size=8) | st.text(max_size=8).map(str.encode), max_size=8).map(b"".join)


def original(shown: str) -> bytes:
    """Take the escapes back: what printable() does to a name can be undone, so no two names look the same."""
    parts = re.split(r"(\\\\|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\U[0-9a-f]{8})", shown)
    return b"".join(_original(part) for part in parts)


def _original(part: str) -> bytes:
    if part == r"\\":
        return b"\\"
    if part.startswith(r"\x"):
        return bytes.fromhex(part[2:])
    return part.encode().decode("unicode-escape").encode() if part.startswith("\\") else part.encode()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"", ""),
        (b"kmalloc-rnd-01-8k", "kmalloc-rnd-01-8k"),
        (b"x" * 64, "x" * 64),
        (b" two  words ", " two  words "),
        ("größe-日本".encode(), "größe-日本"),
        (b"\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        (b"a\nb\r\tc\0\x7f", r"a\x0ab\x0d\x09c\x00\x7f"),
        (b"\xff\xfe-\xc3", r"\xff\xfe-\xc3"),
        (b"\x9b2J", r"\x9b2J"),
        ("\u009b2J".encode(), r"\u009b2J"),
        ("\u00a0".encode(), r"\u00a0"),
        ("a\u202eb\u2066c\u200dd".encode(), r"a\u202eb\u2066c\u200dd"),
        ("\u2028\ue000".encode(), r"\u2028\ue000"),
        ("\U000e0001".encode(), r"\U000e0001"),
        (rb"C:\x1b", r"C:\\x1b"),
    ],
)
def test_what_a_terminal_acts_upon_is_shown_as_an_escape(raw: bytes, shown: str) -> None:
    assert text.printable(raw) == shown


@given(NAMES)
def test_a_shown_name_prints_and_has_no_control_character(raw: bytes) -> None:
    shown = text.printable(raw)
    assert shown.isprintable()
    assert not any(unicodedata.category(character).startswith("C") for character in shown)


@given(NAMES)
@example(b"\x80")
@example("\u0080".encode())
@example(rb"\x80")
def test_no_two_names_look_the_same(raw: bytes) -> None:
    assert original(text.printable(raw)) == raw


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
    assert text.count(number, width) == written


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
    assert text.size(number, width) == written


@pytest.mark.parametrize("write", [text.count, text.size])
@given(number=NUMBERS, width=WIDTHS)
@example(number=1023 * 1024, width=5)
def test_no_number_is_wider_than_its_column(write, number: int, width: int) -> None:
    assert 0 < len(write(number, width)) <= width


@pytest.mark.parametrize("write", [text.count, text.size])
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
    assert text.byte_rate(number) == written


@given(st.floats(0, 1e18))
def test_a_rate_of_bytes_takes_ten_columns_at_most(number: float) -> None:
    assert len(text.byte_rate(number)) <= len("1023 KiB/s")
