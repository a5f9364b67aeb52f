"""Charts: a series of numbers as bars, on one line, or on several with its scale and its time. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, floor, log10

_BARS, _PLAIN_BARS = " ▁▂▃▄▅▆▇█", " ._-=+*%#"
_STEPS = 8  # a bar has this many in each line
_FAR_FROM_ZERO = 2  # the base is not 0 where the largest value is less than this many times the smallest
_MOST_LABEL = 10  # columns beside the bars

NOW = "now"  # the end of the time axis


@dataclass(frozen=True, slots=True)
class Curve:
    """What a chart shows.

    Attributes:
        title: what the numbers are, as `allocs/s`.
        values: one for each interval, the newest last; None where unknown.
        seconds: the time from the beginning of the first interval to the end of the last.
        write: returns a number with its unit.
        first: the number of the first interval. Where there are more intervals than columns, it decides which ones
            share a column, so that these do not change with each interval.
        end: the time of the last interval.
    """

    title: str
    values: tuple[float | None, ...]
    seconds: float
    write: Callable[[float], str]
    first: int = 0
    end: str = NOW


def sparkline(series: Sequence[float], width: int, plain: bool = False, top: float = 0) -> str:
    """Draw a series as bars against its own maximum, the newest at the right; only 0 is blank.

    Args:
        series: rates, the newest last; more than `width` of them are cut at the old end.
        width: columns.
        plain: with ASCII characters only.
        top: the least that the highest bar stands for.
    """
    bars = _PLAIN_BARS if plain else _BARS
    shown = series[-width:] if width else ()
    top = max(*shown, top, 0)
    if not top:
        return " " * width
    steps = len(bars) - 1
    return "".join([bars[ceil(rate * steps / top)] for rate in shown]).rjust(width)


def level(series: Sequence[float], width: int, flat: float, plain: bool = False) -> str:
    """Draw a series as bars from the least to the most that it was, the newest at the right; no bar is blank.

    Args:
        series: amounts, the newest last.
        width: columns.
        flat: the share of the amounts up to which a change is too small to be drawn over the full height.
        plain: with ASCII characters only.
    """
    least, most = min(series, default=0), max(series, default=0)
    span = max(most - least, flat * most, 1)
    lowest = span / _STEPS
    return sparkline([value - least + lowest for value in series], width, plain, top=span + lowest)


def chart(curve: Curve, width: int, height: int, plain: bool = False) -> list[str]:
    """Draw a curve as bars on `height` lines of `width` columns, the newest at the right.

    The first line has the newest, the smallest and the largest value. From two lines on bars stand below it, from three
    lines on the time below them. Beside the bars stand the values at their lower and upper end: the lower end is 0,
    unless all values are far from it. Where there are more intervals than columns, a bar is the largest value of
    several. An interval without a value has no bar.

    Args:
        curve: what to draw.
        width: columns.
        height: lines.
        plain: with ASCII characters only.
    """
    known = [value for value in curve.values if value is not None]
    if not known:
        return filled([f"{curve.title} ?"], width, height)
    low, high = min(known), max(known)
    newest = next(value for value in reversed(curve.values) if value is not None)
    lines = [_title(curve, newest, low, high, width)]
    if height > 1:
        base = _base(low, high)
        labels = _labels(curve, base, high, height - (3 if height > 2 else 2) + 1)
        margin = min(_MOST_LABEL, max(map(len, labels)))
        room = max(1, width - margin - 1)
        columns = _columns(curve, room)
        for label, bars in zip(labels, draw_bars(columns, base, high, len(labels), plain), strict=True):
            lines.append(f"{label[:margin]:>{margin}}{'|' if plain else '│'}{bars:>{room}}")
        if height > 2:
            lines.append(" " * (margin + 1) + _axis(curve, len(columns), room))
    return filled(lines, width, height)


def filled(lines: Sequence[str], width: int, height: int) -> list[str]:
    """Return lines of this width, as many as `height`: cut, or with blank ones below them."""
    return [line[:width].ljust(width) for line in (*lines, *[""] * height)[:height]]


def _title(curve: Curve, newest: float, low: float, high: float, width: int) -> str:
    written = [curve.write(value) for value in (newest, low, high)]
    forms = (
        f"{curve.title} {written[0]}  min {written[1]}  max {written[2]}",
        f"{curve.title} {written[0]}  {written[1]}..{written[2]}",
        f"{curve.title} {written[0]}",
    )
    return next((form for form in forms if len(form) <= width), forms[-1])


def _base(low: float, high: float) -> float:
    """Return the value at the lower end of the bars: 0, or for large values a round number not above the smallest."""
    if high == low:
        return low
    if high >= low * _FAR_FROM_ZERO:
        return 0
    step = 10.0 ** floor(log10(high - low))
    return float(floor(low / step) * step)


def _labels(curve: Curve, base: float, high: float, lines: int) -> list[str]:
    """Return what stands beside each line of bars: the value at the upper end, and at the lower one."""
    low, top = curve.write(base), curve.write(high)
    if base == high:
        return [*[""] * (lines - 1), low]
    if low == top:  # they differ in digits that are not written
        top = f"+{curve.write(high - base)}"
    if lines == 1:
        return [f"{low}..{top}" if base else top]
    return [top, *[""] * (lines - 2), low]


def _columns(curve: Curve, width: int) -> list[float | None]:
    """Return the value of each bar: the largest of the intervals that share it."""
    each = max(1, ceil(len(curve.values) / width))
    numbered = enumerate(curve.values, curve.first)
    columns = []
    for _, shared in groupby(numbered, key=lambda pair: pair[0] // each):
        known = [value for _, value in shared if value is not None]
        columns.append(max(known) if known else None)
    return columns[-width:]


def draw_bars(columns: Sequence[float | None], base: float, high: float, lines: int, plain: bool) -> list[str]:
    """Return the lines of bars, the upper one first. What is not 0 has a bar; equal values are a line."""
    bars = _PLAIN_BARS if plain else _BARS
    most = lines * _STEPS
    levels = []
    for value in columns:
        level = 0 if value is None or high == base else ceil(min(1.0, (value - base) / (high - base)) * most)
        levels.append(max(level, 1) if value else level)
    below = [line * _STEPS for line in reversed(range(lines))]
    return ["".join([bars[min(_STEPS, max(0, level - under))] for level in levels]) for under in below]


def _axis(curve: Curve, columns: int, width: int) -> str:
    """Return the time below the bars: how long ago the first one was, and the end."""
    begin = f"-{write_seconds(curve.seconds)}"
    left = min(width - columns, max(0, width - len(begin) - len(curve.end) - 1))
    line = " " * left + begin
    return line.ljust(width - len(curve.end)) + curve.end if len(line) + len(curve.end) < width else line


def write_seconds(seconds: float) -> str:
    """Write a length of time in little room: `45s`, `4m59s`, `1h02m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"
