"""The time line of a replay: the course of the slab memory over the whole recording; a click jumps to a moment."""

from collections.abc import Sequence
from contextlib import suppress

from slabtui.columns import numbers
from slabtui.model.course import Course
from slabtui.views.cells import is_plain
from slabtui.views.chart import level
from slabtui.views.effects import NothingToDoError
from slabtui.views.line import Markup
from slabtui.views.mouse import is_click
from slabtui.views.state import State
from slabtui.views.widgets import Drawn

ONE_LINE, TWO_LINES = 16, 30  # rows of the terminal from which on the time line has one or two lines

_FLAT = 0.01  # of the memory: a smaller change draws a flat chart
_LEAST = 10  # columns of the chart; without the times beside it where there is no room for both
_FEWEST = 2  # points
_LABELS = ("slab ", "unreclaimable ")

MEANING = (
    "In a replay, at the bottom: the slab memory from the beginning of the recording to its end, and below it the part"
    " that is unreclaimable. The marked column is the moment on the screen; a click jumps there"
)


def height(rows: int) -> int:
    """Return how many lines the time line has on a terminal with this many rows."""
    return (rows >= ONE_LINE) + (rows >= TWO_LINES)


def lines(state: State, width: int, number: int) -> Markup:
    """Return this many lines, with newlines between them."""
    course = state.time.course
    if len(course.points) < _FEWEST:
        known = "the slab memory is not in this recording" if course.is_whole else "the recording is read"
        return [("dim", f"time line: {known}"), *[(None, "\n")] * (number - 1)]
    labels, after, room = _layout(course, width, number)
    columns = course.columns(room)
    here = course.column_at(state.shown.time, room) if state.shown is not None else None
    amounts = [None if point is None else point.amount for point in columns]
    markup: Markup = [("dim", labels[0]), *_chart(amounts, here, "chart"), ("dim", after)]
    if number > 1:
        parts = [None if point is None else point.part for point in columns]
        markup += [(None, "\n"), ("dim", labels[1]), *_chart(parts, here, "part")]
    return markup


def time_of(state: State, width: int, number: int, x: int) -> float | None:
    """Return the time that a place on the time line stands for; None: it is beside the chart, or nothing is known."""
    course = state.time.course
    if len(course.points) < _FEWEST:
        return None
    labels, _, room = _layout(course, width, number)
    column = x - len(labels[0])
    if not 0 <= column < room:
        return None
    return course.end if column == room - 1 else course.time_at(column, room)


def _layout(course: Course, width: int, number: int) -> tuple[tuple[str, str], str, int]:
    """Return what stands before the chart on each line, what stands after it, and the columns of the chart."""
    spans_days = numbers.date(course.begin) != numbers.date(course.end)
    write = numbers.day_and_clock if spans_days else numbers.clock
    before = f"{write(course.begin)} "
    after = f" {write(course.end)}{'' if course.is_whole else '…'}"
    labels = before, ""
    if number > 1:
        first, second = _LABELS
        columns = len(second) + len(before)
        labels = first + before.rjust(columns - len(first)), second.ljust(columns)
    room = width - len(labels[0]) - len(after)
    return (labels, after, room) if room >= _LEAST else (("", ""), "", width)


def _chart(amounts: Sequence[int | None], here: int | None, style: str) -> Markup:
    """Return a chart in which one column is marked; where nothing was recorded it is blank."""
    known = [amount for amount in amounts if amount is not None]
    bars = iter(level(known, len(known), _FLAT, is_plain()))
    chart = "".join(" " if amount is None else next(bars) for amount in amounts)
    if here is None:
        return [(style, chart)]
    return [(style, chart[:here]), ("selected", chart[here]), (style, chart[here + 1 :])]


class TimeLine(Drawn):
    """The time line.

    Args:
        state: whose recording it shows.
    """

    def __init__(self, state: State) -> None:
        def inputs() -> object:
            return state.time.course, state.shown

        super().__init__(lambda width: lines(state, width, self.rows((width,))), inputs)
        self._state = state

    def mouse_event(self, size: tuple[int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        """Jump to the moment that is clicked."""
        time = time_of(self._state, size[0], self.rows(size), col)
        if time is None or not is_click(event, button):
            return False
        with suppress(NothingToDoError):
            self._state.time.jump(time)
        return True
