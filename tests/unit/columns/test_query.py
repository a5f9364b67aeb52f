"""Which rows the user sees, and in which order."""

import re
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.columns import caches
from slabtui.columns.query import BadFilterError, Order, alias, arrange, hold, matcher
from slabtui.model.snapshot import CacheRow
from tests.support.fakes import cache

EVERY = matcher("")
ROWS = st.lists(
    st.builds(
        cache,
        st.integers(0, 99),
        name=st.sampled_from(["a", "b", "c"]),
        allocs=st.integers(0, 3),
        size=st.none() | st.sampled_from([8, 64]),
    ),
    unique_by=lambda row: row.cache,
)
ORDERS = st.builds(Order, st.sampled_from(list(caches.SORTS)), st.booleans())


def names(rows: list[CacheRow]) -> list[str]:
    return [row.name for row in rows]


@pytest.mark.parametrize(
    ("pattern", "name", "found"),
    [
        ("", "dentry", True),
        ("ent", "dentry", True),
        ("DENT", "dentry", True),
        ("dent", "DENTRY", True),
        ("STRASSE", "straße", True),
        ("dentries", "dentry", False),
        ("d.n", "dentry", False),
        ("k*", "kmalloc", False),
        (r"\x1b", r"a\x1bb", True),
        ("a~b", "a~b", True),
        ("~", "dentry", True),
        ("~^d.*y$", "dentry", True),
        ("~ent", "dentry", True),
        ("~^ent", "dentry", False),
        ("~DENT", "dentry", False),
        ("~(?i)DENT", "dentry", True),
        ("~~", "a~b", True),
        ("~~", "ab", False),
    ],
)
def test_a_filter_is_a_part_of_the_name_and_after_a_tilde_a_regular_expression(
    pattern: str, name: str, found: bool
) -> None:
    assert matcher(pattern)(name) is found


@given(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))
def test_a_name_is_found_by_any_part_of_it(before: str, part: str, after: str) -> None:
    if not part.startswith("~"):
        assert matcher(part)(before + part + after)
    assert matcher("~" + re.escape(part))(before + part + after)


@pytest.mark.parametrize(
    "expression", ["(", "[a", "*", "a{2,1}", "(?P<n>a)(?P<n>b)", "\\", "a{99999999999999999999}", "(" * 5000]
)
def test_an_invalid_regular_expression_is_refused_with_the_reason(expression: str) -> None:
    with pytest.raises(BadFilterError, match=r"^not a regular expression: .") as caught:
        matcher("~" + expression)
    assert "\n" not in str(caught.value)


def test_an_odd_regular_expression_prints_no_warning_on_the_screen(recwarn: pytest.WarningsRecorder) -> None:
    re.purge()  # a compiled expression does not warn again
    assert matcher("~[[a]")("[")
    assert not recwarn.list


def test_idle_caches_are_hidden_unless_asked_for() -> None:
    rows = [cache(1, "busy", allocs=1), cache(2, "idle")]
    assert names(arrange(rows, Order(), EVERY)) == ["busy"]
    assert names(arrange(rows, Order(), EVERY, shows=lambda row: True)) == ["busy", "idle"]


def test_one_idle_cache_is_kept_but_not_against_the_filter() -> None:
    rows = [cache(1, "busy", allocs=1), cache(2, "kept"), cache(3, "idle")]
    assert names(arrange(rows, Order(), EVERY, keep={rows[1].cache})) == ["busy", "kept"]
    assert names(arrange(rows, Order(), matcher("busy"), keep={rows[1].cache})) == ["busy"]


def test_only_what_matches_is_left() -> None:
    rows = [cache(i, name, allocs=1) for i, name in enumerate(["dentry", "inode_cache", "ext4_inode_cache"])]
    assert names(arrange(rows, Order("name", False), matcher("inode"))) == ["ext4_inode_cache", "inode_cache"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order("name", False), ["a", "b", "c"]),
        (Order("name", True), ["c", "b", "a"]),
        (Order("allocs", False), ["c", "a", "b"]),
        (Order("allocs", True), ["b", "a", "c"]),
        (Order("objsize", False), ["b", "a", "c"]),
        (Order("objsize", True), ["c", "a", "b"]),
        (Order("bytes", False), ["b", "a", "c"]),
        (Order("bytes", True), ["c", "a", "b"]),
    ],
)
def test_every_column_sorts_in_both_directions(order: Order, expected: list[str]) -> None:
    rows = [cache(1, "a", allocs=2, size=64), cache(2, "b", allocs=3, size=8), cache(3, "c", allocs=1, size=4096)]
    assert names(arrange(rows, order, EVERY)) == expected


@pytest.mark.parametrize("descending", [False, True])
def test_equal_rows_are_sorted_by_name_and_then_by_key_in_both_directions(descending: bool) -> None:
    rows = [cache(3, "b", 1), cache(2, "b", 1), cache(9, "a", 1), cache(1, "c", 1)]
    expected = [rows[2], rows[1], rows[0], rows[3]]
    for order in (Order("allocs", descending), Order("bytes", descending), Order("objsize", descending)):
        assert arrange(rows, order, EVERY) == expected
        assert arrange(reversed(rows), order, EVERY) == expected


@pytest.mark.parametrize("descending", [False, True])
def test_caches_of_one_name_are_sorted_by_key_in_both_directions(descending: bool) -> None:
    rows = [cache(3, "a", 1), cache(1, "a", 2), cache(2, "a", 3)]
    assert arrange(rows, Order("name", descending), EVERY) == [rows[1], rows[2], rows[0]]


@given(ROWS, ORDERS, st.randoms())
def test_the_order_depends_on_the_rows_alone_and_loses_none(rows: list[CacheRow], order: Order, random) -> None:
    arranged = arrange(rows, order, EVERY, shows=lambda row: True)
    shuffled = random.sample(rows, len(rows))
    assert arrange(shuffled, order, EVERY, shows=lambda row: True) == arranged
    assert sorted(arranged, key=lambda row: row.cache) == sorted(rows, key=lambda row: row.cache)
    value: Callable[[CacheRow], int | str] = caches.SORTS[order.column]
    values = [value(row) for row in arranged]
    assert values == sorted(values, reverse=order.descending)


@pytest.mark.parametrize(("column", "descending"), [("name", False), ("objsize", True), ("bytes", True)])
def test_a_first_sort_has_the_direction_that_its_column_asks_for(column: str, descending: bool) -> None:
    assert Order.by(column) == Order(column, descending)


def test_an_order_turns_over_and_back() -> None:
    order = Order("allocs", True)
    assert order.reversed() == Order("allocs", False)
    assert order.reversed().reversed() == order


def test_the_default_order_has_the_most_bytes_first() -> None:
    assert Order() == Order("bytes", True) == Order.by("bytes")


def test_a_cache_is_found_by_an_alias_too() -> None:
    merged = replace(cache(1, "vm_area_struct", allocs=1), aliases=("maple_node", "numa_policy"))
    other = cache(2, "dentry", allocs=1)
    assert names(arrange([merged, other], Order(), matcher("numa"))) == ["vm_area_struct"]
    assert names(arrange([merged, other], Order(), matcher("~^maple.node$"))) == ["vm_area_struct"]
    assert names(arrange([merged, other], Order(), matcher("vm_area numa"))) == []


def test_an_alias_keeps_no_idle_cache_in() -> None:
    merged = replace(cache(1, "vm_area_struct"), aliases=("maple_node",))
    assert arrange([merged], Order(), matcher("maple")) == []
    assert arrange([merged], Order(), matcher("maple"), keep={merged.cache}) == [merged]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("", ""), ("area", ""), ("node", "maple_node"), ("m", ""), ("~^numa", "numa_node"), ("nothing", "")],
)
def test_the_alias_is_that_by_which_a_cache_matches_unless_its_name_does(pattern: str, found: str) -> None:
    merged = replace(cache(1, "vm_area_struct"), aliases=("maple_node", "numa_node"))
    assert alias(merged, matcher(pattern)) == found


@pytest.mark.parametrize("changed", [{"allocs": 1}, {"frees": 1}, {"live_delta": 1}, {"live_delta": -1}])
def test_a_cache_in_which_anything_happened_is_not_idle(changed: dict[str, int]) -> None:
    still = replace(cache(1), frees=0, live=5, live_delta=0)
    assert arrange([still], Order(), EVERY) == []
    assert len(arrange([replace(still, **changed)], Order(), EVERY)) == 1


@pytest.mark.parametrize(
    ("column", "field"), [("frees", "frees"), ("live", "live"), ("growth", "live_delta"), ("mem", "mem")]
)
def test_an_unknown_number_sorts_below_every_known_one(column: str, field: str) -> None:
    rows = [
        replace(cache(n, str(n), allocs=1), **{field: value}) for n, value in enumerate([3, None, -5, 0, 2**64 - 1])
    ]
    assert names(arrange(rows, Order.by(column), EVERY)) == ["4", "0", "3", "2", "1"]


@pytest.mark.parametrize("pattern", ["~(.+)+!", "~(a|aa)*!", "~(.*)*(.*)*(.*)*!", "~(?:(?:.?){60000}){60000}!"])
def test_an_expression_that_takes_too_long_is_refused(pattern: str) -> None:
    """The limit is one of processor time, so other load of the machine does not matter."""
    matches = matcher(pattern)
    began = time.process_time()
    with pytest.raises(BadFilterError, match="takes too long"):
        matches("a" * 40)
    assert time.process_time() - began < 2
    with pytest.raises(BadFilterError, match="takes too long"):  # at once from then on
        matches("a" * 41)


def test_many_names_share_the_time_of_an_expression() -> None:
    matches = matcher("~(a+)+!")
    began = time.process_time()
    with pytest.raises(BadFilterError):
        any(matches("a" * 18 + str(number)) for number in range(1000))
    assert time.process_time() - began < 2


def test_a_name_is_matched_once() -> None:
    matches = matcher("~(a+)+!")
    began = time.process_time()
    for _ in range(1000):
        assert not matches("a" * 16)
    assert time.process_time() - began < 1


def test_no_limit_is_left_behind() -> None:
    previous = signal.getsignal(signal.SIGPROF)
    matcher("~a")("b")
    with pytest.raises(BadFilterError):
        matcher("~(.+)+!")("a" * 40)
    assert signal.getsignal(signal.SIGPROF) is previous
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


def test_another_thread_can_match_too() -> None:
    with ThreadPoolExecutor() as pool:
        assert pool.submit(lambda: matcher("~^a")("ab")).result()


def test_rows_that_are_held_keep_their_order_and_new_ones_come_last() -> None:
    rows = caches_of("a", "b", "c")
    changed = [replace(row, allocs=9) for row in reversed(rows)]
    assert names(hold(rows, [cache(9, "new", allocs=99), *changed])) == ["a", "b", "c", "new"]
    assert names(hold(rows, changed[:2])) == ["b", "c"]
    assert hold([], changed) == changed


def test_rows_are_sorted_by_another_value_where_one_is_given() -> None:
    rows = caches_of("a", "b", "c")
    assert names(arrange(rows, Order("allocs", True), EVERY, value=lambda row: row.name)) == ["c", "b", "a"]


def caches_of(*names: str) -> list[CacheRow]:
    return [cache(number, name, allocs=1) for number, name in enumerate(names)]
