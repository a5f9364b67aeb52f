"""What the kernel says of its caches: live objects from /proc/slabinfo, names and more from /sys/kernel/slab."""

import errno
import os
import resource
from collections import Counter
from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from slabtui.errors import SlabtuiError, Status
from slabtui.model.inspection import About
from slabtui.system.files import Repeated
from slabtui.text import printable

SLABINFO = Path("/proc/slabinfo")
SYSFS = Path("/sys/kernel/slab")
LIST_EVERY = 10  # readings: the names of merged caches rarely change, and listing them takes a quarter of a millisecond

LARGE = "kmalloc-large"  # a row of slabtui, which is not a cache: what kmalloc takes from the page allocator
_FIELDS = 16  # of a line of version 2.1; slabinfo(5)
_FLAGS = {  # file in /sys/kernel/slab/CACHE -> what it means when it is 1; Documentation/ABI/testing/sysfs-kernel-slab
    "reclaim_account": "reclaimable",
    "destroy_by_rcu": "typesafe by RCU",
    "hwcache_align": "cache aligned",
    "cache_dma": "DMA",
    "poison": "poisoned",
    "red_zone": "red zoned",
    "sanity_checks": "checked",
    "store_user": "tracked",
    "trace": "traced",
    "failslab": "failing",
}
_ACCOUNT_FLAG = "A"  # in the name of a merged cache's directory, create_unique_id() in mm/slub.c


@dataclass(frozen=True, slots=True)
class Slab:
    """A line of /proc/slabinfo. It counts free objects in a CPU's own slabs as live.

    Attributes:
        live: objects in use.
        size: bytes that an object takes in its slab.
        objects_per_slab: objects that a slab holds.
        mem: bytes of memory held, by used and free objects.
        reclaimable: whether the kernel can free objects when memory is short; from /sys/kernel/slab, None: unknown.
    """

    live: int
    size: int
    objects_per_slab: int
    mem: int
    reclaimable: bool | None = None


class Parser:
    """Parses one reading of /proc/slabinfo after the other.

    A line that was in the reading before is not parsed again, and its Slab is the same object: most caches do not
    change from one reading to the next.

    Args:
        is_reclaimable: returns the flag of the cache of a name, see Slab. It is asked once for as long as the cache is
            listed: the flag is given when a cache is created.
    """

    def __init__(self, is_reclaimable: Callable[[str], bool | None] = lambda name: None) -> None:
        self._is_reclaimable = is_reclaimable
        self._by_line: dict[bytes, tuple[str, Slab]] = {}  # of the reading before
        self._by_name: dict[str, Slab] = {}  # likewise

    def parse(self, listing: bytes) -> dict[str, Slab]:
        """Return the caches of a /proc/slabinfo of version 2.1, by name; duplicate names are dropped as ambiguous.

        Raises:
            ValueError: it is something else.
        """
        title, *lines = listing.splitlines() or [b""]
        if title != b"slabinfo - version: 2.1" or not lines:
            raise ValueError("no slabinfo of version 2.1")
        found = [self._by_line.get(line) or self._parse(line, number) for number, line in enumerate(lines[1:], 3)]
        self._by_line = dict(zip(lines[1:], found, strict=True))
        slabs = self._by_name = dict(found)
        if len(slabs) == len(found):
            return slabs
        times = Counter(name for name, _ in found)
        return {name: slab for name, slab in slabs.items() if times[name] == 1}

    def _parse(self, line: bytes, number: int) -> tuple[str, Slab]:
        try:
            name, live, _, size, objects, pages, *_rest, slabs, _shared = line.rsplit(maxsplit=_FIELDS - 1)
            shown, mem = printable(name), int(slabs) * int(pages) * resource.getpagesize()
            before = self._by_name.get(shown)
            reclaimable = before.reclaimable if before else self._is_reclaimable(shown)
            return shown, Slab(int(live), int(size), int(objects), mem, reclaimable)
        except ValueError as error:  # its text would not help the user
            raise ValueError(f"line {number} does not describe a cache") from error


class Slabinfo:
    """The files; /proc/slabinfo is kept open, since opening it takes privileges.

    Attributes:
        trouble: why /proc/slabinfo cannot be read, in words for the user; empty if it can.
        unlisted: the same of the names in /sys/kernel/slab.
    """

    def __init__(self, slabinfo: Path = SLABINFO, sysfs: Path = SYSFS) -> None:
        self._sysfs = sysfs
        self._known: tuple[list[str], AbstractSet[str]] = [], frozenset()  # what the aliases were made from
        self._until_listed = 0  # calls until the names are listed again
        self._aliases: dict[str, tuple[str, ...]] = {}
        self._parser = Parser(self._is_reclaimable)
        self.trouble = self.unlisted = ""
        self._file: Repeated | None = Repeated(slabinfo)
        try:
            self._file.open()
        except OSError as error:
            self._file = None
            self.trouble = f"live objects unknown: {slabinfo}: {error.strerror}"

    def read(self) -> dict[str, Slab]:
        """Return every cache by its name; empty where that cannot be read."""
        if self._file is None:
            return {}
        try:
            slabs = self._parser.parse(self._file.read())
        except (OSError, ValueError) as error:
            self.trouble = f"live objects unknown: {SLABINFO}: {error}"
            return {}
        self.trouble = ""
        return slabs

    def aliases(self, canonical: AbstractSet[str]) -> dict[str, tuple[str, ...]]:
        """Return the other names of each cache that has some, by the name under which /proc/slabinfo lists it.

        Caches of like size and flags are merged; in /sys/kernel/slab each name is then a link to the directory of the
        one that they share. One with a slash in its name, such as L2TP/IP, makes the kernel refuse the whole list:
        verify_dirent_name() in fs/readdir.c.

        The names are listed again when other caches are asked for, and else at every 10th call: a cache that is created
        later and merged at once is known by its name a few intervals later.
        """
        self._until_listed -= 1
        if self._until_listed > 0 and canonical == self._known[1]:
            return self._aliases
        self._until_listed = 0
        try:
            names = os.listdir(self._sysfs)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):  # a kernel without it has no aliases
                self.unlisted = f"aliases unknown: {self._sysfs}: {error.strerror}"
            return {}
        self.unlisted = ""
        if (names, canonical) != self._known:
            self._known = names, frozenset(canonical)
            self._aliases = _aliases(self._sysfs, names, canonical)
        self._until_listed = LIST_EVERY
        return self._aliases

    def about(self, name: str, slab: Slab | None, aliases: tuple[str, ...]) -> About:
        """Return what is known of one cache; what cannot be read is left out."""
        directory = _directory(self._sysfs, name)
        per_node = _value(directory / "slabs").split()
        flags = [meaning for file, meaning in _FLAGS.items() if _value(directory / file) == "1"]
        unique = _link(directory)
        if unique.startswith(":") and _ACCOUNT_FLAG in unique.split("-")[0]:
            flags.append("accounted")
        order = _number(directory / "order")
        return About(
            aliases=aliases,
            object_size=_number(directory / "object_size"),
            size=slab.size if slab else _number(directory / "slab_size"),
            objects_per_slab=slab.objects_per_slab if slab else _number(directory / "objs_per_slab"),
            slab_bytes=None if order is None else resource.getpagesize() << order,
            flags=tuple(flags),
            nodes=tuple(node for node in map(_node, per_node[1:]) if node is not None),
            live=slab.live if slab else None,
            mem=slab.mem if slab else None,
        )

    def count_hidden(self, name: str, *, partial_by_objects: bool) -> int:
        """Return how many free objects of a cache may count as live, since CPUs keep them for themselves.

        They lie in sheaves; or in partial slabs, if their number is limited by objects, see Layout: each of them came
        with one free object at least, and all of it may be free by now.
        """
        cpus, directory = os.cpu_count() or 1, _directory(self._sysfs, name)
        capacity = _number(directory / "sheaf_capacity") or 0
        slabs = _number(directory / "cpu_partial") or 0 if partial_by_objects else 0
        in_slabs = slabs * (_number(directory / "objs_per_slab") or 0) * cpus
        return in_slabs + capacity * (3 * cpus + 20)  # main, spare, rcu_free of a CPU; 10 full and 10 empty of a node

    def _is_reclaimable(self, name: str) -> bool | None:
        flag = _value(_directory(self._sysfs, name) / "reclaim_account")
        return flag == "1" if flag else None

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()


def _aliases(sysfs: Path, names: list[str], canonical: Collection[str]) -> dict[str, tuple[str, ...]]:
    merged: dict[str, list[str]] = {}
    for name in sorted(names):
        target = _link(sysfs / name)
        if target.startswith(":"):
            merged.setdefault(target, []).append(printable(os.fsencode(name)))
    found = {}
    for together in merged.values():
        main = next((name for name in together if name in canonical), None)
        if main is not None and len(together) > 1:
            found[main] = tuple(name for name in together if name != main)
    return found


def _link(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _value(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except (OSError, ValueError):
        return ""


def _number(path: Path) -> int | None:
    value = _value(path).partition(" ")[0]
    return int(value) if value.isascii() and value.isdecimal() else None


def _node(word: str) -> tuple[int, int] | None:
    """Return node and slabs of a word such as N0=12."""
    node, _, slabs = word.removeprefix("N").partition("=")
    return (int(node), int(slabs)) if node.isdecimal() and slabs.isdecimal() else None


def demand(name: str, slabinfo: Path = SLABINFO, sysfs: Path = SYSFS) -> None:
    """Check that the kernel has a cache of that name or alias, where it lists its caches.

    In /sys/kernel/slab; /proc/slabinfo, which has no aliases, if that is missing or empty.

    Raises:
        SlabtuiError: there is no such cache.
    """
    if name == LARGE:
        raise SlabtuiError(f"{name} is not a slab cache", f"name one that {slabinfo} lists", Status.USAGE)
    if name not in ("", ".", "..") and os.path.lexists(_directory(sysfs, name)):
        return
    if _has_entries(sysfs):
        where = f"ls {sysfs}"
    elif names := _names(slabinfo):
        if name in names:
            return
        where = f"cat {slabinfo}"
    else:
        return
    raise SlabtuiError(f"no cache named {name}", f"see {where}", Status.USAGE)


def _has_entries(directory: Path) -> bool:
    try:
        return bool(os.listdir(directory))
    except OSError as error:
        return error.errno == errno.EIO  # a name in it has a slash, see Slabinfo.aliases


def _names(slabinfo: Path) -> set[str]:
    """Return the names of all caches in /proc/slabinfo, none where it cannot be read."""
    try:
        _title, _columns, *lines = slabinfo.read_bytes().splitlines()
        return {printable(line.rsplit(maxsplit=_FIELDS - 1)[0]) for line in lines}
    except (OSError, ValueError, IndexError):
        return set()


def _directory(sysfs: Path, name: str) -> Path:
    return sysfs / name.replace("/", "!")  # as kobject_set_name_vargs() in lib/kobject.c does
