"""What a process holds, printed while it keeps files: as text, JSON and folded stacks, and from a recording."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.keeper import Keeper, keeping
from tests.support.terminal import Terminal

pytestmark = pytest.mark.live

RATE = 100  # files per second
INTERVALS = ("0.5", "6")


@pytest.fixture(scope="module")
def keeper() -> Iterator[Keeper]:
    with keeping() as one:
        one.do("rate", RATE)
        yield one


def held(*arguments: str) -> str:
    command = [sys.executable, "-m", "slabtui", "--held", "filp", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def test_text_names_the_stack_and_the_process_that_keep_files(keeper: Keeper, tmp_path: Path) -> None:
    record = tmp_path / "held.jsonl.gz"
    text = held("-p", str(keeper.pid), "--record", str(record), *INTERVALS)
    tables = text.split("\n\n")
    assert text.count("held of filp: ") == int(INTERVALS[1])
    heading, *rows = tables[-1].splitlines()
    assert heading.split() == ["HELD", "S.E.", "BYTES", "+/s", "OLDEST", "MEDIAN", "SHARE", "PROCESS", "PLACE", "STACK"]
    objects, error, _, growth = rows[0].split()[:4]
    assert f"python {keeper.pid}" in rows[0] or f" {keeper.pid} " in rows[0]
    assert "eventfd" in rows[0]
    assert float(growth) == pytest.approx(RATE, rel=0.2)
    kept = float(INTERVALS[0]) * int(INTERVALS[1]) * RATE
    assert int(objects.removeprefix("~")) == pytest.approx(kept, rel=0.3, abs=5 * int(error))
    replayed = held("--replay", str(record))
    assert replayed.split() == text.split()
    lines = [json.loads(line) for line in held("--replay", str(record), "--output", "json").splitlines()]
    (inspection,) = lines[-1]["inspections"]
    assert inspection["kind"] == "held"
    assert inspection["tracking"]["net"] is inspection["tracking"]["live"] is None  # of all processes
    assert sum(inspection["rows"][0]["held"]["ages"]) == inspection["rows"][0]["held"]["objects"]


def test_folded_stacks_are_those_of_what_is_held_at_the_end(keeper: Keeper) -> None:
    (line,) = (
        line for line in held("-p", str(keeper.pid), "--output", "folded", "1", "2").splitlines() if "eventfd" in line
    )
    stack, number = line.rsplit(" ", 1)
    assert stack.split(";")[-1].startswith("kmem_cache_alloc")
    assert int(number) == pytest.approx(2 * RATE, rel=0.3)


def test_csv_has_the_rows_of_each_interval(keeper: Keeper) -> None:
    text = held("-p", str(keeper.pid), "--output", "csv", "-r", "1", "1", "2")
    first, second = csv.DictReader(io.StringIO(text))
    assert [row["pid"] for row in (first, second)] == [str(keeper.pid)] * 2
    assert first["cgroup"] == second["cgroup"] != ""
    assert 0 < int(first["objects"]) < int(second["objects"])
    assert first["time"] < second["time"]


def test_all_processes_are_set_against_the_live_objects(keeper: Keeper) -> None:
    assert re.search(r"LIVE [+-]\d", held("1", "3"))  # others may free more meanwhile
    os.kill(keeper.pid, 0)


def test_the_tab_of_what_is_held_names_the_command_and_its_stack(keeper: Keeper) -> None:
    """L on the table, then v for the processes, and Enter for the stacks of the first."""
    command = [sys.executable, "-m", "slabtui", "-p", str(keeper.pid), "0.5"]
    with Terminal(command, size=(120, 30)) as terminal:
        terminal.wait_for(lambda: "filp " in terminal.text)
        terminal.type("/~^filp$\rL")

        def first_row() -> str:
            place = next((place for place, line in enumerate(terminal.lines) if " HELD " in line), -1)
            return terminal.lines[place + 1] if place > 0 else ""

        terminal.wait_for(lambda: f" {keeper.pid} " in first_row())
        terminal.wait_for(lambda: (rate := first_row().split()[2]) != "-" and 0.5 * RATE < float(rate) < 2 * RATE)
        assert "holds " in terminal.text
        assert "<1s" in terminal.text
        terminal.type("\r")
        terminal.wait_for(lambda: "the innermost first" in terminal.text)
        assert "do_eventfd" in terminal.text
        assert f" {keeper.pid} " in terminal.text
        terminal.type("\x1b")
        terminal.wait_for(lambda: "the innermost first" not in terminal.text)
        terminal.type("vv")
        terminal.wait_for(lambda: "COMMAND" in terminal.text and f" {keeper.pid} " in first_row())
        terminal.type("\r")
        terminal.wait_for(lambda: re.search(rf"filp > \S+ {keeper.pid}\b", terminal.text) and "STACK" in terminal.text)
        terminal.type("Q")
        assert terminal.wait_for_exit() == 0
