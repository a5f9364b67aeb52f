"""What the kernel counts beside a cache, in words."""

from collections.abc import Iterator, Sequence

from slabtui.columns import numbers, stacks
from slabtui.columns.numbers import Unit
from slabtui.model.beside import KernelSite, SideCount


def write_count(count: SideCount) -> str:
    """Return a count with its change since the inspection began: `238,504 negative (+120)`."""
    change = count.number - count.began
    return f"{count.number:,} {count.name}" + (f" ({change:+,})" if change else "")


def write_counts(counts: tuple[SideCount, ...]) -> str:
    """Return all counts on one line; empty: there are none."""
    return ", ".join(map(write_count, counts))


def write_sites(sites: Sequence[KernelSite], longest: int | None = None) -> Iterator[str]:
    """Yield which code holds how much, and who says so: `by slab_debug: 125KiB in 500 objects, ..., pid 150`.

    Args:
        sites: the code.
        longest: characters to which stacks are shortened; None: they are written in full.
    """
    short = stacks.shorten(frozenset(site.frames for site in sites), longest) if longest else {}
    for site in sites:
        amount = f"{numbers.human(site.bytes, Unit.BYTES)}B in {site.objects:,} objects"
        where = " ".join(filter(None, (site.place, short.get(site.frames) or stacks.JOIN.join(site.frames))))
        yield ", ".join(filter(None, (f"by {site.source}: {amount}", where, site.pids and f"pid {site.pids}")))
