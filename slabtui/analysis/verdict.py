"""The verdict on all caches together: which of them grow as a leak does, and which of them grow together. Pure."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from slabtui.analysis import followers, known
from slabtui.analysis.cache import JudgedCache
from slabtui.analysis.groups import group, grow_together
from slabtui.analysis.judged import CERTAIN, LIKELY
from slabtui.analysis.series import Timeline
from slabtui.model.identity import CacheKey

_MOST_GROUPED = 40  # caches, those that grow by most bytes: to compare them takes 1 ms
_MOST_LEADERS = 4  # names: those that explain most
_LIFETIMES = 3  # of objects that a timer frees, in each of which a cache of them grows before it is marked
_FILES = (1, 2)  # open files that hold one inode: pipe(2) and socketpair(2) make two


class Verdict(NamedTuple):
    """Whether a cache grows as a leak does, and the names of the caches that grow with it; see CacheRow."""

    growing: bool
    grows_with: tuple[str, ...]


NONE = Verdict(growing=False, grows_with=())


def judge_together(caches: Collection[JudgedCache], timeline: Timeline) -> dict[CacheKey, Verdict]:
    """Return the verdict on each cache that grows by more than its noise; on all others it is NONE."""
    rising = [cache for cache in caches if cache.varies and cache.exceeds_noise(LIKELY)]
    rising.sort(key=lambda cache: -(cache.bytes_per_hour or 0.0))
    pinning = [cache for cache in rising if known.pins(cache.names)]
    found: dict[CacheKey, Verdict] = {}
    held = set()
    for together in group(rising[:_MOST_GROUPED], timeline):
        reclaimable = [cache for cache in together if cache.reclaimable]
        is_held = all(_is_held(cache, pinning, timeline) for cache in reclaimable)
        leaks = is_held and _is_certain(together, timeline)
        for cache in together:
            growing = leaks and not cache.reclaimable and cache.goes_on
            found[cache.key] = Verdict(growing, _names_beside(cache, together))
            if reclaimable and is_held:
                held.add(cache.key)
    for cache in caches:
        may_follow = cache.key in found or (cache.slope > 0 and known.is_per_inode(cache.names))
        if may_follow and cache.key not in held and not cache.reclaimable:
            leaders = followers.find_leaders(cache, caches)
            if leaders and not followers.exceeds(cache, leaders, timeline):
                beside = followers.sort_by_growth(leaders)[:_MOST_LEADERS]
                found[cache.key] = Verdict(growing=False, grows_with=_names_beside(cache, beside))
    return found


def _is_certain(together: Sequence[JudgedCache], timeline: Timeline) -> bool:
    """Return whether a group certainly grows, and for longer than timers explain."""
    return any(cache.is_marked or cache.exceeds_noise(CERTAIN) for cache in together) and all(
        _outlasts(cache, known.lifetime(cache.names), timeline) for cache in together
    )


def _outlasts(cache: JudgedCache, lifetime: float, timeline: Timeline) -> bool:
    """Return whether a cache has grown in each of the last lifetimes of its objects, if a timer frees them.

    A load that becomes heavier lets it grow for one of them.
    """
    if not lifetime:
        return True
    times = timeline.long[-len(cache.long) :]
    ends = [timeline.now - lifetime * ago for ago in range(_LIFETIMES, -1, -1)]
    if not times or times[0] > ends[0]:
        return False
    values = [cache.long[bisect_right(times, end) - 1] for end in ends]
    return all(later - value > cache.slope * lifetime / 2 for value, later in pairwise(values))


def _is_held(cache: JudgedCache, pinning: Iterable[JudgedCache], timeline: Timeline) -> bool:
    """Return whether growing references explain why a reclaimable cache grows: its objects cannot be reclaimed."""
    return any(grow_together(holder, cache, timeline, times=times) for holder in pinning for times in _FILES)


def _names_beside(cache: JudgedCache, together: Iterable[JudgedCache]) -> tuple[str, ...]:
    """Return the names of the others: reclaimable ones first, and those that grow by more bytes first."""
    others = [other for other in together if other is not cache]
    others.sort(key=lambda other: (not other.reclaimable, -(other.bytes_per_hour or 0.0), other.name))
    return tuple(other.name for other in others)
