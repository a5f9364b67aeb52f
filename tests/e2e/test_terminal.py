"""The program in a real terminal: it draws by itself, it answers keys, and it leaves the terminal as it was."""

import os
import re
import signal
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.bpf import gone, held_by, program_ids
from tests.support.terminal import Terminal

ENTER_SCREEN, LEAVE_SCREEN, SHOW_CURSOR = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?25h"
NAMED_ROW = re.compile(r"^[\w:-]+…?( +\d[\d.]*[kKMGi]*){2,3} ", re.MULTILINE)


def slabtui(*arguments: str, **more: object) -> Terminal:
    return Terminal([sys.executable, "-m", "slabtui", *arguments], **more)


def faulty(kind: str, *arguments: str, **more: object) -> Terminal:
    return Terminal([sys.executable, "-m", "tests.support.faulty", kind, *arguments], **more)


def restored(terminal: Terminal) -> bool:
    """Return whether the screen was entered and left, and every mode that was switched on is off: the mouse, too."""
    modes = set(re.findall(rb"\x1b\[\?(\d+)h", terminal.output)) - {b"25"}  # the cursor
    off = all(terminal.output.rfind(b"\x1b[?%sl" % mode) > terminal.output.rfind(b"\x1b[?%sh" % mode) for mode in modes)
    return off and {b"1049", b"1000", b"1002", b"1006"} <= modes


def test_the_terminal_of_these_tests_controls_what_runs_in_it_and_needs_no_fork_beside_threads() -> None:
    """Python 3.12 and later warn of such a fork."""
    script = "trap 'echo interrupted; exit 3' INT; echo ready >/dev/tty; sleep 60 & wait"
    with ThreadPoolExecutor() as pool, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        pool.submit(os.getpid).result()
        with Terminal(["sh", "-c", script]) as terminal:
            terminal.wait_for(lambda: "ready" in terminal.text)
            terminal.type("\x03")
            assert terminal.wait_for_exit() == 3
            assert "interrupted" in terminal.text
    assert warned == []


@pytest.mark.live
@pytest.mark.parametrize("size", [(80, 24), (200, 50), (40, 10)])
def test_the_kernel_s_caches_are_drawn_without_a_key_pressed(size: tuple[int, int]) -> None:
    with slabtui("0.2", size=size) as terminal:
        terminal.wait_for(lambda: bool(NAMED_ROW.search(terminal.text)))
        first = terminal.text
        terminal.wait_for(lambda: terminal.text != first)
        assert "LIVE" in terminal.lines[0]
        terminal.type("q")
        assert terminal.wait_for_exit() == 0
        assert restored(terminal)


@pytest.mark.live
def test_a_count_ends_the_program() -> None:
    with slabtui("-s", "name", "-f", "~.", "0.2", "3") as terminal:
        assert terminal.wait_for_exit() == 0
        assert restored(terminal)


@pytest.mark.live
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 128 + 15), (signal.SIGHUP, 128 + 1)]
)
def test_a_signal_restores_the_terminal_and_detaches(number: signal.Signals, status: int) -> None:
    before = program_ids()
    with slabtui("0.2") as terminal:
        terminal.wait_for(lambda: bool(NAMED_ROW.search(terminal.text)))
        assert held_by(terminal.pid)[0] - before
        os.kill(terminal.pid, number)
        assert terminal.wait_for_exit() == status
        assert restored(terminal)
    assert gone(before)


@pytest.mark.live
def test_a_terminal_that_is_closed_ends_the_program_and_detaches() -> None:
    before = program_ids()
    with slabtui("0.2") as terminal:
        terminal.wait_for(lambda: bool(NAMED_ROW.search(terminal.text)))
        terminal.hang_up()
        assert terminal.wait_for_exit() == 128 + 1
    assert gone(before)


def test_a_collector_that_dies_is_reported_in_one_line_on_a_restored_terminal() -> None:
    with faulty("dying", "0.1") as terminal:
        assert terminal.wait_for_exit() == 1
        assert restored(terminal)
        after = terminal.output[terminal.output.rfind(LEAVE_SCREEN) :]
        assert b"slabtui: the collector ended: RuntimeError('the thread broke')" in after
        assert b"Traceback" not in terminal.output


def test_a_source_that_fails_is_reported_while_the_table_stays() -> None:
    with faulty("failing", "0.1") as terminal:
        terminal.wait_for(lambda: "cannot read the counters: the map is gone" in terminal.text)
        assert "dentry" in terminal.text
        terminal.type("q")
        assert terminal.wait_for_exit() == 0


def test_hostile_names_reach_the_terminal_as_text() -> None:
    with faulty("hostile", "0.1", size=(160, 24)) as terminal:
        terminal.wait_for(lambda: r"\x1b[2J\x1b]0;owned\x07" in terminal.text)
        terminal.wait_for(lambda: "x" * 64 in terminal.text)
        assert r"\xff\xfe\x0a\x0d\x09" in terminal.text
        assert b"owned\x07" not in terminal.output
        terminal.type("q")
        assert terminal.wait_for_exit() == 0


def test_a_filter_that_takes_too_long_is_refused_where_it_is_typed() -> None:
    with faulty("hostile", "0.1", size=(160, 24)) as terminal:
        terminal.wait_for(lambda: "6 of 6 caches" in terminal.text)
        terminal.type("/~(.+)+!")
        terminal.wait_for(lambda: "takes too long" in terminal.lines[-1], 20)
        terminal.type("\x7f\r")
        terminal.wait_for(lambda: "filter: ~(.+)+ " in terminal.text)
        terminal.type("q")
        assert terminal.wait_for_exit() == 0


def test_a_filter_that_takes_too_long_with_the_names_that_come_is_dropped() -> None:
    with faulty("hostile", "-f", "~(.+)+!", "0.1", size=(160, 24)) as terminal:
        terminal.wait_for(lambda: "filter ~(.+)+! takes too long" in terminal.text, 20)
        assert "6 of 6 caches" in terminal.text
        terminal.type("/evil\r")
        terminal.wait_for(lambda: "filter: evil" in terminal.text and "takes too long" not in terminal.text)
        terminal.type("q")
        assert terminal.wait_for_exit() == 0


@pytest.mark.parametrize("output", [["-C"], ["--output", "json"]])
def test_a_filter_that_takes_too_long_ends_an_output_in_one_line(output: list[str]) -> None:
    with faulty("hostile", *output, "-f", "~(.+)+!", "0.1", size=(160, 24)) as terminal:
        assert terminal.wait_for_exit(20) == 2
        assert b"slabtui: the filter ~(.+)+! takes too long: see slabtui --help\r\n" in terminal.output


def test_keys_and_sizes_while_500_caches_change_ten_times_a_second() -> None:
    with faulty("many", "0.1", size=(120, 24)) as terminal:
        terminal.wait_for(lambda: "500 of 500 caches" in terminal.text)
        terminal.type("/cache-49\r")
        terminal.wait_for(lambda: "11 of 500 caches" in terminal.text)
        terminal.type("\x1b")
        terminal.wait_for(lambda: "500 of 500 caches" in terminal.text)
        terminal.type("p")
        terminal.wait_for(lambda: "PAUSED" in terminal.lines[0])
        for size in ((40, 10), (200, 50), (20, 3), (80, 24)):
            terminal.resize(size)
            os.kill(terminal.pid, signal.SIGWINCH)
            terminal.wait_for(lambda size=size: len(terminal.lines) == size[1] and "PAUSED" in terminal.lines[0])
        terminal.type("p?")
        terminal.wait_for(lambda: "slabtui help" in terminal.text)
        terminal.type("qq")
        assert terminal.wait_for_exit() == 0
        assert restored(terminal)


@pytest.mark.parametrize(
    "sent", ["\x1b[1;2R", "\x1b[999;999R", "\x1b[M !!", "\x1b[<0;5;5M", "\x1b[I", "\x1b[200~x\x1b[201~"]
)
def test_what_is_no_key_of_ours_does_no_harm(sent: str) -> None:
    """Shift-F3, a report of the cursor, the mouse in two ways, the focus, something pasted."""
    with faulty("many", "0.1", size=(120, 24)) as terminal:
        terminal.wait_for(lambda: "500 of 500 caches" in terminal.text)
        terminal.type(sent)
        terminal.type("n")
        terminal.wait_for(lambda: "CACHE▲" in terminal.text)
        terminal.type("q")
        assert terminal.wait_for_exit() == 0
        assert restored(terminal)


def test_no_color_is_respected() -> None:
    colour = re.compile(rb"\x1b\[[0-9;]*(3[0-7]|4[0-7]|38;5|48;5)[0-9;]*m")
    for env, coloured in (({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)):
        with faulty("many", "0.1", size=(120, 24), env=env) as terminal:
            terminal.wait_for(lambda t=terminal: "500 of 500 caches" in t.text)
            assert bool(colour.search(terminal.output)) == coloured
