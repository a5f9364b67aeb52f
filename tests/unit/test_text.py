"""Hostile names become safe to print, and different names stay different."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slabtui import text

NAMES = st.lists(st.binary(max_size=8) | st.text(max_size=8).map(str.encode), max_size=8).map(b"".join)


def original(shown: str) -> bytes:
    """Undo printable(): that this is possible shows that no two names have the same text."""
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
    ("given", "shown"),
    [
        ("a\\x1b", "a\\x1b"),
        ("two\nlines", r"two\x0alines"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\udcff", r"\xff"),
        ("größe", "größe"),
    ],
)
def test_a_message_keeps_its_backslashes_and_has_no_control_character(given: str, shown: str) -> None:
    assert text.visible(given) == shown


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("kmalloc-64", "kmalloc-64"),
        ("Collecting…", "Collecting..."),
        ("“dentry”", '"dentry"'),
        ("größe", r"gr\u00f6\u00dfe"),
        ("\U0001f600", r"\U0001f600"),
    ],
)
def test_outside_utf_8_every_character_is_ascii(given: str, shown: str) -> None:
    assert text.ascii_only(given) == shown


@given(st.text())
def test_any_text_becomes_ascii(given: str) -> None:
    assert text.ascii_only(given).isascii()
