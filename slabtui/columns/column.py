"""One column of a table: its heading, text, sort key and unit, and the choice of the columns that fit a width."""

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, Literal, TypeVar

from slabtui.columns.numbers import Unit

UNLIMITED = 1 << 31  # columns: more than any terminal has

Row = TypeVar("Row")
Context = TypeVar("Context")


class MetricType(enum.StrEnum):
    """What a column is to a monitoring system."""

    COUNTER = "counter"
    GAUGE = "gauge"


@dataclass(frozen=True, eq=False)  # no slots: typing.Generic sets an attribute, and frozen slots raise TypeError (3.11)
class Column(Generic[Row, Context]):
    """One column of a table of rows, for the screen, text, CSV, the help and the manual page.

    Attributes:
        id: its name on the command line; unique in its table.
        title: its heading.
        width: columns of the terminal that it takes, or takes at least.
        align: where its text stands.
        write: returns its text for a row: in at most the given width, except for names.
        help: what it means, in words for the user.
        priority: columns of a low priority are left out first where the terminal is narrow; 0: it is never left out.
        most: columns of the terminal that it takes at most where there is room; 0: it does not grow.
        value: what its rows are sorted by; None: they cannot be sorted by it.
        descending: whether the largest comes first when rows are sorted by it for the first time.
        unit: what its numbers count; None: it has none.
        fields: names of the row's fields that belong to it in CSV.
        metric: what it is to a monitoring system; None: it is no metric. A gauge is the first of `fields`; a counter is
            the total of that field since counting began, `total_` and its name.
    """

    id: str
    title: str
    width: int
    align: Literal["left", "right"]
    write: Callable[[Row, int, Context], str]
    help: str
    priority: int
    most: int = 0
    value: Callable[[Row], float | str] | None = None
    descending: bool = True
    unit: Unit | None = None
    fields: tuple[str, ...] = ()
    metric: MetricType | None = None


Fitted = tuple[tuple[Column[Row, Context], int], ...]  # columns in their order, each with its width


def fit(
    columns: Iterable[Column[Row, Context]],
    width: int,
    longest: Mapping[str, int] = MappingProxyType({}),
    gap: int = 1,
    keep: str = "",
) -> Fitted[Row, Context]:
    """Return the columns that fit a width, with the width of each, in their order.

    Those of the lowest priority are left out first. What is then left over goes to the columns that grow, from left to
    right. Where not even the columns that always stay fit, they become narrower.

    Args:
        columns: all columns, in their order.
        width: columns of the terminal.
        longest: columns of the terminal that the longest text of a column takes, by the column's id: so far it may
            grow, even beyond its `most`.
        gap: columns of the terminal between two columns.
        keep: the id of a column that stays as long as the others can make room for it.
    """
    kept = list(columns)
    while _needed(kept, gap) > width and (optional := [one for one in kept if one.priority and one.id != keep]):
        kept.remove(min(optional, key=lambda column: column.priority))
    narrowest = sum(one.width if one.priority else 1 for one in kept) + gap * (len(kept) - 1)
    if narrowest > width:
        kept = [one for one in kept if not one.priority]
    spare = width - _needed(kept, gap)  # less than 0: not even these fit
    fitted = []
    for column in kept:
        limit = max(column.width, column.most, longest.get(column.id, 0))
        room = max(column.width if column.priority else 1, min(column.width + spare, limit))
        spare -= room - column.width
        fitted.append((column, room))
    return tuple(fitted)


def field_names(columns: Iterable[Column[Any, Any]]) -> tuple[str, ...]:
    """Return the names of the fields that belong to these columns, in their order."""
    return tuple(name for column in columns for name in column.fields)


def _needed(columns: list[Column[Row, Context]], gap: int) -> int:
    return sum(column.width for column in columns) + gap * (len(columns) - 1)
