"""Reports that tests make: of a host on which a process keeps files, with any names."""

from dataclasses import replace

from slabtui.analysis.leaks import LeakWatch, find_first, find_interval
from slabtui.analysis.report import RunSummary
from slabtui.model.held import Held, Tracking
from slabtui.model.host import Origin
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow
from slabtui.model.memory import HostMemory
from slabtui.model.report import Machine, Report
from tests.support.hosts import level, noisy, snapshots

GIB, MIB = 1 << 30, 1 << 20
SECONDS, RATE = 60, 20.0  # of the run; objects per second
STACK = ("kmem_cache_alloc_noprof", "alloc_empty_file", "do_eventfd")


def memory(time: float) -> HostMemory:
    """Return the memory of a host on which unreclaimable slab memory grows by 1 MiB/s."""
    slab = round((300 + time) * MIB)
    return HostMemory(
        total=16 * GIB,
        available=8 * GIB,
        slab=slab,
        reclaimable=200 * MIB,
        unreclaimable=slab - 200 * MIB,
        free=6 * GIB,
        anonymous=4 * GIB,
        shared=0,
        cached=4 * GIB,
        buffers=0,
    )


def leaking(cache: str = "filp", text: str = "app", *, grows: bool = True) -> Report:
    """Return the report on a run in which a cache grows.

    Args:
        cache: its name.
        text: the name of the process that keeps its objects, its command line, the host, a note, and so on.
        grows: whether it does.
    """
    watch, summary = LeakWatch(SECONDS), RunSummary()
    caches = {cache: noisy(RATE, 20) if grows else level(20), **{f"quiet-{at}": level(5, at) for at in range(3)}}
    for one in snapshots(caches, SECONDS, find_interval(SECONDS), memory=memory):
        time = watch.elapsed + one.elapsed
        tracked = (_hold(cache, text, int(RATE * (time - 20))),) if watch.elapsed >= find_first(SECONDS) else ()
        origin = Origin("live", text, "6.18.1", scope="")
        one = replace(one, inspections=tracked, origin=origin, notes=(text,))  # noqa: PLW2901
        watch.add(one)
        summary.add(one)
    found = summary.report(watch.report(), "the run is too short")
    assert found is not None
    command = f"sudo slabtui --report {text}"
    return replace(found, machine=Machine(text, 2, 3600.0), command=command, version="1.2")


def _hold(cache: str, text: str, objects: int) -> Inspection:
    row = InspectionRow(
        frames=(*STACK, text),
        pid=4242,
        comm=text,
        cmdline=text,
        ended=False,
        cgroup=f"/system.slice/{text}",
        held=Held(objects=max(0, objects), growth_objects_s=RATE),
    )
    key = CacheKey(KeyKind.CACHE, cache)
    return Inspection(key, InspectionKind.HELD, rows=(row,), tracking=Tracking(seen=9))
