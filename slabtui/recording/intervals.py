"""Sums the intervals of a recording to longer ones, exactly, on a grid of time. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from slabtui.model.snapshot import Snapshot, merge


def add_up(snapshots: Iterable[Snapshot], seconds: float) -> Iterator[Snapshot]:
    """Yield intervals of this length, each the sum of those whose middle lies in it; longer ones stay as they are.

    The new intervals end at whole multiples of their length since the epoch, so that those of several hosts can be
    compared. Intervals of different runs, in which counts began anew, are not added up. A sum has the notes of all.
    """
    together: Snapshot | None = None
    cell: tuple[object, ...] = ()
    for snapshot in snapshots:
        before, cell = cell, (snapshot.origin, (snapshot.time - snapshot.elapsed / 2) // seconds)
        if together is not None and cell != before:
            yield together
            together = None
        together = snapshot if together is None else _add(together, snapshot)
    if together is not None:
        yield together


def _add(earlier: Snapshot, later: Snapshot) -> Snapshot:
    """Return the sum. A note of a damaged segment is only in the interval before it."""
    notes = tuple(dict.fromkeys((*earlier.notes, *later.notes)))
    return replace(merge(earlier, later), notes=notes)
