"""Why a run that looks for leaks has no report, and how long one must be that has."""

from dataclasses import replace

from slabtui.analysis.leaks import LeakWatch
from slabtui.cli import command_line
from slabtui.cli.leaks import explain
from tests.support.hosts import level, snapshots


def advice(seconds: int, interval: float) -> str:
    """Return what is said after a run with intervals of this length, before any growth is known."""
    watch = LeakWatch(seconds)
    for one in snapshots({"filp": level(5)}, seconds, interval):
        watch.add(replace(one, elapsed=interval))
    return str(explain(command_line.parse(["--leaks", str(seconds)]), watch))


def test_a_run_that_was_interrupted_needs_two_thirds_of_its_length() -> None:
    assert advice(60, 1.0) == "no growth is known yet: let --leaks run for 40 s at least"


def test_where_intervals_are_longer_than_bins_a_run_must_be_longer() -> None:
    """As beside a busy disk, where the kernel reads /proc/slabinfo for seconds."""
    assert advice(30, 6.0) == "no growth is known yet: let --leaks run for 72 s at least"
