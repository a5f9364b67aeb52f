"""Records the demo: a busy host that leaks, and inspections of five caches one after the other."""

import argparse
import gzip
from pathlib import Path

from slabtui.collector import Collector
from slabtui.kernel.abi import offsets
from slabtui.kernel.probe import Probe
from slabtui.model.inspection import ON_PAGE
from slabtui.model.request import InspectionRequest, Request
from slabtui.model.snapshot import Snapshot
from slabtui.queues import SnapshotQueue
from slabtui.recording.reader import read
from tests import ROOT
from tests.tools.demo import load
from tests.tools.demo.slim import slim

FILE = ROOT / "slabtui" / "demo.jsonl.gz"
CACHES = ("filp", "dentry", "kmalloc-64", "TCP", "names_cache")
LEAKING = ("filp", "kmalloc-64")  # those of which objects are kept
EACH = 24  # intervals of 1 s


def record() -> list[Snapshot]:
    """Return the snapshots of all inspections."""
    collector, queue = Collector(Probe(offsets.read()), 1.0, settles=True), SnapshotQueue(2 * EACH * len(CACHES))
    collector.subscribe(queue)
    found: list[Snapshot] = []
    for cache in CACHES:
        collector.request(Request(frees=True, inspection=InspectionRequest(cache, ON_PAGE)))
        if not found:
            collector.start()
        for _ in range(EACH):
            found.append(_next(queue))
            print(f"{len(found)}: {found[-1].allocs:,} allocations, {cache}", flush=True)
    collector.stop()
    return found


def _next(queue: SnapshotQueue) -> Snapshot:
    snapshot = queue.get(timeout=60)
    assert snapshot is not None
    assert snapshot.error is None
    return snapshot


def main(path: Path) -> None:
    """Record, and write the file."""
    with load.running():
        snapshots = record()
    content = slim(snapshots, [f"/{group}" for group in load.GROUPS])
    path.write_bytes(gzip.compress(content, 9, mtime=0))
    print(f"{len(list(read(path)))} intervals, {len(content):,} bytes, packed {path.stat().st_size:,}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.tools.demo", description="Record the demo, as root.")
    parser.add_argument("file", nargs="?", type=Path, default=FILE, help="where to write it")
    main(parser.parse_args().file)
