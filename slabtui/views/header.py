"""The lines above the table: the host, its slab memory and how that grows, and the rates of all caches.

Each field has a place and a width that depend on the terminal and on what is counted, not on the numbers: from one
interval to the next nothing moves.
"""

from collections.abc import Iterable
from dataclasses import replace

from slabtui.views import fields
from slabtui.views.fields import (
    ALLOCS,
    ALLOCS_CHART,
    BYTES,
    BYTES_CHART,
    CGROUP,
    CHART,
    CLOCK,
    FREES,
    GROWTH,
    HOST,
    INTERVAL,
    LOAD,
    MODE,
    RAM,
    RECLAIMABLE,
    SCOPE,
    SHORT_MODE,
    SLAB,
    TREND,
    UNKNOWN,
    UNRECLAIMABLE,
    Field,
    Shown,
)
from slabtui.views.line import Markup, Segment, line
from slabtui.views.state import State
from slabtui.views.widgets import Drawn

TWO_LINES, THREE_LINES = 16, 30  # rows of the terminal from which on the header has two or three lines

_WIDE = 100  # columns from which on there are two between fields


def height(rows: int) -> int:
    """Return how many lines the header has on a terminal with this many rows."""
    return 1 + (rows >= TWO_LINES) + (rows >= THREE_LINES)


def lines(state: State, width: int, number: int) -> Markup:
    """Return this many lines, with newlines between them."""
    gap = "  " if width >= _WIDE else " "
    if state.shown is None:
        first = line(
            [Segment("title", ("slabtui",), 8)], [fields.draw_interval(state), fields.draw_mode(state)], width, gap
        )
        waiting: Markup = [(None, "\n"), ("dim", "waiting for the first interval")]
        return [*first, *waiting, (None, "\n")][: len(first) + 2 * (number - 1)]
    shown = Shown(state, state.shown)
    markup: Markup = []
    for left, right in _LAYOUTS[number]:
        ends = _drawn(left, shown), _drawn(right, shown)
        markup += [(None, "\n"), *line(*ends, width, gap, shorten=SLAB in left and RAM in left)]
    return markup[1:]


def header(state: State) -> Drawn:
    """Return the widget that shows the header; it has two lines until it is given another height."""

    def inputs() -> object:
        clock = state.time
        return state.revision, clock.paused, clock.back, clock.ended, clock.replay, clock.speed, state.frees

    drawn = Drawn(lambda width: lines(state, width, drawn.rows((width,))), inputs, height=2)
    return drawn


def meanings() -> tuple[tuple[str, str], ...]:
    """Return the label of each field and what it means, in their order, for the help screen."""
    fields = (field for left, right in _LAYOUTS[3] for field in (*left, *right) if field.label)
    return tuple((field.label, field.help) for field in fields)


def _drawn(fields: Iterable[Field], shown: Shown) -> list[Segment]:
    return [segment for field in fields if (segment := field.draw(shown)) is not None]


def _at(priority: int, field: Field) -> Field:
    """Return a field that stays longer, or less long."""

    def draw(shown: Shown) -> Segment | None:
        segment = field.draw(shown)
        return None if segment is None else replace(segment, priority=priority)

    return replace(field, draw=draw)


Layout = tuple[tuple[tuple[Field, ...], tuple[Field, ...]], ...]  # for each line: the fields at its left and right end

_MEMORY = (UNKNOWN, SLAB, RECLAIMABLE, UNRECLAIMABLE, RAM, GROWTH, CGROUP, CHART), ()
_LAYOUTS: dict[int, Layout] = {  # by the number of lines
    1: (
        (
            (_at(3, CLOCK), _at(2, HOST), SCOPE, _at(7, SLAB), _at(8, TREND), _at(5, ALLOCS), _at(4, BYTES)),
            (SHORT_MODE,),
        ),
    ),
    2: (((CLOCK, HOST, SCOPE, LOAD, ALLOCS, BYTES, FREES), (INTERVAL, MODE)), _MEMORY),
    3: (
        ((CLOCK, HOST, SCOPE, LOAD), (INTERVAL, MODE)),
        _MEMORY,
        ((ALLOCS, ALLOCS_CHART, BYTES, BYTES_CHART, FREES), ()),
    ),
}
