"""Control groups on the running kernel: where what is held was allocated."""

import os

import pytest

from slabtui.model.holders import By, join
from slabtui.model.inspection import InspectionRow
from slabtui.text import printable
from tests.live.test_held import EVENTFD, assert_holds, found, holding, rows_of
from tests.support.groups import cgroup_root, enter, own_group
from tests.support.keeper import keeping

pytestmark = pytest.mark.live

KEPT = 300
HOSTILE = f"e\x1b[2J vil;'$(x)\udcff-{os.getpid()}.service"


def test_what_is_held_is_joined_by_the_place_also_after_it_was_removed() -> None:
    with own_group(HOSTILE) as group, keeping() as keeper, holding("filp", keeper.pid) as probe:
        path = printable(os.fsencode(f"/{HOSTILE}"))
        enter(group, keeper.pid)
        keeper.do("eventfd", KEPT)
        inside = found(probe)
        enter(cgroup_root(), keeper.pid)
        group.rmdir()
        keeper.do("eventfd", 2 * KEPT)
        after = found(probe)
    assert_kept(rows_of(inside, keeper.pid, *EVENTFD), {(path, False): KEPT})
    assert_kept(rows_of(after, keeper.pid, *EVENTFD), {("/", False): 2 * KEPT, (path, True): KEPT})


def assert_kept(rows: list[InspectionRow], kept: dict[tuple[str, bool], int]) -> None:
    """Demand so many objects in each place, which may be removed."""
    places = join(rows, By.PLACE)
    assert {(one.row.cgroup, one.row.removed) for one in places} == kept.keys()
    for one in places:
        assert_holds([one.row], kept[one.row.cgroup, bool(one.row.removed)])
