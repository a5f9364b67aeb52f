"""Charts of a report as SVG, drawn by leather, which may not be installed.

leather (https://pypi.org/project/leather) is pure Python, needs nothing, and is in Debian. Its SVG has no script, no
style sheet and no font: the style sheet of the page overrides its colours. It places the axes, their labels, the legend
and the lines; pygal, which is better known, puts a script into every chart.
"""

import re
from collections.abc import Callable, Iterator
from math import ceil, floor
from typing import Any
from xml.etree.ElementTree import Element

from slabtui.columns import numbers
from slabtui.columns.document import Chart

REMEDY = "Charts need the Python package leather: apt-get install python3-leather, or pip install slabtui[report]."

_WIDTH, _HEIGHT = 480, 300  # units of SVG, in which leather's texts are 14 high: they can be read on a phone, too
_CUT = (24, 12)  # of the margins of 24 that leather leaves: at the left, and at the top and the bottom
_TICKS = 5  # of an axis, at most
_LEAST_SPAN = 1 << 20  # bytes: less is drawn as a flat line, because it is the noise of a host that does nothing
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500)  # bytes of any unit from one tick to the next
_TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)  # seconds
_FRACTION = re.compile(r"\d+\.\d+")


def draw(chart: Chart) -> Element | None:
    """Return a chart as an element of SVG; None: leather is not installed."""
    try:
        import leather  # noqa: PLC0415  an optional module, which only this writer needs
    except ImportError:
        return None
    drawn = leather.Chart()
    last = max(curve.points[-1][0] for curve in chart.curves)
    values = [size for curve in chart.curves for _, size in curve.points]
    sizes = list_sizes(min(0.0, *values), max(0.0, *values))
    times = list_times(chart.begin, last)
    drawn.add_x_scale(0, max(last, 1))
    drawn.add_y_scale(sizes[0], sizes[-1])
    drawn.add_x_axis(ticks=times, tick_formatter=_formatter(lambda seconds: _write_time(chart.begin + seconds, last)))
    drawn.add_y_axis(ticks=sizes, tick_formatter=_formatter(_write_size))
    for curve in chart.curves:
        drawn.add_line(curve.points, name=curve.name, stroke_color=f"var(--{curve.name})")
    return _frame(drawn.to_svg_group(_WIDTH, _HEIGHT), chart.title)


def list_sizes(low: float, high: float) -> list[int]:
    """Return round numbers of bytes, one below the other by the same step, from `low` or less to `high` or more."""
    span = max(high - low, _LEAST_SPAN)
    step = next(step for step in _list_steps() if span / step <= _TICKS - 1)
    first, last = floor(low / step), max(ceil(high / step), floor(low / step) + 1)
    return [number * step for number in range(first, last + 1)]


def list_times(begin: float, seconds: float) -> list[float]:
    """Return seconds since the beginning at which a clock shows a round time.

    Args:
        begin: the beginning, in seconds since the epoch.
        seconds: the length.
    """
    step = next((step for step in _TIMES if seconds / step <= _TICKS), 0) or ceil(seconds / _TICKS / 86400) * 86400
    first = ceil(begin / step) * step - begin
    return [first + number * step for number in range(_TICKS + 1) if first + number * step <= seconds]


def _list_steps() -> Iterator[int]:
    for power in range(7):
        yield from (step * 1024**power for step in _STEPS)


def _formatter(write: Callable[[float], str]) -> Callable[[Any, int, int], str]:
    """Return what leather calls with a value, its place and the number of values."""
    return lambda value, place, number: write(float(value))


def _write_size(size: float) -> str:
    """Return a size with the digits that it needs, as sizes at ticks are round."""
    written = numbers.human(size, numbers.Unit.BYTES)
    return re.sub(r"\.0+(?=\D|$)", "", written) + "B" if size else "0"


def _write_time(moment: float, span: float) -> str:
    clock = numbers.clock(moment)
    return clock if span < _TICKS * 60 else clock[:5]


def _frame(group: Element, title: str) -> Element:
    """Return an SVG that scales, with a title for those who cannot see it."""
    left, top = _CUT
    attributes = {"viewBox": f"{left} {top} {_WIDTH - left} {_HEIGHT - 2 * top}", "role": "img", "aria-label": title}
    framed = Element("svg", attributes)
    for path in group.iter("path"):
        path.set("d", _FRACTION.sub(lambda found: f"{float(found[0]):.1f}", path.get("d", "")))
    framed.append(group)
    return framed
