"""Artificial hosts: snapshots of caches whose live objects are functions of the time, judged one after another."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from slabtui.analysis.growth import Growth
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.memory import HostMemory
from slabtui.model.snapshot import CacheRow, Snapshot
from tests.support.fakes import snapshot

Live = Callable[[float], float | None]  # objects at a time, in seconds since the start
START = 1.7e9


def row(
    name: str,
    live: float | None,
    *,
    reclaimable: bool | None = False,
    size: int = 256,
    aliases: tuple[str, ...] = (),
) -> CacheRow:
    """Return the row of a cache with this many live objects."""
    return CacheRow(
        cache=CacheKey(KeyKind.CACHE, name),
        name=name,
        aliases=aliases,
        size=size,
        object_size=size,
        reclaimable=reclaimable,
        live=None if live is None else round(live),
    )


def noisy(rate: float, noise: float, seed: int = 1, start: float = 1000) -> Live:
    """Return objects that grow at a rate, and beside them up to `noise` ones that stay for a moment."""
    source = random.Random(seed)
    return lambda time: start + rate * time + source.uniform(0, noise)


def level(noise: float, seed: int = 2) -> Live:
    """Return objects that do not grow."""
    return noisy(0, noise, seed)


def snapshots(
    caches: Mapping[str, Live],
    seconds: float,
    interval: float = 1.0,
    *,
    reclaimable: tuple[str, ...] = (),
    memory: Callable[[float], HostMemory] | None = None,
) -> Iterator[Snapshot]:
    """Yield the snapshots of a host."""
    for at in range(1, round(seconds / interval) + 1):
        time = at * interval
        rows = [row(name, live(time), reclaimable=name in reclaimable) for name, live in caches.items()]
        one = snapshot(*rows, time=START + time, memory=memory(time) if memory else None)
        yield replace(one, elapsed=interval)


def judge(
    caches: Mapping[str, Live],
    seconds: float,
    interval: float = 1.0,
    *,
    reclaimable: tuple[str, ...] = (),
    memory: Callable[[float], HostMemory] | None = None,
) -> Snapshot:
    """Return the last snapshot of a host, with its judgement."""
    growth = Growth()
    for one in snapshots(caches, seconds, interval, reclaimable=reclaimable, memory=memory):
        judged = growth.judge(one)
    return judged


def growing(judged: Snapshot) -> set[str]:
    """Return the names of the caches that are marked."""
    return {row.name for row in judged.rows if row.growing}


def find(judged: Snapshot, name: str) -> CacheRow:
    """Return the row of the cache of this name."""
    return next(row for row in judged.rows if row.name == name)
