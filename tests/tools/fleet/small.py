"""Real recordings of a small fleet, by the recorder itself, for load.sql."""

import os
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from unittest import mock

import duckdb

from slabtui.model.host import Origin
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.recording.flight import DirectorySink
from tests.tools.fleet import rows
from tests.tools.fleet.plan import Plan

_ROWS = """
SELECT
    host, epoch(since), kernel, epoch(time), name, size, reclaimable, live, mem, allocs, bytes,
    sum(allocs) OVER period AS total_allocs, sum(bytes) OVER period AS total_bytes
FROM generated
WINDOW period AS (PARTITION BY host, since, name ORDER BY time)
ORDER BY host, time, name
"""


def record(fleet: Plan, seed: int, caches: int | None = None) -> None:
    """Write the recordings of all hosts to the current directory, as rsync copies them. Each boot begins a period.

    They are not synchronized with the disk, as they would be after each interval.
    """
    with duckdb.connect() as connection:
        rows.prepare(connection, fleet, fleet.hosts, seed, caches)
        found = connection.execute(_ROWS).fetchall()
    Path("recordings").mkdir()
    with mock.patch.object(os, "fdatasync"):
        for (host, since), of_period in groupby(found, itemgetter(0, 1)):
            sink = DirectorySink(Path("recordings", host))
            for snapshot in _snapshots(of_period, fleet.seconds, since):
                sink.write(snapshot)
            sink.close()


def _snapshots(found: Iterator[tuple], seconds: int, since: float) -> Iterator[Snapshot]:
    for (kernel, time), of_interval in groupby(found, itemgetter(2, 3)):
        yield Snapshot(
            time,
            seconds,
            "0.38 0.21 0.12 1/342 13297",
            tuple(map(_row, of_interval)),
            origin=Origin("live", "the-name-in-a-pod", kernel, since),
        )


def _row(values: tuple) -> CacheRow:
    *_, name, size, reclaimable, live, mem, allocs, bytes_, total_allocs, total_bytes = values
    return CacheRow(
        CacheKey(KeyKind.CACHE, name),
        name,
        size,
        size,
        reclaimable=reclaimable,
        live=live,
        mem=mem,
        total_allocs=int(total_allocs),
        total_bytes=int(total_bytes),
        allocs=allocs,
        bytes=bytes_,
    )
