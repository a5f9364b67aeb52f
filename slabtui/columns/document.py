"""A document: sections of paragraphs, facts, tables, listings and charts, which a writer puts into one format. Pure."""

import enum
from dataclasses import dataclass


class Tone(enum.StrEnum):
    """How much a paragraph matters."""

    ALERT = "alert"  # something is wrong
    PLAIN = "plain"
    QUIET = "quiet"  # an explanation


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A text of one or more sentences."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Facts:
    """Texts with a label each."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Points:
    """Texts of equal weight, one below the other."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines that are shown as they are, such as a stack or a command."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """The heading of a column of a table.

    Attributes:
        title: what is written.
        help: what it means; empty: nothing is to be said.
        is_number: whether the column has numbers, which stand at the right.
    """

    title: str
    help: str = ""
    is_number: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first column names the row."""

    heads: tuple[Head, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a chart.

    Attributes:
        name: what it shows, for the legend and, by its first word, for its colour.
        points: seconds since the beginning, and bytes; the earliest first.
    """

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Bytes over time.

    Attributes:
        title: what the numbers are.
        curves: at least one, each of at least two points.
        begin: the time at 0 seconds, in seconds since the epoch.
    """

    title: str
    curves: tuple[Curve, ...]
    begin: float


Block = Paragraph | Facts | Points | Listing | Table | Chart


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document with a heading.

    Attributes:
        title: the heading.
        blocks: what is in it, before its parts.
        parts: sections of their own.
    """

    title: str
    blocks: tuple[Block, ...] = ()
    parts: tuple["Section", ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document.

    Attributes:
        title: its heading.
        blocks: what is before the first section.
        sections: in their order.
        source: what made it, for its last line.
    """

    title: str
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()
    source: str = ""
