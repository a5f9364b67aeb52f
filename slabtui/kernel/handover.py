"""Replaces the programs of raw tracepoints by those of classic ones where raw ones miss events, without a gap."""

from collections.abc import Sequence

from slabtui.errors import SlabtuiError
from slabtui.kernel.bpf.settings import Settings, Way
from slabtui.kernel.tracers import Tracers

SHARE = 0.001  # of the allocations of an interval: fewer misses do not justify the higher cost of each event
LEAST = 10  # events missed in an interval: interrupts alone cause this number

_WHY = "raw ones missed events, since their programs were preempted"


class Handover:
    """Takes one step per interval, so that events that began before a step have ended before the next step.

    Args:
        settings: those of all programs. The caller of `advance` hands them to the programs afterwards.

    Attributes:
        note: what was done, in words for the user; empty while raw ones count.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._allocs = 0  # as read last
        self._missed = 0
        self._impossible = False
        self.note = ""

    def advance(self, tracers: Sequence[Tracers], allocs: int) -> bool:
        """Begin if too many events were missed since the last call, or go on; return whether other programs count now.

        Args:
            tracers: those that count, first the one of allocations.
            allocs: allocations counted so far.
        """
        way = self._settings.way
        if way == Way.RAW:
            if self._misses_too_much(tracers[0], allocs) and not self._impossible:
                self._begin(tracers)
        elif way == Way.MARKING:
            for one in tracers:
                one.take_over()
            self._settings.way = Way.TAKING
            return True
        elif any(one.has_raw for one in tracers):
            for one in tracers:
                one.drop_raw()
        else:
            self._settings.way = Way.CLASSIC
        return False

    def _misses_too_much(self, tracers: Tracers, allocs: int) -> bool:
        missed = tracers.misses() or 0
        since, counted = missed - self._missed, allocs - self._allocs
        self._missed, self._allocs = missed, allocs
        return since > max(LEAST, SHARE * counted)

    def _begin(self, tracers: Sequence[Tracers]) -> None:
        try:
            for one in tracers:
                one.add_classic()
        except (SlabtuiError, OSError) as error:
            for one in tracers:
                one.drop_classic()
            self._impossible = True
            self.note = f"no classic tracepoints: {_WHY} ({error})"
        else:
            self._settings.way = Way.MARKING
            self.note = f"classic tracepoints count: {_WHY}"
