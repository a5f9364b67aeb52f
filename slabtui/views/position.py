"""Which interval is on the screen: the newest one, or an earlier one while paused. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from slabtui.model.course import Course
from slabtui.model.history import History
from slabtui.model.snapshot import Snapshot
from slabtui.views.effects import Effect, NothingToDoError


@dataclass(slots=True)
class Position:
    """The intervals so far and the one on the screen. A transition that is not possible raises NothingToDoError.

    Attributes:
        ask: called with what a transition asks for.
        replay: whether snapshots come from a recording, which stands still while paused; or from a stream.
        streamed: whether they come from a stream, which does not.
        repeats: whether the recording begins again at its end.
        history: the last snapshots.
        paused: whether the screen stays as it is when snapshots come.
        stepping: how many of the next snapshots are shown although the screen is paused.
        back: how many intervals before the newest the screen shows; 0 unless paused.
        shown: the snapshot on the screen; None before the first.
        number: its number, from 1; it stays the same when the history no longer has the snapshot.
        speed: how many times as fast as recorded a replay runs.
        ended: whether the recording is at its end.
        begin: the time of the first snapshot of the recording, as far as it is replayed; None before that.
        course: of the slab memory over the whole recording, as far as it is known.
        target: the time to which a jump leads, in seconds since the epoch.
    """

    ask: Callable[[Effect], None]
    replay: bool = False
    streamed: bool = False
    repeats: bool = False
    history: History = field(default_factory=History)
    paused: bool = False
    stepping: int = 0
    back: int = 0
    shown: Snapshot | None = None
    number: int = 0
    speed: float = 1.0
    ended: bool = False
    begin: float | None = None
    course: Course = field(default_factory=Course)
    target: float = 0.0

    def receive(self, snapshot: Snapshot) -> None:
        """Keep a new snapshot, and show it unless paused."""
        if self.begin is None:
            self.begin = snapshot.time
        self.history.add(snapshot)
        if self.paused and not self.stepping and self.shown is not None:
            self.back = min(self.back + 1, len(self.history) - 1)  # the same moment, one more interval ago
        else:
            self._show(0)
        self.stepping = max(0, self.stepping - 1)

    def arrive(self, history: History, *, is_again: bool) -> None:
        """Show the newest interval of another history.

        Args:
            history: the intervals up to another moment.
            is_again: whether it has the same newest interval as the history so far; then what is shown stays.
        """
        back = self.back if is_again else 0
        history.continue_numbers(self.history)
        self.history, self.ended = history, False
        self._show(back)

    def toggle_pause(self) -> None:
        """Pause, or continue with the newest snapshot."""
        self.paused = not self.paused
        if not self.paused:
            self._show(0)

    def step_back(self, steps: int = 1) -> None:
        """Show an earlier interval, and pause; in a replay, jump to one that is not kept."""
        if self.back + 1 < len(self.history):
            self.paused = True
            self._show(self.back + steps)
        elif self.can_jump and self.shown is not None and self.begin is not None and self.shown.time > self.begin:
            self.paused = True
            self.jump(self.shown.time - steps * self.shown.elapsed)
        elif self.can_jump:
            raise NothingToDoError("this is the beginning of the recording")
        else:
            raise NothingToDoError("this is the oldest interval that is kept")

    def step_forward(self, steps: int = 1) -> None:
        """Show a later interval while paused; in a replay, ask for the next ones."""
        if not self.paused:
            raise NothingToDoError("the screen is not paused: press p or [ first")
        if self.back:
            self._show(max(0, self.back - steps))
        elif self.replay and not (self.streamed or self.ended):
            self.stepping = steps
            self.ask(Effect.STEP)
        else:
            raise NothingToDoError("this is the newest interval")

    @property
    def can_jump(self) -> bool:
        """Whether other moments can be shown than those that are kept."""
        return self.replay and not (self.streamed or self.repeats)

    def demand_jumps(self) -> None:
        """Raise NothingToDoError where there are no jumps."""
        if not self.replay:
            raise NothingToDoError("only a recording has other moments, as in slabtui --replay FILE")
        if self.streamed:
            raise NothingToDoError("a stream has no other moments: it is shown as it comes")
        if self.repeats:
            raise NothingToDoError("the demo has no other moments: it begins again at its end")

    def jump(self, time: float) -> None:
        """Show another moment of the recording; paused or playing goes on as it was."""
        self.demand_jumps()
        self.target = time
        self.stepping = 0
        self.ask(Effect.JUMP)

    def jump_to_begin(self) -> None:
        """Show the first moment of the recording."""
        self.jump(self.begin or 0.0)

    def jump_to_end(self) -> None:
        """Show the last moment of the recording."""
        self.jump(inf)

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
