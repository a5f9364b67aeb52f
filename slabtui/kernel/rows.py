"""One row for each cache, from all that knows something of it: the counters and slabinfo. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from slabtui.kernel.counters import Cache
from slabtui.kernel.slabinfo import Slab
from slabtui.snapshot import CacheRow

UNSEEN = 1 << 32  # identities of caches of which only the name is known: below any address, above the size classes


@dataclass(frozen=True, slots=True)
class Counted:
    """What the programs have counted, by cache; frees is None while nobody counts them."""

    allocs: Mapping[Cache, int]
    frees: Mapping[Cache, int] | None = None
    bulk_allocs: Mapping[Cache, int] = field(default_factory=dict)
    bulk_frees: Mapping[Cache, int] = field(default_factory=dict)


class Unseen:
    """Gives an identity to each cache that slabinfo lists and that has not been seen to allocate."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        """Return the identity that stands for the name, always the same."""
        return self._numbers.setdefault(name, UNSEEN + len(self._numbers))

    def name(self, cache: int) -> str | None:
        """Return the name that an identity stands for; None: it is a cache that has been seen."""
        return next((name for name, number in self._numbers.items() if number == cache), None)


def merged(
    counted: Counted, slabs: Mapping[str, Slab], aliases: Mapping[str, tuple[str, ...]], unseen: Unseen
) -> dict[int, CacheRow]:
    """Return a row of totals for every cache that anybody knows of, by its identity."""
    allocs = _by_address(counted.allocs, counted.bulk_allocs)
    frees = None if counted.frees is None else _by_address(counted.frees, counted.bulk_frees)
    caches = {cache.cache: cache for cache in (*counted.bulk_allocs, *(counted.frees or ()), *counted.allocs)}
    rows = {}
    for address, cache in caches.items():
        slab = None if cache.approximate else slabs.get(cache.name)
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
        number = unseen.number(name)
        rows[number] = CacheRow(
            cache=number,
            name=name,
            size=slab.size,
            object_size=None,
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
