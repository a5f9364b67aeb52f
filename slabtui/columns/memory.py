"""Where the memory of the host is, as plain text: a table of its parts, and which of them grow."""

import textwrap
from collections.abc import Iterable

from slabtui.columns import numbers
from slabtui.columns.caches import LEAK
from slabtui.columns.numbers import Unit
from slabtui.model.memory import FREEABLE, MemoryReport, Part, PartChange

_WIDE = 80  # columns: with less, shares are left out, and titles are cut
_SIZE, _SHARE, _CHANGE, _SHORT_CHANGE, _MARK = 10, 8, 22, 11, 1  # columns; CHANGE IN 23 h 59 min has 21

_TITLES = {
    Part.FREE: "free",
    Part.ANONYMOUS: "processes (anonymous memory)",
    Part.SHARED: "tmpfs, shared memory",
    Part.PAGE_CACHE: "page cache, buffers",
    Part.SWAP_CACHE: "swap cache",
    Part.RECLAIMABLE: "slab, reclaimable",
    Part.UNRECLAIMABLE: "slab, unreclaimable",
    Part.OTHER_RECLAIMABLE: "other memory of the kernel, reclaimable",
    Part.VMALLOC: "vmalloc, without kernel stacks",
    Part.KERNEL_STACKS: "kernel stacks",
    Part.PAGE_TABLES: "page tables",
    Part.PERCPU: "per-CPU memory",
    Part.HUGETLB: "huge pages (hugetlb)",
    Part.COMPRESSED: "compressed swap (zswap, zram)",
    Part.COPIES: "copies of pages that are written",
    Part.GPU: "GPU drivers",
    Part.CORRUPTED: "faulty pages",
    Part.UNEXPLAINED: "not explained by /proc/meminfo",
}
_FREED = "the kernel frees it when memory is short"
_MEANINGS = {  # what it means that a part grows, or where to look then
    Part.ANONYMOUS: "see which process: top -o RES",
    Part.SHARED: "files in tmpfs, memfd, shared memory: df -t tmpfs, ipcs -m",
    Part.UNRECLAIMABLE: "the caches that grow are below",
    Part.VMALLOC: "see who allocates it: /proc/vmallocinfo",
    Part.KERNEL_STACKS: "threads: ps -eLf",
    Part.PAGE_TABLES: "processes that map much memory, or many processes",
    Part.PERCPU: "BPF maps, control groups, network devices, mounts",
    Part.HUGETLB: "see sysctl vm.nr_hugepages",
    Part.COMPRESSED: "memory that was swapped out",
    Part.UNEXPLAINED: "pages that drivers, network cards, pipes, io_uring or others take from the page allocator",
}
_BALLOON = "the hypervisor takes it: its balloon grows, too"
_ALWAYS = (Part.FREE, Part.ANONYMOUS, Part.PAGE_CACHE, Part.RECLAIMABLE, Part.UNRECLAIMABLE, Part.UNEXPLAINED)
_SLAB = frozenset((Part.RECLAIMABLE, Part.UNRECLAIMABLE))
_HALF = 0.5  # of the growth that the balloon must have, to be what explains it


def describe(report: MemoryReport, width: int) -> tuple[str, ...]:
    """Return the section: a table of the parts, and what grows; no line is longer than `width`, 40 columns at least."""
    return (*tabulate(report, width), *_wrap(conclude(report), width))


def tabulate(report: MemoryReport, width: int) -> tuple[str, ...]:
    """Return the table: each part with its size, its share of the total, and its change over the run."""
    heading = f"{'Memory of the host' if width >= _WIDE else 'Memory'}: {_bytes(report.total)}"
    period = f" IN {numbers.duration(report.seconds)}" if width >= _WIDE else ""
    rows = [(heading, "NOW", "SHARE", f"CHANGE{period}", ""), *list_parts(report)]
    return tuple(_line(*row, width=width) for row in rows)


def list_parts(report: MemoryReport) -> list[tuple[str, str, str, str, str]]:
    """Return for each part its title, its size, its share of the total, its change, and the mark of what grows."""
    rows = []
    for one in report.parts:
        if one.part in _ALWAYS or one.bytes or one.change:
            mark = LEAK if one.growing and one.part not in FREEABLE else ""
            rows.append((_TITLES[one.part], *_cells(one.bytes, report.total, one.change), mark))
    if report.available is not None:
        title = "available (free, or freed when short)"
        rows.append((title, *_cells(report.available, report.total, None), ""))
    if report.mapped is not None:
        title = "mapped by processes (of files, tmpfs)"
        rows.append((title, *_cells(report.mapped, report.total, None), ""))
    if report.balloon:
        title = "given back to the hypervisor (balloon)"
        rows.append((title, *_cells(report.balloon, None, report.balloon_change), ""))
    return rows


def conclude(report: MemoryReport) -> tuple[str, ...]:
    """Return in words what grows by more than its noise: first what the kernel cannot free, the fastest first."""
    used = [one for one in report.parts if one.part is not Part.FREE]
    if all(one.growing is None for one in used):
        return ("Memory of the host: the run is too short to say what grows.",)
    growing = sorted((one for one in used if one.growing), key=_order)
    if not growing:
        return ("Memory of the host: nothing grows by more than its noise.",)
    fixed = [one for one in growing if one.part not in FREEABLE]
    freed = [one for one in growing if one.part in FREEABLE]
    slab = next((one for one in fixed if one.part in _SLAB), None)
    sentences = []
    if slab is not None:
        which = "fastest" if slab is fixed[0] else "too"
        sentences.append(f"Slab grows {which}: {_grows(slab, report)}.")
    others = [one for one in fixed if one is not slab]
    if others:
        begin = "Slab does not explain it" if slab is None else "Slab is not all that grows"
        sentences.append(f"{begin}: {'; '.join(_grows(one, report) for one in others)}.")
    if freed:
        of_slab = any(one.part in _SLAB for one in freed)
        begin = "Grows, too" if fixed else "Slab grows" if of_slab else "Slab does not explain it"
        sentences.append(f"{begin}: {'; '.join(_grows(one, report) for one in freed)}.")
    return tuple(sentences)


def _order(one: PartChange) -> tuple[bool, float]:
    return one.part in FREEABLE, -(one.growth_bytes_s or 0.0)


def _grows(one: PartChange, report: MemoryReport) -> str:
    meaning = _FREED if one.part in FREEABLE else _MEANINGS.get(one.part, "")
    change = one.change or 0
    if one.part is Part.UNEXPLAINED and (report.balloon_change or 0) >= _HALF * change > 0:
        meaning = _BALLOON
    return f"{_TITLES[one.part]} {_change(change)}" + (f" ({meaning})" if meaning else "")


def _cells(size: int, total: int | None, change: int | None) -> tuple[str, str, str]:
    share = f"{100 * size / total:.1f}%" if total else ""
    return _bytes(size), share, "" if change is None else _change(change)


def _line(title: str, size: str, share: str, change: str, mark: str, *, width: int) -> str:
    if width >= _WIDE:
        amounts = f"{size:>{_SIZE}}{share:>{_SHARE}}{change:>{_CHANGE}}"
    else:
        amounts = f"{size:>{_SIZE}}{change:>{_SHORT_CHANGE}}"
    room = min(_WIDE, width) - len(amounts) - _MARK
    return f"{title[: room - 1]:{room}}{amounts}{mark}".rstrip()


def _bytes(size: int) -> str:
    return f"{numbers.human(size, Unit.BYTES)}B" if abs(size) >= 1024 else f"{size} B"


def _change(size: int) -> str:
    return f"+{_bytes(size)}" if size > 0 else _bytes(size)


def _wrap(sentences: Iterable[str], width: int) -> Iterable[str]:
    for sentence in sentences:
        yield from textwrap.wrap(sentence, width, subsequent_indent="  ", break_on_hyphens=False)
