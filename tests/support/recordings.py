"""Recordings that tests make."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from slabtui.model.host import HostGrowth, Origin
from slabtui.model.snapshot import Snapshot
from slabtui.queues import SnapshotsEndedError
from slabtui.recording import codec
from slabtui.recording.recorder import Recorder
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
    recorder = Recorder(path)
    for each in given:
        recorder.queue.put(live(each))
    recorder.queue.close(SnapshotsEndedError())
    recorder._thread.join(20)  # a busy disk may take longer than close() waits
    recorder.close()
    assert recorder.failure is None
    return path


def lines(given: Iterable[Snapshot]) -> bytes:
    """Return snapshots as lines."""
    return b"".join(codec.dumps(each, each.rows).encode() + b"\n" for each in given)
