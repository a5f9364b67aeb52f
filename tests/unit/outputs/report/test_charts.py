"""The axes of charts: round sizes in one unit, round times of a clock; the lines reach from end to end."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slabtui.columns.document import Chart, Curve
from slabtui.outputs.report import charts
from slabtui.outputs.report.charts import find_sizes, find_times

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0, 1.46 * GIB, ["0", "0.5 GiB", "1 GiB", "1.5 GiB"]),
        (0, 90 * MIB, ["0", "20 MiB", "40 MiB", "60 MiB", "80 MiB", "100 MiB"]),
        (-2 * MIB, 23 * MIB, ["-5 MiB", "0", "5 MiB", "10 MiB", "15 MiB", "20 MiB", "25 MiB"]),
        (0, 0, ["0", "0.2 MiB"]),
        (0, 1023 * KIB, ["0", "0.2 MiB", "0.4 MiB", "0.6 MiB", "0.8 MiB", "1 MiB"]),
    ],
)
def test_sizes_are_round_and_in_one_unit(low: float, high: float, labels: list[str]) -> None:
    assert list(find_sizes(low, high).values()) == labels


@given(st.integers(-(1 << 63), 0), st.integers(0, 1 << 63))
@settings(max_examples=50)
def test_sizes_cover_all_values_with_few_labels(low: int, high: int) -> None:
    sizes = list(find_sizes(low, high))
    assert sizes[0] <= low <= high <= sizes[-1]
    assert 2 <= len(sizes) <= 8
    assert sizes == sorted(set(sizes))


@given(st.integers(0, 1 << 31), st.floats(0.1, 1e8))
def test_times_are_within_the_run_and_few(begin: int, seconds: float) -> None:
    times = find_times(begin, seconds)
    assert 1 <= len(times) <= 6
    assert all(0 <= place <= seconds for place in times)


def test_times_are_round() -> None:
    labels = find_times(1.7e9 + 0.5, 60).values()  # 22:13:20 UTC
    assert [label[-2:] for label in labels] == ["30", "45", "00", "15"]
    assert all(re.fullmatch(r"\d\d:\d\d", label) for label in find_times(1.7e9, 3600).values())
    assert all(re.fullmatch(r"\w+ \d\d", label) for label in find_times(1.7e9, 86400 * 30).values())


def test_lines_reach_from_end_to_end_and_the_largest_value_is_highest() -> None:
    curves = tuple(
        Curve(name, tuple((time, size * MIB) for time in (0.0, 30.0, 60.0)))
        for name, size in (("total", 10), ("reclaimable", 0))
    )
    svg = charts.draw(Chart("Slab", curves, 1.7e9))
    assert svg is not None
    assert svg.get("aria-label") == "Slab"
    paths = [[float(number) for number in re.findall(r"[\d.]+", path.get("d", ""))] for path in svg.iter("path")]
    (total, reclaimable) = paths
    assert total[0] == reclaimable[0] == 0
    assert total[4] - total[0] > 300
    assert total[1] == 0 < reclaimable[1]
    assert [path.get("stroke") for path in svg.iter("path")] == ["var(--total)", "var(--reclaimable)"]
    assert {"10 MiB", "0", "total", "reclaimable"} <= {text.text for text in svg.iter("text")}
