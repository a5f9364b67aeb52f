"""Which stacks hold steadily more of one cache, judged as the live objects of a cache are."""

from slabtui.analysis.judged import JudgedSeries
from slabtui.analysis.series import Bins
from slabtui.model.inspection import Inspection

Stack = tuple[str, ...]

_MOST = 32  # stacks that are followed, those that hold most: to judge them takes 3 ms


class _HeldSeries(JudgedSeries):
    """What one stack holds, in objects."""

    __slots__ = ("_least",)

    def __init__(self, objects: int, least: float) -> None:
        super().__init__(objects)
        self._least = least

    @property
    def least(self) -> float:
        return self._least


class SteadyStacks:
    """Follows what each stack holds of one cache, from one snapshot to the next.

    Args:
        width: seconds of a bin, of which the lowest value counts: what is held for a moment is in few readings.
        least: objects by which a stack must hold more to be judged.
    """

    def __init__(self, width: float, least: float) -> None:
        self._bins = Bins(width)
        self._least = least
        self._stacks: dict[Stack, _HeldSeries] = {}

    def add(self, elapsed: float, inspection: Inspection) -> None:
        """Add what is held at the end of an interval of this many seconds."""
        held: dict[Stack, int] = {}
        for row in inspection.rows:
            held[row.frames] = held.get(row.frames, 0) + row.rank
        most = sorted(held, key=lambda stack: -held[stack])[:_MOST]
        for stack in dict.fromkeys((*self._stacks, *most)):
            objects = held.get(stack, 0)
            if stack in self._stacks:
                self._stacks[stack].add(objects)
            else:
                self._stacks[stack] = _HeldSeries(objects, self._least)
        if self._bins.advance(elapsed):
            ends = self._bins.close()
            for series in self._stacks.values():
                series.close(ends)
            self._stacks = {stack: series for stack, series in self._stacks.items() if series.value or stack in most}

    def find(self) -> dict[Stack, float]:
        """Return how fast those hold more that certainly do, in objects per second."""
        found = {}
        for stack, series in self._stacks.items():
            series.examine(self._bins)
            stretch = series.find_growth(self._bins)
            if stretch is not None and stretch.best is not None:
                found[stack] = stretch.best.slope
        return found
