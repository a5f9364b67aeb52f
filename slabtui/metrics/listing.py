"""Which caches have series of their own: the largest, the busiest, and those that the user names. Pure."""

import heapq
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

OTHER = "other"  # the series of all caches without one of their own
MOST = 25  # caches by memory, and as many by rate: about 40 names on a host, with a few hundred series

_STAYS = 2  # a cache keeps its series up to this multiple of the rank at which it gets them
_MEMORY = 60.0  # seconds: time constant of the average rate, so that one busy interval does not change the list


@dataclass(frozen=True, slots=True)
class Activity:
    """What decides whether the caches of one name have series of their own.

    Attributes:
        mem: bytes of memory that they hold.
        allocs: objects that were allocated in the interval.
        words: their name and their aliases.
        growing: whether one of them grows as a leak does.
    """

    mem: int
    allocs: int
    words: tuple[str, ...]
    growing: bool = False


def nothing(word: str) -> bool:
    """Match no word."""
    return False


class Listing:
    """Chooses names, interval by interval.

    A name is chosen if it is among the first `most` by memory or by rate, and stays until it is not among the first
    2 x `most` of either; or if it is among the first `most`, by memory, of those that grow as leaks do, because a leak
    is small at first. So at most 5 x `most` names are chosen, beside those that `included` matches.

    Args:
        most: how many names are chosen by memory, how many by rate, and how many that grow.
        included: matches names and aliases of caches that are always chosen.
        excluded: matches those that are never chosen.
    """

    def __init__(
        self,
        most: int = MOST,
        included: Callable[[str], bool] = nothing,
        excluded: Callable[[str], bool] = nothing,
    ) -> None:
        self._most = most
        self._included = included
        self._excluded = excluded
        self._rates: dict[str, float] = {}
        self._chosen: frozenset[str] = frozenset()

    def choose(self, activities: Mapping[str, Activity], elapsed: float) -> frozenset[str]:
        """Return the names that are chosen after one more interval.

        Args:
            activities: all caches, by name. A cache whose name is that of the series of all others is never chosen.
            elapsed: the length of the interval in seconds, more than 0.

        Raises:
            BadFilterError: a pattern takes too long.
        """
        share = 1 - math.exp(-elapsed / _MEMORY)
        for name, one in activities.items():
            rate = one.allocs / elapsed
            before = self._rates.get(name, rate)
            self._rates[name] = before + (rate - before) * share
        candidates = {
            name: one for name, one in activities.items() if name != OTHER and not any(map(self._excluded, one.words))
        }
        memory = {name: float(one.mem) for name, one in candidates.items()}
        rates = {name: self._rates[name] for name in candidates}
        first = _first(memory, self._most) | _first(rates, self._most)
        near = _first(memory, self._most * _STAYS) | _first(rates, self._most * _STAYS)
        leaks = _first({name: 1 + memory[name] for name, one in candidates.items() if one.growing}, self._most)
        named = {name for name, one in candidates.items() if any(map(self._included, one.words))}
        self._chosen = frozenset(first | (near & self._chosen) | leaks | named)
        return self._chosen


def _first(numbers: Mapping[str, float], most: int) -> set[str]:
    """Return the names of the largest numbers above 0; of equal ones, the first in the alphabet."""
    above = (name for name, number in numbers.items() if number > 0)
    return set(heapq.nsmallest(most, above, key=lambda name: (-numbers[name], name)))
