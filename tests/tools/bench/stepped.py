"""Runs slabtui with a clock around each step of an interval, and writes the processor time of each to a file.

Arguments: the file, then those of slabtui; a count of intervals ends it.
"""

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import wraps
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from slabtui.cli.main import main

WARMING = 3  # intervals that do not count: modules are imported, and caches are seen for the first time
STEPS = {  # what is timed, without the steps inside it -> which step it belongs to
    "slabtui.kernel.procfs.slabinfo:Slabinfo.read": "slabinfo, by the kernel",
    "slabtui.kernel.procfs.slabinfo:Parser.parse": "slabinfo, parsed",
    "slabtui.kernel.procfs.slabinfo:Slabinfo.aliases": "names of merged caches",
    "slabtui.kernel.bpf.syscalls:lookup_batch": "counters, by the kernel",
    "slabtui.kernel.allocs:Allocs.read": "counters, summed",
    "slabtui.kernel.frees:Frees.read": "counters, summed",
    "slabtui.kernel.bulk:Bulk.read": "counters, summed",
    "slabtui.kernel.rows:Rows.merge": "rows",
    "slabtui.kernel.consistency:Consistency.mark": "consistency",
    "slabtui.kernel.probe:Probe.read": "the rest of the reading",
    "slabtui.kernel.probe:Probe.end_interval": "settings of the programs",
    "slabtui.collector:Collector._moment": "load average, notes",
    "slabtui.model.snapshot:Differences.between": "difference",
    "slabtui.analysis.growth:Growth.judge": "growth",
    "slabtui.model.history:History.add": "history",
    "slabtui.views.state:State.arrange": "choice and order of rows",
    "slabtui.views.app:App.show": "state and widgets",
    "urwid:MainLoop.draw_screen": "lines drawn",
    "urwid.display.raw:Screen.draw_screen": "lines compared and written",
}
REST = "threads, event loop, everything else"


@dataclass(frozen=True, slots=True)
class Taken:
    """Processor time of intervals, in milliseconds.

    Attributes:
        whole: of the process, in each interval.
        steps: the median of each step.
    """

    whole: list[float]
    steps: dict[str, float]


class Clock:
    """Adds up the processor time of steps, in each thread; a step that runs inside another is not counted twice."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()  # nanoseconds, by step
        self._inside = threading.local()

    def time(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, timed."""

        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            outer, self._inside.spent = getattr(self._inside, "spent", 0), 0
            begun = time.thread_time_ns()
            try:
                return function(*args, **kwargs)
            finally:
                taken = time.thread_time_ns() - begun
                self.spent[step] += taken - self._inside.spent
                self._inside.spent = outer + taken

        return timed


class Intervals:
    """What the process has taken, each time that a snapshot reaches the screen."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taken: list[tuple[int, Counter[str]]] = []

    def note(self, show: Callable[..., None]) -> Callable[..., None]:
        """Return a function that shows a snapshot, so that an interval ends before it does."""

        @wraps(show)
        def noted(*args: Any, **kwargs: Any) -> None:
            self._taken.append((time.process_time_ns(), self._clock.spent.copy()))
            show(*args, **kwargs)

        return noted

    def summary(self) -> Taken:
        """Return what the intervals after the first ones took."""
        whole: list[float] = []
        steps: list[dict[str, float]] = []
        for (begun, earlier), (ended, later) in pairwise(self._taken[WARMING:]):
            whole.append((ended - begun) / 1e6)
            taken = {step: (later[step] - earlier[step]) / 1e6 for step in STEPS.values()}
            steps.append({**taken, REST: whole[-1] - sum(taken.values())})
        return Taken(whole, {step: median(taken[step] for taken in steps) for step in steps[0]})


def find(where: str) -> tuple[Any, str]:
    """Return what has a function, and its name in there, of MODULE:NAME or MODULE:CLASS.NAME."""
    module, _, path = where.partition(":")
    *classes, name = path.split(".")
    owner: Any = import_module(module)
    for inner in classes:
        owner = getattr(owner, inner)
    return owner, name


def _replace(where: str, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    owner, name = find(where)
    setattr(owner, name, change(getattr(owner, name)))


def _run(file: Path, arguments: list[str]) -> int:
    clock = Clock()
    for where, step in STEPS.items():
        _replace(where, lambda function, step=step: clock.time(step, function))  # type: ignore[misc]
    intervals = Intervals(clock)
    _replace("slabtui.views.app:App.show", intervals.note)
    status = main(arguments)
    file.write_text(json.dumps(asdict(intervals.summary())))
    return status


if __name__ == "__main__":
    sys.exit(_run(Path(sys.argv[1]), sys.argv[2:]))
