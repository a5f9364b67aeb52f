"""The styles can be read on every terminal, and the terminal is used as its terminfo and the user say."""

import os
import subprocess
import sys

import pytest
from urwid import AttrSpec

from slabtui.views import terminal
from tests.tools.picture import dull

BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def luminance(colour: tuple[int, ...]) -> float:
    """Return the relative luminance of a colour, as WCAG 2 defines it."""
    linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colours", [8, 16])
@pytest.mark.parametrize("entry", terminal.PALETTE, ids=lambda entry: entry[0])
def test_every_style_can_be_read_on_a_dark_and_on_a_light_background(entry: tuple[str, ...], colours: int) -> None:
    spec = AttrSpec(entry[1], entry[2], 16)
    if colours == 8:
        spec = dull(spec)
    red, green, blue, *paper = spec.get_rgb_values()
    if red is None:
        assert paper[0] is None  # both are the terminal's own
        return
    papers = [BLACK, WHITE] if paper[0] is None else [tuple(paper)]
    for behind in papers:
        assert contrast((red, green, blue), behind) > (1.8 if len(papers) == 2 else 4)


def test_no_style_needs_a_bright_background_which_blinks_on_the_linux_console() -> None:
    bright = ("dark gray", "light red", "light green", "yellow", "light blue", "light magenta", "light cyan", "white")
    assert not [entry for entry in terminal.PALETTE if entry[2] in bright]


def test_every_style_that_is_explained_exists() -> None:
    assert {name for name, _ in terminal.MEANINGS} <= {entry[0] for entry in terminal.PALETTE}


@pytest.mark.parametrize(
    ("term", "no_color", "colours"),
    [
        ("vt100", "", "1"),
        ("dumb", "", "1"),
        ("linux", "", "16"),
        ("xterm", "", "16"),
        ("screen", "", "16"),
        ("xterm-256color", "", "256"),
        ("xterm-256color", "1", "1"),
        ("no-such-terminal", "", "16"),
    ],
)
def test_a_terminal_has_the_colours_of_its_terminfo(term: str, no_color: str, colours: str) -> None:
    code = "from slabtui.views import terminal; print(terminal.screen().colors)"
    env = {name: value for name, value in os.environ.items() if name not in ("COLORTERM", "FORCE_COLOR", "WT_SESSION")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**env, "TERM": term, "NO_COLOR": no_color},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == colours


@pytest.mark.parametrize(
    ("term", "has"), [("linux", False), ("linux-16color", False), ("xterm", True), ("screen.linux", True), ("", True)]
)
def test_the_linux_console_is_not_asked_for_the_mouse(term: str, has: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """urwid would start another program for it there."""
    monkeypatch.setenv("TERM", term)
    assert terminal.has_mouse() == has
