"""Which parts of an array are read: all elements that are asked for, in few calls, and little else."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.kernel.bpf.maps import find_ranges


@pytest.mark.parametrize(
    ("keys", "gap", "ranges"),
    [
        ([], 8, []),
        ([0], 0, [(0, 1)]),
        (range(5), 0, [(0, 5)]),
        ([3, 1, 9], 0, [(1, 2), (3, 4), (9, 10)]),
        ([3, 1, 9], 1, [(1, 4), (9, 10)]),
        ([3, 1, 9], 5, [(1, 10)]),
    ],
)
def test_keys_near_each_other_are_read_together(keys: list[int], gap: int, ranges: list[tuple[int, int]]) -> None:
    assert find_ranges(keys, gap) == ranges


@given(st.sets(st.integers(0, 4095)), st.integers(0, 300))
def test_every_key_is_in_one_range_and_ranges_are_further_apart_than_the_gap(keys: set[int], gap: int) -> None:
    ranges = find_ranges(keys, gap)
    assert keys == {key for first, end in ranges for key in range(first, end) if key in keys}
    assert all(first in keys and end - 1 in keys for first, end in ranges)
    assert all(first - end > gap for (_, end), (first, _) in pairwise(ranges))
