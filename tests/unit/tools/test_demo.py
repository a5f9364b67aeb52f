"""The recording that comes with slabtui: what it has, and that nothing of the machine that made it is in it."""

import gzip
import os
from dataclasses import replace

import pytest

from slabtui.cli.options import DEMO
from slabtui.model.host import HostGrowth, Origin
from slabtui.model.inspection import ON_PAGE, About, Context, Inspection, InspectionKind, InspectionRow
from slabtui.model.snapshot import Snapshot
from slabtui.recording.decoder import Decoder
from slabtui.recording.reader import read
from tests.support.fakes import cache, key, snapshot
from tests.tools.demo import __main__ as demo
from tests.tools.demo import load, slim

OWN, OTHER = "/system.slice/own.service", "/user.slice"
KINDS = ON_PAGE
NUMBERS = {"total_allocs": 9, "total_bytes": 576, "allocs": 1, "bytes": 64}


def process(pid: int, cgroup: str, context: Context = Context.PROCESS, frames: tuple[str, ...] = ()) -> InspectionRow:
    return InspectionRow(frames, pid, "a", "a -b", False, cgroup, context=context, **NUMBERS)


@pytest.fixture
def recorded() -> list[Snapshot]:
    """Return two intervals of a host, of which something is to be left out."""
    processes = (
        process(1, OWN),
        process(2, OTHER),
        process(3, "", Context.KERNEL_THREAD),
        process(0, "", Context.INTERRUPT),
    )
    stacks = tuple(replace(row, frames=("f", "g"), standard_error=2.5) for row in processes)
    callers = (InspectionRow(("f+0x1",), **NUMBERS), InspectionRow(("0xffffffff81234567",), **NUMBERS))
    rows = {
        InspectionKind.CALLERS: callers,
        InspectionKind.STACKS: stacks,
        InspectionKind.PROCESSES: processes,
        InspectionKind.ABOUT: (),
        InspectionKind.HELD: (),
    }
    inspections = tuple(
        Inspection(key(1), kind, rows=rows[kind], about=About(live=5) if kind is InspectionKind.ABOUT else None)
        for kind in KINDS
    )
    busy, leaking = cache(1, allocs=1000), replace(cache(2, allocs=slim.FEWEST), address=0xFFFF8881_00000000, live=7)
    return [
        snapshot(
            replace(busy, growth_objects_s=1.5, growing=True),
            leaking,
            cache(3, allocs=slim.FEWEST // 2 - 1),
            time=1.7e9 + at,
            inspections=inspections,
            growth=HostGrowth(1.7e9),
            origin=Origin("live", "secret-host", "6.18.44-secret", 1.7e9),
        )
        for at in range(2)
    ]


@pytest.fixture
def slimmed(recorded: list[Snapshot], monkeypatch: pytest.MonkeyPatch) -> list[Snapshot]:
    monkeypatch.setattr(slim, "LARGEST", 0)
    decoder = Decoder()
    return [decoder.decode(line) for line in slim.slim(recorded, [OWN]).splitlines()]


def test_caches_that_hardly_allocate_are_left_out_and_the_figures_of_the_others_stay(
    recorded: list[Snapshot], slimmed: list[Snapshot]
) -> None:
    for before, after in zip(recorded, slimmed, strict=True):
        assert (after.time, after.elapsed, after.lost, after.loadavg) == (before.time, 1.0, 0, before.loadavg)
        judged = {"growth_objects_s": None, "growing": None, "address": None}
        assert after.rows == tuple(replace(row, **judged) for row in before.rows[:2])


def test_nothing_of_the_host_and_of_other_processes_is_left(slimmed: list[Snapshot]) -> None:
    for after in slimmed:
        assert after.origin == Origin("replay", "demo", "6.18.44", 1.7e9)
        assert after.growth is None
        for kind in (InspectionKind.STACKS, InspectionKind.PROCESSES):
            found = after.inspection(kind)
            assert found is not None
            assert [row.pid for row in found.rows] == [1, 3, 0]
        callers = after.inspection(InspectionKind.CALLERS)
        assert callers is not None
        assert [row.frames[0][:7] for row in callers.rows] == ["f+0x1", "hidden-"]


def test_only_the_largest_rows_of_an_inspection_are_kept_all_the_time(
    recorded: list[Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(slim.MOST_ROWS, InspectionKind.PROCESSES, 1)
    first, last = recorded
    kept = slim.choose_rows([first, replace(last, inspections=tuple(map(backwards, last.inspections)))], [OWN])
    assert kept[1, InspectionKind.PROCESSES] == {process(0, "", Context.INTERRUPT).key}


def backwards(found: Inspection) -> Inspection:
    return replace(found, rows=found.rows[::-1])


@pytest.fixture(scope="module")
def shown() -> list[Snapshot]:
    """Return the demo that slabtui has."""
    return [one for one in read(DEMO) if isinstance(one, Snapshot)]


def test_the_demo_inspects_five_caches_in_every_way_one_after_the_other(shown: list[Snapshot]) -> None:
    inspected = [shown_one.inspections[0].cache.name for shown_one in shown]
    assert inspected == [name for name in demo.CACHES for _ in range(demo.EACH)]
    for number, name in enumerate(demo.CACHES):
        last = shown[(number + 1) * demo.EACH - 1]
        assert {found.kind for found in last.inspections} == set(KINDS)
        assert {(found.cache.name, found.number) for found in last.inspections} == {(name, number + 1)}
        empty = {found.kind for found in last.inspections if not found.rows} - {InspectionKind.ABOUT}
        assert empty <= (set() if name in demo.LEAKING else {InspectionKind.HELD})


def test_the_demo_has_a_leak_and_counts_frees(shown: list[Snapshot]) -> None:
    seconds = shown[-1].time - shown[0].time
    for name in demo.LEAKING:
        lives = [row.live for one in shown for row in one.rows if row.name == name]
        assert None not in lives
        assert ((lives[-1] or 0) - (lives[0] or 0)) / seconds > 0.5 * load.LEAK
    assert all(one.row(shown[-1].inspections[0].cache) for one in shown)
    assert sum(row.frees or 0 for row in shown[-1].rows) > 0


def test_the_demo_says_nothing_of_the_machine_that_made_it(shown: list[Snapshot]) -> None:
    groups = {f"/{group}" for group in load.GROUPS}
    for one in shown:
        assert (one.origin.host, "-" in one.origin.kernel) == ("demo", False)
        for found in one.inspections:
            assert {row.cgroup for row in found.rows if row.pid and row.context is Context.PROCESS} <= groups
    text = gzip.decompress(DEMO.read_bytes()).decode()
    for word in ("/root", "/work", "/home", "0xffff", os.uname().nodename + '"'):
        assert word not in text
