"""Control groups on the running kernel: where what is held was allocated, and the slab memory of a group."""

import os
import subprocess
from pathlib import Path

import pytest

from slabtui.kernel.probe import Probe
from slabtui.model.holders import By, join
from slabtui.model.inspection import InspectionRow
from slabtui.text import printable
from tests.live.test_held import EVENTFD, assert_holds, found, holding, rows_of
from tests.support import probes
from tests.support.groups import cgroup_root, enter, own_group
from tests.support.keeper import keeping
from tests.support.probes import read

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


def test_the_slab_memory_of_a_group_is_read_or_the_reason_is_given() -> None:
    """Where cgroup v1 has the memory controller, as with some init systems, the unified hierarchy has no figures."""
    root = cgroup_root()
    controlled = "memory" in (root / "cgroup.controllers").read_text().split()
    with own_group() as group, keeping() as keeper, probes.probing(cgroup=group) as probe:
        if not controlled:
            assert read(probe).cgroup_memory is None
            assert probe.notes == ("no slab figures of the cgroup: its memory controller is in cgroup v1, or off",)
            return
        assert_enabled_by_its_note(probe, root)
        enter(group, keeper.pid)
        before = read(probe).cgroup_memory
        keeper.do("memfd", 10 * KEPT)
        after = read(probe).cgroup_memory
        enter(root, keeper.pid)
    assert before is not None
    assert after is not None
    assert (after.slab or 0) - (before.slab or 0) > 10 * KEPT * 500  # bytes: less than an inode takes
    assert (after.reclaimable or 0) + (after.unreclaimable or 0) == after.slab


def assert_enabled_by_its_note(probe: Probe, root: Path) -> None:
    """Run the command of the note, if the controller is not enabled, and demand that it helps."""
    if read(probe).cgroup_memory is None:
        (note,) = probe.notes
        assert note == f"no slab figures of the cgroup: echo +memory >{root}/cgroup.subtree_control"
        subprocess.run(["sh", "-c", note.partition(": ")[2]], check=True)
    assert read(probe).cgroup_memory is not None
    assert probe.notes == ()
