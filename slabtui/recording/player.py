"""Plays a recording: a producer whose snapshots come at the pace at which they were recorded, or faster, or slower."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from slabtui.analysis.growth import Growth
from slabtui.model.snapshot import Snapshot
from slabtui.producer import Producer
from slabtui.system.clock import Clock

SLOWEST, FASTEST = 1 / 16, 64.0  # times the recorded pace


class Player(Producer):
    """Publishes the snapshots of a recording; each waits until every consumer has room, so that none is merged.

    Args:
        read: returns the snapshots of the recording; called again where it repeats.
        paced: whether snapshots come at the pace of the recording; without, they come as fast as they are taken.
        clock: the time.
        repeats: whether it begins again at its end, as another run that follows the one before.

    Attributes:
        speed: how many times faster than it was recorded.

    Raises:
        SlabtuiError: the recording cannot be read, or has no snapshot.
    """

    def __init__(
        self, read: Callable[[], Iterator[Snapshot]], paced: bool, clock: Clock | None = None, *, repeats: bool = False
    ) -> None:
        super().__init__(clock)
        self._read = read
        self._repeats = repeats
        self._snapshots = read()
        self._first = next(self._snapshots)
        self._paced = paced
        self._held = False
        self._step = False
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
        self._held, self._step = held, False
        self._wake.set()

    def step(self) -> None:
        """Publish the next snapshot, if the recording stands still."""
        self._step = self._held
        self._wake.set()

    def produce(self) -> None:
        """Publish each snapshot when its time has come, until there are no more or the player is to end."""
        if not self.wait_for_room():
            return
        self.publish(self._first)
        since = self._first.origin.since
        for snapshot in self._after_first():
            if (self._paced and not self._pass(snapshot.elapsed)) or not self.wait_for_room():
                return
            if snapshot.origin.since != since:  # another run: its live objects are not those of the one before
                since, self._growth = snapshot.origin.since, Growth()
            self.publish(snapshot)

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
        while (held := self._held) or left > 0:
            began, speed = self._clock.monotonic(), self.speed
            if not self.sleep(None if held else left / speed) or self._finishing:
                return False
            if self._step:
                self._step = False
                break
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
