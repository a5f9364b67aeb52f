"""What judging growth costs per interval, of caches that are made up: `python -m tests.tools.bench.judging`."""

import gc
import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace

from slabtui.analysis.growth import Growth
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.snapshot import CacheTotals, Differences, Reading, Snapshot

INTERVALS = 600
CASES = ((250, 60), (250, 250), (500, 120), (500, 500))  # caches, and how many of them change; this kernel: 237 and 50


def readings(caches: int, changing: int) -> Iterator[Reading]:
    """Yield readings of caches of which the first ones change, some of them together."""
    source = random.Random(1)
    keys = [CacheKey(KeyKind.CACHE, f"cache-{number}") for number in range(caches)]
    for at in range(INTERVALS + 1):
        yield Reading(
            tuple(
                CacheTotals(
                    cache=key,
                    name=key.name,
                    size=256,
                    object_size=256,
                    reclaimable=number % 5 == 0,
                    live=1000 + ((number % 20) * at + source.randrange(100) if number < changing else 0),
                    total_allocs=at * 100 if number < changing else 7,
                    total_bytes=at * 25600 if number < changing else 1792,
                )
                for number, key in enumerate(keys)
            )
        )


def measure(caches: int, changing: int) -> tuple[list[float], list[float]]:
    """Return the processor time that each snapshot took, and each judgement, in milliseconds."""
    growth, differences, before = Growth(), Differences(), None
    snapshots, judgements = [], []
    for at, reading in enumerate(readings(caches, changing)):
        if before is not None:
            begin = time.thread_time()
            moment = Snapshot(time=float(at), elapsed=1.0, loadavg="")
            snapshot = differences.between(before, reading, moment)
            middle = time.thread_time()
            growth.judge(snapshot)
            judgements.append((time.thread_time() - middle) * 1000)
            snapshots.append((middle - begin) * 1000)
        before = replace(reading)
    return snapshots, judgements


def main() -> None:
    gc.freeze()
    print(f"{'caches':>6} {'change':>6} {'snapshot ms':>11} {'judgement ms':>12} {'ratio':>5} {'99 %':>5} {'most':>5}")
    for caches, changing in CASES:
        snapshots, judgements = measure(caches, changing)
        mean, base = statistics.fmean(judgements), statistics.fmean(snapshots)
        high = sorted(judgements)[len(judgements) * 99 // 100]
        print(
            f"{caches:6} {changing:6} {base:11.2f} {mean:12.2f} {mean / base:5.2f} {high:5.1f} {max(judgements):5.1f}"
        )


if __name__ == "__main__":
    main()
