"""Tracks what is held on the running kernel, and reads it."""

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from slabtui.kernel.probe import Probe
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow, difference
from tests.support import probes
from tests.support.estimates import ERRORS, error_at
from tests.support.keeper import Keeper
from tests.support.probes import inspecting, read

GRACE = 10  # seconds, after which no object waits for the end of a grace period of RCU
SKIPPED = 0.05  # of the objects: a few that were skipped may not show in the standard error
TRIED = 20  # objects


@contextmanager
def holding(cache: str, *pids: int, frees: bool = False) -> Iterator[Probe]:
    """Track what these processes hold of a cache; without any, all processes. `frees`: count these too."""
    with probes.probing(*pids) as probe:
        os.stat("/")
        read(probe)
        probes.request(probe, inspecting(cache, InspectionKind.HELD, frees=frees))
        assert set(probe.notes) <= {probe.handover.note}
        assert probe.holdings.part.attached
        yield probe


def found(probe: Probe) -> Inspection:
    inspection = difference(None, probes.find(read(probe)))
    assert inspection.trouble == ""
    return inspection


def found_when_freed(probe: Probe, pid: int) -> Inspection:
    """Return what was found when all that a process held is freed, which may be a grace period after it was closed."""
    deadline = time.monotonic() + GRACE
    while total(rows_of(inspection := found(probe), pid))[0] and time.monotonic() < deadline:
        time.sleep(0.2)
    return inspection


def rows_of(inspection: Inspection, pid: int, *functions: str) -> list[InspectionRow]:
    """Return the rows of a process whose stacks have one of these functions."""
    rows = [row for row in inspection.rows if row.pid == pid]
    return [row for row in rows if not functions or set(functions) & set(row.frames)]


def total(rows: list[InspectionRow]) -> tuple[int, float]:
    """Return how many objects rows hold, and the standard error."""
    held = [row.held for row in rows if row.held is not None]
    assert len(held) == len(rows)
    return sum(one.objects for one in held), math.hypot(*(one.standard_error for one in held))


def assert_holds(rows: list[InspectionRow], kept: int, lost: int = 0) -> None:
    objects, estimated = total(rows)
    error = error_at(kept, objects, estimated)
    print(f"{objects} of {kept} objects, standard error {error:.0f}, lost {lost}")
    assert abs(objects - kept) <= max(ERRORS * error, SKIPPED * kept) + lost


def grown(inspection: Inspection) -> int:
    """Return by how much LIVE has grown."""
    assert inspection.tracking is not None
    assert inspection.tracking.live is not None
    assert inspection.tracking.live_began is not None
    return inspection.tracking.live - inspection.tracking.live_began


def kept_by_kmalloc(keeper: Keeper, command: str) -> str:
    """Let a process keep some objects and free them; return the cache of kmalloc that had one of each, the largest."""
    with probes.probing(keeper.pid) as probe:
        before = {row.name: row.total_allocs for row in read(probe).rows}
        keeper.do(command, TRIED)
        rows = [row for row in read(probe).rows if row.total_allocs - before.get(row.name, 0) == TRIED]
        keeper.do("free")
    return max(
        (row for row in rows if row.name.startswith(("kmalloc-", "msg_msg-"))), key=lambda row: row.size or 0
    ).name
