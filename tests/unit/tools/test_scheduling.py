"""Tests that count run one after the other."""

import pytest

from tests.support.scheduling import KERNEL, group


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ("tests/live/test_table.py::test_one[a/b::c]", KERNEL),
        ("tests/e2e/test_faults.py::test_two", KERNEL),
        ("tests/e2e/test_streams.py::test_three", "test_streams.py"),
        ("tests/unit/kernel/bpf/test_module.py::test_four", KERNEL),
        ("tests/unit/tools/test_distros.py::test_five", KERNEL),
        ("tests/unit/views/test_app.py::test_six[x]", "tests/unit/views/test_app.py::test_six[x]"),
    ],
)
def test_a_test_that_counts_is_in_the_group_of_the_kernel(node: str, expected: str) -> None:
    assert group(node) == expected
