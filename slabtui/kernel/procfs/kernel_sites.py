"""Which code allocated what is in use, as the kernel's own debugging knows it: slab_debug=U and /proc/allocinfo."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from slabtui.model.beside import KernelSite
from slabtui.text import printable

SYSFS, DEBUGFS = Path("/sys/kernel/slab"), Path("/sys/kernel/debug/slab")
ALLOCINFO = Path("/proc/allocinfo")
BY_DEBUG, BY_PROFILING = "slab_debug", "/proc/allocinfo"

_MOST = 8  # sites of one cache: what holds most comes first
_MOST_BYTES = 16 << 20  # of a file: allocinfo has some 6,000 lines of 80 bytes
_MOST_FRAMES = 64  # CONFIG_STACKDEPOT_MAX_FRAMES
# lib/alloc_tag.c and lib/codetag.c: bytes, calls, file:line, the module if there is one, the function. Lines begin with
# a number since the first version; later ones may end with `accurate:no`.
_ALLOCINFO = re.compile(rb"^ *([0-9]+) +([0-9]+) (\S+:[0-9]+) (?:\[(\S+)\] )?func:(\S+)")
_SUFFIX = re.compile(r"\.(?:isra|part|constprop|cold|llvm)\b.*")  # compilers add them to the names of copies


def read_traces(cache: str, size: int, sysfs: Path = SYSFS, debugfs: Path = DEBUGFS) -> tuple[KernelSite, ...]:
    """Return the code that allocated the objects of a cache that was created with slab_debug=U; else nothing.

    The kernel walks over all slabs of the cache to make this list, which takes a second for some million objects.

    Args:
        cache: its name.
        size: bytes of an object.
        sysfs: the caches in sysfs, where kernels before Linux 5.14 have alloc_calls, without stacks.
        debugfs: the caches in debugfs, where later kernels have alloc_traces.
    """
    name = cache.replace("/", "!")  # as kobject_set_name_vargs() in lib/kobject.c does
    if _content(sysfs / name / "store_user").strip() != b"1":
        return ()
    listing = _content(debugfs / name / "alloc_traces") or _content(sysfs / name / "alloc_calls")
    sites = sorted(parse_traces(listing, size), key=lambda site: -site.objects)
    return tuple(sites[:_MOST])


def parse_traces(listing: bytes, size: int) -> Iterator[KernelSite]:
    """Yield what an alloc_traces or alloc_calls says: slab_debugfs_show() in mm/slub.c.

    Each site has a line `500 alloc_empty_file+0x48/0x110 age=1/2/4 pid=150 cpus=1`, with `[module]` behind the function
    and `waste=` where there is some. The functions of the stack follow in lines of their own, since Linux 5.19.
    """
    site: KernelSite | None = None
    stack: list[str] = []
    for words in map(bytes.split, listing.splitlines()):
        if len(words) > 1 and words[0].isdigit():
            if site is not None:
                yield _with_stack(site, stack)
            objects, stack = int(words[0]), []
            pids = next((word.removeprefix(b"pid=") for word in words[2:] if word.startswith(b"pid=")), b"")
            site = KernelSite(BY_DEBUG, objects, objects * size, (_function(words[1:]),), pids=printable(pids))
        elif words and len(stack) < _MOST_FRAMES:
            stack.append(_function(words))
    if site is not None:
        yield _with_stack(site, stack)


def _with_stack(site: KernelSite, stack: list[str]) -> KernelSite:
    return replace(site, frames=tuple(stack)) if stack else site


def read_allocinfo(path: Path = ALLOCINFO) -> tuple[KernelSite, ...]:
    """Return all code of the kernel that has allocated what is in use; nothing where the kernel does not count it."""
    return tuple(parse_allocinfo(_content(path)))


def parse_allocinfo(listing: bytes) -> Iterator[KernelSite]:
    """Yield what /proc/allocinfo says: Documentation/mm/allocation-profiling.rst; lines of other forms are left out."""
    for line in listing.splitlines():
        found = _ALLOCINFO.match(line)
        if found and int(found[2]):
            size, objects, place, module, function = found.groups()
            name = printable(function) + (f" [{printable(module)}]" if module else "")
            yield KernelSite(BY_PROFILING, int(objects), int(size), (name,), printable(place))


def match(sites: Iterable[KernelSite], functions: Collection[str], size: int) -> tuple[KernelSite, ...]:
    """Return the code among that of the whole kernel that allocates from one cache, what holds most first.

    /proc/allocinfo is not per cache. So a site must be in a function that was seen to allocate from it, and all of
    its objects must have the size of this cache: the same function may allocate from other caches as well.

    Args:
        sites: all code.
        functions: the call sites of the cache, as `symbol+offset`, with `[module]` behind it.
        size: bytes of an object.
    """
    names = {_plain(function) for function in functions}
    found = [site for site in sites if site.frames[0] in names and site.bytes == site.objects * size]
    found.sort(key=lambda site: -site.bytes)
    return tuple(found[:_MOST])


def _plain(function: str) -> str:
    """Return a function without its offset and what a compiler added to its name; with its module."""
    symbol, _, module = function.partition(" ")
    name = _SUFFIX.sub("", symbol.partition("+")[0])
    return f"{name} {module}" if module else name


def _function(words: list[bytes]) -> str:
    """Return the function that a line names, without its offset, with its module."""
    module = f" {printable(words[1])}" if len(words) > 1 and words[1].startswith(b"[") else ""
    return printable(words[0].partition(b"+")[0]) + module


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return b""
