"""Charts the ages of what a row holds, and says how long what was freed had lived. Pure."""

from slabtui.columns import numbers
from slabtui.model.held import AGES, Held
from slabtui.views.chart import draw_bars, filled

_LONGEST = {"s": 1, "m": 60, "h": 3600}  # units of the limits, in seconds


def chart_ages(held: Held | None, width: int, height: int, plain: bool = False) -> list[str]:
    """Draw how many of the objects held have which age, the youngest at the left, on `height` lines of `width` columns.

    The first line has the lifetimes of what was freed. From two lines on bars stand below it, from three lines on the
    ages below them, with shares where there is room.

    Args:
        held: what a row holds; None: there is no row.
        width: columns.
        height: lines.
        plain: with ASCII characters only.
    """
    if held is None:
        return filled(["ages"], width, height)
    forms = _titles(held)
    lines = [next((form for form in forms if len(form) <= width), forms[-1])]
    each = max(2, width // len(held.ages))
    most = max(held.ages)
    bars = [number for count in held.ages for number in (*[float(count)] * (each - 1), 0.0)]
    with_axis = height > 2
    if height > 1 and most:
        lines += draw_bars(bars, 0, most, height - 1 - with_axis, plain)
    elif height > 1:
        lines += [""] * (height - 1 - with_axis)
    if with_axis:
        lines.append("".join(_label(held, place, each - 1).ljust(each) for place in range(len(held.ages))))
    return filled(lines, width, height)


def _titles(held: Held) -> tuple[str, ...]:
    """Return what the chart shows, the longest form first."""
    if held.lifetime_median is None or held.lifetime_p99 is None:
        return ("ages",)
    median, most = numbers.brief(held.lifetime_median), numbers.brief(held.lifetime_p99)
    return (
        f"ages of what is held; what was freed lived {median}, 99 % of it up to {most}",
        f"ages; freed after {median}, 99% by {most}",
        f"ages; freed {median}..{most}",
        "ages",
    )


def _label(held: Held, place: int, width: int) -> str:
    """Return the limit of the ages in one column, and their share where there is room."""
    older = place == len(AGES)
    label = (">" if older else "<") + _limit(AGES[place - older])
    with_share = f"{label} {held.ages[place] / max(1, sum(held.ages)):.0%}"
    return with_share if len(with_share) <= width else label[:width]


def _limit(seconds: int) -> str:
    unit = max((name for name, length in _LONGEST.items() if length <= seconds), key=_LONGEST.__getitem__)
    return f"{seconds // _LONGEST[unit]}{unit}"
