"""The order of the leak view."""

from dataclasses import replace

from slabtui.analysis.ranking import Section, rank
from slabtui.model.snapshot import CacheRow
from tests.support.hosts import row


def grown(
    name: str, bytes_h: float | None, growing: bool | None = False, *, reclaimable: bool | None = False
) -> CacheRow:
    return replace(row(name, 1, reclaimable=reclaimable), growth_bytes_h=bytes_h, growing=growing)


def test_what_grows_as_a_leak_does_comes_first_by_bytes_and_reclaimable_caches_last() -> None:
    rows = [
        grown("dentry", 9e9, reclaimable=True),
        grown("kmalloc-64", 2e6, True),
        grown("vm_area_struct", 8e6),
        grown("idle", 0.0),
        grown("filp", 4e6, True),
        replace(grown("lsm_inode_cache", 5e8), grows_with=("dentry",)),
        grown("size-class", None, None, reclaimable=None),
        grown("shrinks", -5e6),
    ]
    assert [(section.name, one.name) for section, one in rank(rows)] == [
        ("GROWING", "filp"),
        ("GROWING", "kmalloc-64"),
        ("OTHER", "vm_area_struct"),
        ("OTHER", "idle"),
        ("OTHER", "shrinks"),
        ("OTHER", "size-class"),
        ("RECLAIMABLE", "dentry"),
        ("RECLAIMABLE", "lsm_inode_cache"),
    ]


def test_a_leak_that_holds_reclaimable_objects_stays_first() -> None:
    leak = replace(grown("filp", 4e6, True), grows_with=("dentry",))
    assert rank([grown("dentry", 9e6, reclaimable=True), leak])[0] == (Section.GROWING, leak)


def test_equal_rows_are_in_the_order_of_their_names() -> None:
    rows = [grown(name, 0.0) for name in ("c", "a", "b")]
    assert [one.name for _, one in rank(rows)] == ["a", "b", "c"]
