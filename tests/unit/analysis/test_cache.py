"""A cache that is judged: its rows are shared while nothing changes, and never say anything old."""

from dataclasses import replace

import pytest

from slabtui.analysis.cache import JudgedCache
from slabtui.analysis.trend import Trend
from tests.support.fakes import cache

LINE = Trend(slope=2.0, low=1.0, high=3.0, noise=0.0, span=60.0, start=7.0)
ROW = replace(cache(1, allocs=5), live=7, aliases=("one",), reclaimable=False, disagrees=False)


def test_a_row_that_is_the_same_object_or_has_the_same_values_is_judged_once() -> None:
    judged = JudgedCache(ROW, 7)
    first = judged.judge(ROW)
    assert judged.judge(ROW) is first
    assert judged.judge(replace(ROW)) is first


@pytest.mark.parametrize(
    "changed", [{"aliases": ()}, {"disagrees": True}, {"reclaimable": True}, {"live": 8}, {"mem": 1}, {"allocs": 1}]
)
def test_a_row_of_which_anything_changed_is_judged_again(changed: dict[str, object]) -> None:
    judged = JudgedCache(ROW, 7)
    other = replace(ROW, **changed)  # type: ignore[arg-type]
    for row in (ROW, other, ROW):
        found = judged.judge(row)
        assert {name: getattr(found, name) for name in changed} == {name: getattr(row, name) for name in changed}


def test_an_idle_row_gets_a_verdict_that_has_changed() -> None:
    judged = JudgedCache(ROW, 7)
    before = judged.judge(ROW)
    judged.is_known = True
    judged.baseline.trend = LINE
    for _ in range(2):  # a mark comes with the second one
        judged.put_verdict(judged.baseline, ("other",))
    after = judged.judge(ROW)
    assert (before.growing, after.growing, after.grows_with) == (None, True, ("other",))


def test_what_was_unknown_at_first_sight_is_learned_and_stays_known() -> None:
    judged = JudgedCache(replace(ROW, reclaimable=None), 7)
    found = [judged.judge(replace(ROW, reclaimable=flag)).reclaimable for flag in (None, True, None)]
    assert found == [None, True, True]
    assert judged.reclaimable is True


def test_growth_in_bytes_is_known_as_soon_as_the_size_is() -> None:
    judged = JudgedCache(replace(ROW, size=None), 7)
    judged.baseline.trend = LINE
    assert judged.bytes_per_hour is None
    judged.judge(ROW)
    assert judged.bytes_per_hour == 2 * 64 * 3600
