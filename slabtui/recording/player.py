"""Plays a recording: a producer whose snapshots come at the pace at which they were recorded, or as the user jumps."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from slabtui.analysis.growth import Growth
from slabtui.model.history import History
from slabtui.model.snapshot import Snapshot
from slabtui.producer import Producer
from slabtui.queues import SnapshotsEndedError
from slabtui.recording.seeker import Seeker
from slabtui.recording.survey import Survey
from slabtui.system.clock import Clock

SLOWEST, FASTEST = 1 / 16, 64.0  # times the recorded pace


class Arrival(NamedTuple):
    """Where a jump has led to.

    Attributes:
        snapshot: the interval there, as it is published.
        history: this one and those before it.
        is_complete: whether `history` has all that is kept; otherwise the same interval comes again with the others.
    """

    snapshot: Snapshot
    history: History
    is_complete: bool


class Player(Producer):
    """Publishes the snapshots of a recording; each waits until every consumer has room, so that none is merged.

    After a jump the interval there is published twice: as soon as some intervals before it are read, and again with all
    of them. The judgement of a recording that has none is worked out from those, when all are read.

    Args:
        read: returns the snapshots of the recording; called again where it repeats.
        paced: whether snapshots come at the pace of the recording; without, they come as fast as they are taken.
        clock: the time.
        repeats: whether it begins again at its end, as another run that follows the one before.
        seeker: finds other moments; it has the same snapshots. Then the player waits at the end for a jump. None: there
            are no jumps.
        survey: reads the whole recording.

    Attributes:
        speed: how many times faster than it was recorded.
        survey: of the whole recording; None: there is none.

    Raises:
        SlabtuiError: the recording cannot be read, or has no snapshot.
    """

    def __init__(
        self,
        read: Callable[[], Iterator[Snapshot]],
        paced: bool,
        clock: Clock | None = None,
        *,
        repeats: bool = False,
        seeker: Seeker | None = None,
        survey: Survey | None = None,
    ) -> None:
        super().__init__(clock)
        self._read = read
        self._repeats = repeats
        self._snapshots = read()
        self._first = next(self._snapshots)
        self._paced = paced
        self._held = False
        self._steps = 0  # to make although it stands still
        self._seeker = seeker
        self.survey = survey
        self._target: float | None = None  # of a jump
        self._arrival: Arrival | None = None
        self._run_since = self._first.origin.since
        self._last = self._first
        self._is_marked = False  # since the last jump
        self.speed = 1.0

    def faster(self) -> None:
        """Play at twice the speed."""
        self._set_speed(self.speed * 2)

    def slower(self) -> None:
        """Play at half the speed."""
        self._set_speed(self.speed / 2)

    def _set_speed(self, speed: float) -> None:
        self.speed = max(SLOWEST, min(FASTEST, speed))
        self._wake.set()

    def hold(self, held: bool) -> None:
        """Stand still, or go on."""
        self._held, self._steps = held, 0
        self._wake.set()

    def step(self, number: int = 1) -> None:
        """Publish this many more snapshots, if the recording stands still."""
        self._steps = number if self._held else 0
        self._wake.set()

    def jump(self, time: float) -> None:
        """Go on from another moment, in seconds since the epoch; infinite: the end. It stands still if it did."""
        self._target, self._steps = time, 0
        self._wake.set()

    def arrival(self, snapshot: Snapshot) -> Arrival | None:
        """Return the arrival of which this snapshot, which was published, is the interval; None: it is of none."""
        arrival = self._arrival
        return arrival if arrival is not None and arrival.snapshot is snapshot else None

    def mark(self) -> None:
        """Set the mark; a jump drops it."""
        self._is_marked = True
        super().mark()

    def produce(self) -> None:
        """Publish each snapshot when its time has come, until there are no more or the player is to end."""
        if not self.wait_for_room():
            return
        self.publish(self._first)
        rest = self._after_first()
        while self._play(rest) and self._seeker is not None and (self._target is not None or self._wait_for_jump()):
            rest = self._arrive(self._seeker, rest)

    def _play(self, snapshots: Iterator[Snapshot]) -> bool:
        """Publish snapshots until a jump or the last one; False: the player is to end."""
        for snapshot in snapshots:
            if self._paced and not self._pass(snapshot.elapsed):
                return False
            if self._target is not None:
                return True
            if not self.wait_for_room():
                return False
            if snapshot.origin.since != self._run_since:  # its live objects are not those of the run before
                self._run_since, self._growth = snapshot.origin.since, Growth()
            self._last = snapshot
            self.publish(snapshot)
        return True

    def _wait_for_jump(self) -> bool:
        """Tell the consumers that this is the end, and wait until the user jumps; False: the player is to end."""
        for queue in self._queues:
            queue.close(SnapshotsEndedError())
        while self._target is None:
            if not self.sleep(None) or self._finishing:
                return False
        for queue in self._queues:
            queue.reopen()
        return True

    def _arrive(self, seeker: Seeker, rest: Iterator[Snapshot]) -> Iterator[Snapshot]:
        """Jump, and return what follows there; what follows here if nothing is found or there is another jump."""
        target, self._target = self._target, None
        assert target is not None
        for at_once, is_wanted in ((True, self._wants_target), (False, self._wants_past)):
            found = seeker.find(target, self._last, is_wanted, at_once=at_once)
            if found is None or not self.wait_for_room():
                break
            before, rest = found
            self._publish_arrival(before, is_complete=not at_once)
        return rest

    def _wants_target(self) -> bool:
        """Return whether the interval at the target of the last jump is still wanted."""
        return self._target is None and not (self._stopping or self._finishing)

    def _wants_past(self) -> bool:
        """Return whether the intervals before it are still wanted: a step forward does not wait for them."""
        return self._wants_target() and not self._steps

    def _publish_arrival(self, snapshots: list[Snapshot], *, is_complete: bool) -> None:
        """Publish the last of some snapshots, with their history and judgement."""
        if not is_complete:
            self._growth, self._is_marked = Growth(), False
            self._growth.judge(snapshots[-1])  # so that a mark begins with it
        elif any(one.growth is None for one in snapshots):
            growth = Growth()
            snapshots = [growth.judge(one) for one in snapshots]
            self._growth = growth
            if self._is_marked:
                growth.mark()
        history = History()
        for one in snapshots:
            history.add(one)
        self._last = snapshots[-1]
        self._run_since = self._last.origin.since
        self._arrival = Arrival(self._last, history, is_complete)
        for queue in self._queues:
            queue.put(self._last)

    def _after_first(self) -> Iterator[Snapshot]:
        """Yield the snapshots after the first one; if the recording repeats, then all of them again and again."""
        last = self._first
        for last in self._snapshots:
            yield last
        while self._repeats:
            self._growth = Growth()  # of an older recording, which does not say when the run began
            later = last.time - (self._first.time - self._first.elapsed)
            for snapshot in self._read():
                last = _move(snapshot, later)
                yield last

    def _pass(self, seconds: float) -> bool:
        """Let an interval of the recording pass; False: the player is to end."""
        left = seconds
        while self._target is None and ((held := self._held) or left > 0):
            if held and self._steps:
                self._steps -= 1
                break
            began, speed = self._clock.monotonic(), self.speed
            if not self.sleep(None if held else left / speed) or self._finishing:
                return False
            left -= 0 if held else (self._clock.monotonic() - began) * speed
        return True


def _move(snapshot: Snapshot, seconds: float) -> Snapshot:
    """Return a snapshot as if everything in it had happened later."""
    origin, growth = snapshot.origin, snapshot.growth
    return replace(
        snapshot,
        time=snapshot.time + seconds,
        origin=origin if origin.since is None else replace(origin, since=origin.since + seconds),
        growth=None if growth is None else replace(growth, since=growth.since + seconds),
    )
