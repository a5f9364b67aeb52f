"""Which rows of a snapshot the user asks to see, and in which order: filters and sorting. Pure."""

import re
import time
import warnings
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TypeVar

from slabtui.columns import caches
from slabtui.model.snapshot import CacheRow
from slabtui.system import limits

REGEX_MARK = "~"

_Result = TypeVar("_Result")
_BUDGET = 0.25  # seconds of processor time for one expression and all names; the names of a host take less than 0.01
_MOST_KNOWN = 65536  # names whose result is kept: a host has some hundred at a time


class BadFilterError(ValueError):
    """The filter is not a regular expression, or it takes too long; `str()` says which."""


class _Expression:
    """A regular expression. Each name is matched once, and all of them within the budget.

    Raises:
        BadFilterError: it cannot be compiled, or the budget is spent, also when called.
    """

    def __init__(self, pattern: str) -> None:
        self._left = _BUDGET
        self._known: dict[str, bool] = {}
        try:
            self._search = self._limit(lambda: re.compile(pattern)).search
        except (re.error, OverflowError, RecursionError) as error:
            raise BadFilterError(f"not a regular expression: {error}") from error

    def __call__(self, name: str) -> bool:
        """Return whether the expression is found in a name."""
        known = self._known.get(name)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[name] = self._limit(lambda: self._search(name) is not None)
        return known

    def _limit(self, step: Callable[[], _Result]) -> _Result:
        began = time.process_time()
        try:
            with limits.processor_time(max(self._left, 1e-6)):
                return step()
        except limits.TimeUpError as error:
            raise BadFilterError("takes too long") from error
        finally:
            self._left -= time.process_time() - began


@dataclass(frozen=True, slots=True)
class Order:
    """A sort order: the id of a column, and whether the largest comes first."""

    column: str = caches.DEFAULT_SORT
    descending: bool = caches.BY_ID[caches.DEFAULT_SORT].descending

    @classmethod
    def by(cls, column: str) -> "Order":
        """Return the order of the first sort by this column."""
        return cls(column, caches.BY_ID[column].descending)

    def reversed(self) -> "Order":
        """Return the same order upside down."""
        return replace(self, descending=not self.descending)


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return a function that tests whether a name matches a filter.

    A name matches if it contains the pattern, in upper or lower case, as in htop. After a `~` the pattern is a regular
    expression, which is searched for in the name; case matters then.

    Raises:
        BadFilterError: what follows the `~` is not a regular expression. The returned function raises it, too, if the
            expression takes too long.
    """
    if not pattern:
        return lambda name: True
    if not pattern.startswith(REGEX_MARK):
        folded = pattern.casefold()
        return lambda name: folded in name.casefold()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of `[[`; the warning would be written across the screen
        return _Expression(pattern.removeprefix(REGEX_MARK))


def alias(row: CacheRow, matches: Callable[[str], bool]) -> str:
    """Return the alias by which a row matches; empty if it matches by its name, or not at all."""
    return "" if matches(row.name) else next(filter(matches, row.aliases), "")


def arrange(
    rows: Iterable[CacheRow],
    order: Order,
    matches: Callable[[str], bool],
    *,
    shows: Callable[[CacheRow], bool] = attrgetter("active"),
    keep: Container[object] = (),
    value: Callable[[CacheRow], float | str] | None = None,
) -> list[CacheRow]:
    """Return the rows that match by their name or an alias, in order.

    Rows that are equal in the column are sorted by name and then by key, in either direction, so that they keep their
    places from one interval to the next.

    Args:
        rows: the rows of a snapshot.
        order: the column and the direction.
        matches: whether a name matches the filter.
        shows: whether a row is worth showing; by default, whether anything happened in its cache.
        keep: keys of caches that are shown in any case, if they match.
        value: what rows are sorted by; by default, the number of the column in the interval.

    Raises:
        BadFilterError: see `matcher`.
    """
    chosen = choose(rows, matches, shows, keep)
    chosen.sort(key=lambda row: (row.name, row.cache))
    chosen.sort(key=value or caches.SORTS[order.column], reverse=order.descending)
    return chosen


def choose(
    rows: Iterable[CacheRow],
    matches: Callable[[str], bool],
    shows: Callable[[CacheRow], bool],
    keep: Container[object] = (),
) -> list[CacheRow]:
    """Return the rows that match by their name or an alias and are worth showing or kept, in their order."""
    return [
        row
        for row in rows
        if (shows(row) or row.cache in keep) and (matches(row.name) or any(map(matches, row.aliases)))
    ]


def hold(before: Sequence[CacheRow], rows: Iterable[CacheRow]) -> list[CacheRow]:
    """Return rows in the order that they had before; those that are new come last, in their order."""
    places = {row.cache: place for place, row in enumerate(before)}
    return sorted(rows, key=lambda row: places.get(row.cache, len(places)))
