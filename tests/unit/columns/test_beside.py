"""What the kernel counts beside a cache, in words."""

from slabtui.columns.beside import write_counts, write_sites
from slabtui.model.beside import KernelSite, SideCount


def test_counts_have_their_change_since_the_inspection_began() -> None:
    counts = (SideCount("open files", 1500, 1200), SideCount("threads", 97, 97), SideCount("unused", 3, 5))
    assert write_counts(counts) == "1,500 open files (+300), 97 threads, 3 unused (-2)"
    assert write_counts(()) == ""


def test_a_site_says_who_knows_it_how_much_it_holds_and_where_it_is() -> None:
    traced = KernelSite("slab_debug", 500, 128000, ("alloc_empty_file", "do_eventfd"), pids="1-150")
    profiled = KernelSite("/proc/allocinfo", 2, 512, ("f [m]",), "fs/x.c:3")
    assert list(write_sites((traced, profiled))) == [
        "by slab_debug: 125KiB in 500 objects, alloc_empty_file < do_eventfd, pid 1-150",
        "by /proc/allocinfo: 512B in 2 objects, fs/x.c:3 f [m]",
    ]


def test_long_stacks_are_shortened_and_stay_distinct() -> None:
    tail = tuple(f"function_{number}" for number in range(20))
    sites = [KernelSite("slab_debug", 1, 8, ("alloc", name, *tail)) for name in ("one", "other")]
    short, other = write_sites(sites, 40)
    assert len(short) < 90
    assert "one" in short
    assert "other" in other
