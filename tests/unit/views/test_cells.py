"""Text is measured in columns of the terminal, and cut to fit them."""

import pytest
import urwid
from hypothesis import given
from hypothesis import strategies as st

from slabtui.views.cells import cells, clip

NARROW = "aZ~ ▁▂▃▄▅▆▇█…▲▼┃"
TEXTS = st.text(NARROW) | st.text(NARROW + "名é́😀‖█▉▊░", max_size=20) | st.text(max_size=20).filter(str.isprintable)


@pytest.fixture(autouse=True)
def utf8() -> None:
    urwid.set_encoding("utf-8")


@given(TEXTS)
def test_what_is_measured_quickly_takes_as_many_columns_as_urwid_measures(text: str) -> None:
    assert cells(text) == urwid.calc_width(text, 0, len(text))


@given(TEXTS, st.integers(0, 30))
def test_what_is_cut_takes_exactly_the_width_and_what_fits_stays(text: str, width: int) -> None:
    cut = clip(text, width)
    assert urwid.calc_width(cut, 0, len(cut)) == width
    if urwid.calc_width(text, 0, len(text)) <= width:
        assert cut == text.ljust(len(text) + width - urwid.calc_width(text, 0, len(text)))
