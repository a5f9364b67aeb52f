"""A real mouse: the escape sequences of a terminal (SGR 1006), a pseudo-terminal, and a replay on a real screen."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from tests.support.terminal import Terminal

LEFT, MIDDLE, RIGHT, WHEEL_UP, WHEEL_DOWN, DRAG, SHIFT = 0, 1, 2, 64, 65, 32, 4
ON = (b"\x1b[?1000h", b"\x1b[?1002h", b"\x1b[?1006h")
OFF = (b"\x1b[?1000l", b"\x1b[?1002l", b"\x1b[?1006l")
HEADING = 2  # the line of the headings on a terminal with 24


class Mouse:
    """A terminal with a mouse; columns and rows begin with 0."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def send(self, button: int, x: int, y: int, end: str = "M") -> None:
        self.terminal.type(f"\x1b[<{button};{x + 1};{y + 1}{end}")

    def click(self, x: int, y: int, button: int = LEFT) -> None:
        self.send(button, x, y)
        self.send(button, x, y, "m")

    def click_on(self, text: str) -> None:
        """Click in the middle of a text that the screen shows once."""
        found = [(line.index(text), y) for y, line in enumerate(self.terminal.lines) if text in line]
        assert len(found) == 1, found
        self.click(found[0][0] + len(text) // 2, found[0][1])

    def selected(self) -> str:
        """Return the name in the row that is drawn in reverse video."""
        screen = self.terminal.screen
        rows = [y for y in range(screen.lines) if screen.buffer[y][0].reverse]
        assert len(rows) <= 1
        return screen.display[rows[0]].split()[0] if rows else ""


@pytest.fixture
def mouse() -> Iterator[Mouse]:
    with Terminal([sys.executable, "-m", "slabtui", "--demo"], size=(100, 24)) as terminal:
        terminal.wait_for(lambda: "REPLAY" in terminal.lines[0] and "CACHE" in terminal.lines[HEADING])
        terminal.type("p")
        terminal.wait_for(lambda: "PAUSED" in terminal.lines[0])
        terminal.draw_for(0.5)  # the rest of the frame
        yield Mouse(terminal)
        terminal.type("Q")
        assert terminal.wait_for_exit() == 0


def test_the_mouse_is_switched_on_and_off_again(mouse: Mouse) -> None:
    assert all(mode in mouse.terminal.output for mode in ON)
    mouse.terminal.type("Q")
    assert mouse.terminal.wait_for_exit() == 0
    output = mouse.terminal.output
    assert all(output.rfind(off) > output.rfind(on) for on, off in zip(ON, OFF, strict=True))


def test_a_click_on_a_heading_sorts_and_a_second_one_reverses(mouse: Mouse) -> None:
    terminal = mouse.terminal
    mouse.click_on("ALLOCS")
    terminal.wait_for(lambda: "▼" in terminal.lines[HEADING].partition("ALLOCS")[2].partition(" ")[0])
    mouse.click_on("ALLOCS")
    terminal.wait_for(lambda: "▲" in terminal.lines[HEADING].partition("ALLOCS")[2].partition(" ")[0])
    mouse.click_on("HISTORY")
    terminal.wait_for(lambda: "cannot be sorted" in terminal.lines[-2])


def test_a_click_selects_a_row_and_a_second_one_opens_its_page_whose_tabs_can_be_clicked(mouse: Mouse) -> None:
    terminal = mouse.terminal
    name = terminal.lines[HEADING + 5].split()[0]
    mouse.click(3, HEADING + 5)
    terminal.wait_for(lambda: mouse.selected() == name)
    mouse.click(3, HEADING + 5)
    terminal.wait_for(lambda: name in terminal.lines[2] and "Callers" in terminal.lines[2])
    mouse.click_on("5 About")
    terminal.wait_for(lambda: "Object" in terminal.text)
    mouse.click_on("3 Processes")
    terminal.wait_for(lambda: "Object" not in terminal.text)
    mouse.click_on("Back")
    terminal.wait_for(lambda: "CACHE" in terminal.lines[HEADING])


def test_the_wheel_and_the_scroll_bar_scroll(mouse: Mouse) -> None:
    terminal = mouse.terminal
    first = terminal.lines[HEADING + 1]
    mouse.send(WHEEL_DOWN, 10, 10)
    terminal.wait_for(lambda: terminal.lines[HEADING + 1] != first)
    mouse.send(WHEEL_UP, 10, 10)
    terminal.wait_for(lambda: terminal.lines[HEADING + 1] == first)
    mouse.click(99, HEADING + 19)
    terminal.wait_for(lambda: terminal.lines[HEADING + 1] != first)
    lower = terminal.lines[HEADING + 1]
    mouse.send(LEFT, 99, HEADING + 10)
    mouse.send(DRAG, 50, HEADING + 1)
    mouse.send(LEFT, 50, HEADING + 1, "m")
    terminal.wait_for(lambda: terminal.lines[HEADING + 1] not in (lower, ""))
    terminal.wait_for(lambda: terminal.lines[HEADING + 1] == first)


def test_hints_are_keys_and_a_click_beside_a_dialog_closes_it(mouse: Mouse) -> None:
    terminal = mouse.terminal
    mouse.click_on("Help")
    terminal.wait_for(lambda: "slabtui help" in terminal.text)
    top = terminal.lines[2]
    mouse.send(WHEEL_DOWN, 20, 10)
    terminal.wait_for(lambda: terminal.lines[2] != top)
    mouse.click(20, 10)
    mouse.click(0, 23)
    terminal.wait_for(lambda: "slabtui help" not in terminal.text)


@pytest.mark.parametrize(
    "sent",
    [
        "\x1b[<2;10;8M\x1b[<2;10;8m",
        "\x1b[<1;10;8M\x1b[<1;10;8m",
        "\x1b[<4;10;8M\x1b[<4;10;8m",
        "\x1b[<16;10;3M\x1b[<16;10;3m",
        "\x1b[<0;500;300M\x1b[<0;500;300m",
        "\x1b[<0;0;0M",
        "\x1b[<32;10;9M\x1b[<32;10;12M\x1b[<0;10;12m",
        "\x1b[<0;10;8m",
        "\x1b[<66;10;8M\x1b[<67;10;8M\x1b[<128;10;8M",
        "\x1b[M !!\x1b[M#!!",
        "\x1b[1;2R",
    ],
)
def test_what_is_no_click_of_the_left_button_changes_nothing(mouse: Mouse, sent: str) -> None:
    """Other buttons, modifiers, places beyond the screen, drags and releases alone, the old encoding."""
    terminal = mouse.terminal
    before = [*terminal.lines]
    terminal.type(sent)
    terminal.draw_for(0.5)
    terminal.type("\x0c")  # draws everything again, and removes a message
    terminal.draw_for(0.3)
    assert terminal.lines == before


def test_a_click_beyond_column_223_is_found(mouse: Mouse) -> None:
    terminal = mouse.terminal
    terminal.resize((300, 24))
    os.kill(terminal.pid, signal.SIGWINCH)
    terminal.wait_for(lambda: "PAUSED" in terminal.lines[0][280:])
    place = terminal.lines[5].split()[0]
    mouse.click(250, 5)
    terminal.wait_for(lambda: mouse.selected() == place)


def test_while_one_types_only_the_prompt_is_clicked(mouse: Mouse) -> None:
    terminal = mouse.terminal
    terminal.type("/kmalloc")
    terminal.wait_for(lambda: "Filter: kmalloc" in terminal.lines[-1])
    mouse.click(3, 7)
    mouse.click(10, 23)  # between m and a
    terminal.type("x")
    terminal.wait_for(lambda: "Filter: kmxalloc" in terminal.lines[-1])
    terminal.type("\x1b[200~y")
    mouse.click(3, 7)
    terminal.type("\x1b[201~")
    terminal.wait_for(lambda: "Filter: kmxyalloc" in terminal.lines[-1])
    terminal.type("\x1b")
    terminal.wait_for(lambda: "Filter:" not in terminal.lines[-1])


@pytest.mark.parametrize(("options", "term"), [(["--no-mouse"], "xterm-256color"), ([], "linux")])
def test_a_mouse_that_is_not_wanted_is_not_switched_on(options: list[str], term: str) -> None:
    command = [sys.executable, "-m", "slabtui", "--demo", *options]
    with Terminal(command, size=(100, 24), env={"TERM": term}) as terminal:
        terminal.wait_for(lambda: "CACHE" in terminal.text)
        assert not any(mode in terminal.output for mode in ON)
        terminal.type("Q")
        assert terminal.wait_for_exit() == 0
