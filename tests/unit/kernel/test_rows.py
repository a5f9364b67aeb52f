"""One row with a stable key for each cache, from the counts and from slabinfo."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from slabtui.kernel.allocs import Allocated
from slabtui.kernel.bulk import BulkCounts
from slabtui.kernel.consistency import Consistency
from slabtui.kernel.counters import Cache, Counts
from slabtui.kernel.frees import Freed
from slabtui.kernel.procfs.slabinfo import Slab
from slabtui.kernel.rows import LARGE_KEY, Counted, Rows, find_living, find_newest
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.snapshot import CacheTotals

DENTRY = Cache(0xFFFF888100000100, "dentry", 192, 184)
FILP = Cache(0xFFFF888100000200, "filp", 256, 256)
CLASS = Cache(64 << 8, "kmalloc-64", 64, 64, approximate=True)
SLAB = Slab(live=100, size=192, objects_per_slab=21, mem=8192)
AT_DENTRYS = Cache(DENTRY.address, "filp", 256, 256)  # another cache at the same address
NOTHING: Mapping[Cache, int] = {}


def key(name: str, generation: int = 1) -> CacheKey:
    return CacheKey(KeyKind.CACHE, name, generation)


def counts(by_cache: Mapping[Cache, int], epoch: int = 1) -> Counts:
    """Return the counts of one table that has described every cache in one interval."""
    return Counts(
        {cache.address: number for cache, number in by_cache.items()},
        {cache.address: cache for cache in by_cache},
        {cache.address: epoch for cache in by_cache},
    )


def counted(
    allocs: Mapping[Cache, int],
    frees: Mapping[Cache, int] | None = None,
    bulk_allocs: Mapping[Cache, int] = NOTHING,
    bulk_frees: Mapping[Cache, int] = NOTHING,
    *,
    epoch: int = 1,
    begun: int = 1,
    large: tuple[int, int] = (0, 0),
) -> Counted:
    """Return what was counted; frees are not counted if they are None."""
    return Counted(
        Allocated(counts(allocs, epoch), *large, lost=0),
        Freed() if frees is None else Freed(counts(frees, epoch), begun=begun),
        BulkCounts(counts(bulk_allocs, epoch), counts(bulk_frees, epoch)),
    )


def amounts(rows: Mapping[CacheKey, CacheTotals]) -> dict[str, tuple[int, int | None]]:
    return {str(key): (row.total_allocs, row.total_frees) for key, row in rows.items()}


def test_a_cache_that_is_counted_and_listed_has_all_numbers() -> None:
    rows = Rows().merge(counted({DENTRY: 5}, {DENTRY: 2}), {"dentry": SLAB}, {"dentry": ("names",)})
    assert rows == {
        key("dentry"): CacheTotals(
            key("dentry"),
            "dentry",
            192,
            184,
            address=DENTRY.address,
            aliases=("names",),
            live=100,
            mem=8192,
            total_allocs=5,
            total_bytes=960,
            total_frees=2,
        )
    }


def test_what_goes_in_bulk_is_added() -> None:
    rows = Rows()
    rows.merge(counted({DENTRY: 5}, {DENTRY: 2}, {DENTRY: 30}, {DENTRY: 40}))
    merged = rows.merge(counted({DENTRY: 6}, {DENTRY: 4}, {DENTRY: 31}, {DENTRY: 43}))
    assert amounts(merged) == {"dentry": (37, 7)}
    assert merged[key("dentry")].total_bytes == 37 * 192


def test_a_cache_that_only_ever_allocates_in_bulk_or_only_frees_has_a_row() -> None:
    other = Cache(0xFFFF888100000300, "freed", 8, 8)
    rows = Rows().merge(counted({DENTRY: 1}, {other: 7}, {FILP: 3}, {FILP: 1}))
    assert amounts(rows) == {"dentry": (1, 0), "freed": (0, 7), "filp": (3, 0)}


def test_frees_are_unknown_until_they_are_counted_and_not_zero() -> None:
    slabs = {"dentry": SLAB, "idle": SLAB}
    rows = Rows()
    assert amounts(rows.merge(counted({DENTRY: 5}, None, {}, {DENTRY: 9}), slabs)) == {
        "dentry": (5, None),
        "idle": (0, None),
    }
    assert amounts(rows.merge(counted({DENTRY: 5}, {}), slabs)) == {"dentry": (5, 0), "idle": (0, 0)}


def test_frees_stay_when_they_are_no_longer_counted() -> None:
    rows = Rows()
    rows.merge(counted({DENTRY: 5}, {DENTRY: 2}))
    later = counted({DENTRY: 9}, {DENTRY: 2}, {}, {DENTRY: 50})
    assert amounts(rows.merge(replace(later, freed=replace(later.freed, begun=None)))) == {"dentry": (9, 2)}


def test_bulk_frees_belong_to_frees_only_while_these_are_counted() -> None:
    rows = Rows()
    rows.merge(counted({DENTRY: 5}, None, {}, {DENTRY: 100}))
    assert amounts(rows.merge(counted({DENTRY: 5}, {}, {}, {DENTRY: 130}))) == {"dentry": (5, 0)}
    assert amounts(rows.merge(counted({DENTRY: 5}, {}, {}, {DENTRY: 134}))) == {"dentry": (5, 4)}
    assert amounts(rows.merge(counted({DENTRY: 5}, {}, {}, {DENTRY: 200}, begun=2))) == {"dentry": (5, 4)}


def test_a_size_class_has_a_key_of_its_own_kind_and_nothing_more_is_known_of_it() -> None:
    rows = Rows().merge(counted({CLASS: 4}, {}), {"kmalloc-64": SLAB})
    found = rows[CacheKey(KeyKind.SIZE_CLASS, "kmalloc-64")]
    assert found.approximate
    assert (found.total_allocs, found.total_bytes) == (4, 256)
    assert (found.total_frees, found.live, found.mem, found.address) == (None, None, None, None)


def test_kmalloc_beyond_the_largest_cache_has_a_key_of_its_own_kind() -> None:
    rows = Rows(large_twice=True)
    assert LARGE_KEY not in rows.merge(counted({}))
    found = rows.merge(counted({}, large=(3, 60_000)))[LARGE_KEY]
    assert (found.total_allocs, found.total_bytes, found.total_frees, found.size) == (3, 60_000, None, None)
    assert found.approximate
    assert LARGE_KEY.kind is KeyKind.LARGE


def test_two_caches_of_one_name_have_a_row_and_a_generation_each() -> None:
    twin = Cache(0xFFFF888100000300, "dentry", 64, 64)
    rows = Rows().merge(counted({DENTRY: 1, twin: 2}))
    assert {(row.address, row.size, row.total_allocs) for row in rows.values()} == {
        (DENTRY.address, 192, 1),
        (twin.address, 64, 2),
    }
    assert set(rows) == {key("dentry"), key("dentry", 2)}


def test_a_cache_that_tables_describe_differently_is_the_one_described_last() -> None:
    older = Cache(DENTRY.address, "older", 64, 64)
    caches, epochs = find_newest((counts({older: 1}, 3), counts({DENTRY: 2}, 4), counts({older: 3}, 4)))
    assert (caches, epochs) == ({DENTRY.address: DENTRY}, {DENTRY.address: 4})


def test_an_idle_cache_keeps_its_key_when_it_allocates_for_the_first_time() -> None:
    rows = Rows()
    idle = rows.merge(counted({}), {"dentry": SLAB})
    assert idle == {
        key("dentry"): CacheTotals(key("dentry"), "dentry", 192, None, live=100, mem=8192),
    }
    awake = rows.merge(counted({DENTRY: 1}), {"dentry": SLAB})
    assert list(awake) == list(idle)
    assert (awake[key("dentry")].total_allocs, awake[key("dentry")].address) == (1, DENTRY.address)


def test_an_idle_cache_keeps_its_key_when_the_kernels_list_says_where_it_is() -> None:
    rows = Rows()
    (found,) = rows.merge(counted({}), {"dentry": SLAB})
    rows.listed = {"dentry": DENTRY}
    located = rows.merge(counted({}), {"dentry": SLAB})
    assert [(row.address, row.object_size) for row in located.values()] == [(DENTRY.address, DENTRY.object_size)]
    rows.listed = {}  # a later list may lack it
    assert list(rows.merge(counted({}), {"dentry": SLAB})) == [found]
    assert list(rows.merge(counted({DENTRY: 1}), {"dentry": SLAB})) == [found]


def test_another_cache_at_the_address_of_a_destroyed_one_begins_at_zero_and_the_old_one_stays_as_it_was() -> None:
    rows = Rows()
    rows.merge(counted({DENTRY: 50}, {DENTRY: 20}), {"dentry": SLAB})
    merged = rows.merge(counted({AT_DENTRYS: 53}, {AT_DENTRYS: 21}, epoch=2), {"filp": SLAB})
    assert amounts(merged) == {"dentry": (50, 20), "filp": (3, 1)}
    old, new = merged[key("dentry")], merged[key("filp")]
    assert (old.live, old.mem, old.address, old.disagrees) == (None, None, None, None)
    assert (new.live, new.mem, new.address, new.total_bytes) == (100, 8192, DENTRY.address, 3 * 256)
    assert amounts(rows.merge(counted({AT_DENTRYS: 60}, {AT_DENTRYS: 21}, epoch=3))) == {
        "dentry": (50, 20),
        "filp": (10, 1),
    }


def test_another_object_size_at_an_address_is_another_cache() -> None:
    rows = Rows()
    rows.merge(counted({DENTRY: 50}))
    merged = rows.merge(counted({replace(DENTRY, size=256): 51}, epoch=2))
    assert amounts(merged) == {"dentry": (50, None), "dentry#2": (1, None)}


def test_a_cache_that_is_created_again_and_idle_is_not_the_destroyed_one_of_its_name() -> None:
    rows = Rows()
    rows.merge(counted({DENTRY: 50}), {"dentry": SLAB})
    rows.merge(counted({AT_DENTRYS: 51}, epoch=2), {"filp": SLAB})
    merged = rows.merge(counted({AT_DENTRYS: 51}, epoch=2), {"filp": SLAB, "dentry": SLAB})
    assert {str(key): row.live for key, row in merged.items()} == {"dentry": None, "dentry#2": 100, "filp": 100}


def test_an_address_that_is_another_caches_by_now_is_not_given_to_an_idle_one() -> None:
    rows = Rows()
    rows.listed = {"dentry": replace(FILP, name="dentry")}
    merged = rows.merge(counted({FILP: 1}), {"dentry": SLAB, "filp": SLAB})
    assert {str(key): row.address for key, row in merged.items()} == {"filp": FILP.address, "dentry": None}


def test_a_cache_that_was_seen_is_in_every_later_reading() -> None:
    rows = Rows()
    rows.merge(counted({DENTRY: 1}), {"idle": SLAB, "dentry": SLAB}, {"idle": ("other",)})
    unreadable = rows.merge(counted({DENTRY: 1}))
    assert {str(key): (row.live, row.aliases) for key, row in unreadable.items()} == {
        "dentry": (None, ()),
        "idle": (None, ()),
    }
    again = rows.merge(counted({DENTRY: 1}), {"idle": SLAB, "dentry": SLAB})
    assert {str(key): row.live for key, row in again.items()} == {"dentry": 100, "idle": 100}


@given(st.lists(st.tuples(st.sampled_from([DENTRY, FILP, AT_DENTRYS]), st.integers(0, 5), st.booleans()), max_size=20))
def test_whatever_comes_and_goes_totals_grow_and_sum_up_to_what_was_counted(
    steps: list[tuple[Cache, int, bool]],
) -> None:
    rows, owners, table = Rows(), {}, {}
    before: dict[CacheKey, CacheTotals] = {}
    for epoch, (cache, events, listed) in enumerate(steps, 1):
        owners[cache.address] = cache
        table[cache.address] = table.get(cache.address, 0) + events
        seen = {owners[address]: number for address, number in table.items()}
        merged = rows.merge(counted(seen, epoch=epoch), {cache.name: SLAB} if listed else {})
        assert merged.keys() >= before.keys()
        assert all(merged[key].total_allocs >= row.total_allocs for key, row in before.items())
        assert sum(row.total_allocs for row in merged.values()) == sum(table.values())
        before = merged


OLD, NEW = (Cache(0xFFFF888100000000 + 256 * number, "nf_conntrack", 256, 248) for number in (1, 2))
NAMESAKES = {cache.address: cache for cache in (OLD, NEW)}


def test_a_line_of_slabinfo_is_about_the_cache_that_lives_and_not_about_a_destroyed_one_of_that_name() -> None:
    rows = Rows()
    rows.merge(counted({OLD: 5}, epoch=3), {"nf_conntrack": SLAB})
    merged = rows.merge(
        Counted(
            Allocated(Counts({OLD.address: 5, NEW.address: 1}, NAMESAKES, {OLD.address: 3, NEW.address: 7}), 0, 0, 0)
        ),
        {"nf_conntrack": SLAB},
    )
    old, new = merged[key("nf_conntrack")], merged[key("nf_conntrack", 2)]
    assert (old.live, old.mem) == (None, None)
    assert (new.live, new.mem) == (SLAB.live, SLAB.mem)
    assert rows.find("nf_conntrack") == new


def test_of_two_caches_seen_in_one_interval_the_one_lives_that_was_not_there_before() -> None:
    before = find_living({OLD.address: OLD}, {OLD.address: 3}, {})
    assert before == {"nf_conntrack": OLD.address}
    assert find_living(NAMESAKES, {OLD.address: 4, NEW.address: 4}, before) == {"nf_conntrack": NEW.address}


def test_which_of_two_caches_lives_is_unknown_until_one_is_seen_alone() -> None:
    assert find_living(NAMESAKES, {OLD.address: 4, NEW.address: 4}, {}) == {}
    assert find_living(NAMESAKES, {OLD.address: 5, NEW.address: 4}, {}) == {"nf_conntrack": OLD.address}


def test_a_cache_is_found_by_its_key_its_name_and_an_alias() -> None:
    rows = Rows()
    elsewhere = replace(DENTRY, address=DENTRY.address + 4096)
    rows.merge(counted({OLD: 1, NEW: 2, elsewhere: 3}), {"dentry": SLAB}, {"dentry": ("names",)})
    found = [rows.find(wanted) for wanted in (key("dentry"), "dentry", "names", "nf_conntrack", "no")]
    assert [row and str(row.cache) for row in found] == [
        "dentry",
        "dentry",
        "dentry",
        "nf_conntrack#2",
        None,
    ]


def test_a_cache_is_located_while_it_lives() -> None:
    rows = Rows()
    rows.merge(counted({DENTRY: 1, CLASS: 1}, large=(1, 9000)), {"idle": SLAB})
    idle = Cache(0xFFFF888100000900, "idle", 192, 8)
    assert rows.locate(key("idle")) is None
    rows.listed = {"idle": idle}
    wanted = (key("dentry"), key("idle"), LARGE_KEY, CacheKey(KeyKind.SIZE_CLASS, "kmalloc-64"))
    assert [cache and cache.address for cache in map(rows.locate, wanted)] == [
        DENTRY.address,
        idle.address,
        1,
        CLASS.address,
    ]
    rows.merge(counted({AT_DENTRYS: 2}, epoch=2))
    assert rows.locate(key("dentry")) is None


def test_a_cache_of_the_list_without_a_row_is_located_with_the_key_that_its_row_will_have() -> None:
    rows = Rows()
    rows.listed = {"dentry": DENTRY}
    located = rows.locate_listed("dentry")
    assert located == (key("dentry"), DENTRY)
    assert list(rows.merge(counted({DENTRY: 1}))) == [located[0]]
    assert rows.locate_listed("other") is None


def test_nothing_is_known_of_any_cache() -> None:
    assert Rows().merge(counted({})) == {}


def test_a_row_that_is_made_from_the_same_is_the_same_object_and_any_change_makes_another() -> None:
    rows, slabs, aliases = Rows(), {"dentry": SLAB, "idle": SLAB}, {"dentry": ("one",), "idle": ("two",)}
    first = dict(rows.merge(counted({DENTRY: 5}, {DENTRY: 1}), slabs, aliases))
    again = dict(rows.merge(counted({DENTRY: 5}, {DENTRY: 1}), slabs, aliases))
    assert all(again[one] is row for one, row in first.items())
    for slab, names in (
        (replace(SLAB, live=99), ("one",)),
        (replace(SLAB, mem=4096), ("one",)),
        (replace(SLAB, reclaimable=True), ("one",)),
        (SLAB, ("one", "more")),
    ):
        changed = rows.merge(
            counted({DENTRY: 5}, {DENTRY: 1}), dict.fromkeys(slabs, slab), dict.fromkeys(aliases, names)
        )
        for row in changed.values():
            found = row.live, row.mem, row.reclaimable, row.aliases
            assert found == (slab.live, slab.mem, slab.reclaimable, names)


def test_a_mark_of_inconsistency_does_not_outlive_what_it_was_made_from() -> None:
    rows, consistency = Rows(), Consistency()

    def marks(counts: Counted, live: int) -> bool | None:
        slabs = {"dentry": replace(SLAB, live=live)}
        found = rows.merge(counts, slabs)
        consistency.mark(found, counts.freed.begun, slabs, lambda name: 0)
        return found[key("dentry")].disagrees

    assert marks(counted({DENTRY: 5}, {}), 0) is False
    assert marks(counted({DENTRY: 5}, {}), 10**6) is True
    assert marks(counted({DENTRY: 5}, {}), 10**6) is True  # the same row
    stopped = counted({DENTRY: 5}, {})
    assert marks(replace(stopped, freed=replace(stopped.freed, begun=None)), 10**6) is None
    assert marks(counted({DENTRY: 5}, {}, begun=2), 10**6) is False  # compared with this moment from now on


READINGS = st.tuples(
    st.dictionaries(st.sampled_from([DENTRY, FILP, AT_DENTRYS, CLASS]), st.integers(0, 2), max_size=3),
    st.none() | st.dictionaries(st.sampled_from([DENTRY, FILP, CLASS]), st.integers(0, 2), max_size=2),
    st.dictionaries(
        st.sampled_from(["dentry", "filp", "idle"]),
        st.builds(
            Slab, st.sampled_from([0, 10**6]), st.just(192), st.just(21), st.just(8192), st.sampled_from([None, True])
        ),
    ),
    st.dictionaries(st.sampled_from(["dentry", "idle"]), st.sampled_from([("one",), ("one", "two")])),
    st.sampled_from([{}, {"idle": Cache(0xFFFF888100000400, "idle", 64, 60)}]),
)


@given(st.lists(READINGS, max_size=8))
def test_rows_that_are_shared_say_the_same_as_rows_that_are_made_anew(
    readings: list[
        tuple[dict[Cache, int], dict[Cache, int] | None, dict[str, Slab], dict[str, tuple[str, ...]], dict[str, Cache]]
    ],
) -> None:
    shared, anew = (Rows(), Consistency()), (Rows(), Consistency())
    sums: dict[str, dict[int, int]] = {"allocs": {}, "frees": {}}
    owners: dict[int, Cache] = {}
    for epoch, (allocs, frees, slabs, aliases, listed) in enumerate(readings, 1):
        for counts_of, more in ((sums["allocs"], allocs), (sums["frees"], frees or {})):
            for cache, number in more.items():
                owners[cache.address] = cache
                counts_of[cache.address] = counts_of.get(cache.address, 0) + number
        counts = counted(
            {owners[address]: number for address, number in sums["allocs"].items()},
            None if frees is None else {owners[address]: number for address, number in sums["frees"].items()},
            epoch=epoch,
        )
        found = []
        for rows, consistency in (shared, anew):
            rows.listed = listed
            if rows is anew[0]:
                rows._made_from.clear()
            merged = rows.merge(counts, slabs, aliases)
            consistency.mark(merged, counts.freed.begun, slabs, lambda name: 0)
            found.append(merged)
        assert list(found[0].items()) == list(found[1].items())
