"""Followers: caches that grow because others do, by an object for each inode, slab or socket in TIME_WAIT. Pure."""

import re
from collections.abc import Collection, Iterator, Sequence

from slabtui.analysis import known
from slabtui.analysis.cache import JudgedCache
from slabtui.analysis.series import Bins, Scale
from slabtui.analysis.stretch import CERTAIN
from slabtui.analysis.trend import find_trend

# Of a cache with SLAB_ACCOUNT, each slab has an array with a pointer of 8 bytes for each object of the slab, which is
# allocated by kmalloc (alloc_slab_obj_exts() in mm/slub.c; memcg_alloc_page_obj_cgroups() before Linux 5.16).
_KMALLOC = re.compile(r"kmalloc-(rnd-\d+-)?\d+k?")
_CLASSES = (8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192)  # bytes
_POINTER = 8  # bytes
# calculate_order() in mm/slub.c takes the smallest slab of up to 8 pages that has 4 * (fls(CPUs) + 1) objects and
# little waste. So on any machine a slab has more than 8 objects, and one of several pages has not many more than 48.
_SLABS = (4096, 8192, 16384, 32768)  # bytes
_FEWEST, _MOST = 9, 96

Leaders = list[tuple[JudgedCache, float]]  # caches, and the objects of the follower for each object of theirs


def find_leaders(cache: JudgedCache, caches: Collection[JudgedCache], scale: Scale) -> Leaders:
    """Return the caches whose growth in a scale may cause the growth of a cache; empty: there are none."""
    growing = _growing(cache, caches, scale)
    if known.is_per_inode(cache.names):
        return [(other, 1.0) for other in growing if other.reclaimable and known.is_of_inodes(other.name)]
    if number := known.buckets_per_time_wait(cache.names):
        return [(other, float(number)) for other in growing if known.is_time_wait(other.names)]
    if cache.size in _CLASSES and _KMALLOC.fullmatch(cache.name):
        found = [(other, objects_per_slab(other.size, cache.size)) for other in growing]
        return [(other, 1 / number) for other, number in found if number]
    return []


def _growing(cache: JudgedCache, caches: Collection[JudgedCache], scale: Scale) -> Iterator[JudgedCache]:
    return (other for other in caches if other is not cache and other.stretches[scale].slope > 0)


def objects_per_slab(size: int | None, array: int) -> int:
    """Return how many objects a slab of a cache has, if the array of a slab takes an object of kmalloc of that size.

    Args:
        size: bytes of an object of the cache.
        array: bytes of an object of kmalloc, one of its size classes.

    Returns:
        The number; 0: no slab has an array of this size.
    """
    if not size:
        return 0
    smaller = max((other for other in _CLASSES if other < array), default=0)
    numbers = [slab // size for slab in _SLABS]
    possible = [number for number in numbers if number >= _FEWEST and (number <= _MOST or number == numbers[0])]
    return next((number for number in possible if smaller < number * _POINTER <= array), 0)


def exceeds(cache: JudgedCache, leaders: Leaders, bins: Bins, scale: Scale) -> bool:
    """Return whether a cache grows by more than its leaders explain."""
    rest = list(cache.stretches[scale].values)
    for leader, share in leaders:
        others = _padded(leader.stretches[scale].values, len(rest))
        rest = [value - share * other for value, other in zip(rest, others, strict=True)]
    return find_trend(bins.times(scale)[-len(rest) :], rest).exceeds_noise(CERTAIN, cache.least)


def sort_by_growth(leaders: Leaders, scale: Scale) -> list[JudgedCache]:
    """Return the leaders, those that explain most first."""
    return [leader for leader, share in sorted(leaders, key=lambda pair: -pair[0].stretches[scale].slope * pair[1])]


def _padded(values: Sequence[float], number: int) -> list[float]:
    """Return the last `number` values; for a cache with fewer, its first value is repeated before them."""
    last = list(values[-number:])
    return [last[0]] * (number - len(last)) + last if last else [0.0] * number
