"""How the figures are printed."""

import statistics
from collections.abc import Sequence


def heading(text: str) -> None:
    """Print what the next lines are about."""
    print(f"\n{text}", flush=True)


def line(name: str, figure: str, unit: str, goal: str | None = None) -> None:
    """Print one figure, and the goal beside it where there is one."""
    print(f"{name:<66} {figure:>20} {unit:<3}{f'  goal: {goal}' if goal else ''}".rstrip(), flush=True)


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns as wide as they need: the first to the left, the figures to the right."""
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for row in (titles, *rows):
        first, *figures = (
            f"{cell:{'>' if place else '<'}{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join((first, *figures)).rstrip())


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Write a median, and the lowest and highest where there are several."""
    if not values:
        return "?"
    middle = f"{statistics.median(values):.{digits}f}"
    return f"{middle} ({min(values):.{digits}f} to {max(values):.{digits}f})" if len(values) > 1 else middle
