"""What the probe costs, by the kernel's own statistics of BPF programs, which are switched on for one second."""

import os
import threading
from collections.abc import Sequence
from contextlib import suppress

from slabtui.errors import SlabtuiError
from slabtui.kernel.bpf import syscalls
from slabtui.kernel.bpf.features import statistics
from slabtui.system import threads

SECONDS = 1.0


class Overhead:
    """Measures programs at work. The statistics cost some 20 ns for each run, hence only for a second, in a thread.

    Attributes:
        trouble: why the cost is unknown, in words for the user; empty if it is known, or soon will be.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: _Measurement | None = None
        self._found: float | None = None
        self.trouble = ""

    @property
    def nanoseconds(self) -> float | None:
        """What an event costs, as found last: all programs together; None: not known (yet)."""
        with self._lock:
            return self._found

    def start(self, counting: Sequence[int], others: Sequence[int]) -> None:
        """Begin a measurement; one that runs is dropped.

        Args:
            counting: descriptors of the programs that run once for each event.
            others: descriptors of those that run for some events, or for none.
        """
        self.stop()
        self.trouble = ""
        measurement = None
        with suppress(OSError):  # such as no free descriptors: the cost is then unknown
            measurement = _Measurement.begin(counting, others)
        with self._lock:
            self._running = measurement
            self._found = None
        if measurement:
            timer = threading.Timer(SECONDS, self._finish, (measurement,))
            timer.daemon = True
            try:
                threads.start(timer)
            except SlabtuiError as error:
                self.stop()
                self.trouble = f"cost not measured: {error}"

    def stop(self) -> None:
        """End the measurement; the last result stays."""
        with self._lock:
            measurement, self._running = self._running, None
        if measurement:
            measurement.close()

    def _finish(self, measurement: "_Measurement") -> None:
        with self._lock:
            if self._running is not measurement:
                return  # stopped, and closed
            self._running = None
            with suppress(OSError):
                self._found = measurement.nanoseconds()
        measurement.close()


class _Measurement:
    """One second of statistics."""

    def __init__(self, switch: int, counting: Sequence[int], others: Sequence[int]) -> None:
        self._switch = switch
        self._counting: list[int] = []  # duplicates: they may be closed before the second is over
        self._others: list[int] = []
        try:
            for given, kept in ((counting, self._counting), (others, self._others)):
                for descriptor in given:
                    kept.append(os.dup(descriptor))
            self._before = self._sums()
        except OSError:
            self.close()
            raise

    @classmethod
    def begin(cls, counting: Sequence[int], others: Sequence[int]) -> "_Measurement":
        """Switch the statistics on.

        Raises:
            OSError: this process may not, or a program's statistics could not be read.
        """
        return cls(syscalls.enable_statistics(), counting, others)

    def nanoseconds(self) -> float | None:
        """Return what an event has cost since; None where there was none."""
        spent, events = (after - before for after, before in zip(self._sums(), self._before, strict=True))
        return spent / events if events else None

    def close(self) -> None:
        """Switch the statistics off, unless another process has them on too."""
        for descriptor in (*self._counting, *self._others, self._switch):
            os.close(descriptor)

    def _sums(self) -> tuple[int, int]:
        counting = [statistics(descriptor) for descriptor in self._counting]
        others = [statistics(descriptor) for descriptor in self._others]
        return (
            sum(one.get("run_time_ns", 0) for one in (*counting, *others)),
            sum(one.get("run_cnt", 0) for one in counting),
        )
