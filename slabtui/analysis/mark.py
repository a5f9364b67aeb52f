"""A mark that does not flicker: it needs more than one verdict to come, and more to go."""

from slabtui.analysis.stretch import Stretch
from slabtui.analysis.series import Scale

# Verdicts in a row, for a mark; there is one for each bin. On a busy host there is a load at any time that fills a cache
# for a minute, as there is not just at the start: what only the last minute shows must go on for longer.
_CONFIRMED = 2
_CONFIRMED_RECENT = 6
_STAYS = 12  # verdicts without it, until a mark is gone


class Mark:
    """Whether a series is marked.

    It comes with the second verdict in a row that asks for it, and stays for a minute after the last one. It goes at
    once where what grew is gone.

    Attributes:
        rests_on: the stretch that the last verdict for a mark was about; None: there was none.
    """

    __slots__ = ("_left", "_wanted", "rests_on")

    def __init__(self) -> None:
        self.rests_on: Stretch | None = None
        self._wanted = self._left = 0

    def __bool__(self) -> bool:
        return self._left > 0

    @property
    def matters(self) -> bool:
        """Whether the next verdict changes anything, even if it is that nothing grows."""
        return bool(self._left or self._wanted)

    @property
    def slope(self) -> float | None:
        """The slope on which the mark rests; None: there is no mark."""
        best = self.rests_on.best if self._left and self.rests_on is not None else None
        return None if best is None else best.slope

    def put(self, rests_on: Stretch | None, is_supported: bool = False) -> None:
        """Add a verdict.

        Args:
            rests_on: the stretch in which the series grows as a leak does; None: it does not.
            is_supported: whether another series that grows with it is marked, so that one verdict is enough.
        """
        if rests_on is None:
            self._wanted = 0
        else:
            self._wanted += 1
            self.rests_on = rests_on
            confirmed = _CONFIRMED_RECENT if rests_on.scale is Scale.RECENT else _CONFIRMED
            if self._left or is_supported or self._wanted >= confirmed:
                self._left = _STAYS
                return
        is_gone = self.rests_on is not None and self.rests_on.is_gone
        self._left = 0 if is_gone else max(0, self._left - 1)
