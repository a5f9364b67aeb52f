"""Keys: each names one cache, from its first sight to its end, and is read back from its text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.model.identity import CacheKey, Identities, KeyKind
from tests.support import strategies

HOSTILE = ["", "#", "a#2", "#1#", ":", "large:", "cache:a", "size-class:kmalloc-64#3", "a b", "\x1b[2J", "-1", "0x10"]
NAMES = st.sampled_from(HOSTILE) | st.text(max_size=12)
KEYS = strategies.keys(NAMES)


@given(KEYS)
def test_a_key_is_read_back_from_its_text(key: CacheKey) -> None:
    assert CacheKey.parse(str(key)) == key


@given(KEYS, KEYS)
def test_different_keys_have_different_texts(one: CacheKey, other: CacheKey) -> None:
    assert (str(one) == str(other)) is (one == other)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (CacheKey(KeyKind.CACHE, "filp"), "filp"),
        (CacheKey(KeyKind.CACHE, "fuse_inode", 2), "fuse_inode#2"),
        (CacheKey(KeyKind.SIZE_CLASS, "kmalloc-64"), "size-class:kmalloc-64"),
        (CacheKey(KeyKind.CACHE, "large:"), "cache:large:"),
        (CacheKey(KeyKind.CACHE, "a#2"), "a#2#1"),
    ],
)
def test_the_text_of_a_key_is_short_where_it_can_be(key: CacheKey, text: str) -> None:
    assert str(key) == text


@pytest.mark.parametrize("text", ["filp#", "filp#x", "filp#0", "filp#-5", "filp#+2", "filp#02", "slab:x", "cache:filp"])
def test_any_other_text_is_no_key(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        CacheKey.parse(text)


@given(st.text(max_size=20) | st.sampled_from(HOSTILE))
def test_a_text_is_the_text_of_one_key_or_of_none(text: str) -> None:
    try:
        key = CacheKey.parse(text)
    except ValueError:
        return
    assert str(key) == text


def test_an_idle_cache_keeps_its_key_when_it_wakes() -> None:
    identities = Identities()
    idle = identities.listed("filp")
    assert identities.listed("filp") == idle
    assert identities.seen(0x100, "filp", 64) == idle
    assert identities.seen(0x100, "filp", 64) == idle


def test_a_cache_that_is_listed_after_one_of_its_name_woke_is_another_one() -> None:
    identities = Identities()
    first = identities.seen(0x100, "filp")
    second = identities.listed("filp")
    assert second != first
    assert identities.seen(0x200, "filp") == second


@pytest.mark.parametrize(("name", "size"), [("other", 64), ("filp", 128)])
def test_another_cache_at_the_same_address_has_another_key(name: str, size: int) -> None:
    identities = Identities()
    assert identities.seen(0x100, "filp", 64) != identities.seen(0x100, name, size)


def test_a_size_that_is_not_known_yet_makes_no_other_cache() -> None:
    identities = Identities()
    key = identities.seen(0x100, "filp")
    assert identities.seen(0x100, "filp", 64) == identities.seen(0x100, "filp") == key
    assert identities.seen(0x100, "filp", 128) != key


def test_two_caches_of_one_name_have_different_keys() -> None:
    identities = Identities()
    keys = [identities.seen(address, "bio-120", 64) for address in (0x100, 0x200, 0x100, 0x200)]
    assert keys[:2] == keys[2:]
    assert keys[0] != keys[1]


def test_a_cache_that_comes_back_to_its_address_after_another_one_is_new() -> None:
    identities = Identities()
    keys = [identities.seen(0x100, name, 64) for name in ("a", "b", "a")]
    assert len(set(keys)) == 3


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.sampled_from([8, 16, None]))))
def test_a_key_never_stands_for_two_addresses(seen: list[tuple[int, str, int | None]]) -> None:
    identities = Identities()
    at: dict[CacheKey, int] = {}
    for address, name, size in seen:
        key = identities.seen(address, name, size)
        assert at.setdefault(key, address) == address
        assert key.name == name
