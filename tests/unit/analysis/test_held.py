"""Estimates of what is held: sums, errors, ages, lifetimes and growth, and when they are doubted."""

import math
import random
import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.analysis.held import Growth, Sampled, add_up, estimate, find_lifetime, find_median, judge
from slabtui.model.held import ERROR_DIGITS, Held, Tracking

AGES = st.floats(0, 1e6)
OBJECTS = st.lists(st.tuples(AGES, st.integers(0, 16).map(lambda power: 2**power)), max_size=30)
QUIET = Tracking(net=100, seen=100, gone=0, live_began=1000, live=1100)


def held(objects: list[tuple[float, int]], one_in: int = 1, size: int = 64) -> Held:
    return estimate(Sampled([age for age, _ in objects], [draws for _, draws in objects]), one_in, size)


def test_where_everything_is_tracked_the_numbers_are_exact() -> None:
    found = held([(0.5, 1), (0.99, 1), (1.0, 1), (59.0, 1), (4000.0, 1)])
    assert (found.objects, found.bytes, found.standard_error) == (5, 320, 0)
    assert (found.oldest, found.median) == (4000, 1)
    assert found.ages == (2, 1, 1, 0, 0, 1)


def test_nothing_is_nothing() -> None:
    assert held([]) == Held()


@given(OBJECTS, st.integers(0, 20).map(lambda power: 2**power))
def test_the_ages_add_up_and_the_error_is_that_of_each_draw(objects: list[tuple[float, int]], one_in: int) -> None:
    found = held(objects, one_in)
    weights = [one_in * draws for _, draws in objects]
    assert found.objects == sum(found.ages) == sum(weights)
    assert found.standard_error == round(math.sqrt(sum(weight**2 - weight for weight in weights)), ERROR_DIGITS)
    if objects:
        assert found.median in [age for age, _ in objects]


def test_the_estimate_has_no_bias_and_scatters_as_its_error_says() -> None:
    chance = random.Random(1)
    kept, one_in, draws = 2000, 8, 4
    found = []
    for _ in range(300):
        sampled = [(1.0, draws) for _ in range(kept) if chance.random() < 1 / (one_in * draws)]
        found.append(held(sampled, one_in))
    error = statistics.mean(one.standard_error for one in found)
    assert statistics.mean(one.objects for one in found) == pytest.approx(kept, abs=4 * error / math.sqrt(len(found)))
    assert statistics.stdev(one.objects for one in found) == pytest.approx(error, rel=0.15)


def test_half_of_the_weight_has_reached_the_median() -> None:
    assert find_median([5.0, 1.0, 3.0], [1, 1, 1]) == 3.0
    assert find_median([5.0, 1.0, 3.0], [10, 1, 1]) == 5.0
    assert find_median([], []) is None


def test_a_lifetime_is_the_middle_of_its_power_of_two() -> None:
    freed = {10: 98, 20: 2}
    assert find_lifetime(freed, 0.5) == pytest.approx(1024e-6 * math.sqrt(2))
    assert find_lifetime(freed, 0.99) == pytest.approx(1.048576 * math.sqrt(2))
    assert find_lifetime({3: 0}, 0.5) is None


def test_the_growth_is_the_slope_of_the_readings() -> None:
    growth = Growth()
    for time in range(3):
        assert growth.find("a") is None
        growth.add(float(time), {"a": 20 * time, "b": 5})
    assert (growth.find("a"), growth.find("b")) == (20.0, 0.0)


def test_a_row_that_comes_later_held_nothing_before_and_one_that_goes_is_forgotten() -> None:
    growth = Growth()
    growth.add(0.0, {"early": 8})
    growth.add(1.0, {"late": 4})
    growth.add(2.0, {"late": 8})
    assert (growth.find("late"), growth.find("early")) == (4.0, None)


def test_the_growth_of_a_day_takes_bounded_memory_and_keeps_its_slope() -> None:
    growth = Growth()
    for time in range(86_400):
        rows: dict[object, int] = {"leak": 3 * time}
        if time < 100:
            rows[f"gone {time}"] = 1
        growth.add(float(time), rows)
    assert growth.find("leak") == pytest.approx(3.0)
    assert len(growth._times) <= 33
    assert len(growth._numbers) == 1


def test_what_live_objects_explain_is_not_doubted() -> None:
    assert judge(QUIET, 100, 0, 10).doubt == ""
    assert judge(replace(QUIET, live=None), 10**6, 0, 10).doubt == ""
    assert judge(replace(QUIET, live_began=None), 10**6, 0, 10).doubt == ""


def test_objects_that_replaced_older_ones_are_not_doubted() -> None:
    """1,000 objects were live, all of them were freed, and others were allocated: LIVE is as before."""
    assert judge(Tracking(net=0, seen=2000, gone=0, live_began=1000, live=1000), 1000, 0, 10).doubt == ""


@pytest.mark.parametrize("gone", [0, 290_000])
def test_frees_without_an_event_are_doubted_unless_they_are_known(gone: int) -> None:
    tracking = Tracking(net=300_000, seen=300_000, gone=gone, live_began=500, live=626)
    doubt = judge(tracking, 300_000 - gone, 0, 100).doubt
    assert doubt.startswith(f"about {300_000 - 126 - gone:,} frees have no event")
    assert judge(replace(tracking, gone=299_800), 200, 0, 100).doubt == ""


def test_no_more_is_doubted_than_seems_to_be_held() -> None:
    """A few objects of epoll that seem to be held are doubted, too."""
    tracking = Tracking(net=100_000, seen=100_000, gone=82_000, live_began=250, live=490)
    assert judge(tracking, 0, 0, 100).doubt == ""
    assert judge(tracking, 280, 250, 100).doubt.startswith("about 280 frees have no event")
    assert judge(tracking, 18_000, 250, 100).doubt.startswith("about 17,760 frees have no event")
    few = Tracking(net=1451, seen=1500, gone=0, live_began=1000, live=1036)
    assert judge(few, 500, 30, 320).doubt.startswith("about 500 frees have no event")


def test_where_most_frees_have_no_event_few_held_objects_are_doubted_unless_live_grew() -> None:
    """As with 2,000 items of epoll on Linux 6.18 without fentry: LIVE has up to 400 free objects."""
    tracking = Tracking(net=2000, seen=2010, gone=1700, live_began=331, live=395)
    assert judge(tracking, 300, 90, 400).doubt.startswith("about 236 frees have no event")
    assert judge(replace(tracking, live=600), 300, 90, 400).doubt == ""
    assert judge(replace(tracking, gone=100), 300, 90, 4000).doubt == ""


def test_more_than_is_live_is_doubted() -> None:
    tracking = Tracking(net=0, seen=0, gone=0, live_began=50, live=60)
    assert "only 60 objects are live" in judge(tracking, 500, 10, 100).doubt
    assert judge(tracking, 500, 200, 100).doubt == ""  # within its error


def test_where_bulk_is_followed_the_doubt_does_not_blame_it() -> None:
    unseen = judge(Tracking(net=300_000, seen=300_000, live_began=500, live=626, bulk=True), 300_000, 0, 100).doubt
    assert unseen == "about 299,874 frees have no event: their objects seem to be held"
    few = judge(Tracking(net=0, seen=0, live_began=50, live=60, bulk=True), 500, 10, 100).doubt
    assert few == "only 60 objects are live: some frees have no event"


def test_all_rows_together_have_the_error_of_a_sum() -> None:
    assert add_up([Held(objects=3, standard_error=3.0), Held(objects=4, standard_error=4.0)]) == (7, 5.0)
