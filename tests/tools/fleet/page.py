"""Writes the figures and the answers of a thousand hosts into docs/fleet/analysis.md, between its markers."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from tests.tools.fleet import questions
from tests.tools.fleet.questions import Answer

PAGE = questions.SQL / "analysis.md"

_ROWS = 4  # of an answer


class Cost(NamedTuple):
    """What a file cost.

    Attributes:
        seconds: by the clock.
        processor: seconds of all CPUs.
    """

    seconds: float
    processor: float


def write_figures(figures: Iterable[tuple[str, str]], costs: dict[str, Cost]) -> str:
    """Return the tables of sizes and of times."""
    sizes = table(["what", "figure"], figures)
    times = (
        (f"[{name}.sql]({name}.sql)" + (", for each host" if name == "load" else ""), *(f"{cost:.1f}" for cost in one))
        for name, one in costs.items()
    )
    return sizes + "\n" + table(["file", "seconds", "processor seconds"], times)


def write_answer(answer: Answer) -> str:
    """Return the first rows of an answer."""
    more = len(answer.rows) - _ROWS
    return table(answer.columns, answer.rows[:_ROWS]) + (f"\nand {more:,} more rows\n" if more > 0 else "")


def table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Return a table of Markdown."""
    lines = [columns, ("---" for _ in columns), *rows]
    return "".join("| " + " | ".join(map(_text, line)) + " |\n" for line in lines)


def fill(page: str, parts: dict[str, str]) -> str:
    """Return the page with these texts between the markers of these names."""
    for name, text in parts.items():
        pattern = rf"(<!-- {name}: [^>]*-->\n).*?(<!-- end of {name} -->)"
        page, count = re.subn(
            pattern, lambda found, text=text: f"{found[1]}\n{text.strip()}\n\n{found[2]}", page, flags=re.DOTALL
        )
        assert count == 1, name
    return page


def _text(value: Any) -> str:
    return value.strftime("%H:%M") if hasattr(value, "strftime") else "" if value is None else str(value)
