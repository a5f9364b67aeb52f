"""Charts of one line: a series of numbers as bars."""

import math
from collections.abc import Sequence

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
    levels = (math.ceil(rate * (len(bars) - 1) / top) if top else 0 for rate in shown)
    return "".join(bars[level] for level in levels).rjust(width)
