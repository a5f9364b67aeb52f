"""The two lines above the table: the time, the rates of all caches, whether the screen is live and complete."""

import time

from slabtui.columns import numbers
from slabtui.model.snapshot import Snapshot
from slabtui.views.cells import clip
from slabtui.views.line import Markup, Segment, line
from slabtui.views.state import State
from slabtui.views.widgets import Drawn

_CALM, _WARN = 0.001, 0.01  # shares of all events that are lost
_MOST_NOTES = 4  # on the line, which is rarely long enough for two


def status(state: State, width: int) -> Markup:
    """Return the first line: time, load average and interval, and whether the screen is live."""
    mode = _mode(state)
    snapshot = state.shown
    asked = f"{state.interval:g}"
    real = snapshot.elapsed if snapshot else state.interval
    seconds = f"{real:.1f}" if state.time.replay or abs(real - state.interval) > state.interval / 5 else asked
    interval = Segment(None, (f"every {seconds} s", f"{seconds}s"), 5)
    if snapshot is None:
        return line([Segment("title", ("slabtui",), 8)], [interval, mode], width, gap=" ")
    left = [Segment("title", (time.strftime("%H:%M:%S", time.localtime(snapshot.time)),), 8)]
    if snapshot.loadavg:
        load = snapshot.loadavg
        left.append(Segment(None, (f"loadavg: {load}", f"loadavg: {_three(load)}", _three(load)), 4))
    if state.time.replay:
        left.append(Segment("dim", (f"{snapshot.origin.host} {snapshot.origin.kernel}", snapshot.origin.host), 3))
    return line(left, [interval, mode], width, gap=" ")


def _mode(state: State) -> Segment:
    if state.time.paused:
        ago = f" -{state.time.back}" if state.time.back else ""
        return Segment("paused", (f" PAUSED{ago} ",), 9)
    if state.time.ended:
        return Segment("paused", (" END ",), 9)
    if state.time.replay:
        return Segment("live", (f"REPLAY x{state.time.speed:g}",), 9)
    return Segment("live", ("LIVE",), 9)


def sums(state: State, width: int) -> Markup:
    """Return the second line: rates over all caches, how many are shown, what was lost, what is filtered."""
    snapshot = state.shown
    if state.error:
        return line([Segment("warning", (state.error, clip(state.error, width)), 9)], [], width)
    if snapshot is None:
        return line([Segment("dim", ("waiting for the first interval",), 1)], [], width)
    allocs = numbers.count(snapshot.per_second(snapshot.allocs), 5)
    size = numbers.byte_rate(snapshot.per_second(snapshot.bytes))
    left = [
        Segment(None, (f"{allocs} allocs/s", f"{allocs}/s"), 6),
        Segment(None, (size,), 5),
        Segment(None, _caches(state, snapshot), 2),
        *(Segment("paused", (note, note.partition(":")[0]), 7) for note in state.notes[:_MOST_NOTES]),
    ]
    more = len(state.notes) - _MOST_NOTES
    if more > 0:
        left.append(Segment("paused", (f"{more} more notes", f"{more} more"), 7))
    left += _costs(snapshot)
    if state.pattern:
        left.append(Segment("prompt", (f"filter: {state.pattern}", f"/{state.pattern}", "/…"), 7))
    if state.dropped:
        left.append(Segment("warning", (f"filter {state.dropped} takes too long", "filter takes too long"), 7))
    return line(left, [_lost(snapshot)], width)


def _costs(snapshot: Snapshot) -> list[Segment]:
    """Return what counting costs, and what it does not count."""
    events = "?" if snapshot.events is None else numbers.count(snapshot.per_second(snapshot.events), 5)
    each = "?" if snapshot.nanoseconds is None else f"{snapshot.nanoseconds:.0f}"
    share = "?" if snapshot.cpu_share is None else f"{100 * snapshot.cpu_share:.2g}"
    costs = Segment(None, (f"{events} ev/s x {each} ns = {share}% CPU", f"{each} ns {share}% CPU", f"{share}%"), 4)
    if snapshot.bulk is None:
        return [costs]
    seen = ("bulk counted", "bulk") if snapshot.bulk else ("bulk not counted", "no bulk")
    return [costs, Segment("dim", seen, 3)]


def _caches(state: State, snapshot: Snapshot) -> tuple[str, ...]:
    shown, known = len(state.rows), len(snapshot.rows)
    return f"{shown} of {known} caches", f"{shown}/{known}"


def _lost(snapshot: Snapshot) -> Segment:
    """Return what was lost: calm below a thousandth of all events, a warning above a hundredth."""
    if snapshot.lost is None:
        return Segment(None, ("lost ?",), 8)
    lost = f"lost {numbers.count(snapshot.lost, 6)}"
    if snapshot.events is None:  # with -p or --cgroup: the kernel does not say whose events it skipped
        shares = ("lost 0",) if not snapshot.lost else (f"{lost} at most, share unknown", f"{lost} at most")
        return Segment(None if snapshot.lost else "dim", shares, 8)
    share = snapshot.lost / max(1, snapshot.events + snapshot.lost)
    if share > _WARN:
        return Segment("warning", (f"lost {share:.0%}",), 8)
    return Segment("dim" if share < _CALM else None, (lost,), 8)


def _three(loadavg: str) -> str:
    """Return the averages without the counts of processes that follow them in /proc/loadavg."""
    return " ".join(loadavg.split()[:3])


def header(state: State) -> Drawn:
    """Return the widget that shows both lines."""

    def inputs() -> object:
        mode = state.time.paused, state.time.back, state.time.ended, state.time.replay, state.time.speed
        return state.revision, mode, state.error, state.notes, state.pattern, state.dropped

    return Drawn(lambda width: [*status(state, width), (None, "\n"), *sums(state, width)], inputs, height=2)
