"""How the parts of the memory of the host change over a run, and which of them certainly grow."""

from collections.abc import Sequence
from dataclasses import replace

from slabtui.analysis.stretch import CERTAIN, ENOUGH
from slabtui.analysis.trend import find_trend
from slabtui.model.memory import HostMemory, MemoryReport, Part, PartChange, divide

_MOST_READINGS = 64  # when there are more, every second one is dropped
# Growth that can be seen. The kernel keeps up to 125 pages of each counter per CPU before it adds them to the sum that
# /proc/meminfo shows (calculate_normal_threshold() in mm/vmstat.c): 0.5 MiB, and a host has 2 GiB per CPU or more.
_LEAST, _LEAST_SHARE = 1 << 20, 1 / 4096


class MemoryRun:
    """The readings of a run, of which a bounded number is kept."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._readings: list[HostMemory] = []
        self._last: tuple[float, HostMemory] | None = None
        self._stride = 1  # readings from one that is kept to the next
        self._number = 0

    def add(self, time: float, memory: HostMemory | None) -> None:
        """Add a reading; None: it failed.

        Args:
            time: in seconds; it rises.
            memory: what was read.
        """
        if memory is None:
            return
        self._last = time, memory
        if self._number % self._stride == 0:
            self._times.append(time)
            self._readings.append(memory)
        self._number += 1
        if len(self._times) > _MOST_READINGS:
            self._times, self._readings = self._times[::2], self._readings[::2]
            self._stride *= 2

    def report(self) -> MemoryReport | None:
        """Return what changed from the first reading to the last; None: the total is not known."""
        if self._last is None:
            return None
        time, memory = self._last
        times, readings = self._times, self._readings
        if time > times[-1]:
            times, readings = [*times, time], [*readings, memory]
        return report(times, readings)


def report(times: Sequence[float], readings: Sequence[HostMemory]) -> MemoryReport | None:
    """Return how the memory changed over some readings; None: the total is not known.

    Args:
        times: of the readings, in seconds; they rise.
        readings: one at least.
    """
    last = readings[-1]
    if last.total is None:
        return None
    if any(memory.cpu_free is None for memory in readings):  # free memory must be the same thing in all of them
        readings = [replace(memory, cpu_free=None) for memory in readings]
    divided = [divide(memory) for memory in readings]
    least = max(_LEAST, _LEAST_SHARE * last.total)
    return MemoryReport(
        seconds=times[-1] - times[0],
        total=last.total,
        available=last.available,
        mapped=last.mapped,
        balloon=last.balloon,
        balloon_change=_subtract(last.balloon, readings[0].balloon),
        parts=tuple(_judge(part, times, [sizes.get(part) for sizes in divided], least) for part in divided[-1]),
    )


def _judge(part: Part, times: Sequence[float], sizes: Sequence[int | None], least: float) -> PartChange:
    """Return how a part changed, which is known at the end.

    It grows if its slope is above 0 with 99.9 % confidence, and it grew by more than its noise and by `least`: as a
    cache does that is marked, but all readings are used, since a run is short.
    """
    known = [(time, size) for time, size in zip(times, sizes, strict=True) if size is not None]
    end = known[-1][1]
    if len(known) < len(sizes) or len(known) < 2:
        return PartChange(part, end)
    change = end - known[0][1]
    if len(known) < ENOUGH:
        return PartChange(part, end, change)
    trend = find_trend(times, [size for _, size in known])
    return PartChange(part, end, change, trend.slope, trend.exceeds_noise(CERTAIN, least))


def _subtract(end: int | None, begin: int | None) -> int | None:
    return None if end is None or begin is None else end - begin
