"""Measures memory and start of slabtui, of an old slabtui with bcc in its process, and of other tools, in one run."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from slabtui.model.history import LENGTH
from tests.tools.bench import rivals
from tests.tools.bench.piped import DoesNotRunError
from tests.tools.bench.report import Report, spread, times
from tests.tools.bench.rivals import ROOT, Rival
from tests.tools.bench.terminal import COLUMNS, ROWS, Memory

_SHORT = 0.1  # seconds: the shortest interval
_FULL = _SHORT * LENGTH + 5.0  # seconds until the history is full at that interval
_SETTLED = 5.0  # seconds
_MOST_MEMORY, _MOST_START = 60, 0.3  # MB, seconds
_MEMORY = ("resident memory", "MB", "PSS, MB", "x slabtui's")
_START = ("start to first frame, warm", "s", "x slabtui's")


@dataclass(frozen=True, slots=True)
class State:
    """The memory of a program at one moment."""

    name: str
    memory: Memory


def show(report: Report, starts: int, long: float | None) -> None:
    """Measure memory and starts, and report.

    Args:
        report: where.
        starts: of each program.
        long: seconds for which slabtui runs at an interval of 1 s; None: it does not.
    """
    report.heading(f"Memory and start, on a pseudo-terminal of {COLUMNS} x {ROWS}")
    own = rivals.slabtui()
    with tempfile.TemporaryDirectory() as scratch:
        others = rivals.all_but_slabtui(Path(scratch))
        states = _own_states(own, long)
        reference = states[-1] if long else states[1]
        refused: dict[str, str] = {}
        for other in others:
            try:
                states += _states(other)
            except DoesNotRunError as error:
                refused[other.name] = str(error).splitlines()[0]
        _show_memory(report, states, reference, long)
        seconds = _starts([own, *(other for other in others if other.name not in refused)], starts)
    _show_start(report, seconds, own.name, starts)
    for name, reason in refused.items():
        report.text(f"{name} does not run here: {reason}.")
    report.learn(_lesson(states, reference, seconds, own.name))


def _own_states(own: Rival, long: float | None) -> list[State]:
    found = []
    with own.running(f"{_SHORT:g}") as (program, _):
        found.append(State(f"{own.name}, first frame", program.memory()))
        program.watch(_FULL)
        found.append(State(f"  {LENGTH} intervals of {_SHORT:g} s later, with full history", program.memory()))
        program.type("f\r")
        program.watch(_SETTLED)
        found.append(State("  then with frees counted and a page open", program.memory()))
    found.append(State("  child process that compiles, peak; it ends afterwards", Memory(_peak(), None)))
    if long:
        with own.running("1") as (program, _):
            program.watch(long)
            found.append(State(f"{own.name}, {long / 60:g} minutes at 1 s, with full history", program.memory()))
    return found


def _states(other: Rival) -> list[State]:
    """Return the memory of another program, some seconds after its first frame."""
    with other.running() as (program, _):
        program.watch(_SETTLED)
        return [State(other.name, program.memory())]


def _peak() -> int:
    """Return the most bytes that one of the compiling children takes."""
    command = [sys.executable, "-m", "tests.tools.bench.peak"]
    return 1024 * int(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def _starts(programs: Sequence[Rival], number: int) -> dict[str, list[float]]:
    """Return the seconds to the first frame of each start; the programs take turns, for equal conditions."""
    found: dict[str, list[float]] = {program.name: [] for program in programs}
    for _ in range(number + 1):
        for program in programs:
            with program.running() as (_, seconds):
                found[program.name].append(seconds)
    return {name: seconds[1:] for name, seconds in found.items()}  # the first start reads the files into memory


def _show_memory(report: Report, states: Sequence[State], reference: State, long: float | None) -> None:
    report.table(_MEMORY, [_memory_row(state, reference) for state in states])
    later = (
        f"after {long / 60:g} minutes at an interval of 1 s" if long else f"{_FULL:g} s at an interval of {_SHORT:g} s"
    )
    report.figure(
        f"slabtui's resident memory with full history, {later}",
        f"{_megabytes(reference.memory.resident)} MB",
        f"at most {_MOST_MEMORY} MB",
    )
    report.text(
        "MB: 1,000,000 bytes. Resident memory (RSS) includes memory shared with other processes, such as the files of "
        "the interpreter; PSS includes a proportional share of it. x: resident memory relative to slabtui with full "
        f"history. Other programs are measured {_SETTLED:g} s after their first frame; those in Python run under the "
        "same interpreter as slabtui. bpftrace counts kmem_cache_alloc only. htop and btop count no allocations; they "
        "show what a full-screen program takes."
    )


def _show_start(report: Report, seconds: Mapping[str, Sequence[float]], own: str, starts: int) -> None:
    report.table(
        _START, [(name, spread(of, 2), times(median(of), median(seconds[own]))) for name, of in seconds.items()]
    )
    report.figure("slabtui's start to first frame", f"{spread(seconds[own], 2)} s", f"at most {_MOST_START:g} s")
    report.text(
        f"{starts} starts of each program, in turns, after one start that is not counted. The time is from the "
        "execution of the program until its first frame is complete; for bpftrace, until its first table, less the "
        "interval of 1 s; for Python with bcc, until the programs are compiled, before they are attached."
    )


def _memory_row(state: State, reference: State) -> tuple[str, ...]:
    share = state.memory.share
    return (
        state.name,
        _megabytes(state.memory.resident),
        "" if share is None else _megabytes(share),
        times(state.memory.resident, reference.memory.resident),
    )


def _megabytes(number: int) -> str:
    return f"{number / 1e6:.1f}"


def _lesson(states: Sequence[State], reference: State, seconds: Mapping[str, Sequence[float]], own: str) -> str:
    """Return what the tables show, in a sentence."""
    resident = {state.name: state.memory.resident for state in states}
    starts = {name: median(of) for name, of in seconds.items()}
    said = ", ".join(
        f"{name} {times(resident[name], reference.memory.resident)} the memory and {times(start, starts[own])} the time"
        for name, start in starts.items()
        if name != own
    )
    return (
        f"With full history slabtui takes {_megabytes(reference.memory.resident)} MB. Its first frame is complete "
        f"after {starts[own]:.2f} s. Relative to slabtui: {said}."
    )
