"""Stacks in little room: different stacks have different texts, which show what distinguishes them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.columns.stacks import JOIN, MARK, shorten, write_stack

NAMES = ("do_sys_openat2", "path_openat", "alloc_empty_file", "do_eventfd", "x", "__anon_inode_getfile", "\u540d")
STACKS = st.frozensets(st.lists(st.sampled_from(NAMES), max_size=8).map(tuple), max_size=12)
ANY_STACKS = st.frozensets(st.lists(st.text(max_size=30), max_size=6).map(tuple), max_size=12)
ENOUGH = 6  # columns: a mark and its number

ALLOCATOR, ENTRY = "kmem_cache_alloc_noprof", ("do_syscall_64", "entry_SYSCALL_64_after_hwframe")
OPEN = (ALLOCATOR, "alloc_empty_file", "path_openat", "do_file_open", "do_sys_openat2", "__x64_sys_openat", *ENTRY)
EXEC = (ALLOCATOR, "alloc_empty_file", "path_openat", "do_file_open", "do_open_execat", "__x64_sys_execve", *ENTRY)
EVENT = (ALLOCATOR, "alloc_empty_file", "alloc_file_pseudo", "__anon_inode_getfile", "do_eventfd", *ENTRY)
EPOLL = (ALLOCATOR, "alloc_empty_file", "alloc_file_pseudo", "__anon_inode_getfile", "do_epoll_create", *ENTRY)
ALL = frozenset({OPEN, EXEC, EVENT, EPOLL})


@given(STACKS | ANY_STACKS, st.integers(ENOUGH, 200))
def test_different_stacks_stay_different_and_fit(stacks: frozenset[tuple[str, ...]], width: int) -> None:
    texts = shorten(stacks, width)
    assert set(texts) == stacks
    assert len(set(texts.values())) == len(stacks)
    assert all(len(text) <= width and text.isascii() for text in texts.values())


@given(STACKS, st.integers(0, 5))
def test_no_width_is_too_small(stacks: frozenset[tuple[str, ...]], width: int) -> None:
    assert all(len(text) <= width for text in shorten(stacks, width).values())


@given(STACKS)
def test_where_all_fit_none_is_marked(stacks: frozenset[tuple[str, ...]]) -> None:
    """Except those whose functions are the same in another order: these look alike at any width."""
    texts = shorten(stacks, 1000)
    for stack, text in texts.items():
        if MARK in text:
            assert sum(1 for other in stacks if sorted(other) == sorted(stack)) > 1


@given(STACKS, st.integers(ENOUGH, 80))
def test_a_text_depends_on_the_set_of_stacks_and_not_on_their_order(
    stacks: frozenset[tuple[str, ...]], width: int
) -> None:
    assert shorten(frozenset(sorted(stacks, reverse=True)), width) == shorten(stacks, width)


def test_what_all_share_is_cut_and_what_differs_is_shown() -> None:
    assert shorten(ALL, 54) == {
        OPEN: f"do_file_open{JOIN}do_sys_openat2{JOIN}__x64_sys_openat",
        EXEC: f"do_file_open{JOIN}do_open_execat{JOIN}__x64_sys_execve",
        EVENT: f"alloc_file_pseudo{JOIN}__anon_inode_getfile{JOIN}do_eventfd",
        EPOLL: f"__anon_inode_getfile{JOIN}do_epoll_create",
    }
    assert shorten(ALL, 16)[EVENT] == "do_eventfd"
    assert shorten(ALL, 9)[EVENT] == "do_e*ntfd"


def test_a_stack_that_is_alone_begins_with_the_function_that_asks_for_the_object() -> None:
    assert shorten(frozenset({OPEN}), 40) == {OPEN: f"alloc_empty_file{JOIN}path_openat"}
    assert shorten(frozenset({("only",)}), 40) == {("only",): "only"}
    assert shorten(frozenset({()}), 40) == {(): ""}
    assert write_stack(OPEN).startswith(f"alloc_empty_file{JOIN}path_openat{JOIN}")


def test_a_stack_within_another_one_and_one_that_recurses_are_different() -> None:
    once, twice, more = ("a", "b", "c"), ("a", "b", "b", "c"), ("a", "b", "c", "d")
    texts = shorten(frozenset({once, twice, more}), 40)
    assert texts == {once: "b < c", twice: "b < b", more: "d"}


def test_stacks_that_cannot_be_distinguished_are_marked_with_a_number() -> None:
    one, other = ("a", "b", "c"), ("a", "c", "b")  # the same functions: the order shows
    assert shorten(frozenset({one, other}), 40) == {one: "b < c", other: "c < b"}
    long = frozenset(("a", f"{'x' * 30}{number}{'x' * 30}") for number in range(3))
    assert sorted(text[-3:] for text in shorten(long, 20).values()) == [" #1", " #2", " #3"]


@pytest.mark.parametrize("cache", ["filp", "dentry"])
@pytest.mark.parametrize("width", [14, 20, 30, 54, 80, 150])
def test_the_stacks_of_a_real_host_are_different(cache: str, width: int) -> None:
    """By their beginning, which was shown at 80 columns, the 13 stacks of filp had 3 texts, and the 12 of dentry 4."""
    lines = Path(__file__).with_name(f"{cache}.folded").read_text().splitlines()
    stacks = frozenset(tuple(reversed(line.rpartition(" ")[0].split(";"))) for line in lines)
    texts = shorten(stacks, width)
    assert len(set(texts.values())) == len(stacks) == len(lines)
    assert all(0 < len(text) <= width for text in texts.values())
    assert not any(MARK in text for text in texts.values())


@pytest.mark.parametrize("width", [24, 30, 54, 80])
def test_two_hundred_stacks_of_one_shape_are_different(width: int) -> None:
    deep = [
        (ALLOCATOR, *(f"function_{(number >> bit) & 1}_of_{bit}" for bit in range(8)), *ENTRY) for number in range(200)
    ]
    texts = shorten(frozenset(deep), width)
    assert len(set(texts.values())) == 200
