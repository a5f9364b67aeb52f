"""The shape of a real host: how much each of its caches holds, how much that varies, and how often it allocates."""

import csv
import sys
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from statistics import pstdev

from slabtui.model.snapshot import CacheRow, Snapshot

FILE = Path(__file__).with_name("shape.csv")


@dataclass(frozen=True, slots=True)
class Shape:
    """One cache of the host.

    Attributes:
        name: of the cache.
        size: bytes that one object takes in its slab.
        object_bytes: bytes of memory that the cache holds for each object in use.
        reclaimable: 1 if the kernel can reclaim the objects, else 0.
        live: objects in use.
        noise: how much `live` varies from interval to interval, in objects.
        rate: objects allocated in a second.
    """

    name: str
    size: int
    object_bytes: float
    reclaimable: int
    live: int
    noise: float
    rate: float


def load() -> list[Shape]:
    """Return the caches of the host from the file beside this module."""
    with FILE.open() as file:
        rows = csv.DictReader(file)
        kinds = {field.name: field.type for field in fields(Shape)}
        return [Shape(**{name: kinds[name](value) for name, value in row.items()}) for row in rows]


def measure(snapshots: Iterable[Snapshot]) -> list[Shape]:
    """Return the caches of a recording, empty ones included."""
    histories: dict[str, list[CacheRow]] = {}
    seconds = 0.0
    for snapshot in snapshots:
        seconds += snapshot.elapsed
        for row in snapshot.rows:
            if row.size and row.mem is not None and row.live is not None:
                histories.setdefault(row.name, []).append(row)
    found = []
    for name, rows in sorted(histories.items()):
        last = rows[-1]
        steps = [row.live_delta or 0 for row in rows]
        per_object = round(last.mem / last.live, 2) if last.live else last.size
        noise = round(pstdev(steps) / 2**0.5, 1)  # a step is the difference of two values
        rate = round(sum(row.allocs for row in rows) / seconds, 2)
        found.append(Shape(name, last.size, per_object, int(bool(last.reclaimable)), last.live, noise, rate))
    return found


def write(shapes: Iterable[Shape]) -> None:
    """Write the file, to standard output."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(field.name for field in fields(Shape))
    writer.writerows(map(astuple, shapes))
