"""The number of stacks that may be taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.kernel.inspect import SHARE, find_period


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_every_stack_is_taken_where_no_time_has_passed(seconds: float) -> None:
    assert find_period(10**9, seconds, 5000) == 1


@pytest.mark.parametrize(("allocs", "seconds"), [(0, 1.0), (1, 1.0), (100, 0.1), (3600, 3600.0)])
def test_every_stack_is_taken_of_a_cache_that_allocates_little(allocs: int, seconds: float) -> None:
    assert find_period(allocs, seconds, 5000) == 1


def test_of_a_busy_cache_only_as_many_are_taken_as_may_cost_the_share() -> None:
    assert find_period(1_000_000, 1.0, 1200) == 100  # 1.5 s of work for each second, of which 15 ms are allowed
    assert find_period(1_000_000, 2.0, 1200) == 50
    assert find_period(1_000_000, 1.0, 2700) == 200


@given(st.integers(0, 10**10), st.floats(0.05, 3600), st.floats(0, 10**6))
def test_the_share_is_never_exceeded_and_no_more_is_left_out_than_it_takes(
    allocs: int, seconds: float, nanoseconds: float
) -> None:
    one_in = find_period(allocs, seconds, nanoseconds)
    assert one_in >= 1
    each = nanoseconds * 1e-9
    assert allocs / one_in * each <= SHARE * seconds * 1.0001
    if one_in > 1:
        assert allocs / (one_in - 1) * (each + 1e-6) > SHARE * seconds
