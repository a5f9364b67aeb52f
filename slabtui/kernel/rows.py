"""The row of each cache, from its first sight on: what was counted of it, and what slabinfo says. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from slabtui.kernel.allocs import Allocated
from slabtui.kernel.bulk import BulkCounts
from slabtui.kernel.counters import LARGE, Cache, Counts
from slabtui.kernel.frees import Freed
from slabtui.kernel.procfs.slabinfo import Slab
from slabtui.model.identity import CacheKey, Identities, KeyKind
from slabtui.model.snapshot import CacheTotals

LARGE_KEY = CacheKey(KeyKind.LARGE, LARGE.name)

# All that a row is made from, beside its key and its row before: of a cache that was counted (its line of slabinfo, its
# aliases, its total allocations and frees), and of one that is only listed (its place in the kernel's list, and so on).
_Counted = tuple[Cache, Slab | None, tuple[str, ...], int, int | None]
_Listed = tuple[Cache | None, Slab, tuple[str, ...], int | None]


@dataclass(frozen=True, slots=True)
class Counted:
    """What the programs have counted; it only grows."""

    allocated: Allocated
    freed: Freed = field(default_factory=Freed)
    bulk: BulkCounts = field(default_factory=BulkCounts)

    @property
    def tables(self) -> tuple[Counts, ...]:
        """All counts by cache."""
        return self.allocated.by_cache, self.freed.by_cache, self.bulk.allocs, self.bulk.frees


class Rows:
    """The rows of all caches that were ever seen.

    The programs count by address. Another cache may be created at the address of a destroyed one: it has another name
    or another object size, and what is counted from then on belongs to a new row. The row of the destroyed one stays
    as it was.

    Args:
        large_twice: whether the kernel reports allocations of kmalloc-large twice, see Offsets.

    Attributes:
        by_key: the rows, as merged last.
        listed: the caches of which the kernel's list says where they are, by name; they need not have allocated yet.
    """

    def __init__(self, *, large_twice: bool = False) -> None:
        self._large_twice = large_twice
        self._identities = Identities()
        self._caches: dict[int, Cache] = {}  # all that were counted, by address
        self._exact: dict[int, Cache] = {}  # those of them that are no size classes
        self._owners: dict[int, tuple[CacheKey, Cache]] = {}  # all of them, with their keys
        self._idle: dict[str, CacheKey] = {}  # by name
        self._living: dict[str, int] = {}  # address of the cache of that name which has not been destroyed
        self._counts: tuple[Counts, ...] = (Counts(),) * 4  # as merged last
        self._begun: int | None = None  # likewise, see Freed
        self._made_from: dict[CacheKey, _Counted | _Listed] = {}
        self._counts_frees = False  # now, or at some time before
        self.by_key: dict[CacheKey, CacheTotals] = {}
        self.listed: dict[str, Cache] = {}

    def merge(
        self,
        counted: Counted,
        slabs: Mapping[str, Slab] | None = None,
        aliases: Mapping[str, tuple[str, ...]] | None = None,
    ) -> dict[CacheKey, CacheTotals]:
        """Return the row of every cache that was seen so far, in this reading or an earlier one.

        A row that would be made from the same as the last time is the same object, as the caller left it in what was
        returned: most caches are idle, and what follows then need not look at them again.

        Args:
            counted: what was counted.
            slabs: what /proc/slabinfo says, by name.
            aliases: the other names of merged caches, by name.
        """
        slabs, aliases = slabs or {}, aliases or {}
        caches, epochs = find_newest(counted.tables)
        if caches != self._caches:  # rarely
            self._caches = caches
            self._exact = {address: cache for address, cache in caches.items() if not cache.approximate}
            self._owners = {address: (self._identify(cache), cache) for address, cache in caches.items()}
        self._living = find_living(self._exact, epochs, self._living)
        self._counts_frees |= counted.freed.begun is not None
        rows = self._add_counted(counted, slabs, aliases)
        rows |= self._list_idle(slabs, aliases)
        rows |= self._add_large(counted)
        rows |= {key: self._retire(row) for key, row in self.by_key.items() if key not in rows}
        self._counts, self._begun, self.by_key = counted.tables, counted.freed.begun, rows
        return rows

    def locate(self, key: CacheKey) -> Cache | None:
        """Return the cache that a key stands for now; None: its address is unknown, or it was destroyed."""
        if key == LARGE_KEY:
            return LARGE
        counted = next((cache for owner, cache in self._owners.values() if owner == key), None)
        if counted:
            return counted
        row = self.by_key.get(key)
        listed = self.listed.get(row.name) if row and self._idle.get(row.name) == key else None
        return listed if row and listed and row.address in (None, listed.address) else None

    def find_owner(self, address: int) -> CacheKey | None:
        """Return the key of the cache at an address, as counted last; None: no event of it was counted."""
        if address == LARGE.address:
            return LARGE_KEY
        owner = self._owners.get(address)
        return owner[0] if owner else None

    def locate_listed(self, name: str) -> tuple[CacheKey, Cache] | None:
        """Return the cache of that name in the kernel's list, which need not have a row; None: it is not there."""
        listed = self.listed.get(name)
        return (self._identify(listed), listed) if listed else None

    def find(self, cache: CacheKey | str) -> CacheTotals | None:
        """Return the row of a key, or of what a user typed: a name or an alias.

        Of several caches of one name it is the one that lives, or else the newest.
        """
        if isinstance(cache, CacheKey):
            return self.by_key.get(cache)
        found = (row for row in self.by_key.values() if cache == row.name or cache in row.aliases)
        return max(found, key=lambda row: (row.live is not None, row.cache.generation), default=None)

    def _identify(self, cache: Cache) -> CacheKey:
        if cache.approximate:
            return CacheKey(KeyKind.SIZE_CLASS, cache.name)
        return self._identities.seen(cache.address, cache.name, cache.size)

    def _add_counted(
        self, counted: Counted, slabs: Mapping[str, Slab], aliases: Mapping[str, tuple[str, ...]]
    ) -> dict[CacheKey, CacheTotals]:
        """Return the rows of the caches that were counted, with what was counted since the last reading added."""
        allocs, frees, bulk_allocs, bulk_frees = (
            _subtract(now.sums, before.sums) for now, before in zip(counted.tables, self._counts, strict=True)
        )
        if counted.freed.begun is None or counted.freed.begun != self._begun:
            bulk_frees = {}  # they are always counted, and belong to `frees` only while these are
        rows = {}
        for address, (key, cache) in self._owners.items():
            before = self.by_key.get(key)
            total_allocs, total_frees = allocs.get(address, 0) + bulk_allocs.get(address, 0), None
            if before is not None:
                total_allocs += before.total_allocs
            if self._counts_frees and not cache.approximate:
                total_frees = frees.get(address, 0) + bulk_frees.get(address, 0)
                total_frees += (before.total_frees or 0) if before is not None else 0
            slab = slabs.get(cache.name) if self._living.get(cache.name) == address else None
            given = cache, slab, aliases.get(cache.name, ()), total_allocs, total_frees
            if before is None or self._made_from.get(key) != given:
                before, self._made_from[key] = _count(key, given), given
            rows[key] = before
        return rows

    def _list_idle(
        self, slabs: Mapping[str, Slab], aliases: Mapping[str, tuple[str, ...]]
    ) -> dict[CacheKey, CacheTotals]:
        """Return the rows of the caches that slabinfo lists and that were not counted: they have not allocated yet."""
        counted = {cache.name for _, cache in self._owners.values()}
        idle, rows = {}, {}
        for name, slab in slabs.items():
            if name in counted:
                continue
            listed = self.listed.get(name)
            if listed and listed.address in self._owners:
                listed = None  # it was destroyed: another cache is there now
            key = self._idle.get(name)
            if listed:
                key = self._identities.seen(listed.address, name, listed.size)
            elif key is None or self.by_key[key].address in self._owners:
                key = self._identities.listed(name)
            before = self.by_key.get(key)
            idle[name] = key
            given = listed, slab, aliases.get(name, ()), 0 if self._counts_frees else None
            if before is None or self._made_from.get(key) != given:
                before, self._made_from[key] = _list(key, before, given), given
            rows[key] = before
        if slabs:
            self._idle = idle
        return rows

    def _add_large(self, counted: Counted) -> dict[CacheKey, CacheTotals]:
        """Return the row of what kmalloc takes from the page allocator, if there was any."""
        freed = counted.freed.large if self._counts_frees else None
        if not counted.allocated.large and not freed:
            return {}
        return {
            LARGE_KEY: CacheTotals(
                cache=LARGE_KEY,
                name=LARGE.name,
                approximate=self._large_twice,
                total_allocs=counted.allocated.large,
                total_bytes=counted.allocated.large_bytes,
                total_frees=freed,
            )
        }

    def _retire(self, row: CacheTotals) -> CacheTotals:
        """Return the row of a cache of which this reading says nothing: destroyed, or not listed this time."""
        address = None if row.address in self._owners else row.address
        frees = 0 if self._counts_frees and row.total_frees is None and not row.approximate else row.total_frees
        self._made_from.pop(row.cache, None)
        now = row.address, row.total_frees, row.aliases, row.live, row.mem, row.disagrees
        if now == (address, frees, (), None, None, None):
            return row  # it was retired before
        return replace(row, address=address, aliases=(), live=None, mem=None, disagrees=None, total_frees=frees)


def _count(key: CacheKey, given: _Counted) -> CacheTotals:
    """Return the row of a cache that was counted."""
    cache, slab, aliases, total_allocs, total_frees = given
    return CacheTotals(
        cache=key,
        name=cache.name,
        size=cache.size,
        object_size=cache.object_size,
        address=None if cache.approximate else cache.address,  # the same object in every reading
        approximate=cache.approximate,
        aliases=aliases,
        reclaimable=slab.reclaimable if slab else None,
        live=slab.live if slab else None,
        mem=slab.mem if slab else None,
        total_allocs=total_allocs,
        total_bytes=total_allocs * cache.size,
        total_frees=total_frees,
    )


def _list(key: CacheKey, before: CacheTotals | None, given: _Listed) -> CacheTotals:
    """Return the row of a cache that slabinfo lists; where it is, its row before may know."""
    listed, slab, aliases, total_frees = given
    known = listed or before
    return CacheTotals(
        cache=key,
        name=key.name,
        size=slab.size,
        object_size=known.object_size if known else None,
        address=known.address if known else None,
        aliases=aliases,
        reclaimable=slab.reclaimable,
        live=slab.live,
        mem=slab.mem,
        total_frees=total_frees,
    )


def find_newest(tables: tuple[Counts, ...]) -> tuple[dict[int, Cache], dict[int, int]]:
    """Return the newest description of the cache at each address, and the interval of it.

    Each table describes a cache at its own events; of descriptions of the same interval the first table's counts.
    """
    caches, epochs = dict(tables[0].caches), dict(tables[0].epochs)
    for table in tables[1:]:
        for address, epoch in table.epochs.items():
            if epoch > epochs.get(address, -1):
                caches[address], epochs[address] = table.caches[address], epoch
    return caches, epochs


def find_living(caches: Mapping[int, Cache], epochs: Mapping[int, int], before: Mapping[str, int]) -> dict[str, int]:
    """Return which cache lives, where several have had one name: the others have been destroyed.

    A destroyed cache is not seen again, so it is the one that was seen last. Where several were seen last in the same
    interval, it is the one that did not live before. A name of which that is not known is left out.

    Args:
        caches: every cache that was counted, by its address.
        epochs: the interval in which each was seen last, by its address.
        before: what was returned for the reading before.
    """
    living = {cache.name: address for address, cache in caches.items()}
    if len(living) == len(caches):  # nearly every time
        return living
    same: dict[str, list[int]] = {}
    for address, cache in caches.items():
        same.setdefault(cache.name, []).append(address)
    living = {}
    for name, addresses in same.items():
        if len(addresses) == 1:
            living[name] = addresses[0]
            continue
        last = max(epochs.get(address, 0) for address in addresses)
        latest = [address for address in addresses if epochs.get(address, 0) == last]
        if len(latest) > 1:
            latest = [address for address in latest if address != before.get(name)]
        if len(latest) == 1:
            living[name] = latest[0]
    return living


def _subtract(now: Mapping[int, int], before: Mapping[int, int]) -> dict[int, int]:
    """Return by how much the numbers grew that did."""
    return {
        address: number - earlier for address, number in now.items() if number != (earlier := before.get(address, 0))
    }
