"""What is held where objects are allocated or freed in bulk: followed where the kernel has fentry, else doubted."""

import math
import platform
import time

import pytest

from slabtui.model.held import Tracking
from slabtui.model.inspection import Inspection, InspectionRow
from tests.support import uring
from tests.support.estimates import ERRORS
from tests.support.holdings import GRACE, found, grown, holding, rows_of, total
from tests.support.keeper import Keeper, keeping
from tests.support.uring import ENTRIES

pytestmark = pytest.mark.live

MANY = 100_000
HIDDEN = 400  # free objects that LIVE may include: those of the slabs and sheaves of two CPUs
FOLLOWED = 0.02  # of the objects: so many may seem to be held where all frees are followed
RINGS = 20
KEEPS_REQUESTS = (5, 12)  # since then a ring of io_uring keeps them until it is closed


@pytest.mark.parametrize("items", [5_000, MANY])
def test_frees_that_no_tracepoint_shows_are_followed_noticed_or_doubted(items: int) -> None:
    """kfree_rcu() frees the items of epoll in batches: what seems to be held is little, or the rows are not trusted.

    On Linux 5.10 these frees have events.
    """
    with keeping() as keeper, holding("eventpoll_epi") as probe:
        keeper.do("epoll", items)
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            time.sleep(0.5)
            inspection = found(probe)
            if grown(inspection) < items / 10:
                break
    objects, error = total(rows_of(inspection, keeper.pid))
    assert inspection.tracking is not None
    print(inspection.tracking, objects, error, inspection.one_in, inspection.lost)
    of_gone = error_of_gone(inspection.tracking, items)
    assert inspection.tracking.net is not None
    assert inspection.tracking.net - inspection.tracking.gone - objects <= 0.1 * items + ERRORS * of_gone + HIDDEN
    explained = max(0, grown(inspection)) + HIDDEN
    assert inspection.tracking.doubt or objects <= explained + 0.1 * items + ERRORS * error
    if inspection.tracking.bulk:
        assert inspection.tracking.doubt == ""
        assert objects <= FOLLOWED * items + ERRORS * error


def error_of_gone(tracking: Tracking, allocated: int) -> float:
    """Return the standard error of how many objects are gone: those that were drawn stand for all."""
    assert tracking.seen is not None
    assert tracking.net is not None
    drawn = (tracking.seen + tracking.net) / 2 - tracking.skipped
    return allocated / math.sqrt(drawn)


def test_requests_of_io_uring_that_no_tracepoint_shows_allocated_are_held_where_they_are_followed() -> None:
    """The events of their frees make the cache known."""
    with keeping() as keeper, holding("io_kiocb", frees=True) as probe:
        keep_and_free(keeper, 1)
        found(probe)
        keeper.do("ring", RINGS)
        during = found(probe)
        keeper.do("free")
        deadline = time.monotonic() + GRACE
        while total(in_bulk(after := found(probe), keeper.pid))[0] and time.monotonic() < deadline:
            time.sleep(0.2)
    kept, error = total(in_bulk(during, keeper.pid))
    assert during.tracking is not None
    print(during.tracking, kept, error, during.lost, [row.frames for row in rows_of(during, keeper.pid)])
    least = RINGS * ENTRIES if during.tracking.bulk and kernel() >= KEEPS_REQUESTS else 0
    assert least - ERRORS * error <= kept <= RINGS * ENTRIES * 1.1 + ERRORS * error
    assert during.tracking.doubt == ""
    left = total(in_bulk(after, keeper.pid))[0]
    print(after.tracking, left, after.lost)
    # On an emulated Linux 7.3 some of these frees are not seen, and are counted as lost. Why is not known.
    assert left <= after.lost


def in_bulk(inspection: Inspection, pid: int) -> list[InspectionRow]:
    """Return the rows of a process whose objects were allocated in bulk: the cache may be merged with another one."""
    return [row for row in rows_of(inspection, pid) if row.frames[0].startswith("kmem_cache_alloc_bulk")]


def keep_and_free(keeper: Keeper, rings: int) -> None:
    """Let a process keep rings and free them; skip where the kernel has no io_uring for it."""
    try:
        uring.submit(1)
    except OSError:
        pytest.skip("this kernel has no io_uring for us")
    keeper.do("ring", rings)
    keeper.do("free")


def kernel() -> tuple[int, ...]:
    """Return the first two numbers of the version of the running kernel."""
    return tuple(map(int, platform.release().split(".")[:2]))
