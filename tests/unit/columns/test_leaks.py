"""The leak view: its columns, what comes first, what stands together, and that nothing changes places for nothing."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.columns import caches, leaks
from slabtui.columns.caches import Scene
from slabtui.columns.column import field_names
from slabtui.columns.leaks import Arranged, Steady, arrange
from slabtui.columns.numbers import Style
from slabtui.columns.query import Order
from slabtui.columns.units import Basis, Units
from slabtui.model.baseline import Baseline, Change
from slabtui.model.snapshot import CacheRow
from tests.support.fakes import cache

ORDER = Order(leaks.DEFAULT_SORT, True)
SCENE = Scene(past=lambda row, width: "", alias=lambda row: "", units=Units(Style.HUMAN))
LEAKING = ("filp", "lsm_file_cache", "kmalloc-64")


def leak(name: str, growth: float | None, *, reclaimable: bool | None = False, **more: object) -> CacheRow:
    return replace(cache(0, name), growth_bytes_h=growth, growth_objects_s=growth, reclaimable=reclaimable, **more)


def group(*names: str, growth: float, reclaimable: bool = False, growing: bool = True) -> list[CacheRow]:
    return [
        leak(
            name,
            growth - place,
            reclaimable=reclaimable,
            growing=growing,
            grows_with=tuple(other for other in names if other != name),
        )
        for place, name in enumerate(names)
    ]


def shown(rows: list[CacheRow], order: Order = ORDER, steady: Steady | None = None) -> Arranged:
    return arrange(rows, order, Units(), steady or Steady(), leaks.reclaimable_names(rows))


def names(found: Arranged) -> list[str]:
    return [row.name for row in found.rows]


def test_what_cannot_be_reclaimed_comes_first_and_then_the_largest_growth() -> None:
    found = shown([leak("dentry", 9e9, reclaimable=True), leak("filp", 5.0), leak("TCP", 7.0), leak("odd", None)])
    assert names(found) == ["TCP", "filp", "odd", "dentry"]
    assert found.reclaimable == 3


def test_a_leak_comes_before_what_grows_more_but_only_by_its_noise() -> None:
    found = shown([leak("noise", 9e6, growing=False), leak("filp", 1e3, growing=True)])
    assert names(found) == ["filp", "noise"]


def test_while_growth_is_not_known_the_order_is_that_of_what_was_added() -> None:
    rows = [replace(leak(name, None), live=live, size=8) for name, live in (("a", 5), ("b", 900), ("c", 70))]
    units = Units(baseline=Baseline(0, {}))
    found = arrange([*rows, leak("known", -5.0)], ORDER, units, Steady(), frozenset())
    assert names(found) == ["known", "b", "c", "a"]


def test_caches_that_grow_in_step_stand_below_the_first_of_them() -> None:
    found = shown(
        [leak("other", 50.0, growing=True), *group(*LEAKING, growth=100.0), leak("noise", 99.5, growing=True)]
    )
    assert names(found) == ["filp", "lsm_file_cache", "kmalloc-64", "noise", "other"]
    branches = {row.name: found.branches[row.cache] for row in found.rows if row.cache in found.branches}
    assert branches == {"lsm_file_cache": False, "kmalloc-64": True}


def test_what_grows_in_step_with_a_reclaimable_cache_goes_with_it() -> None:
    inodes = group("ext4_inode_cache", "lsm_inode_cache", growth=1e6, growing=False)
    inodes[0] = replace(inodes[0], reclaimable=True)
    found = shown([*inodes, leak("filp", 1.0)])
    assert names(found) == ["filp", "ext4_inode_cache", "lsm_inode_cache"]
    assert found.reclaimable == 1
    assert [*found.branches] == [inodes[1].cache]


def test_what_goes_with_a_reclaimable_cache_does_so_though_the_filter_has_left_that_out() -> None:
    row = leak("lsm_inode_cache", 5.0, grows_with=("ext4_inode_cache",))
    found = arrange([row, leak("filp", 1.0)], ORDER, Units(), Steady(), frozenset({"ext4_inode_cache"}))
    assert (names(found), found.reclaimable) == (["filp", "lsm_inode_cache"], 1)
    scene = replace(SCENE, all_growth=5.0, reclaimable=frozenset({"ext4_inode_cache"}))
    assert written(row, scene)["share"] == "-"


def test_what_grows_as_a_leak_stands_above_whatever_it_grows_in_step_with() -> None:
    """Open files hold their dentries, which cannot be reclaimed then."""
    rows = [leak("dentry", 9e9, reclaimable=True), leak("filp", 5.0, growing=True, grows_with=("dentry",))]
    assert names(shown(rows)) == ["filp", "dentry"]
    assert shown(rows).reclaimable == 1


def test_one_of_a_group_that_the_filter_has_left_stands_alone() -> None:
    found = shown(group(*LEAKING, growth=100.0)[1:2])
    assert names(found) == ["lsm_file_cache"]
    assert not found.branches


@pytest.mark.parametrize("column", ["rate", "recent", "since", "net", "share", "live", "mem", "name"])
@pytest.mark.parametrize("descending", [False, True])
def test_every_other_column_sorts_both_parts(column: str, descending: bool) -> None:
    rows = [
        leak(name, size, reclaimable=name > "b", recent_objects_s=size, live=int(size), mem=int(size))
        for name, size in (("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 4.0))
    ]
    found = shown(rows, Order(column, descending))
    assert found.reclaimable == 2
    values = [leaks.value(column, Units())(row) for row in found.rows]
    assert values[:2] == sorted(values[:2], reverse=descending)
    assert values[2:] == sorted(values[2:], reverse=descending)


def test_equal_rows_are_in_the_order_of_their_names() -> None:
    assert names(shown([leak(name, 0.0) for name in ("c", "a", "b")])) == ["a", "b", "c"]


def test_growth_that_changes_by_a_little_changes_no_place() -> None:
    """The order of the table changed each second, because it was that of the last interval."""
    steady = Steady()
    first = shown([leak("a", 100.0), leak("b", 99.0), leak("c", 98.0)], steady=steady)
    later = shown([leak("a", 99.0), leak("b", 100.0), leak("c", 101.0)], steady=steady)
    assert names(later) == names(first) == ["a", "b", "c"]
    moved = shown([leak("a", 99.0), leak("b", 100.0), leak("c", 110.0)], steady=steady)
    assert names(moved) == ["c", "a", "b"]
    steady.clear()
    assert names(shown([leak("a", 99.0), leak("b", 100.0)], steady=steady)) == ["b", "a"]


@given(
    st.lists(
        st.builds(
            lambda name, growth, reclaimable, growing, together: replace(
                leak(name, growth, reclaimable=reclaimable, growing=growing), grows_with=together
            ),
            st.sampled_from("abcdefgh"),
            st.none() | st.floats(-1e12, 1e12),
            st.sampled_from([None, False, True]),
            st.booleans(),
            st.lists(st.sampled_from("abcdefgh"), max_size=3).map(tuple),
        ),
        unique_by=lambda row: row.cache,
    )
)
def test_no_row_is_lost_or_doubled_whatever_groups_the_analysis_finds(rows: list[CacheRow]) -> None:
    found = shown(rows)
    assert sorted(row.cache for row in found.rows) == sorted(row.cache for row in rows)
    assert 0 <= found.reclaimable <= len(rows)
    places = {row.cache: place for place, row in enumerate(found.rows)}
    assert all(places[each] not in (0, found.reclaimable) for each in found.branches)


def test_a_cache_that_has_changed_stays_in_the_view() -> None:
    steady, units = Steady(), Units(baseline=Baseline(0, {cache(1, "a").cache: Change(live=5)}))
    row = replace(cache(1, "a"), live=5)
    assert not steady.shows(row, units)
    assert steady.shows(replace(row, live=6), units)
    assert steady.shows(row, units)
    steady.clear()
    assert not steady.shows(row, units)
    assert steady.shows(replace(row, growth_objects_s=-0.5), units)
    assert not Steady().shows(replace(row, growth_objects_s=0.001), units)


def written(row: CacheRow, scene: Scene = SCENE, style: Style = Style.HUMAN) -> dict[str, str]:
    return {one.id: one.write(row, one.width, scene) for one in leaks.on_screen(style)}


def test_a_row_has_its_growth_in_bytes_and_objects_and_its_share() -> None:
    row = leak(
        "filp", 16_934_400.0, size=256, growing=True, live=300, mem=81920, recent_objects_s=21.4, grows_with=("x",)
    )
    row = replace(row, growth_objects_s=18.375, disagrees=False, total_allocs=90, total_frees=30)
    base = Baseline(0, {row.cache: Change(allocs=40, bytes=0, frees=20, live=100)})
    scene = replace(SCENE, all_growth=33_868_800.0, units=Units(Style.HUMAN, baseline=base, net=base))
    found = {name: text.strip() for name, text in written(row, scene).items()}
    assert found == {
        "name": "filp",
        "leak": "+16.1Mi^",
        "rate": "+18.4",
        "recent": "+21.4",
        "since": "+50.0Ki",
        "net": "+40",
        "reclaim": "no",
        "share": "50.0%",
        "live": "300",
        "mem": "80.0Ki",
        "trend": "",
    }


def test_what_is_not_known_yet_is_no_zero() -> None:
    found = {name: text.strip() for name, text in written(leak("filp", None, reclaimable=None)).items()}
    for name in ("leak", "rate", "recent", "since", "net", "reclaim", "share"):
        assert found[name] == "-", name


@pytest.mark.parametrize("disagrees", [True, None])
def test_the_net_is_shown_only_where_frees_explain_the_change(disagrees: bool | None) -> None:
    row = replace(leak("filp", 1.0), disagrees=disagrees, total_allocs=5, total_frees=2)
    base = Baseline(0, {})
    assert written(row, replace(SCENE, units=Units(baseline=base, net=base)))["net"].strip() == "-"
    row = replace(row, disagrees=False)
    assert written(row, replace(SCENE, units=Units(baseline=base, net=base)))["net"].strip() == "+3"


def test_a_reclaimable_cache_has_no_mark_and_no_share() -> None:
    found = written(leak("dentry", 1e9, reclaimable=True, growing=False), replace(SCENE, all_growth=5.0))
    assert (found["share"], found["leak"].endswith(" "), found["reclaim"]) == ("-", True, "yes")


def test_the_growth_of_all_is_that_of_what_grows_and_stays() -> None:
    rows = [leak("a", 5.0), leak("b", 7.0), leak("c", -3.0), leak("d", None), leak("e", 1e9, reclaimable=True)]
    rows.append(leak("f", 1e9, grows_with=("e",)))
    assert leaks.all_growth(rows, leaks.reclaimable_names(rows)) == 12.0


@pytest.mark.parametrize("style", Style)
@given(
    number=st.floats(-(2.0**64), 2.0**64) | st.none(),
    live=st.integers(0, 2**63),
    before=st.integers(0, 2**63),
    size=st.integers(1, 2**20),
)
def test_no_number_is_wider_than_its_column(
    style: Style, number: float | None, live: int, before: int, size: int
) -> None:
    row = replace(
        leak("a", number, size=size, live=live, mem=live, growing=True, recent_objects_s=number),
        disagrees=False,
        total_allocs=live,
        total_frees=before,
    )
    base = Baseline(0, {row.cache: Change(0, 0, 0, before)})
    scene = replace(SCENE, units=Units(style, baseline=base, net=base), all_growth=abs(number or 0) + 1)
    for one in leaks.on_screen(style)[1:]:
        assert len(one.write(row, one.width, scene)) <= one.width, one.id


@pytest.mark.parametrize("columns", [*map(leaks.on_screen, Style), leaks.of_table(Style.HUMAN, Basis.SECOND)])
def test_priorities_differ_and_titles_fit(columns: tuple[caches.CacheColumn, ...]) -> None:
    priorities = [one.priority for one in columns]
    assert len({*priorities}) == len(priorities)
    assert [one.id for one in columns if not one.priority] == ["name"]
    assert len({one.id for one in columns}) == len(columns)
    assert all(len(one.title) + (one.value is not None) <= one.width for one in columns)
    assert all(one.help and len(one.help) < 240 and not one.help.endswith(".") for one in columns)
    assert {*field_names(columns)} <= {field.name for field in fields(CacheRow)}


@pytest.mark.parametrize(
    ("width", "left_out"),
    [(79, ["reclaim", "trend"]), (81, ["trend"]), (140, [])],
)
def test_the_columns_that_matter_fit_80(width: int, left_out: list[str]) -> None:
    columns = leaks.on_screen(Style.HUMAN)
    kept = [one.id for one, _ in caches.fit(columns, width, 14, leaks.DEFAULT_SORT)]
    assert [one.id for one in columns if one.id not in kept] == left_out


def test_a_wide_table_has_the_growth_too() -> None:
    columns = leaks.of_table(Style.HUMAN, Basis.SECOND)
    assert [one.id for one, _ in caches.fit(columns, 199, 20)][-4:] == ["mem", "leak", "reclaim", "history"]
    assert [one.id for one, _ in caches.fit(columns, 79, 14)][-1:] == ["history"]
