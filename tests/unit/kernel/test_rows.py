"""One row for each cache, from what was counted and from what slabinfo says."""

from dataclasses import replace

from slabtui.kernel.counters import Cache
from slabtui.kernel.procfs.slabinfo import Slab
from slabtui.kernel.rows import UNSEEN, Counted, Unseen, find_living, merged
from slabtui.model.snapshot import CacheRow

DENTRY = Cache(0xFFFF888100000100, "dentry", 192, 184)
FILP = Cache(0xFFFF888100000200, "filp", 256, 256)
CLASS = Cache(64 << 8, "kmalloc-64", 64, 64, approximate=True)
SLAB = Slab(live=100, size=192, objects_per_slab=21, mem=8192)


def row(rows: dict[int, CacheRow], name: str) -> CacheRow:
    (found,) = (row for row in rows.values() if row.name == name)
    return found


def test_a_cache_that_is_counted_and_listed_has_all_numbers() -> None:
    rows = merged(Counted({DENTRY: 5}, {DENTRY: 2}), {"dentry": SLAB}, {"dentry": ("names",)}, Unseen())
    assert rows == {
        DENTRY.cache: CacheRow(
            DENTRY.cache, "dentry", 192, 184, 5, 960, frees=2, live=100, mem=8192, aliases=("names",)
        )
    }


def test_what_goes_in_bulk_is_added() -> None:
    rows = merged(Counted({DENTRY: 5}, {DENTRY: 2}, {DENTRY: 30}, {DENTRY: 40}), {}, {}, Unseen())
    assert (rows[DENTRY.cache].allocs, rows[DENTRY.cache].frees) == (35, 42)
    assert rows[DENTRY.cache].bytes == 35 * 192


def test_a_cache_that_only_ever_allocates_or_frees_in_bulk_or_only_frees_has_a_row() -> None:
    other = Cache(0xFFFF888100000300, "freed", 8, 8)
    rows = merged(Counted({DENTRY: 1}, {other: 7}, {FILP: 3}, {FILP: 1}), {}, {}, Unseen())
    assert {name: (row(rows, name).allocs, row(rows, name).frees) for name in ("dentry", "freed", "filp")} == {
        "dentry": (1, 0),
        "freed": (0, 7),
        "filp": (3, 1),
    }


def test_frees_that_nobody_counts_are_unknown_and_not_zero() -> None:
    slabs = {"dentry": SLAB, "idle": SLAB}
    uncounted = merged(Counted({DENTRY: 5}, None, {}, {DENTRY: 9}), slabs, {}, Unseen())
    assert {row.frees for row in uncounted.values()} == {None}
    counted = merged(Counted({DENTRY: 5}, {}), slabs, {}, Unseen())
    assert {row.frees for row in counted.values()} == {0}
    assert len(counted) == len(uncounted) == 2


def test_a_size_class_stands_for_many_caches_of_which_nothing_more_is_known() -> None:
    rows = merged(Counted({CLASS: 4}, {}), {"kmalloc-64": SLAB}, {}, Unseen())
    found = rows[CLASS.cache]
    assert found.approximate
    assert (found.allocs, found.bytes) == (4, 256)
    assert (found.frees, found.live, found.mem) == (None, None, None)


def test_two_caches_of_one_name_have_a_row_each() -> None:
    twin = Cache(0xFFFF888100000300, "dentry", 64, 64)
    rows = merged(Counted({DENTRY: 1, twin: 2}), {}, {}, Unseen())
    assert {found.cache: (found.name, found.size, found.allocs) for found in rows.values()} == {
        DENTRY.cache: ("dentry", 192, 1),
        twin.cache: ("dentry", 64, 2),
    }


def test_a_cache_that_is_described_twice_is_one_row_with_the_sum() -> None:
    older = Cache(DENTRY.cache, "old name", 64, 64)
    rows = merged(Counted({older: 1, DENTRY: 2}), {}, {}, Unseen())
    (only,) = rows.values()
    assert (only.name, only.allocs, only.bytes) == ("dentry", 3, 3 * 192)


def test_a_cache_that_is_only_listed_is_idle_and_keeps_its_identity() -> None:
    unseen = Unseen()
    first = merged(Counted({}), {"idle": SLAB}, {"idle": ("other",)}, unseen)
    (cache,) = first
    assert first[cache] == CacheRow(cache, "idle", 192, None, 0, 0, live=100, mem=8192, aliases=("other",))
    second = merged(Counted({DENTRY: 1}), {"another": SLAB, "idle": SLAB, "dentry": SLAB}, {}, unseen)
    assert second[cache].name == "idle"
    assert len(second) == 3
    assert UNSEEN <= cache < 1 << 40 < DENTRY.cache


def test_a_cache_that_has_been_seen_is_there_once() -> None:
    unseen = Unseen()
    merged(Counted({}), {"dentry": SLAB}, {}, unseen)
    rows = merged(Counted({DENTRY: 1}), {"dentry": SLAB}, {}, unseen)
    assert list(rows) == [DENTRY.cache]


def test_the_name_behind_an_identity_is_found_again() -> None:
    unseen = Unseen()
    numbers = {name: unseen.number(name) for name in ("a", "b", "c", "a")}
    assert len(set(numbers.values())) == 3
    assert [unseen.name(numbers[name]) for name in ("a", "b", "c")] == ["a", "b", "c"]
    assert unseen.name(DENTRY.cache) is None
    assert unseen.name(UNSEEN + 3) is None


def test_nobody_knows_of_any_cache() -> None:
    assert merged(Counted({}), {}, {}, Unseen()) == {}


OLD, NEW = (Cache(0xFFFF888100000000 + 256 * number, "nf_conntrack", 256, 248) for number in (1, 2))
NAMESAKES = {cache.cache: cache for cache in (OLD, NEW)}


def test_a_line_of_slabinfo_is_about_the_cache_that_lives_and_not_about_a_destroyed_one_of_that_name() -> None:
    living = find_living(NAMESAKES, {OLD.cache: 3, NEW.cache: 7}, {})
    rows = merged(Counted({OLD: 5, NEW: 1}), {"nf_conntrack": SLAB}, {}, Unseen(), living)
    assert (rows[OLD.cache].live, rows[OLD.cache].mem) == (None, None)
    assert (rows[NEW.cache].live, rows[NEW.cache].mem) == (SLAB.live, SLAB.mem)


def test_of_two_caches_seen_in_one_interval_the_one_lives_that_was_not_there_before() -> None:
    before = find_living({OLD.cache: OLD}, {OLD.cache: 3}, {})
    assert before == {"nf_conntrack": OLD.cache}
    assert find_living(NAMESAKES, {OLD.cache: 4, NEW.cache: 4}, before) == {"nf_conntrack": NEW.cache}


def test_which_of_two_caches_lives_is_unknown_until_one_is_seen_alone() -> None:
    assert find_living(NAMESAKES, {OLD.cache: 4, NEW.cache: 4}, {}) == {}
    assert find_living(NAMESAKES, {OLD.cache: 5, NEW.cache: 4}, {}) == {"nf_conntrack": OLD.cache}


def test_an_idle_cache_of_the_kernels_list_has_its_address_from_the_beginning() -> None:
    unseen = Unseen()
    unseen.listed = {"dentry": DENTRY}
    idle = merged(Counted({}), {"dentry": SLAB}, {}, unseen)
    assert (row(idle, "dentry").cache, row(idle, "dentry").object_size) == (DENTRY.cache, DENTRY.object_size)
    awake = merged(Counted({DENTRY: 1}), {"dentry": SLAB}, {}, unseen)
    assert row(awake, "dentry").cache == DENTRY.cache


def test_an_address_that_is_another_caches_by_now_is_not_given_to_an_idle_one() -> None:
    unseen = Unseen()
    unseen.listed = {"dentry": replace(FILP, name="dentry")}
    rows = merged(Counted({FILP: 1}), {"dentry": SLAB, "filp": SLAB}, {}, unseen)
    assert row(rows, "filp").cache == FILP.cache
    assert row(rows, "dentry").cache >= UNSEEN
