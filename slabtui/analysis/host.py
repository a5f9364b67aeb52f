"""How the slab memory of the machine grows, and when memory will be full."""

from collections.abc import Iterable

from slabtui.analysis.judged import JudgedSeries
from slabtui.analysis.series import Bins, Ends
from slabtui.analysis.sign import Sign
from slabtui.model.host import HostGrowth
from slabtui.model.memory import HostMemory

_LEAST = 256 << 10  # bytes: less growth comes and goes with the slabs of the CPUs


class _Memory(JudgedSeries):
    """A part of the memory, in bytes."""

    __slots__ = ()

    @property
    def least(self) -> float:
        return _LEAST


class JudgedHost:
    """The slab memory of the machine, judged as the caches are."""

    def __init__(self) -> None:
        self._slab: _Memory | None = None
        self._unreclaimable: _Memory | None = None
        self._sign = Sign()

    def add(self, memory: HostMemory | None) -> None:
        """Add what was read at the end of an interval."""
        if memory is None:
            return
        self._slab = _add(self._slab, memory.slab)
        self._unreclaimable = _add(self._unreclaimable, memory.unreclaimable)

    def end_bin(self, ends: Ends, bins: Bins) -> None:
        """End a bin, and judge."""
        for series in self._series():
            series.close(ends)
            series.examine(bins)
        if self._unreclaimable is not None and self._sign.put(self._unreclaimable.find_growth(bins)):
            self._unreclaimable.forget_highs()

    def judge(self, since: float, memory: HostMemory | None, leaks: float) -> HostGrowth:
        """Return how the memory grows.

        Args:
            since: the baseline, in seconds since the epoch.
            memory: what was read last.
            leaks: bytes per second by which the marked caches grow together.
        """
        growing, rate = None, 0.0
        if self._unreclaimable is not None and self._unreclaimable.is_known:
            rate = max(self._sign.slope or 0.0, leaks)
            growing = bool(self._sign) or leaks > 0
        available = memory.available if memory is not None else None
        return HostGrowth(
            since=since,
            slab_bytes_s=_slope(self._slab),
            unreclaimable_bytes_s=_slope(self._unreclaimable),
            growing=growing,
            full_in_s=available / rate if growing and rate > 0 and available is not None else None,
        )

    def mark(self) -> None:
        """Begin a new baseline now."""
        self._sign = Sign()
        for series in self._series():
            series.mark()

    def _series(self) -> Iterable[_Memory]:
        return (series for series in (self._slab, self._unreclaimable) if series is not None)


def _add(series: _Memory | None, size: int | None) -> _Memory | None:
    if series is None:
        return None if size is None else _Memory(size)
    if size is not None:
        series.add(size)
    return series


def _slope(series: _Memory | None) -> float | None:
    return None if series is None or series.baseline.trend is None else series.baseline.trend.slope
