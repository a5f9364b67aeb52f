"""The recording that comes with slabtui: what it has, and that nothing of the machine that made it is in it."""

from dataclasses import replace

import pytest

from slabtui.model.host import HostGrowth, Origin
from slabtui.model.inspection import About, Context, Inspection, InspectionKind, InspectionRow
from slabtui.model.snapshot import Snapshot
from slabtui.recording.decoder import Decoder
from tests.support.fakes import cache, key, snapshot
from tests.tools.demo import slim

OWN, OTHER = "/system.slice/own.service", "/user.slice"
NUMBERS = {"total_allocs": 9, "total_bytes": 576, "allocs": 1, "bytes": 64}


def process(pid: int, cgroup: str, context: Context = Context.PROCESS, frames: tuple[str, ...] = ()) -> InspectionRow:
    return InspectionRow(frames, pid, "a", "a -b", False, cgroup, context, **NUMBERS)


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
    }
    inspections = tuple(
        Inspection(key(1), kind, rows=rows[kind], about=About(live=5) if kind is InspectionKind.ABOUT else None)
        for kind in InspectionKind
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
