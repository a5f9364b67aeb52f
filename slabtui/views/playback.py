"""A producer that plays a recording, as the screen sees it."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Playback(Protocol):
    """A producer that plays a recording."""

    @property
    def speed(self) -> float:
        """How many times as fast as recorded it plays."""

    def faster(self) -> None:
        """Play at twice the speed."""

    def slower(self) -> None:
        """Play at half the speed."""

    def hold(self, held: bool) -> None:
        """Stand still, or go on."""

    def step(self) -> None:
        """Give one more snapshot while it stands still."""
