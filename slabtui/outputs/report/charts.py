"""Charts of a report as SVG, drawn by leather, which may not be installed.

leather is pure Python, needs nothing, and is in Debian. Its SVG has no script, no style sheet and no font: the style
sheet of the page overrides its colours. It places the axes, their labels, the legend and the lines; pygal, which is
better known, puts a script into every chart.
"""

import re
from collections.abc import Callable
from math import ceil, floor, log
from typing import Any
from xml.etree.ElementTree import Element

from slabtui.columns import numbers
from slabtui.columns.document import Chart

REMEDY = "Charts need the Python package leather: apt-get install python3-leather, or pip install slabtui[report]."

_WIDTH, _HEIGHT = 480, 300  # units of SVG, in which leather's texts are 14 high: they can be read on a phone, too
_CUT = (24, 12)  # of the margins of 24 that leather leaves: at the left, and at the top and the bottom
_TICKS = 5  # steps of an axis, at most
_LEAST_SPAN = 1 << 20  # bytes: less is drawn as a flat line, because it is the noise of a host that does nothing
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)  # of the unit of an axis, from one tick to the next
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)  # seconds
_FRACTION = re.compile(r"\d+\.\d+")

Ticks = dict[float, str]  # values at which an axis has a label


def draw(chart: Chart) -> Element | None:
    """Return a chart as an element of SVG; None: leather is not installed."""
    try:
        import leather  # noqa: PLC0415  an optional module, which only this writer needs
    except ImportError:
        return None
    drawn = leather.Chart()
    seconds = max(curve.points[-1][0] for curve in chart.curves)
    values = [size for curve in chart.curves for _, size in curve.points]
    sizes, times = find_sizes(min(0.0, *values), max(0.0, *values)), find_times(chart.begin, seconds)
    low, high = min(sizes), max(sizes)
    # From 0 to 1: leather would make other axes longer, up to a value that is round in decimal digits.
    drawn.add_x_scale(0, 1)
    drawn.add_y_scale(0, 1)
    drawn.add_x_axis([time / seconds for time in times], _labels(times))
    drawn.add_y_axis([(size - low) / (high - low) for size in sizes], _labels(sizes))
    for curve in chart.curves:
        points = [(time / seconds, (size - low) / (high - low)) for time, size in curve.points]
        drawn.add_line(points, name=curve.name, stroke_color=f"var(--{curve.name})")
    return _frame(drawn.to_svg_group(_WIDTH, _HEIGHT), chart.title)


def find_sizes(low: float, high: float) -> Ticks:
    """Return labels at round numbers of bytes in one unit, from `low` or less to `high` or more."""
    span = max(high - low, _LEAST_SPAN)
    power = min(int(log(max(span, -low, high), 1024)), len(_UNITS) - 1)
    unit = 1024**power
    step = next((step for step in _STEPS if span / unit / step <= _TICKS), span / unit)
    first = floor(low / unit / step)
    last = max(ceil(high / unit / step), first + 1)
    sizes = [round(place * step, 1) for place in range(first, last + 1)]
    return {number * unit: f"{number:g} {_UNITS[power]}" if number else "0" for number in sizes}


def find_times(begin: float, seconds: float) -> Ticks:
    """Return the local time at seconds since the beginning at which a clock shows a round time.

    Args:
        begin: the beginning, in seconds since the epoch.
        seconds: the length.
    """
    step = next((step for step in _TIMES if seconds / step <= _TICKS), 0) or ceil(seconds / _TICKS / 86400) * 86400
    first = ceil(begin / step) * step - begin
    places = (first + number * step for number in range(_TICKS + 1))
    return {place: _write_time(begin + place, step) for place in places if place <= seconds} or {0: ""}


def _labels(ticks: Ticks) -> Callable[[Any, int, int], str]:
    """Return what leather calls with a value, its place, and the number of values."""
    return lambda value, place, number: list(ticks.values())[place]


def _write_time(moment: float, step: float) -> str:
    """Return a time with what changes from one tick to the next."""
    return numbers.clock(moment, "%b %d" if step >= 86400 else "%H:%M" if step >= 60 else "%H:%M:%S")


def _frame(group: Element, title: str) -> Element:
    """Return an SVG that scales, with a title for those who cannot see it."""
    left, top = _CUT
    attributes = {"viewBox": f"{left} {top} {_WIDTH - left} {_HEIGHT - 2 * top}", "role": "img", "aria-label": title}
    framed = Element("svg", attributes)
    for path in group.iter("path"):
        path.set("d", _FRACTION.sub(lambda found: f"{float(found[0]):.1f}", path.get("d", "")))
    framed.append(group)
    return framed
