"""Hands what the state asks of a recording to its player, and what comes of it to the state."""

from collections.abc import Callable

from slabtui.model.snapshot import Snapshot
from slabtui.views.effects import Effect
from slabtui.views.playback import Playback, Survey
from slabtui.views.state import State


class Playing:
    """Connects the state and the player of a recording; without a player it only receives snapshots.

    Args:
        state: what is on the screen.

    Attributes:
        effects: what it does for each effect.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._player: Playback | None = None
        self._held = False
        self.effects: dict[Effect, Callable[[], None]] = {
            Effect.FASTER: lambda: self._change_speed(lambda player: player.faster()),
            Effect.SLOWER: lambda: self._change_speed(lambda player: player.slower()),
            Effect.STEP: lambda: self._with(lambda player: player.step(state.time.stepping)),
            Effect.JUMP: lambda: self._with(lambda player: player.jump(state.time.target)),
            Effect.SEARCH: self.take_survey,
        }

    def connect(self, producer: object) -> None:
        """Play from now on what this producer has, if it plays a recording."""
        self._player = producer if isinstance(producer, Playback) else None

    def start(self, notify: Callable[[], None]) -> None:
        """Begin to find out what the recording has; SlabtuiError as for a producer.

        Args:
            notify: called in another thread whenever `take_survey` has something to take.
        """
        if (survey := self._survey) is not None:
            survey.start(notify)

    def stop(self) -> None:
        """End that."""
        if (survey := self._survey) is not None:
            survey.stop()

    def receive(self, snapshot: Snapshot) -> None:
        """Show a snapshot: the next one, or where a jump has led to."""
        arrival = self._player.arrival(snapshot) if self._player is not None else None
        if arrival is None:
            self._state.receive(snapshot)
        else:
            self._state.arrive(arrival.history, is_complete=arrival.is_complete)

    def hold(self) -> None:
        """Let the player stand still while the screen is paused."""
        if self._state.time.paused != self._held:
            self._held = self._state.time.paused
            self._with(lambda player: player.hold(self._held))

    def take_survey(self) -> None:
        """Take what was found out about the recording."""
        survey, search = self._survey, self._state.search
        if survey is None:
            return
        self._state.time.course = survey.course
        if search.is_waiting and (course := survey.of_cache(search.cache)) is not None:
            self._state.find(course)

    @property
    def _survey(self) -> Survey | None:
        return self._player.survey if self._player is not None else None

    def _with(self, do: Callable[[Playback], None]) -> None:
        if self._player is not None:
            do(self._player)

    def _change_speed(self, change: Callable[[Playback], None]) -> None:
        if self._player is not None:
            change(self._player)
            self._state.play(self._player.speed)
