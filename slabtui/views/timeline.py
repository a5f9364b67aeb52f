"""Which interval is on the screen: the newest one, or an earlier one while paused. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field

from slabtui.model.history import History
from slabtui.model.snapshot import Snapshot
from slabtui.views.effects import Effect, NothingToDoError


@dataclass(slots=True)
class Timeline:
    """The intervals so far and the one on the screen. A transition that is not possible raises NothingToDoError.

    Attributes:
        ask: called with what a transition asks for.
        replay: whether snapshots come from a recording, which stands still while paused; or from a stream.
        streamed: whether they come from a stream, which does not.
        history: the last snapshots.
        paused: whether the screen stays as it is when snapshots come.
        stepping: whether the next snapshot is shown although the screen is paused.
        back: how many intervals before the newest the screen shows; 0 unless paused.
        shown: the snapshot on the screen; None before the first.
        number: its number, from 1; it stays the same when the history no longer has the snapshot.
        speed: how many times as fast as recorded a replay runs.
        ended: whether the recording is at its end.
    """

    ask: Callable[[Effect], None]
    replay: bool = False
    streamed: bool = False
    history: History = field(default_factory=History)
    paused: bool = False
    stepping: bool = False
    back: int = 0
    shown: Snapshot | None = None
    number: int = 0
    speed: float = 1.0
    ended: bool = False

    def receive(self, snapshot: Snapshot) -> None:
        """Keep a new snapshot, and show it unless paused."""
        self.history.add(snapshot)
        if self.paused and not self.stepping and self.shown is not None:
            self.back = min(self.back + 1, len(self.history) - 1)  # the same moment, one more interval ago
        else:
            self._show(0)
        self.stepping = False

    def toggle_pause(self) -> None:
        """Pause, or continue with the newest snapshot."""
        self.paused = not self.paused
        if not self.paused:
            self._show(0)

    def step_back(self) -> None:
        """Show the interval before, and pause."""
        if self.back + 1 >= len(self.history):
            raise NothingToDoError("this is the oldest interval that is kept")
        self.paused = True
        self._show(self.back + 1)

    def step_forward(self) -> None:
        """Show the next interval while paused; in a replay, ask for the next one."""
        if not self.paused:
            raise NothingToDoError("the screen is not paused: press p or [ first")
        if self.back:
            self._show(self.back - 1)
        elif self.replay and not (self.streamed or self.ended):
            self.stepping = True
            self.ask(Effect.STEP)
        else:
            raise NothingToDoError("this is the newest interval")

    def faster(self) -> None:
        """Replay twice as fast."""
        self._change_speed(Effect.FASTER)

    def slower(self) -> None:
        """Replay half as fast."""
        self._change_speed(Effect.SLOWER)

    def until_shown(self) -> list[Snapshot]:
        """Return all snapshots up to the one on the screen."""
        return self.history.snapshots(self.back)

    def rates(self, length: int) -> list[tuple[float, float]]:
        """Return the objects and the bytes allocated per second in up to `length` intervals, the one on screen last."""
        return self.history.rates(self.back, length)

    def _show(self, back: int) -> None:
        """Show the interval this many before the newest."""
        if len(self.history):
            self.back = min(back, len(self.history) - 1)
            self.shown = self.history.back(self.back)
            self.number = self.history.added - self.back

    def _change_speed(self, effect: Effect) -> None:
        if not self.replay:
            raise NothingToDoError("only a replay has a speed; the interval is set at the start, as in slabtui -d 5")
        if self.streamed:
            raise NothingToDoError("a stream has no speed: it is shown as it comes")
        if self.ended:
            raise NothingToDoError("the recording is at its end")
        self.ask(effect)
