"""The two lines above the table: when, how much in all, whether the picture is live and complete."""

import time

from slabtui import text
from slabtui.snapshot import Snapshot
from slabtui.views.bars import Drawn, Markup, Segment, line
from slabtui.views.state import State


def status(state: State, width: int) -> Markup:
    """Return the first line: clock, load average and interval, and whether the screen moves."""
    mode = Segment("paused", (" PAUSED ",), 9) if state.paused else Segment("live", ("LIVE",), 9)
    interval = Segment(None, (f"every {state.interval:g} s", f"{state.interval:g}s"), 5)
    snapshot = state.shown
    if snapshot is None:
        return line([Segment("title", ("slabtui",), 8)], [interval, mode], width, gap=" ")
    clock = Segment("title", (time.strftime("%H:%M:%S", time.localtime(snapshot.time)),), 8)
    load = snapshot.loadavg
    loadavg = Segment(None, (f"loadavg: {load}", f"loadavg: {_three(load)}", _three(load)), 4)
    return line([clock, loadavg] if load else [clock], [interval, mode], width, gap=" ")


def sums(state: State, width: int) -> Markup:
    """Return the second line: rates over all caches, how many are shown, what was lost, what is filtered."""
    snapshot = state.shown
    if state.error:
        return line([Segment("warning", (state.error, state.error[: max(0, width)]), 9)], [], width)
    if snapshot is None:
        return line([Segment("dim", ("waiting for the first interval",), 1)], [], width)
    allocs = text.count(snapshot.per_second(snapshot.allocs), 5)
    size = text.byte_rate(snapshot.per_second(snapshot.bytes))
    left = [
        Segment(None, (f"{allocs} allocs/s", f"{allocs}/s"), 6),
        Segment(None, (size,), 5),
        Segment(None, _caches(state, snapshot), 3),
        *(Segment(None, (note, "~"), 2) for note in snapshot.notes),
    ]
    if state.pattern:
        left.append(Segment("prompt", (f"filter: {state.pattern}", f"/{state.pattern}", "/…"), 7))
    return line(left, [_lost(snapshot)], width)


def _caches(state: State, snapshot: Snapshot) -> tuple[str, ...]:
    shown, known = len(state.rows), len(snapshot.rows)
    return f"{shown} of {known} caches", f"{shown}/{known}"


def _lost(snapshot: Snapshot) -> Segment:
    if snapshot.lost is None:
        return Segment(None, ("lost ?",), 8)
    return Segment("warning" if snapshot.lost else None, (f"lost {text.count(snapshot.lost, 6)}",), 8)


def _three(loadavg: str) -> str:
    """Return the averages without the counts of processes that follow them in /proc/loadavg."""
    return " ".join(loadavg.split()[:3])


def header(state: State) -> Drawn:
    """Return the widget that shows both lines."""
    return Drawn(lambda width: [*status(state, width), (None, "\n"), *sums(state, width)], height=2)
