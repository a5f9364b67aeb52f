"""The judgement on recordings of real busy hosts, of which the leak is known; see tests/fixtures/README.md."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from slabtui.analysis.growth import Growth
from slabtui.columns import leaks
from slabtui.columns.query import Order
from slabtui.columns.units import Units
from slabtui.model.snapshot import Snapshot
from slabtui.recording.reader import read
from tests.tools import growth as tool
from tests.tools.busy.leaks import ALSO, CACHES

PATHS = sorted(tool.RECORDINGS.glob("busy-*"))
SLOW, LATE, SOON = 5.0, 300.0, 60.0  # a leak of 5 objects/s may take five minutes, others one


def judged(path: Path) -> list[tuple[float, Snapshot]]:
    """Return the judged snapshots of a recording, each with the seconds since its start."""
    growth, time, found = Growth(), 0.0, []
    for one in read(path):
        time += one.elapsed
        found.append((time, growth.judge(replace(one, growth=None))))
    return found


def test_there_are_recordings_of_every_rate() -> None:
    assert {rate for path in PATHS for rate in tool.truth(path).values()} >= {5, 20, 50, 200}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name.split(".")[0])
def test_the_leak_is_first_in_time_and_nothing_else_is_marked(path: Path) -> None:
    leaking, caches = tool.truth(path), tool.leaking(path)
    steady, order = leaks.Steady(), Order(leaks.DEFAULT_SORT, True)
    due = LATE if all(rate <= SLOW for rate in leaking.values()) else SOON
    for time, one in judged(path):
        marked = {row.name for row in one.rows if row.growing}
        assert marked <= caches | (ALSO if leaking else set()), time
        found = leaks.arrange(one.rows, order, Units(), steady, leaks.reclaimable_names(one.rows))
        if leaking and time >= due:
            assert found.rows[0].name in caches, time
            assert marked, time


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name.split(".")[0])
def test_the_slope_of_a_leak_is_its_rate(path: Path) -> None:
    rows = {row.name: row for row in judged(path)[-1][1].rows}
    rates = Counter[str]()
    for kind, rate in tool.truth(path).items():
        for name in CACHES[kind]:
            rates[name] += (2 if kind == "pipe" and name in CACHES["eventfd"] else 1) * int(rate)
    for name, rate in rates.items():
        assert rows[name].growing, name
        assert rows[name].growth_objects_s == pytest.approx(rate, rel=0.3), name
