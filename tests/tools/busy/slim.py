"""Makes a recording small: what the analysis needs of it is left, which is LIVE of the caches that change."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import zstandard

from slabtui.model.identity import CacheKey
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.recording import codec

_LEVEL = 22
_WINDOW = 27  # log2 of bytes: the whole file


def write(path: Path, snapshots: Iterable[Snapshot]) -> None:
    """Write a slim recording; the fields that every line must have are there, with nothing counted."""
    kept = list(snapshots)
    values: dict[CacheKey, set[int | None]] = {}
    for snapshot in kept:
        for row in snapshot.rows:
            values.setdefault(row.cache, set()).add(row.live)
    caches = {cache for cache, found in values.items() if len(found) > 1}
    lines = "".join(_line(snapshot, caches) + "\n" for snapshot in kept)
    parameters = zstandard.ZstdCompressionParameters.from_level(_LEVEL, window_log=_WINDOW, enable_ldm=True)
    path.write_bytes(zstandard.ZstdCompressor(compression_params=parameters).compress(lines.encode()))


def _line(snapshot: Snapshot, caches: set[CacheKey]) -> str:
    line = {
        "schema": codec.NAME,
        "time": codec.iso(snapshot.time),
        "elapsed_s": round(snapshot.elapsed, 3),
        "host": "busy",
        "kernel": snapshot.origin.kernel,
        "since": None,
        "loadavg": "",
        "lost": None,
        "error": snapshot.error,
        "notes": [],
        "memory": asdict(snapshot.memory) if snapshot.memory else None,
        "caches": [_row(row) for row in snapshot.rows if row.cache in caches],
    }
    return json.dumps(line, separators=(",", ":"))


def _row(row: CacheRow) -> dict[str, object]:
    written: dict[str, object] = {
        "cache": str(row.cache),
        "name": row.name,
        "object_size": row.object_size,
        "size": row.size,
        "approximate": row.approximate,
        "allocs": 0,
        "bytes": 0,
        "reclaimable": row.reclaimable,
        "live": row.live,
    }
    return written | ({"aliases": row.aliases} if row.aliases else {})
