"""Charts of one line: a series of numbers as bars."""

from collections.abc import Sequence
from math import ceil

_BARS, _PLAIN_BARS = " ▁▂▃▄▅▆▇█", " ._-=+*%#"


def sparkline(series: Sequence[float], width: int, plain: bool = False) -> str:
    """Draw a series as bars against its own maximum, the newest at the right; only 0 is blank.

    Args:
        series: rates, the newest last; more than `width` of them are cut at the old end.
        width: columns.
        plain: with ASCII characters only.
    """
    bars = _PLAIN_BARS if plain else _BARS
    shown = series[-width:] if width else ()
    top = max(shown, default=0)
    if not top:
        return " " * width
    steps = len(bars) - 1
    return "".join([bars[ceil(rate * steps / top)] for rate in shown]).rjust(width)
