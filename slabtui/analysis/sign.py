"""The sign of growth beside a series: it needs more than one verdict to come and more to go, so it does not flicker."""

from slabtui.analysis.stretch import Stretch

_CONFIRMED = 2  # verdicts in a row, for a mark; there is one for each bin
# The same where only a short stretch shows the growth. There is one at any time, and on a busy host some load fills a
# cache for a minute now and then: with 4, two recordings had false marks, of a load that began; with 6 and 8, none.
_CONFIRMED_SHORT = 6
_MOST_FALLS = 6  # after which no more is added: a short stretch must show the growth for half an hour then
_STAYS = 12  # verdicts without it, until a mark is gone


class Sign:
    """Whether a series has the sign of growth, `^`.

    It comes with the second verdict in a row that asks for it, and stays for a minute after the last one. It goes at
    once where what grew is gone: the next one then takes twice as many verdicts, because some caches fill and empty
    again and again.

    Attributes:
        rests_on: the stretch that the last verdict for a mark was about; None: there was none.
    """

    __slots__ = ("_falls", "_left", "_wanted", "rests_on")

    def __init__(self) -> None:
        self.rests_on: Stretch | None = None
        self._wanted = self._left = self._falls = 0

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

    def put(self, rests_on: Stretch | None, is_supported: bool = False) -> bool:
        """Add a verdict; return whether the mark goes because what grew is gone.

        Args:
            rests_on: the stretch in which the series grows as a leak does; None: it does not.
            is_supported: whether another series that grows with it is marked, so that one verdict is enough.
        """
        if rests_on is None:
            self._wanted = 0
        else:
            self._wanted += 1
            self.rests_on = rests_on
            confirmed = _CONFIRMED_SHORT if rests_on.is_short else _CONFIRMED
            if self._left or is_supported or self._wanted >= confirmed << self._falls:
                self._left = _STAYS
                return False
        falls = bool(self._left) and self.rests_on is not None and self.rests_on.is_gone
        if falls:
            self._falls = min(self._falls + 1, _MOST_FALLS)
        self._left = 0 if falls else max(0, self._left - 1)
        return falls
