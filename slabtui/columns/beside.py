"""What the kernel counts beside a cache, in words."""

from slabtui.columns import numbers, stacks
from slabtui.columns.numbers import Unit
from slabtui.model.beside import KernelSite, SideCount


def write_count(count: SideCount) -> str:
    """Return a count with its change since the inspection began: `238,504 unused and negative (+120)`."""
    change = count.number - count.began
    return f"{count.number:,} {count.name}" + (f" ({change:+,})" if change else "")


def write_counts(counts: tuple[SideCount, ...]) -> str:
    """Return all counts on one line; empty: there are none."""
    return ", ".join(map(write_count, counts))


def write_site(site: KernelSite) -> str:
    """Return which code holds how much, and who says so: `by /proc/allocinfo: 1.20GiB in 3,145,728 objects, ...`."""
    amount = f"{numbers.human(site.bytes, Unit.BYTES)}B in {site.objects:,} objects"
    where = " ".join(filter(None, (site.place, stacks.JOIN.join(site.frames))))
    return ", ".join(filter(None, (f"by {site.source}: {amount}", where, site.pids and f"pid {site.pids}")))
