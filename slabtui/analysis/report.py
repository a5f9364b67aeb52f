"""Gathers one run for a report: all of it as one interval, and the slab memory over time. Pure."""

from dataclasses import replace

from slabtui.model.leaks import LeakReport
from slabtui.model.report import Moment, Report
from slabtui.model.snapshot import Snapshot, merge

_MOST_MOMENTS = 240  # a chart has about 600 points; when there are more moments, every second one is dropped
_LONGEST = 1e9  # seconds: 32 years; a recording that was made up may say more


class RunSummary:
    """What a report says of a run beside its leaks, snapshot by snapshot, in bounded memory."""

    def __init__(self) -> None:
        self._run: Snapshot | None = None
        self._intervals = 0
        self._moments: list[Moment] = []
        self._last: Moment | None = None
        self._stride = 1  # snapshots from one moment that is kept to the next
        self._notes: dict[str, None] = {}

    def add(self, snapshot: Snapshot) -> None:
        """Add an interval; of one that covers no time only its error and its notes are kept."""
        self._notes |= dict.fromkeys(snapshot.notes)
        if snapshot.error:
            self._notes[f"an interval could not be read: {snapshot.error}"] = None
        if not snapshot.elapsed:
            return
        bare = replace(snapshot, inspections=())  # what is held is in the report on leaks
        run = bare if self._run is None else merge(self._run, bare)
        self._run = replace(run, elapsed=min(run.elapsed, _LONGEST))
        self._add_moment(self._run.elapsed, snapshot)
        self._intervals += 1

    def report(self, leaks: LeakReport | None, unknown: str = "") -> Report | None:
        """Return the report on the run so far; None: no time has passed.

        Args:
            leaks: which caches grow, from the same snapshots; None: not known.
            unknown: why that is not known.
        """
        if self._run is None:
            return None
        moments = self._moments
        if self._last is not None and self._last is not moments[-1]:
            moments = [*moments, self._last]
        return Report(
            run=_judge(self._run, leaks),
            intervals=self._intervals,
            moments=tuple(moments),
            leaks=leaks,
            unknown=unknown,
            notes=tuple(self._notes),
        )

    def _add_moment(self, seconds: float, snapshot: Snapshot) -> None:
        memory = snapshot.memory
        if memory is None:
            return
        self._last = Moment(seconds, memory.slab, memory.reclaimable, memory.unreclaimable)
        if self._intervals % self._stride == 0:
            self._moments.append(self._last)
        if len(self._moments) > _MOST_MOMENTS:
            self._moments = self._moments[::2]
            self._stride *= 2


def _judge(run: Snapshot, leaks: LeakReport | None) -> Snapshot:
    """Return a run whose rows have the judgement of all of it, which is better than that of each snapshot."""
    if leaks is None:
        return run
    judged = {row.cache: row for row in leaks.last.rows}
    rows = (
        row
        if (known := judged.get(row.cache)) is None
        else replace(
            row,
            growth_objects_s=known.growth_objects_s,
            recent_objects_s=known.recent_objects_s,
            growth_bytes_h=known.growth_bytes_h,
            growing=known.growing,
            grows_with=known.grows_with,
        )
        for row in run.rows
    )
    return replace(run, rows=tuple(rows), growth=leaks.last.growth)
