"""A producer that plays a recording, as the screen sees it."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from slabtui.model.course import Course
from slabtui.model.history import History
from slabtui.model.identity import CacheKey
from slabtui.model.snapshot import Snapshot


class Arrival(Protocol):
    """Where a jump has led to."""

    @property
    def history(self) -> History:
        """The interval there, and those before it."""

    @property
    def is_complete(self) -> bool:
        """Whether these are all; otherwise the same interval comes again."""


class Survey(Protocol):
    """What is known of the whole recording."""

    @property
    def course(self) -> Course:
        """The course of the slab memory, as far as it is known."""

    def start(self, notify: Callable[[], None]) -> None:
        """Begin to read the recording, and call this whenever more is known."""

    def stop(self) -> None:
        """End."""

    def of_cache(self, cache: CacheKey | None) -> Course | None:
        """Return the course of the memory of a cache, or of all slab memory; None: it is not known yet."""


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

    def step(self, number: int) -> None:
        """Give this many more snapshots while it stands still."""

    def jump(self, time: float) -> None:
        """Go on from another moment."""

    def arrival(self, snapshot: Snapshot) -> Arrival | None:
        """Return the arrival that a snapshot is; None: it is the next one."""

    @property
    def survey(self) -> Survey | None:
        """What is known of the whole recording; None: nothing is found out."""
