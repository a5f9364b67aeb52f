"""Compares ways to find a leak on recordings of busy hosts; writes the table in docs/counting.md.

`python -m tests.tools.growth` takes all recordings in tests/fixtures; with names of recordings it prints their table.
The name of a recording says its truth: busy-KIND-RATE, or more of such pairs, see tests.tools.busy.leaks.
"""

import math
import statistics
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations, pairwise
from pathlib import Path

from slabtui.analysis import known
from slabtui.analysis.growth import Growth
from slabtui.model.identity import CacheKey
from slabtui.model.snapshot import Snapshot
from slabtui.recording.reader import read
from tests import ROOT
from tests.tools.busy.leaks import ALSO, CACHES

RECORDINGS = ROOT / "tests" / "fixtures"
PAGE = ROOT / "docs" / "counting.md"
BEGIN, END = "<!-- growth: written by tests/tools/growth.py -->", "<!-- end of growth -->"

_RISES = 10
_MINUTE = 60.0
_Z = 3.09  # one-sided, 99.9 %

Marks = Iterator[set[str]]  # the names of the marked caches in each snapshot


@dataclass
class Recent:
    """The readings of one cache in the last minute."""

    times: deque[float] = field(default_factory=deque)
    values: deque[float] = field(default_factory=deque)

    def add(self, time: float, value: float) -> None:
        self.times.append(time)
        self.values.append(value)
        while self.times[0] <= time - _MINUTE:
            self.times.popleft()
            self.values.popleft()


def rises(recent: Recent) -> bool:
    """Return whether each of the last ten readings was higher than the one before: slabtui's first rule."""
    last = list(recent.values)[-_RISES - 1 :]
    return len(last) > _RISES and all(before < after for before, after in pairwise(last))


def least_squares(recent: Recent) -> bool:
    """Return whether the slope of a line by least squares through the last minute is significant."""
    number = len(recent.times)
    if number < 3 or recent.times[-1] - recent.times[0] < _MINUTE * 0.9:
        return False
    slope, intercept = statistics.linear_regression(recent.times, recent.values)
    rest = sum((y - slope * x - intercept) ** 2 for x, y in zip(recent.times, recent.values, strict=True))
    mean = statistics.fmean(recent.times)
    error = math.sqrt(rest / (number - 2) / sum((x - mean) ** 2 for x in recent.times))
    return slope > 0 and slope > _Z * error


def mann_kendall(recent: Recent) -> bool:
    """Return whether a Mann-Kendall test finds a rise in the last minute, whose slope is that of Theil and Sen."""
    number = len(recent.times)
    if number < 3 or recent.times[-1] - recent.times[0] < _MINUTE * 0.9:
        return False
    statistic = sum((later > value) - (later < value) for value, later in combinations(recent.values, 2))
    return statistic - 1 > _Z * math.sqrt(number * (number - 1) * (2 * number + 5) / 18)


def over_last_minute(is_growing: Callable[[Recent], bool]) -> Callable[[Iterable[Snapshot]], Marks]:
    """Return the method that judges each cache which is not reclaimable by its last minute."""

    def mark(snapshots: Iterable[Snapshot]) -> Marks:
        caches: dict[CacheKey, Recent] = {}
        time = 0.0
        for snapshot in snapshots:
            time += snapshot.elapsed
            marked = set()
            for row in snapshot.rows:
                reclaimable = known.is_reclaimable(row.name) if row.reclaimable is None else row.reclaimable
                if row.live is None or reclaimable:
                    continue
                recent = caches.setdefault(row.cache, Recent())
                recent.add(time, row.live)
                if is_growing(recent):
                    marked.add(row.name)
            yield marked

    return mark


def slabtui(snapshots: Iterable[Snapshot]) -> Marks:
    """Yield what slabtui marks."""
    growth = Growth()
    for snapshot in snapshots:
        yield {row.name for row in growth.judge(replace(snapshot, growth=None)).rows if row.growing}


METHODS: dict[str, Callable[[Iterable[Snapshot]], Marks]] = {
    "ten rises in a row": over_last_minute(rises),
    "least squares, 60 s": over_last_minute(least_squares),
    "Mann-Kendall, 60 s": over_last_minute(mann_kendall),
    "slabtui": slabtui,
}


@dataclass
class Result:
    """What a method has found in a recording.

    Attributes:
        first: seconds until a cache of the leak was marked; None: never.
        every: seconds until all of them were marked together; None: never.
        kept: the part of the readings after `first` in which one was marked.
        false: for how many readings each other cache was marked.
    """

    first: float | None = None
    every: float | None = None
    kept: float = 0.0
    false: dict[str, int] = field(default_factory=dict)


def truth(path: Path) -> dict[str, float]:
    """Return the kinds of leaks in a recording, each with its rate; none: empty."""
    words = path.name.split(".")[0].split("-")[1:]
    return {kind: float(rate) for kind, rate in zip(words[::2], words[1::2], strict=True) if kind != "none"}


def leaking(path: Path) -> set[str]:
    """Return the caches of the leaks in a recording."""
    return set[str]().union(*(CACHES[kind] for kind in truth(path)))


def compare(path: Path, method: Callable[[Iterable[Snapshot]], Marks]) -> Result:
    """Return what a method finds in a recording."""
    leak = leaking(path)
    snapshots = list(read(path))
    result = Result()
    time, after, kept = 0.0, 0, 0
    for snapshot, marked in zip(snapshots, method(snapshots), strict=True):
        time += snapshot.elapsed
        if marked & leak and result.first is None:
            result.first = time
        if leak and leak <= marked and result.every is None:
            result.every = time
        after += result.first is not None
        kept += bool(marked & leak)
        for name in marked - leak - (ALSO if leak else set()):
            result.false[name] = result.false.get(name, 0) + 1
    result.kept = kept / after if after else 0.0
    return result


def table(paths: Iterable[Path]) -> str:
    """Return the table of all methods on these recordings."""
    lines = [
        "| leak | method | marked after | all its caches | marked from then on | falsely marked |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for path in sorted(paths, key=lambda path: (list(truth(path).values()), path.name)):
        leaks = " and ".join(f"{rate:g} {kind}/s" for kind, rate in truth(path).items()) or "none"
        for name, method in METHODS.items():
            found = compare(path, method)
            kept = f"{found.kept:.0%}".replace("%", " %") if found.first is not None else "-"
            times = [_seconds(time) if truth(path) else "-" for time in (found.first, found.every)]
            lines.append(f"| {' | '.join((leaks, name, *times, kept, _false(found.false)))} |")
    return "\n".join(lines)


def _seconds(time: float | None) -> str:
    return "never" if time is None else f"{time:.0f} s"


def _false(false: dict[str, int]) -> str:
    return f"{len(false)} caches, {sum(false.values())} s" if false else "0"


def main() -> None:
    paths = [Path(name) for name in sys.argv[1:]]
    if paths:
        print(table(paths))
        return
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(RECORDINGS.glob('busy-*'))}\n\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
