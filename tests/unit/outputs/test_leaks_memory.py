"""The report on leaks says where the memory of the host is, and what the kernel counts and knows of a cache."""

import json
from dataclasses import replace

from slabtui.analysis.leaks import LeakWatch, find_first, find_interval
from slabtui.columns import leak_page
from slabtui.model.beside import KernelSite, SideCount
from slabtui.model.inspection import About, Inspection, InspectionKind
from slabtui.model.leaks import LeakReport
from slabtui.model.memory import HostMemory
from slabtui.outputs import leaks
from tests.support.hosts import noisy, snapshots
from tests.unit.analysis.test_leaks import LEAK, QUIET, holds, key, report

GIB, MIB = 1 << 30, 1 << 20
SECONDS = 60
ABOUT = About(
    counts=(SideCount("open files", 1500, 1200),),
    sites=(KernelSite("slab_debug", 500, 128000, ("alloc_empty_file", "do_eventfd"), pids="150"),),
)


def memory(time: float) -> HostMemory:
    """Return the memory of a host on which 2 MiB/s are not explained."""
    free = 12 * GIB - int(2 * MIB * time)
    return HostMemory(16 * GIB, free, 0, 0, 0, free=free, cpu_free=0, anonymous=4 * GIB, shared=0, cached=0, buffers=0)


def run(*, is_known: bool, is_tracked: bool = True) -> LeakReport:
    watch = LeakWatch(SECONDS)
    interval, first = find_interval(SECONDS), find_first(SECONDS)
    for one in snapshots({"filp": noisy(20, 30), **QUIET}, SECONDS, interval, memory=memory if is_known else None):
        held = holds("filp", watch.elapsed + one.elapsed, {LEAK: lambda time: int(20 * (time - 20))})
        about = Inspection(key("filp"), InspectionKind.ABOUT, about=ABOUT if is_known else None)
        found = (held, about) if is_tracked else (about,)
        watch.add(replace(one, inspections=found if watch.elapsed >= first else ()))
    return report(watch)


def test_the_page_begins_with_the_memory_and_has_what_the_kernel_says_with_the_leak() -> None:
    heading, host, _verdict, leak, *_ = leak_page.write(run(is_known=True), 80).split("\n\n")
    assert heading.count("\n") == 0
    assert host.startswith("Memory of the host: 16.0GiB")
    assert "Slab does not explain it: not explained by /proc/meminfo +1" in host
    assert "\nCOUNTED   1,500 open files (+300)\n" in leak
    assert "\nKERNEL    filp, by slab_debug: 125KiB in 500 objects, do_eventfd," in leak


def test_what_the_kernel_says_is_there_though_nothing_could_be_tracked() -> None:
    page = leak_page.write(run(is_known=True, is_tracked=False), 80)
    assert "HELD BY   not known" in page
    assert "KERNEL    filp, by slab_debug: 125KiB in 500 objects" in page


def test_json_has_the_parts_of_the_memory_and_what_the_kernel_says() -> None:
    written = json.loads(leaks.dumps(run(is_known=True)))
    (part,) = (part for part in written["memory"]["parts"] if part["part"] == "unexplained")
    assert (part["growing"], part["growth_bytes_s"]) == (True, 2 * MIB)
    assert written["memory"]["total"] == 16 * GIB
    assert written["leaks"][0]["about"]["cache"] == "filp"
    assert written["leaks"][0]["about"]["counts"] == [{"name": "open files", "number": 1500, "began": 1200}]
    assert written["leaks"][0]["about"]["sites"][0]["frames"] == ["alloc_empty_file", "do_eventfd"]


def test_what_is_not_known_is_not_said() -> None:
    found = run(is_known=False)
    page, written = leak_page.write(found, 80), json.loads(leaks.dumps(found))
    assert not [word for word in ("Memory of the host", "COUNTED", "KERNEL") if word in page]
    assert (written["memory"], written["leaks"][0]["about"]) == (None, None)
