"""Recordings that tests make."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from slabtui.model.host import HostGrowth, Origin
from slabtui.model.snapshot import Snapshot
from slabtui.queues import SnapshotsEndedError
from slabtui.recording import codec
from slabtui.recording.recorder import Recorder
from slabtui.recording.sink import Sink, create
from tests.support.fakes import cache, snapshot


def snapshots(number: int, elapsed: float = 1.0) -> list[Snapshot]:
    """Return this many snapshots as a recording gives them, with their judgement."""
    return [
        replace(
            snapshot(cache(1, "a", allocs=at), cache(2, "b", size=None), time=1000.0 + at, lost=None, notes=("own",)),
            elapsed=elapsed,
            growth=HostGrowth(since=1000.0),
            origin=Origin("replay", "host", "6.1"),
        )
        for at in range(number)
    ]


def live(one: Snapshot) -> Snapshot:
    """Return a snapshot as it was before it was recorded."""
    return replace(one, origin=replace(one.origin, source="live"))


def record(path: Path, given: Iterable[Snapshot]) -> Path:
    """Record snapshots, and return the path."""
    recorder = Recorder(create(path))
    for each in given:
        recorder.queue.put(live(each))
    recorder.queue.close(SnapshotsEndedError())
    recorder._thread.join(20)  # a busy disk may take longer than close() waits
    recorder.close()
    assert recorder.failure is None
    return path


def write(sink: Sink, given: Iterable[Snapshot]) -> None:
    """Write snapshots to a sink, each as its own interval, and close it."""
    for each in given:
        sink.write(live(each))
    sink.close()


LATER_OF_A_ROW = ("growth_objects_s", "recent_objects_s", "growth_bytes_h", "growing", "grows_with")
LATER_OF_A_STACK = ("pid", "comm", "cmdline", "ended", "cgroup", "removed", "context")


def version_1(line: str) -> dict[str, Any]:
    """Return a line, parsed, as slabtui/1 had it: one inspection, which was `detail`; no memory, growth and scope."""
    found: dict[str, Any] = json.loads(line) | {"schema": "slabtui/1"}
    (detail,) = found.pop("inspections") or [None]
    if detail is not None:
        detail["look"] = detail.pop("number")
        if "rows" in detail:
            detail["entries"] = detail.pop("rows")
        for entry in detail.get("entries", ()):
            for name in LATER_OF_A_STACK if detail["kind"] == "stacks" else ("cmdline", "ended", "removed"):
                entry.pop(name, None)
    for name in ("memory", "cgroup_memory", "growth", "scope"):
        del found[name]
    for row in found["caches"]:
        for name in LATER_OF_A_ROW:
            row.pop(name, None)
    return found | {"detail": detail}


def first_version(line: str, numbers: Iterable[int] | None = None) -> dict[str, Any]:
    """Return a line, parsed, as the first version wrote it: numbers as keys, which stand for addresses; no totals."""
    found = version_1(line)
    del found["since"]
    given = iter(range(0xFFFF888100000000, 1 << 64) if numbers is None else numbers)
    for row in found["caches"]:
        for name in ("address", "total_allocs", "total_bytes", "total_frees"):
            del row[name]
        row["cache"] = f"{next(given):#x}"
    if found["detail"] is not None:
        del found["detail"]["key"], found["detail"]["trouble"]
    return found


def lines(given: Iterable[Snapshot]) -> bytes:
    """Return snapshots as lines."""
    return b"".join(codec.dumps(each, each.rows).encode() + b"\n" for each in given)
