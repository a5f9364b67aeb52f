"""The line above the keys: a message, or notes and the filter; at its end what slabtui itself costs.

It is always there, so that nothing above it moves when a message comes and goes.
"""

from collections.abc import Callable
from typing import ClassVar

import urwid

from slabtui.columns import numbers
from slabtui.columns.numbers import Unit
from slabtui.model.snapshot import Snapshot
from slabtui.views.canvas import draw
from slabtui.views.cells import clip
from slabtui.views.line import Markup, Segment, line, padded
from slabtui.views.state import State

_CALM, _WARN = 0.001, 0.01  # shares of all events that are lost
_LEAST = 0.001  # of a CPU: less is not told apart
_MOST_NOTES = 4  # on the line, which is rarely long enough for two

MEANINGS = (
    ("caches", "How many caches are shown, of how many that the kernel has"),
    ("ev/s x ns", "What counting costs: events per second, times nanoseconds for each, as the kernel measures them"),
    ("bulk", "Whether allocations and frees in bulk are counted: they have no tracepoint"),
    (
        "lost",
        "Events of the interval that were not counted: pale below 0.1 % of all, on red above 1 %. `at most`: with -p"
        " or --cgroup the kernel does not say whose they were",
    ),
)


class Status(urwid.Widget):
    """The line.

    Args:
        state: what it says.
        rows: returns what is said of the rows of the table or the page.
    """

    no_cache: ClassVar[list[str]] = ["render"]  # what is in view is known only when the list above has been drawn
    _sizing = frozenset((urwid.FLOW,))

    def __init__(self, state: State, rows: Callable[[], list[Segment]]) -> None:
        super().__init__()
        self._state = state
        self._rows = rows

    def rows(self, size: tuple[int], focus: bool = False) -> int:
        """Return the height."""
        return 1

    def render(self, size: tuple[int], focus: bool = False) -> urwid.Canvas:
        """Draw the line."""
        return draw(status(self._state, self._rows(), size[0]), size[0])


def status(state: State, rows: list[Segment], width: int) -> Markup:
    """Return the line, with what is said of the rows."""
    for style, text in (("title", state.message), ("warning", state.error)):
        if text:
            return line([Segment(style, (text, clip(text, width)), 9)], rows, width)
    snapshot = state.shown
    if snapshot is None:
        return line(_notes(state), [], width)
    counted = [Segment("dim", _caches(state, snapshot), 5), *_filter(state)] if state.page is None else []
    left = [*counted, *_notes(state), *rows]
    return line(left, [*_costs(snapshot), _lost(snapshot)], width)


def _caches(state: State, snapshot: Snapshot) -> tuple[str, ...]:
    known = str(len(snapshot.rows))
    shown = str(len(state.rows)).rjust(len(known))
    return f"{shown} of {known} caches", f"{shown}/{known}"


def _filter(state: State) -> list[Segment]:
    segments = []
    if state.pattern:
        segments.append(Segment("prompt", (f"filter: {state.pattern}", f"/{state.pattern}", "/…"), 7))
    if state.dropped:
        segments.append(Segment("warning", (f"filter {state.dropped} takes too long", "filter takes too long"), 7))
    return segments


def _notes(state: State) -> list[Segment]:
    """Return the notes, each in full or only up to its first colon."""
    segments = [Segment("paused", (note, note.partition(":")[0]), 8) for note in state.notes[:_MOST_NOTES]]
    more = len(state.notes) - _MOST_NOTES
    if more > 0:
        segments.append(Segment("paused", (f"{more} more notes", f"{more} more"), 7))
    return segments


def _costs(snapshot: Snapshot) -> list[Segment]:
    """Return what counting costs, and what it does not count, each as wide as it can become."""
    costs = []
    if snapshot.events is not None:  # with -p or --cgroup it is never known
        events = f"{numbers.human(snapshot.per_second(snapshot.events), Unit.OBJECTS)} ev/s"
        each = "? ns" if snapshot.nanoseconds is None else f"{snapshot.nanoseconds:.0f} ns"
        share = "? CPU" if snapshot.cpu_share is None else f"{_percent(snapshot.cpu_share)} CPU"
        texts = (f"{events} x {each} = {share}", f"{each} {share}", share)
        costs.append(_right("dim", *zip((32, 16, 10), texts, strict=True), priority=4))
    if snapshot.bulk is not None:
        forms = ("bulk counted", "bulk") if snapshot.bulk else ("bulk not counted", "no bulk")
        costs.append(_right("dim", *((len(text), text) for text in forms), priority=3))
    return costs


def _percent(share: float) -> str:
    """Return a share in at most five columns."""
    return f"<{numbers.percent(_LEAST)}" if 0 < share < _LEAST else numbers.percent(share)


def _lost(snapshot: Snapshot) -> Segment:
    """Return what was lost: pale below a thousandth of all events, a warning above a hundredth."""
    if snapshot.lost is None:
        return _right(None, (10, "lost ?"))
    lost = f"lost {numbers.human(snapshot.lost, Unit.OBJECTS)}"
    if snapshot.events is None:  # with -p or --cgroup: the kernel does not say whose events it skipped
        return _right(None, (18, f"{lost} at most")) if snapshot.lost else _right("dim", (18, lost))
    style = find_loss_style(snapshot.lost, snapshot.events)
    if style == "warning":
        lost = f"lost {snapshot.lost / (snapshot.events + snapshot.lost):.0%}"
    return _right(style, (10, lost))


def find_loss_style(lost: int, counted: int) -> str | None:
    """Return the style for what was lost beside what was counted."""
    share = lost / max(1, counted + lost)
    if share > _WARN:
        return "warning"
    return "dim" if share < _CALM else None


def _right(style: str | None, *forms: tuple[int, str], priority: int = 8) -> Segment:
    return Segment(style, tuple(padded(width, ((style, text),), right=True) for width, text in forms), priority)
