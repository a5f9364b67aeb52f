"""Collects the findings of a run: prints each one at once, and keeps all for the page."""

import statistics
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, with its goal if it has one."""

    name: str
    value: str
    goal: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of formatted cells; an empty cell means that there is no value."""

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]


Block = Heading | Text | Figure | Table

WIDTH = 120  # of a line of prose


class Report:
    """The findings of one run so far.

    Attributes:
        learned: the conclusions, one sentence each.
        blocks: everything else, in order.
    """

    def __init__(self) -> None:
        self.learned: list[str] = []
        self.blocks: list[Block] = []

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._add(Heading(text))

    def text(self, text: str) -> None:
        """Add a paragraph."""
        self._add(Text(text))

    def figure(self, name: str, value: str, goal: str = "") -> None:
        """Add one figure, with its unit."""
        self._add(Figure(name, value, goal))

    def table(self, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Add a table."""
        self._add(Table(titles, rows))

    def learn(self, sentence: str) -> None:
        """Add a conclusion; the page begins with these."""
        self.learned.append(sentence)

    def _add(self, block: Block) -> None:
        self.blocks.append(block)
        print(printed(block), flush=True)


def printed(block: Block) -> str:
    """Return a block as a terminal shows it."""
    match block:
        case Heading():
            return f"\n{block.text}"
        case Text():
            return wrapped(block.text)
        case Figure():
            return f"{block.name:<66} {block.value:>24}{f'  goal: {block.goal}' if block.goal else ''}".rstrip()
        case Table():
            return "\n".join(_columns(block))


def wrapped(text: str, indent: str = "") -> str:
    """Return prose in lines, those after the first indented."""
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _columns(block: Table) -> list[str]:
    """Return the lines of a table: columns as wide as they need, the first to the left, the figures to the right."""
    widths = [max(map(len, column)) for column in zip(block.titles, *block.rows, strict=True)]
    return [
        "  ".join(
            f"{cell:{'>' if place else '<'}{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (block.titles, *block.rows)
    ]


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Return the median as text, with the lowest and highest if there are several values."""
    if not values:
        return "?"
    middle = f"{statistics.median(values):.{digits}f}"
    return f"{middle} ({min(values):.{digits}f} to {max(values):.{digits}f})" if len(values) > 1 else middle


def times(value: float, base: float, digits: int = 1) -> str:
    """Return the ratio of a value to a base as text; `?` if the base is 0."""
    return f"{value / base:.{digits}f}x" if base > 0 else "?"
