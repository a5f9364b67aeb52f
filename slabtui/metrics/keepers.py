"""The series of what is held: the stacks that hold most of each suspect, with labels of bounded length. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from slabtui.columns import stacks
from slabtui.columns.held import where_held
from slabtui.columns.holders import is_vague
from slabtui.columns.inspections import who
from slabtui.model.holders import By, Joined, join
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow
from slabtui.model.snapshot import Snapshot

# Stacks of a cache: a leak has one or two, and the page of --leaks shows three. One that has series keeps them up to
# twice this rank, so a host has at most 2 x 5 x MOST_SUSPECTS keepers, with two series each.
MOST = 5

_STAYS = 2  # times the rank at which a stack gets series, and the objects of those that are named as its processes
# Characters of the labels: some six functions; and a container with the whole uid of its pod.
_STACK, _PLACE = 120, 53
_CUT = ".."  # in place of the beginning of a place: the end of a path says more
_ID = 12  # hexadecimal digits: enough to keep the stacks of a fleet apart


@dataclass(frozen=True, slots=True)
class KeeperSeries:
    """What is exposed of one stack that holds objects.

    Attributes:
        cache: the name of the cache.
        keeper: stands for the stack, the same on all hosts with the same functions.
        stack: the functions of the stack, shortened.
        comm: the name of the processes that hold most by it; of a kernel thread, in brackets.
        place: where these run; empty: not known, or nowhere in particular.
        objects: that it holds, of all processes; an estimate.
    """

    cache: str
    keeper: str
    stack: str
    comm: str
    place: str
    objects: int


@dataclass(frozen=True, slots=True)
class _Labels:
    """The labels that a keeper keeps, because each change of one is a new series."""

    stack: str
    owner: tuple[str, str]  # comm and place


class Keepers:
    """Turns what is held into series. A keeper has the text of its stack until it has no series any more."""

    def __init__(self) -> None:
        self._labels: dict[tuple[str, str], _Labels] = {}  # of what is exposed: by cache and keeper
        self._series: tuple[KeeperSeries, ...] = ()

    def add(self, snapshot: Snapshot) -> tuple[KeeperSeries, ...]:
        """Return what is exposed after one more interval.

        Args:
            snapshot: without addresses.
        """
        if snapshot.elapsed:
            held: dict[str, list[Inspection]] = {}
            for found in snapshot.inspections:
                if found.kind is InspectionKind.HELD and found.tracking and not found.tracking.doubt:
                    row = snapshot.row(found.cache)
                    held.setdefault(row.name if row else found.cache.name, []).append(found)
            self._series = tuple(one for name, each in held.items() for one in self._list(name, each))
            shown = {(one.cache, one.keeper) for one in self._series}
            self._labels = {key: labels for key, labels in self._labels.items() if key in shown}
        return self._series

    def _list(self, name: str, held: Sequence[Inspection]) -> list[KeeperSeries]:
        """Return the series of the caches of one name, those that hold most first."""
        joined = join((row for found in held for row in found.rows), By.STACK)
        first = [one for one in joined if one.row.rank and not is_vague(one.row)][: MOST * _STAYS]
        texts = stacks.shorten(frozenset(one.row.frames for one in first), _STACK)
        found = []
        for place, one in enumerate(first):
            key = name, _identify(one.row.frames)
            before = self._labels.get(key)
            if before is None and place >= MOST:
                continue
            owner = _find_owner(one, before)
            labels = self._labels[key] = _Labels(before.stack if before else texts[one.row.frames], owner)
            found.append(KeeperSeries(*key, labels.stack, *owner, one.row.rank))
        return found


def list_doubts(snapshot: Snapshot) -> tuple[str, ...]:
    """Return of which caches it is not exposed what is held, in words for the user that stay the same."""
    held = [one for one in snapshot.inspections if one.kind is InspectionKind.HELD and one.tracking]
    return tuple(
        f"what is held of {one.cache} is not exposed, because it cannot be trusted: slabtui --held {one.cache} says why"
        for one in held
        if one.tracking and one.tracking.doubt
    )


def _identify(stack: stacks.Stack) -> str:
    return hashlib.sha256("\n".join(stack).encode()).hexdigest()[:_ID]


def _find_owner(one: Joined, before: _Labels | None) -> tuple[str, str]:
    """Return comm and place of the processes that hold most; those before, as long as they hold half of that."""
    objects: dict[tuple[str, str], int] = {}
    for row in one.parts:
        owner = who(row), _write_place(row)
        objects[owner] = objects.get(owner, 0) + row.rank
    first = max(objects, key=objects.__getitem__)
    if before is not None and _STAYS * objects.get(before.owner, 0) >= objects[first]:
        return before.owner
    return first


def _write_place(row: InspectionRow) -> str:
    if row.cgroup == "/" or not (row.cgroup or row.removed):
        return ""
    place = where_held(row, _PLACE)
    return place if len(place) <= _PLACE else _CUT + place[len(_CUT) - _PLACE :]
