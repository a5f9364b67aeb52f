"""Control groups on the running kernel: where what is held was allocated, and the slab memory of a group."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from slabtui.kernel import frees
from slabtui.kernel.probe import Probe
from slabtui.model.holders import By, join
from slabtui.model.inspection import InspectionRow
from slabtui.model.request import Request
from slabtui.model.snapshot import Reading
from slabtui.text import printable
from tests.live.test_held import EVENTFD, GRACE, assert_holds, duplicate, found, holding, rows_of
from tests.support import probes
from tests.support.groups import cgroup_root, enter, own_group
from tests.support.keeper import keeping
from tests.support.probes import read

pytestmark = pytest.mark.live

KEPT, CLOSED = 300, 20_000
SLACK = 5  # files of the process itself, as a script that it is reading
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


def test_what_a_group_keeps_is_its_allocations_less_the_frees_of_these_by_any_process() -> None:
    """A process in a group keeps files and closes others; another process, outside, closes the last ones of them."""
    with own_group() as group, keeping() as keeper, keeping() as other, probes.probing(cgroup=group) as probe:
        enter(group, keeper.pid)
        probes.request(probe, Request(frees=True))
        keeper.do("churn", 1)  # the cache has a row from now on
        net = [net_of(read(probe), "filp")]
        other.do("eventfd", KEPT)
        keeper.do("eventfd", KEPT)
        keeper.do("open", CLOSED)
        net.append(net_of(read(probe), "filp"))
        files = [path for path in Path(f"/proc/{keeper.pid}/fd").iterdir() if "eventfd" in os.readlink(path)]
        copies = [duplicate(keeper.pid, int(path.name)) for path in files[: KEPT // 3]]
        keeper.do("free")
        net.append(net_of(read(probe), "filp"))
        for copy in copies:
            os.close(copy)
        reading = read(probe)
        net.append(net_of(reading, "filp"))
        enter(cgroup_root(), keeper.pid)
    print(net, reading.lost)
    expected = [0, KEPT, KEPT // 3, 0]
    assert all(
        abs(found - net[0] - wanted) <= SLACK + (reading.lost or 0) for found, wanted in zip(net, expected, strict=True)
    )


def net_of(reading: Reading, name: str) -> int:
    (row,) = [row for row in reading.rows if row.name == name]
    assert row.disagrees is False
    assert row.total_frees is not None
    return row.total_allocs - row.total_frees


def test_frees_without_an_event_leave_no_number_that_is_wrong() -> None:
    """kfree_rcu() frees the items of epoll in batches: what then seems to be kept is little, or its row is marked."""
    with keeping() as keeper, probes.probing(keeper.pid) as probe:
        probes.request(probe, Request(frees=True))
        keeper.do("epoll", CLOSED)
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            (row,) = [one for one in read(probe).rows if one.name == "eventpoll_epi"]
            assert row.total_frees is not None
            if row.disagrees or row.total_allocs - row.total_frees < CLOSED / 50:
                break
            time.sleep(0.5)
    print(row)
    assert row.disagrees or row.total_allocs - row.total_frees < CLOSED / 50


def test_more_objects_than_there_is_room_for_are_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frees, "MOST_OWNED", KEPT)
    with keeping() as keeper, probes.probing(keeper.pid) as probe:
        probes.request(probe, Request(frees=True))
        keeper.do("eventfd", KEPT // 2)
        assert 0 <= net_of(read(probe), "filp") - KEPT // 2 <= SLACK
        keeper.do("eventfd", KEPT)
        (row,) = [row for row in read(probe).rows if row.name == "filp"]
        assert row.disagrees
        probes.request(probe, Request())
        probes.request(probe, Request(frees=True))
        keeper.do("eventfd", 1)
        (row,) = [row for row in read(probe).rows if row.name == "filp"]
        assert row.disagrees is False
