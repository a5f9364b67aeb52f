"""Faults that take minutes to appear. Not part of `make test`: run them with `pytest -m slow`."""

import sys
import time
from contextlib import suppress

import pytest

from tests.support.bpf import gone, program_ids
from tests.support.footprint import left_by, resident
from tests.support.terminal import Terminal
from tests.support.workload import Workload, workload

WARM_UP, WATCHED = 40, 60  # seconds; the history of 300 intervals is full after 30
# Seconds. The written numbers that slabtui caches are complete after some 200 turns; the number of rows in the history
# varies, and what Python has taken for the most of them stays taken. After some 400 turns this rarely grows.
FILLS, PAGES = 400, 600
RESTS = 3  # seconds: the kernel frees a moment later, and the measurement of the overhead ends
STATS = 20_000  # calls between two keys
ALLOWED_GROWTH = 2048  # KiB: a fraction of the memory that a leak of one snapshot of 500 rows per interval would take


@pytest.mark.slow
def test_memory_is_flat_while_500_caches_change_ten_times_a_second_and_keys_are_pressed() -> None:
    with Terminal([sys.executable, "-m", "tests.support.faulty", "many", "0.1"]) as terminal:
        terminal.wait_for(lambda: "500 of 500 caches" in terminal.text)
        work(terminal, WARM_UP)
        before = resident(terminal.pid)
        work(terminal, WATCHED)
        after = resident(terminal.pid)
        terminal.type("q")
        assert terminal.wait_for_exit() == 0
    print(f"resident before: {before} KiB, after {WATCHED} s: {after} KiB")
    assert after - before < ALLOWED_GROWTH


@pytest.mark.slow
@pytest.mark.live
def test_ten_minutes_of_opening_and_closing_pages_under_load_leave_nothing_behind() -> None:
    loaded = program_ids()
    with (
        workload("stat", STATS) as stats,
        workload("eventfd", STATS) as files,
        Terminal([sys.executable, "-m", "slabtui", "--all", "-f", "names_cache", "0.2"]) as terminal,
    ):
        terminal.wait_for(lambda: "allocs/s" in terminal.text)
        filled = time.monotonic() + FILLS
        turns = 0
        while time.monotonic() < filled:  # until everything is compiled and cached
            turn_pages(terminal, stats, files)
        terminal.draw_for(RESTS)
        before = left_by(terminal.pid)
        grown = resident(terminal.pid)
        end = time.monotonic() + PAGES
        while time.monotonic() < end:
            turn_pages(terminal, stats, files)
            turns += 1
        terminal.draw_for(RESTS)
        with suppress(AssertionError):  # a file may be open just now
            terminal.wait_for(lambda: left_by(terminal.pid) == before)
        after = left_by(terminal.pid)
        grown = resident(terminal.pid) - grown
        terminal.type("q")
        assert terminal.wait_for_exit() == 0
    print(f"{turns} turns; programs, maps and descriptors {before} before, {after} after; grown by {grown} KiB")
    assert after == before
    assert gone(loaded)
    assert grown < ALLOWED_GROWTH


def turn_pages(terminal: Terminal, *loads: Workload) -> None:
    """Open the page of a cache, every tab of it, and a stack; count frees; leave, with a load on all the while."""
    for keys, answer in (
        ("\r2", "STACK"),
        ("3", "CGROUP"),
        ("4", "CALL SITE"),
        ("5", "Aliases"),
        ("\x1b", "HISTORY"),
        ("f", "FREES"),
        ("f", "HISTORY"),
    ):
        terminal.type(keys)
        for load in loads:
            load.run()
        terminal.wait_for(lambda answer=answer: answer in terminal.text)


def work(terminal: Terminal, seconds: float) -> None:
    """Press keys for some time, and wait for the effect of each."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for keys, answer in (("/49\r", "filter: 49"), ("\x1b", "500 of 500"), ("n", "CACHE▲"), ("b", "BYTES/s▼")):
            terminal.type(keys)
            terminal.wait_for(lambda answer=answer: answer in terminal.text)
            time.sleep(0.1)
