"""Looking back in a directory of segments, on a real screen: jumps, the time line, a click on it, and the search."""

import re
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from slabtui.model.snapshot import Snapshot
from slabtui.recording.flight import DirectorySink
from slabtui.recording.limits import Limits
from tests.support.flight import BEGIN, day
from tests.support.recordings import write
from tests.support.terminal import Terminal

INTERVALS, SECONDS = 1440, 10.0
GROWS_AT = (1000, 400)  # intervals, the one of the stronger growth first
LINE = -3  # the time line on a terminal with 24 lines


def recorded() -> Iterator[Snapshot]:
    """Yield four hours in which one cache grows twice, and allocates more than all others."""
    for at, one in enumerate(day(30, INTERVALS, SECONDS)):
        mem = (50 << 20 if at >= GROWS_AT[0] else 0) + (20 << 20 if at >= GROWS_AT[1] else 0)
        filp = replace(one.rows[-1], name="filp", mem=mem, allocs=10**9, bytes=10**12)
        assert one.memory is not None
        assert one.memory.slab is not None
        memory = replace(one.memory, slab=one.memory.slab + 10 * mem)
        yield replace(one, rows=(*one.rows[:-1], filp), memory=memory)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flight")
    write(DirectorySink(path, Limits()), recorded())
    return path


@pytest.fixture
def screen(directory: Path) -> Iterator[Terminal]:
    command = [sys.executable, "-m", "slabtui", "--replay", f"{directory}/"]
    with Terminal(command, size=(80, 24), env={"TZ": "UTC"}) as terminal:
        terminal.wait_for(lambda: "REPLAY" in terminal.lines[0])
        terminal.wait_for(lambda: re.search(clock(INTERVALS) + " *$", terminal.lines[LINE]) is not None)
        terminal.type("p")
        terminal.wait_for(lambda: "PAUSED" in terminal.lines[0])
        yield terminal
        terminal.type("Q")
        assert terminal.wait_for_exit() == 0


def clock(number: int) -> str:
    """Return when an interval ended, from 1."""
    return time.strftime("%H:%M:%S", time.gmtime(BEGIN + number * SECONDS))


def shows(terminal: Terminal, number: int) -> bool:
    return terminal.lines[0].startswith(clock(number))


def marked(terminal: Terminal) -> list[int]:
    """Return the columns of the time line that are marked."""
    row = terminal.screen.buffer[terminal.screen.lines + LINE]
    return [column for column in range(terminal.screen.columns) if row[column].reverse]


def test_a_jump_by_the_clock_shows_that_moment_with_its_past(screen: Terminal) -> None:
    screen.type("t")
    screen.wait_for(lambda: "Go to:" in screen.lines[-1])
    screen.type(clock(700)[:5] + "\r")
    screen.wait_for(lambda: screen.lines[0].startswith(clock(700)[:5]))
    assert "PAUSED" in screen.lines[0]
    row = next(line for line in screen.lines if line.startswith("filp"))
    assert row.rstrip(" │┃").endswith("████")
    screen.type("t-10m\r")
    screen.wait_for(lambda: screen.lines[0].startswith(clock(640)[:5]))
    screen.type("t25:99\r")
    screen.wait_for(lambda: "no moment, as 02:30" in screen.lines[-1])
    screen.type("\x1b")
    screen.wait_for(lambda: "Go to:" not in screen.lines[-1])


def test_the_first_and_the_last_moment_and_ten_intervals(screen: Terminal) -> None:
    for key, number in (")", INTERVALS), ("{", INTERVALS - 10), ("[", INTERVALS - 11), ("}", INTERVALS - 1), ("(", 1):
        screen.type(key)
        screen.wait_for(lambda number=number: shows(screen, number))
    screen.type("}")
    screen.wait_for(lambda: shows(screen, 11))


def test_a_click_on_the_time_line_jumps_there(screen: Terminal) -> None:
    row, column = screen.screen.lines + LINE, 40
    begin = screen.lines[row].index("▁")
    assert marked(screen) == [begin]
    screen.type(f"\x1b[<0;{column + 1};{row + 1}M\x1b[<0;{column + 1};{row + 1}m")
    screen.wait_for(lambda: marked(screen) == [column])
    assert not shows(screen, 1)


def test_the_search_goes_from_the_strongest_growth_to_the_next(screen: Terminal) -> None:
    for number, amount in zip((*GROWS_AT, GROWS_AT[0]), ("50.0", "20.0", "50.0"), strict=True):
        screen.type("w")
        found = f"filp +{amount}MiB in 5 min at {clock(number + 1)}"
        screen.wait_for(lambda found=found: found in screen.lines[-2])
        screen.wait_for(lambda number=number: shows(screen, number + 1))
    screen.type("W")
    screen.wait_for(lambda: "slab memory +500MiB in 5 min" in screen.lines[-2])
    screen.type("W")
    screen.wait_for(lambda: shows(screen, GROWS_AT[1] + 1))
    screen.type("(")
    screen.wait_for(lambda: shows(screen, 1))


def test_a_search_of_what_is_known_already_jumps_at_once(screen: Terminal) -> None:
    screen.type("W")
    screen.wait_for(lambda: shows(screen, GROWS_AT[0] + 1), 5.0)


def test_a_small_terminal_has_no_time_line(directory: Path) -> None:
    with Terminal([sys.executable, "-m", "slabtui", "--replay", str(directory)], size=(40, 10)) as terminal:
        terminal.wait_for(lambda: "filp" in terminal.text)
        terminal.draw_for(0.5)
        assert clock(INTERVALS)[:5] not in terminal.text
        terminal.type("Q")
        assert terminal.wait_for_exit() == 0
