"""Lines of text in styles are drawn as urwid's own text widget draws them."""

import pytest
import urwid
from hypothesis import given
from hypothesis import strategies as st

from slabtui.views.canvas import draw, encode

PIECES = st.tuples(st.sampled_from([None, "title", "dim"]), st.text("ab ▃名é\n", max_size=12))


@pytest.fixture(autouse=True)
def utf8() -> None:
    urwid.set_encoding("utf-8")


def characters(canvas: urwid.Canvas) -> list[list[tuple[object, str]]]:
    """Return every character of a canvas with its style."""
    return [[(style, one) for style, _, text in row for one in text.decode()] for row in canvas.content()]


@given(st.lists(PIECES, max_size=6), st.integers(1, 20))
def test_lines_are_drawn_as_by_the_text_widget_which_lays_them_out(
    markup: list[tuple[str | None, str]], width: int
) -> None:
    drawn = draw(markup, width)
    expected = urwid.Text(markup or "", wrap="clip").render((width,))
    assert (drawn.cols(), drawn.rows()) == (width, expected.rows())
    assert drawn.text == expected.text
    if not any(
        "名" in text for _, text in markup
    ):  # urwid's style of half a wide character depends on what is before it
        assert characters(drawn) == characters(expected)


@given(st.text("ab ▃名é\x1b\x9b\x0e\u2028\ud800", max_size=12))
def test_only_printable_text_is_written_without_a_look_for_control_characters(text: str) -> None:
    unchanged = [run for _, charset, run in encode("title", text) if charset == "U"]
    assert all(run.decode().isprintable() for run in unchanged)
    assert bool(unchanged) == (text.isprintable() and not text.isascii())
