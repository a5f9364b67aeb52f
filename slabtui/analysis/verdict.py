"""The verdict on all caches together: which of them grow as a leak does, and which of them grow together. Pure."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from slabtui.analysis import followers, known
from slabtui.analysis.cache import JudgedCache
from slabtui.analysis.groups import group, grow_together
from slabtui.analysis.series import Bins, Scale
from slabtui.analysis.stretch import Stretch
from slabtui.model.identity import CacheKey

_MOST_GROUPED = 40  # caches, those that grow by most bytes: to compare them takes 1 ms
_MOST_LEADERS = 4  # names: those that explain most
_LIFETIMES = 3  # of objects that a timer frees, in each of which their cache must grow to be marked
_FILES = (1, 2)  # open files that hold one inode: pipe(2) and socketpair(2) make two


class Verdict(NamedTuple):
    """The verdict on a cache.

    Attributes:
        rests_on: the stretch in which it grows as a leak does; None: it does not.
        grows_with: the names of the caches that grow with it; see CacheRow.
        is_supported: whether one of these is marked.
    """

    rests_on: Stretch | None
    grows_with: tuple[str, ...]
    is_supported: bool = False


class _Finding(NamedTuple):
    """What is found of a cache in one scale.

    Attributes:
        stretch: the cache in this scale.
        leaks: whether it grows as a leak does.
        is_explained: whether it grows, and something explains it.
        grows_with: the names of the caches that grow with it.
        is_supported: whether one of these is marked.
    """

    stretch: Stretch
    leaks: bool
    is_explained: bool
    grows_with: tuple[str, ...]
    is_supported: bool = False


NONE = Verdict(rests_on=None, grows_with=())


def judge_together(caches: Collection[JudgedCache], bins: Bins) -> dict[CacheKey, Verdict]:
    """Return the verdict on each cache that grows by more than its noise in any scale; on all others it is NONE."""
    varying = [cache for cache in caches if cache.varies]
    found: dict[CacheKey, _Finding] = {}
    for scale in filter(bins.counts, Scale):
        candidates = [cache for cache in varying if _may_matter(cache, scale, found.get(cache.key))]
        for key, finding in _find(candidates, bins, scale).items():
            if key not in found or _matters_more(finding, found[key]):
                found[key] = finding
    return {key: _decide(one) for key, one in found.items()}


def _may_matter(cache: JudgedCache, scale: Scale, longer: _Finding | None) -> bool:
    """Return whether a scale can add to what was found in a longer one: it takes time to compare the caches.

    Reclaimable caches are always needed, because they may explain others.
    """
    if longer is None or cache.reclaimable or not (longer.leaks or longer.is_explained):
        return True
    return cache.stretches[scale].outpaces(longer.stretch)


def _decide(finding: _Finding) -> Verdict:
    return Verdict(finding.stretch if finding.leaks else None, finding.grows_with, finding.is_supported)


def _matters_more(shorter: _Finding, longer: _Finding) -> bool:
    """Return whether a finding in a shorter stretch replaces one in a longer stretch, which is more certain."""
    if not shorter.stretch.goes_on:
        return False
    if longer.leaks or longer.is_explained:
        return (shorter.leaks or not longer.leaks) and shorter.stretch.outpaces(longer.stretch)
    return True


def _find(caches: Collection[JudgedCache], bins: Bins, scale: Scale) -> dict[CacheKey, _Finding]:
    """Return what is found in one scale of each cache that grows there by more than its noise."""
    rising = [cache for cache in caches if cache.stretches[scale].is_likely]
    rising.sort(key=lambda cache: -_bytes(cache, scale))
    pinning = [cache for cache in rising if known.pins(cache.names)]
    found: dict[CacheKey, _Finding] = {}
    held = set()
    for together in group(rising[:_MOST_GROUPED], bins, scale):
        together.sort(key=lambda cache: _place(cache, scale))
        reclaimable = [cache for cache in together if cache.reclaimable]
        is_held = all(_is_held(cache, pinning, bins, scale) for cache in reclaimable)
        lasts = all(_outlasts(cache, known.lifetime(cache.names), bins, scale) for cache in together)
        leaks = is_held and lasts and _is_certain(together, scale)
        for cache in together:
            stretch = cache.stretches[scale]
            found[cache.key] = _Finding(
                stretch,
                leaks=leaks and not cache.reclaimable and stretch.goes_on,
                is_explained=not (is_held and lasts) and stretch.goes_on,
                grows_with=_names_beside(cache, together),
                is_supported=scale is Scale.BASELINE and any(other.is_marked for other in together),
            )
            if reclaimable and is_held:
                held.add(cache.key)
    for cache in caches:
        stretch = cache.stretches[scale]
        may_follow = cache.key in found or (stretch.slope > 0 and known.is_per_inode(cache.names))
        if may_follow and cache.key not in held and not cache.reclaimable:
            leaders = followers.find_leaders(cache, caches, scale)
            if leaders and not followers.exceeds(cache, leaders, bins, scale):
                main = followers.sort_by_growth(leaders, scale)[:_MOST_LEADERS]
                beside = _names_beside(cache, sorted(main, key=lambda one: _place(one, scale)))
                found[cache.key] = _Finding(stretch, leaks=False, is_explained=stretch.goes_on, grows_with=beside)
    return found


def _is_certain(together: Sequence[JudgedCache], scale: Scale) -> bool:
    """Return whether a group certainly grows."""
    return any(cache.stretches[scale].is_certain or (cache.is_marked and scale is Scale.BASELINE) for cache in together)


def _outlasts(cache: JudgedCache, lifetime: float, bins: Bins, scale: Scale) -> bool:
    """Return whether a cache has grown in each of the last lifetimes of its objects, if a timer frees them.

    A load that becomes heavier makes the cache grow for one lifetime only.
    """
    if not lifetime:
        return True
    stretch = cache.stretches[scale]
    times = bins.times(scale)[-len(stretch.values) :]
    ends = [bins.now - lifetime * ago for ago in range(_LIFETIMES, -1, -1)]
    if not times or times[0] > ends[0]:
        return False
    values = [stretch.values[bisect_right(times, end) - 1] for end in ends]
    return all(later - value > stretch.slope * lifetime / 2 for value, later in pairwise(values))


def _bytes(cache: JudgedCache, scale: Scale) -> float:
    return cache.stretches[scale].slope * (cache.size or 0)


def _is_held(cache: JudgedCache, pinning: Iterable[JudgedCache], bins: Bins, scale: Scale) -> bool:
    """Return whether a cache of references grows with a reclaimable cache, whose objects then cannot be reclaimed."""
    return any(grow_together(holder, cache, bins, scale, times=times) for holder in pinning for times in _FILES)


def _place(cache: JudgedCache, scale: Scale) -> tuple[bool, float, str]:
    """Return the place of a name in a group: reclaimable caches first, and those that grow by most bytes first."""
    return not cache.reclaimable, -_bytes(cache, scale), cache.name


def _names_beside(cache: JudgedCache, together: Iterable[JudgedCache]) -> tuple[str, ...]:
    """Return the names of the others."""
    return tuple(other.name for other in together if other is not cache)
