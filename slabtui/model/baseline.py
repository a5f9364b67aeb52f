"""The baseline: the totals of every cache when counting began, or at the user's mark, and what changed since then."""

from collections.abc import Mapping
from dataclasses import dataclass

from slabtui.model.identity import CacheKey
from slabtui.model.snapshot import CacheRow, Snapshot

_MARKS = 8  # marks that are kept for stepping back in time; each takes the totals of all caches


@dataclass(frozen=True, slots=True)
class Change:
    """What happened in one cache since a baseline.

    Attributes:
        allocs: objects allocated.
        bytes: bytes allocated.
        frees: objects freed; None where frees were not counted for the whole time.
        live: change of the objects in use; None where unknown.
    """

    allocs: int = 0
    bytes: int = 0
    frees: int | None = None
    live: int | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """The totals of every cache at one moment.

    Attributes:
        time: the moment, in seconds since the epoch.
        totals: by the cache; what was allocated and freed until then, and LIVE. A cache that came later is not in it.
        marked: whether the user set it; else counting began there.
    """

    time: float
    totals: Mapping[CacheKey, Change]
    marked: bool = False

    @classmethod
    def before(cls, snapshot: Snapshot) -> "Baseline":
        """Return the beginning of an interval."""
        return cls(snapshot.time - snapshot.elapsed, {row.cache: _before(row) for row in snapshot.rows})

    @classmethod
    def after(cls, snapshot: Snapshot) -> "Baseline":
        """Return the end of an interval, as the user's mark."""
        return cls(snapshot.time, {row.cache: _totals(row) for row in snapshot.rows}, marked=True)

    def since(self, row: CacheRow) -> Change:
        """Return what happened in a cache between this moment and the end of the row's interval."""
        before, now = self.totals.get(row.cache, _NOTHING), _totals(row)
        return Change(
            now.allocs - before.allocs,
            now.bytes - before.bytes,
            None if now.frees is None else now.frees - (before.frees or 0),
            None if now.live is None or before.live is None else now.live - before.live,
        )


class Baselines:
    """The start, the last marks, and since when frees are counted without a gap."""

    def __init__(self) -> None:
        self._all: list[Baseline] = []
        self._freed: Baseline | None = None
        self._run: float | None = None

    def receive(self, snapshot: Snapshot) -> None:
        """Take in the next interval; that of another run, which began to count at another time, begins anew."""
        if self._run != snapshot.origin.since:
            self._all, self._freed, self._run = [], None, snapshot.origin.since
        if not self._all:
            self._all.append(Baseline.before(snapshot))
        if all(row.frees is None for row in snapshot.rows):
            self._freed = None
        elif self._freed is None:
            self._freed = Baseline.before(snapshot)

    def mark(self, snapshot: Snapshot) -> None:
        """Begin again at the end of an interval."""
        self._all.append(Baseline.after(snapshot))
        del self._all[1:-_MARKS]

    def at(self, time: float) -> Baseline | None:
        """Return the baseline of an interval that ended at a time; None: nothing was counted yet."""
        earlier = [baseline for baseline in self._all if baseline.time <= time]
        return next(reversed(earlier or self._all[:1]), None)

    def net(self, time: float) -> Baseline | None:
        """Return from when on allocations - frees of such an interval are known; None: frees are not counted then."""
        baseline, freed = self.at(time), self._freed
        if baseline is None or freed is None or freed.time >= time:
            return None
        return max(baseline, freed, key=lambda one: one.time)


_NOTHING = Change(frees=0, live=0)  # of a cache that did not exist


def _totals(row: CacheRow) -> Change:
    return Change(row.total_allocs, row.total_bytes, row.total_frees, row.live)


def _before(row: CacheRow) -> Change:
    """Return the totals of a row before its interval; LIVE at its end where the change is unknown."""
    return Change(
        row.total_allocs - row.allocs,
        row.total_bytes - row.bytes,
        None if row.total_frees is None else row.total_frees - (row.frees or 0),
        None if row.live is None else row.live - (row.live_delta or 0),
    )
