"""The baseline: the totals of every cache when counting began, or at the user's mark, and what changed since then."""

from collections.abc import Mapping, Sequence
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
        intervals: how many intervals came before it. It says what is earlier: the clock of the host may be set.
        totals: by the cache; what was allocated and freed until then, and LIVE. A cache that came later is not in it.
    """

    intervals: int
    totals: Mapping[CacheKey, Change]

    @classmethod
    def before(cls, snapshot: Snapshot, number: int) -> "Baseline":
        """Return the beginning of an interval with this number, from 1."""
        return cls(number - 1, {row.cache: _before(row) for row in snapshot.rows})

    @classmethod
    def after(cls, snapshot: Snapshot, number: int) -> "Baseline":
        """Return the end of an interval with this number."""
        return cls(number, {row.cache: _totals(row) for row in snapshot.rows})

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
    """The start, the last marks, and since when frees are counted without a gap.

    Attributes:
        received: how many intervals came, those of other runs included: the number of the last one.
    """

    def __init__(self) -> None:
        self.received = 0
        self._all: list[Baseline] = []
        self._freed: Baseline | None = None
        self._run: float | None = None
        self._start: tuple[float | None, Baseline] | None = None  # of the first interval of all, with its run

    def receive(self, snapshot: Snapshot) -> bool:
        """Take in the next interval; that of another run, which began to count at another time, begins anew.

        Returns:
            Whether it is of another run.
        """
        self.received += 1
        if other_run := self._run != snapshot.origin.since:
            self._all, self._freed, self._run = [], None, snapshot.origin.since
        if not self._all:
            self._all.append(Baseline.before(snapshot, self.received))
        if self._start is None:
            self._start = self._run, self._all[0]
        if all(row.frees is None for row in snapshot.rows):
            self._freed = None
        elif self._freed is None:
            self._freed = Baseline.before(snapshot, self.received)
        return other_run

    def jump(self, snapshots: Sequence[Snapshot], last: int, *, keeps_marks: bool = False) -> bool:
        """Take in the intervals up to another moment of a recording, instead of those that came.

        Sums since the start stay exact, because each interval has totals. In another run they begin with these.

        Args:
            snapshots: one or more, of one run.
            last: the number that the last one has from now on.
            keeps_marks: whether the marks were set at that moment.

        Returns:
            Whether marks were dropped.
        """
        marks = self._all[1:]
        self.received = last - len(snapshots)
        self._run, self._freed = snapshots[0].origin.since, None
        is_first_run = self._start is not None and self._start[0] == self._run
        self._all = [self._start[1]] if is_first_run and self._start is not None else []
        for snapshot in snapshots:
            self.receive(snapshot)
        if keeps_marks:
            self._all += marks
        return bool(marks) and not keeps_marks

    def mark(self, snapshot: Snapshot) -> None:
        """Begin again at the end of the last interval."""
        self._all.append(Baseline.after(snapshot, self.received))
        del self._all[1:-_MARKS]

    def at(self, number: int) -> Baseline | None:
        """Return the baseline of the interval with this number; None: nothing was counted yet."""
        earlier = [baseline for baseline in self._all if baseline.intervals <= number]
        return next(reversed(earlier or self._all[:1]), None)

    def net(self, number: int) -> Baseline | None:
        """Return from when on allocations - frees of such an interval are known; None: frees are not counted then."""
        baseline, freed = self.at(number), self._freed
        if baseline is None or freed is None or freed.intervals >= number:
            return None
        return max(baseline, freed, key=lambda one: one.intervals)


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
