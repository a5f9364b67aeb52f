"""One row for each cache, from all that knows something of it: the counters and slabinfo. Pure."""

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from slabtui.kernel.counters import Cache
from slabtui.kernel.procfs.slabinfo import Slab
from slabtui.model.snapshot import CacheRow

UNSEEN = 1 << 32  # identities of caches of which only the name is known: below any address, above the size classes


@dataclass(frozen=True, slots=True)
class Counted:
    """What the programs have counted, by cache; frees is None while nobody counts them."""

    allocs: Mapping[Cache, int]
    frees: Mapping[Cache, int] | None = None
    bulk_allocs: Mapping[Cache, int] = field(default_factory=dict)
    bulk_frees: Mapping[Cache, int] = field(default_factory=dict)

    @property
    def caches(self) -> dict[int, Cache]:
        """Every cache that was counted, by its address."""
        return {cache.cache: cache for cache in (*self.bulk_allocs, *(self.frees or ()), *self.allocs)}


class Unseen:
    """Gives an identity to each cache that slabinfo lists and that has not been seen to allocate.

    Attributes:
        listed: the caches of which the address is known all the same, by their name.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.listed: dict[str, Cache] = {}

    def number(self, name: str, others: Container[int] = ()) -> int:
        """Return its address, unless that is another cache's by now, or a number that always stands for the name."""
        listed = self.listed.get(name)
        if listed and listed.cache not in others:
            return listed.cache
        return self._numbers.setdefault(name, UNSEEN + len(self._numbers))

    def object_size(self, name: str) -> int | None:
        """Return what the cache's creator asked for, None if that is unknown."""
        return self.listed[name].object_size if name in self.listed else None

    def name(self, cache: int) -> str | None:
        """Return the name that an identity stands for; None: it is a cache that has been seen."""
        return next((name for name, number in self._numbers.items() if number == cache), None)


def find_living(caches: Mapping[int, Cache], epochs: Mapping[int, int], before: Mapping[str, int]) -> dict[str, int]:
    """Return which cache lives, where several have had one name: the others have been destroyed.

    A destroyed cache is not seen again, so it is the one that was seen last. Where that was in one interval, it is the
    one that has replaced the one that lived before. A name of which that is not known is left out.

    Args:
        caches: every cache that was counted, by its address.
        epochs: the interval in which each was seen last, by its address.
        before: what was returned for the reading before.
    """
    same: dict[str, list[int]] = {}
    for address, cache in caches.items():
        same.setdefault(cache.name, []).append(address)
    living = {}
    for name, addresses in same.items():
        last = max(epochs.get(address, 0) for address in addresses)
        latest = [address for address in addresses if epochs.get(address, 0) == last]
        if len(latest) > 1:
            latest = [address for address in latest if address != before.get(name)]
        if len(latest) == 1:
            living[name] = latest[0]
    return living


def merged(
    counted: Counted,
    slabs: Mapping[str, Slab],
    aliases: Mapping[str, tuple[str, ...]],
    unseen: Unseen,
    living: Mapping[str, int] | None = None,
) -> dict[int, CacheRow]:
    """Return a row of totals for every cache that anybody knows of, by its identity.

    Args:
        counted: what was counted.
        slabs: what /proc/slabinfo says, by name.
        aliases: the other names of merged caches, by name.
        unseen: gives an identity to those of which only the name is known.
        living: address of the cache that a line of /proc/slabinfo is about, by name; None: names are unique.
    """
    allocs = _by_address(counted.allocs, counted.bulk_allocs)
    frees = None if counted.frees is None else _by_address(counted.frees, counted.bulk_frees)
    caches = counted.caches
    rows = {}
    for address, cache in caches.items():
        lives = living is None or living.get(cache.name) == address
        slab = slabs.get(cache.name) if lives and not cache.approximate else None
        rows[address] = CacheRow(
            cache=address,
            name=cache.name,
            size=cache.size,
            object_size=cache.object_size,
            allocs=allocs[address],
            bytes=allocs[address] * cache.size,
            approximate=cache.approximate,
            frees=None if frees is None or cache.approximate else frees[address],
            live=slab.live if slab else None,
            mem=slab.mem if slab else None,
            aliases=aliases.get(cache.name, ()),
        )
    seen = {cache.name for cache in caches.values()}
    for name in slabs.keys() - seen:
        slab = slabs[name]
        number = unseen.number(name, caches)
        rows[number] = CacheRow(
            cache=number,
            name=name,
            size=slab.size,
            object_size=unseen.object_size(name),
            allocs=0,
            bytes=0,
            frees=None if frees is None else 0,
            live=slab.live,
            mem=slab.mem,
            aliases=aliases.get(name, ()),
        )
    return rows


def _by_address(*parts: Mapping[Cache, int]) -> "Counter[int]":
    sums: Counter[int] = Counter()
    for part in parts:
        for cache, number in part.items():
            sums[cache.cache] += number
    return sums
