"""Collects what is found: printed as it comes, for who waits, and kept, for the page."""

import statistics
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """What the next blocks are about."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """What is to be said in words."""

    text: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure by itself, and the goal beside it where there is one."""

    name: str
    value: str
    goal: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns; every cell is written already, and an empty one means that there is nothing to tell."""

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]


Block = Heading | Text | Figure | Table

WIDTH = 120  # of a line of prose


class Report:
    """What one run has found so far.

    Attributes:
        learned: what the run shows, in a sentence each.
        blocks: all the rest, in its order.
    """

    def __init__(self) -> None:
        self.learned: list[str] = []
        self.blocks: list[Block] = []

    def heading(self, text: str) -> None:
        """Begin a part."""
        self._add(Heading(text))

    def text(self, text: str) -> None:
        """Say something."""
        self._add(Text(text))

    def figure(self, name: str, value: str, goal: str = "") -> None:
        """Tell one figure, with its unit."""
        self._add(Figure(name, value, goal))

    def table(self, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Tell many."""
        self._add(Table(titles, rows))

    def learn(self, sentence: str) -> None:
        """Keep what a reader with little time is to know; it is the first thing on the page."""
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
    """Write a median, and the lowest and highest where there are several."""
    if not values:
        return "?"
    middle = f"{statistics.median(values):.{digits}f}"
    return f"{middle} ({min(values):.{digits}f} to {max(values):.{digits}f})" if len(values) > 1 else middle


def times(value: float, base: float, digits: int = 1) -> str:
    """Write how many times as much as something else a value is; `?` where there is nothing to compare with."""
    return f"{value / base:.{digits}f}x" if base > 0 else "?"
