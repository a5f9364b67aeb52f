"""What is held, joined as the tab shows it; rows that join several get the slope of their sum. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from slabtui.analysis.trend import find_slope
from slabtui.model.holders import By, Joined, identify, join
from slabtui.model.inspection import Inspection, InspectionKind
from slabtui.model.snapshot import Snapshot
from slabtui.views.commands import Whose

_MOST_POINTS = 32  # intervals of a slope: with more it takes longer and is hardly more exact
_LEAST_POINTS = 3  # as for the slopes of single rows
_SLOPES = 100  # rows that hold most: more are rarely on the screen, and these take 4 ms

_Sums = Mapping[tuple[object, ...], int]


@dataclass(slots=True)
class Holdings:
    """Joins rows, and remembers what they held in the intervals before.

    The slope of a sum is not the sum of slopes: of processes that come one after another and keep one object each, none
    has a slope.
    """

    _way: tuple[By, Whose | None] = field(init=False, default=(By.STACK, None))
    _sums: dict[int, tuple[Inspection, _Sums]] = field(init=False, default_factory=dict)  # by id of the inspection

    def join(
        self, inspection: Inspection, by: By, owner: Whose | None, past: Sequence[Snapshot], first: int
    ) -> tuple[Joined, ...]:
        """Return the joined rows of an inspection, those that hold most first.

        Args:
            inspection: what is shown.
            by: what a row stands for.
            owner: whose rows are joined; None: all.
            past: the intervals up to this one.
            first: the number of the oldest of them.
        """
        rows = join((row for row in inspection.rows if owner is None or owner.owns(row)), by)
        if all(len(one.parts) == 1 for one in rows[:_SLOPES]):
            return rows
        if self._way != (by, owner):
            self._way, self._sums = (by, owner), {}
        points = list(_choose(inspection, past, first))
        if len(points) < _LEAST_POINTS:
            return rows
        self._sums = {id(point): self._sums.get(id(point)) or (point, self._add_up(point)) for _, point in points}
        sums = [self._sums[id(point)][1] for _, point in points]
        times = [time for time, _ in points]
        return tuple(
            one if len(one.parts) == 1 or place >= _SLOPES else _with_slope(one, by, times, sums)
            for place, one in enumerate(rows)
        )

    def _add_up(self, inspection: Inspection) -> _Sums:
        by, owner = self._way
        sums: dict[tuple[object, ...], int] = {}
        for row in inspection.rows:
            if owner is None or owner.owns(row):
                name = identify(row, by)
                sums[name] = sums.get(name, 0) + row.rank
        return sums


def _choose(inspection: Inspection, past: Sequence[Snapshot], first: int) -> Iterator[tuple[float, Inspection]]:
    """Return some of the intervals that have the inspection, mostly the same ones each time, with their times."""
    step = 1
    while len(past) > _MOST_POINTS * step:
        step *= 2
    for number, snapshot in enumerate(past, first):
        found = snapshot.inspection(InspectionKind.HELD, inspection.cache) if number % step == 0 else None
        if found is not None and found.number == inspection.number:
            yield snapshot.time, found


def _with_slope(one: Joined, by: By, times: Sequence[float], sums: Iterable[_Sums]) -> Joined:
    assert one.row.held is not None
    name = identify(one.parts[0], by)
    slope = find_slope(times, [had.get(name, 0) for had in sums])
    return replace(one, row=replace(one.row, held=replace(one.row.held, growth_objects_s=slope)))
