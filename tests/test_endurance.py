"""What takes a minute to see, and so is not part of `make test`: run it with `pytest -m slow`."""

import sys
import time
from pathlib import Path

import pytest

from tests.terminal import Terminal

WARM_UP, WATCHED = 40, 60  # seconds; the history of 300 intervals is full after 30
ALLOWED_GROWTH = 1024  # KiB: a fraction of what one leaked snapshot of 500 rows in every interval would come to


@pytest.mark.slow
def test_memory_is_flat_while_500_caches_change_ten_times_a_second_and_keys_are_pressed() -> None:
    with Terminal([sys.executable, "-m", "tests.faulty", "many", "0.1"]) as terminal:
        terminal.wait_for(lambda: "500 of 500 caches" in terminal.text)
        work(terminal, WARM_UP)
        before = resident(terminal.pid)
        work(terminal, WATCHED)
        after = resident(terminal.pid)
        terminal.type("q")
        assert terminal.wait_for_exit() == 0
    print(f"resident before: {before} KiB, after {WATCHED} s: {after} KiB")
    assert after - before < ALLOWED_GROWTH


def work(terminal: Terminal, seconds: float) -> None:
    """Press keys, and see each answered, for some time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for keys, answer in (("/49\r", "filter: 49"), ("\x1b", "500 of 500"), ("n", "CACHE▲"), ("b", "BYTES▼")):
            terminal.type(keys)
            terminal.wait_for(lambda answer=answer: answer in terminal.text)
            time.sleep(0.1)


def resident(pid: int) -> int:
    """Return the resident memory of a process, in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))
