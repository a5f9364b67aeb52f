"""Numbers of events are per second, per interval or since the baseline, in the table and in the header alike."""

from dataclasses import replace

import pytest

from slabtui.columns.numbers import Style
from slabtui.columns.units import Basis, Units
from slabtui.model.baseline import Baseline, Change
from tests.support.fakes import cache

ROW = replace(
    cache(1, size=64), allocs=1500, bytes=96_000, frees=300, live_delta=-30, total_allocs=9000, total_bytes=576_000
)
ROWS = [replace(ROW, total_frees=1200, live=500), replace(cache(2), allocs=500, total_allocs=500)]
BASE = Baseline(0, {ROW.cache: Change(1000, 64_000, 200, 400)})


@pytest.mark.parametrize(
    ("basis", "numbers"),
    [
        (Basis.SECOND, (750.0, 48_000.0, 150.0, -15.0)),
        (Basis.INTERVAL, (1500, 96_000, 300, -30)),
        (Basis.SINCE, (8000, 512_000, 1000, 100)),
    ],
)
def test_numbers_are_for_the_time_that_the_user_chose(basis: Basis, numbers: tuple[float, ...]) -> None:
    units, row = Units(Style.RAW, basis, 2.0, BASE, BASE), ROWS[0]
    assert (units.allocs(row), units.bytes(row), units.frees(row), units.live_delta(row)) == numbers


def test_frees_that_were_not_counted_since_the_baseline_are_unknown() -> None:
    later = Baseline(5, {})
    assert Units(Style.RAW, Basis.SINCE, 1.0, BASE, later).frees(ROWS[0]) is None
    assert Units(Style.RAW, Basis.SINCE, 1.0, BASE, None).frees(ROWS[0]) is None


@pytest.mark.parametrize(("basis", "total"), [(Basis.SECOND, 1000), (Basis.INTERVAL, 2000), (Basis.SINCE, 8500)])
def test_a_sum_is_for_the_same_time(basis: Basis, total: float) -> None:
    assert Units(Style.HUMAN, basis, 2.0, BASE).total(ROWS, "allocs") == total


def test_a_sum_of_nothing_known_is_unknown() -> None:
    assert Units().total(ROWS[1:], "frees") is None


def test_a_snapshot_that_covers_no_time_has_no_rate() -> None:
    assert Units(Style.RAW, Basis.SECOND, 0.0).allocs(ROW) == 1500


def test_before_the_first_interval_nothing_has_changed() -> None:
    assert Units(Style.RAW, Basis.SINCE).allocs(ROW) == 0
    assert Units().live_bytes(ROW) is None
