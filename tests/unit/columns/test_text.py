"""The columns of text: all that rows can be sorted by, and leaks at the top of an order by growth."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.columns import caches, text
from slabtui.columns.caches import Scene
from slabtui.columns.query import Order, arrange
from slabtui.model.snapshot import CacheRow
from slabtui.text import printable
from tests.support import strategies
from tests.support.fakes import cache

SCENE = Scene(past=lambda row, width: "", alias=lambda row: "", leaks=False)
NAMES = st.binary(min_size=1, max_size=9).map(printable)
ROWS = strategies.rows(NAMES, st.just(()), st.integers(0, 2**64 - 1))


@pytest.mark.parametrize("column", text.COLUMNS, ids=lambda column: column.id)
@given(row=ROWS)
def test_every_column_can_be_written_and_sorted_by(column: caches.CacheColumn, row: CacheRow) -> None:
    assert column.write(row, 22, SCENE)
    unknown = CacheRow(cache=row.cache, name="x")
    assert sorted([row, unknown], key=text.sort_value(column.id))
    assert {*column.fields} <= {field.name for field in fields(CacheRow)}
    assert len(column.title) <= column.width
    assert column.id.isalpha()  # completions and scripts need no quotes


def test_text_has_each_column_of_the_table_that_has_numbers_under_one_name() -> None:
    assert len(text.BY_ID) == len(text.COLUMNS)
    shown = {name for column in text.COLUMNS for name in column.fields}
    assert {name for column in caches.COLUMNS for name in column.fields} <= shown


@pytest.mark.parametrize("column", text.COLUMNS, ids=lambda column: column.id)
def test_the_screen_can_be_sorted_by_what_text_is_sorted_by(column: caches.CacheColumn) -> None:
    assert text.is_of_leaks(column.id) is (column.id in ("growth", "rate", "recent", "reclaim"))
    assert text.is_of_leaks(column.id) or text.ON_SCREEN.get(column.id, column.id) in caches.SORTS


def test_by_growth_leaks_come_first_then_what_cannot_be_reclaimed_then_the_rest() -> None:
    rows = [
        replace(cache(1, "dentry"), growth_bytes_h=9e9, growing=False, reclaimable=True),
        replace(cache(2, "names_cache"), growth_bytes_h=5e5, growing=False, reclaimable=False),
        replace(cache(3, "filp"), growth_bytes_h=1e6, growing=True, reclaimable=False),
        replace(cache(4, "kmalloc-64"), growth_bytes_h=2e6, growing=True, reclaimable=False),
        replace(cache(5, "shrinks"), growth_bytes_h=-1.0, growing=False, reclaimable=False),
        replace(cache(6, "unknown")),
    ]
    order = Order("growth", descending=True)
    found = arrange(rows, order, lambda name: True, shows=lambda row: True, value=text.sort_value("growth"))
    assert [row.name for row in found] == ["kmalloc-64", "filp", "names_cache", "shrinks", "unknown", "dentry"]


def test_which_columns_need_frees() -> None:
    assert [name for name in text.BY_ID if text.counts_frees([name])] == ["frees"]
    assert text.counts_frees(["name", "frees"])
