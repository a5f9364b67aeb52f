"""The memory of the host: what /proc/meminfo says, the parts that add up to the total, and how they change."""

import enum
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HostMemory:
    """Memory of the machine in bytes, from /proc/meminfo; None where the kernel does not say, as an older one.

    Each field has the name in /proc/meminfo behind it; proc_meminfo(5), Documentation/filesystems/proc.rst.

    Attributes:
        total: usable memory (MemTotal).
        available: what new programs can get without swapping (MemAvailable).
        slab: memory of all slab caches (Slab).
        reclaimable: the part of `slab` that the kernel can free when memory is short (SReclaimable).
        unreclaimable: the part of `slab` that it cannot (SUnreclaim).
        free: not used (MemFree), without `cpu_free`.
        cpu_free: free pages that each CPU keeps for itself (`count` in /proc/zoneinfo); None where they were not read.
        anonymous: memory of processes that belongs to no file (AnonPages), huge pages included.
        mapped: files that processes have mapped (Mapped), which is a part of `cached`.
        shared: tmpfs, shared memory, memfd (Shmem), which is a part of `cached`.
        cached: pages of files (Cached), without those of the swap cache.
        buffers: pages of block devices (Buffers).
        listed: all pages of files and processes (Active + Inactive + Unevictable).
        swap_cached: pages that are in swap as well (SwapCached). Some are mapped, and are in `anonymous`, too.
        kernel_reclaimable: `reclaimable`, and other memory that shrinkers free (KReclaimable).
        percpu: variables of which each CPU has one (Percpu).
        vmalloc: pages of vmalloc (VmallocUsed), with the kernel stacks.
        kernel_stacks: one for each thread (KernelStack).
        page_tables: those of processes (PageTables).
        secondary_page_tables: those of virtual machines and IOMMUs (SecPageTables, Linux 6.1).
        hugetlb: all pages of hugetlbfs, used or not (Hugetlb).
        copies: of pages that a device or FUSE writes (Bounce + WritebackTmp).
        gpu: pages of GPU drivers, in use or kept for later (GPUActive + GPUReclaim, later than Linux 6.18).
        corrupted: pages that are not used because of a fault in the hardware (HardwareCorrupted).
        balloon: pages that were given back to the hypervisor (Balloon); some drivers take them out of `total`.
        zswap: compressed pages of zswap (Zswap, Linux 5.19).
        zram: memory of zram devices (/sys/block/zram*/mm_stat).
    """

    total: int | None = None
    available: int | None = None
    slab: int | None = None
    reclaimable: int | None = None
    unreclaimable: int | None = None
    free: int | None = None
    cpu_free: int | None = None
    anonymous: int | None = None
    mapped: int | None = None
    shared: int | None = None
    cached: int | None = None
    buffers: int | None = None
    listed: int | None = None
    swap_cached: int | None = None
    kernel_reclaimable: int | None = None
    percpu: int | None = None
    vmalloc: int | None = None
    kernel_stacks: int | None = None
    page_tables: int | None = None
    secondary_page_tables: int | None = None
    hugetlb: int | None = None
    copies: int | None = None
    gpu: int | None = None
    corrupted: int | None = None
    balloon: int | None = None
    zswap: int | None = None
    zram: int | None = None


@dataclass(frozen=True, slots=True)
class CgroupMemory:
    """Kernel memory of the control group that is counted, and of those below it, in bytes; from its memory.stat.

    See Documentation/admin-guide/cgroup-v2.rst. None where the kernel does not say.

    Attributes:
        slab: memory of slab objects that are charged to the group.
        reclaimable: the part of `slab` that the kernel can free when memory is short (slab_reclaimable).
        unreclaimable: the part of `slab` that it cannot (slab_unreclaimable).
        kernel: all kernel memory of the group, `slab` included; since Linux 5.18.
    """

    slab: int | None = None
    reclaimable: int | None = None
    unreclaimable: int | None = None
    kernel: int | None = None


class Part(enum.StrEnum):
    """A part of the memory of the machine. No page is in two of them, and all together are the total."""

    FREE = "free"
    ANONYMOUS = "anonymous"
    SHARED = "shared"
    PAGE_CACHE = "page_cache"
    SWAP_CACHE = "swap_cache"
    RECLAIMABLE = "slab_reclaimable"
    UNRECLAIMABLE = "slab_unreclaimable"
    OTHER_RECLAIMABLE = "other_reclaimable"
    VMALLOC = "vmalloc"
    KERNEL_STACKS = "kernel_stacks"
    PAGE_TABLES = "page_tables"
    PERCPU = "percpu"
    HUGETLB = "hugetlb"
    COMPRESSED = "compressed"
    COPIES = "copies"
    GPU = "gpu"
    CORRUPTED = "corrupted"
    UNEXPLAINED = "unexplained"


# What the kernel frees by itself when memory is short, so that its growth is no leak.
FREEABLE = frozenset((Part.FREE, Part.PAGE_CACHE, Part.SWAP_CACHE, Part.RECLAIMABLE, Part.OTHER_RECLAIMABLE))


def divide(memory: HostMemory) -> dict[Part, int]:
    """Return the parts that are known, in their order; docs/counting.md says why they do not overlap.

    What is left of the total is Part.UNEXPLAINED. It is less than 0 where /proc/meminfo counts memory that is not in
    the total, as the first chunk of per-CPU memory, which is reserved before the total is known.
    """
    parts = {
        Part.FREE: None if memory.free is None else memory.free + (memory.cpu_free or 0),
        Part.ANONYMOUS: memory.anonymous,
        Part.SHARED: memory.shared,
        Part.PAGE_CACHE: _less(_sum(memory.cached, memory.buffers), memory.shared),
        Part.SWAP_CACHE: _find_swap_cache(memory),
        Part.RECLAIMABLE: memory.reclaimable,
        Part.UNRECLAIMABLE: memory.unreclaimable,
        Part.OTHER_RECLAIMABLE: _less(memory.kernel_reclaimable, memory.reclaimable),
        Part.VMALLOC: _less(memory.vmalloc, memory.kernel_stacks),
        Part.KERNEL_STACKS: memory.kernel_stacks,
        Part.PAGE_TABLES: _sum(memory.page_tables, memory.secondary_page_tables),
        Part.PERCPU: memory.percpu,
        Part.HUGETLB: memory.hugetlb,
        Part.COMPRESSED: _sum(memory.zswap, memory.zram),
        Part.COPIES: memory.copies,
        Part.GPU: memory.gpu,
        Part.CORRUPTED: memory.corrupted,
    }
    known = {part: size for part, size in parts.items() if size is not None}
    if memory.total is not None and known.keys() >= _ESSENTIAL:
        known[Part.UNEXPLAINED] = memory.total - sum(known.values())
    return known


_ESSENTIAL = {Part.FREE, Part.ANONYMOUS, Part.SHARED, Part.PAGE_CACHE, Part.RECLAIMABLE, Part.UNRECLAIMABLE}


@dataclass(frozen=True, slots=True)
class PartChange:
    """A part of the memory, and how it changed over a run.

    Attributes:
        part: which one.
        bytes: its size at the end.
        change: that less its size at the beginning; None where that is not known.
        growth_bytes_s: how fast it grows, in bytes per second: a robust slope; None: not known yet.
        growing: whether it certainly grows, by more than its noise; None: not known yet.
    """

    part: Part
    bytes: int
    change: int | None = None
    growth_bytes_s: float | None = None
    growing: bool | None = None


@dataclass(frozen=True, slots=True)
class MemoryReport:
    """Where the memory of the machine is, and how that changed over a run.

    Attributes:
        seconds: length of the run.
        total: usable memory, in bytes.
        available: what new programs can get without swapping, at the end; None where unknown.
        mapped: what processes have mapped of the page cache and of shared memory, at the end; None where unknown.
        balloon: what was given back to the hypervisor, at the end; None where unknown.
        balloon_change: that less what it was at the beginning.
        parts: the parts of the total, in their order.
    """

    seconds: float
    total: int
    available: int | None = None
    mapped: int | None = None
    balloon: int | None = None
    balloon_change: int | None = None
    parts: tuple[PartChange, ...] = ()


def _find_swap_cache(memory: HostMemory) -> int | None:
    """Return the pages of the swap cache that no process maps: the others are in `anonymous`, too.

    They are on the lists of the pages that can be reclaimed, and are no other page there.
    """
    others = _sum(memory.anonymous, memory.cached, memory.buffers)
    if memory.swap_cached is None or memory.listed is None or others is None:
        return None
    return min(memory.swap_cached, max(0, memory.listed - others))


def _sum(*sizes: int | None) -> int | None:
    """Return the sum of what is known; None: nothing is."""
    known = [size for size in sizes if size is not None]
    return sum(known) if known else None


def _less(size: int | None, part: int | None) -> int | None:
    """Return a size without a part of it. Both are read at different moments, so the part may be the larger one."""
    return None if size is None else max(0, size - (part or 0))
