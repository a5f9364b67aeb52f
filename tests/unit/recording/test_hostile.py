"""Hostile recordings: no traceback, at most 300 MB of memory and five seconds for each."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow
from slabtui.model.snapshot import Snapshot
from slabtui.recording import codec
from slabtui.recording.bounds import LONGEST_LINE, MOST_MEMBERS, MOST_TEXTS
from slabtui.recording.reader import read
from tests.support.fakes import cache, caches, key, snapshot
from tests.support.mutations import LARGE, Mutations
from tests.support.recordings import first_version, record

MOST_MEMORY, MOST_SECONDS = 300_000_000, 30.0  # what takes more than linear time takes far longer
FEW, MANY = 150, 10_000
ROWS = caches(3)
LINE = codec.dumps(snapshot(*ROWS), ROWS).encode() + b"\n"
SITES = (Inspection(key(1), InspectionKind.CALLERS, rows=(InspectionRow(frames=("a+0x1",)),)),)
INSPECTED = codec.dumps(snapshot(*ROWS, inspections=SITES), ROWS).encode() + b"\n"
Reader = Callable[[Path], tuple[str, int, float]]


@contextmanager
def reader() -> Iterator[Reader]:
    """Yield what reads a recording in another process: what it raised, its peak of memory, its seconds."""
    command = [sys.executable, "-m", "tests.support.reader"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin
        assert stdout

        def measure(path: Path) -> tuple[str, int, float]:
            stdin.write(f"{path}\n")
            stdin.flush()
            answer = stdout.readline()
            assert answer, f"the reader of {path} has ended"
            return tuple(json.loads(answer))

        try:
            yield measure
        finally:
            stdin.close()


def demand_harmless(measured: tuple[str, int, float], what: str) -> None:
    raised, peak, seconds = measured
    assert raised == "", f"{what}: {raised}"
    assert peak <= MOST_MEMORY, f"{what}: {peak / 1e6:.0f} MB"
    assert seconds <= MOST_SECONDS, f"{what}: {seconds:.1f} s"


def fuzz(number: int, seed: int, directory: Path) -> None:
    mutations = Mutations(seed)
    with reader() as measure:
        for at in range(number):
            ending, content = mutations.make()
            path = directory / f"hostile{ending}"
            path.write_bytes(content)
            demand_harmless(measure(path), f"seed {seed}, file {at} ({path}, which is kept)")


def test_mutated_recordings_do_no_harm(tmp_path: Path) -> None:
    fuzz(FEW, 1, tmp_path)


@pytest.mark.slow
def test_ten_thousand_mutated_recordings_do_no_harm(tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}", flush=True)
    fuzz(MANY, seed, tmp_path)


def changed(**members: object) -> bytes:
    return json.dumps(json.loads(LINE) | members).encode() + b"\n"


def with_row(**members: object) -> bytes:
    found = json.loads(LINE)
    found["caches"][0] |= members
    return json.dumps(found).encode() + b"\n"


def lines_of_changing_rows() -> bytes:
    """Return more than is kept: intervals of more caches than a host has, all of them new each time."""
    rows = tuple(replace(cache(i), aliases=("x" * 1000,) * 4) for i in range(500))
    return b"".join(
        codec.dumps(given := snapshot(*(replace(row, allocs=at + 1) for row in rows)), given.rows).encode() + b"\n"
        for at in range(40)
    )


def older(**members: object) -> bytes:
    """Return a line as the first version wrote it."""
    found = first_version(LINE.decode())
    found["caches"][0] |= members
    return json.dumps(found).encode() + b"\n"


def older_lines() -> bytes:
    """Return intervals of as many caches as a line may have, all of them new each time."""
    found = json.loads(older())
    row = dict.fromkeys(("object_size", "size", "allocs", "bytes"), 0) | {"approximate": False}
    lines = []
    for at in range(5):  # more than are remembered
        numbers = range(at * 16000, (at + 1) * 16000)
        found["caches"] = [row | {"name": f"cache-{n}", "cache": f"{0xFFFF888100000000 + n:#x}"} for n in numbers]
        lines.append(json.dumps(found).encode())
    return b"\n".join(lines) + b"\n"


HOSTILE = {
    "a long address": with_row(address="0x" + "f" * 5000),
    "an address that is longer than a line": with_row(address="0x" + "f" * (17 << 20)),
    "a long key": with_row(cache="x" * (4 << 20)),
    "a key of many digits": with_row(cache="x#" + "9" * (4 << 20)),
    "a long number of an older version": older(cache="0x" + "f" * 5000),
    "older intervals of the most caches": older_lines(),
    "rows that are all wrong": changed(caches=[{name: [] for name in json.loads(LINE)["caches"][0]}] * 16000),
    "one line": b"a" * LARGE,
    "a long line after a good one": LINE + b"a" * LARGE,
    "no character but newlines": LINE + b"\n" * LARGE,
    "zeros": b"\0" * LARGE,
    "many notes": changed(notes=[f"note {number}: why" for number in range(4000)]) * 3,
    "a long note": changed(notes=["x" * (4 << 20)]),
    "many lists": changed(x=[[]] * 2_000_000),
    "many members": changed(x={str(number): 0 for number in range(600_000)}),
    "as many texts as are accepted": changed(x=["ab"] * (MOST_TEXTS - 200)),
    "many texts": changed(x=["ab"] * 1_300_000),
    "as many members as are accepted": changed(x={str(number): 0 for number in range(MOST_MEMBERS - 200)}),
    "a line of wide characters": LINE[:-2] + b',"x":"' + "\U0001f600".encode() + b"a" * (LONGEST_LINE - 4000) + b'"}\n',
    "rates that are no numbers": with_row(growth_objects_s=float("nan"), growth_bytes_h=float("inf")),
    "rates of many digits": with_row(growth_objects_s=10**4000, growth_bytes_h=-(10**4000)),
    "growth of many names": with_row(grows_with=["ab"] * 1_000_000),
    "many inspections": changed(inspections=[{"kind": "callers"}] * 150_000),
    "inspections of one kind": changed(inspections=[json.loads(INSPECTED)["inspections"][0]] * 4),
    "many aliases": with_row(aliases=["ab"] * 1_000_000),
    "wide names": with_row(name="\u540d" * 1_000_000),
    "intervals that have nothing in common": lines_of_changing_rows(),
}


@pytest.mark.parametrize("ending", [".jsonl", ".gz", ".zst"])
@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_recordings_do_no_harm(what: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"hostile{ending}"
    pack = {".gz": lambda data: gzip.compress(data, 1), ".zst": zstandard.compress}.get(ending, bytes)
    path.write_bytes(pack(HOSTILE[what]))
    with reader() as measure:
        demand_harmless(measure(path), what)


def test_a_window_that_no_recording_needs_is_refused(tmp_path: Path) -> None:
    """A reader has to have the memory for it, whatever the file holds."""
    path = tmp_path / "hostile.zst"
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    frame = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    path.write_bytes(frame.compress(LINE) + frame.flush())
    with reader() as measure:
        demand_harmless(measure(path), "a window of 128 MiB")


GROUP = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + "0" * 36 + ".slice/cri-" + "0" * 64
AMOUNTS = {"total_allocs": 2000, "total_bytes": 128_000, "allocs": 1000, "bytes": 64_000}
FRAMES = tuple(f"a_function_of_usual_length_{at}" for at in range(12))


def large_host(cmdline: str) -> Snapshot:
    """Return what a host has: the table's 4096 caches, and an inspection with each of its rows."""
    processes = tuple(
        InspectionRow(pid=4_000_000 + at, comm="kube-controller", cmdline=cmdline, cgroup=GROUP, **AMOUNTS)
        for at in range(16384)
    )
    stacks = tuple(replace(row, frames=FRAMES) for row in processes)
    found = (Inspection(key(1), InspectionKind.PROCESSES, rows=processes),)
    return snapshot(
        *(replace(row, growth_objects_s=0.125, growing=True) for row in caches(4096)),
        inspections=(*found, Inspection(key(1), InspectionKind.STACKS, lost=5, rows=stacks)),
    )


def test_what_a_large_host_records_is_read(tmp_path: Path) -> None:
    """A process in the control group of a container for each row of an inspection."""
    given = large_host("/usr/bin/kube-controller --v=2")
    given = replace(given, inspections=given.inspections[:1])
    (found,) = read(record(tmp_path / "large.jsonl", [given]))
    assert found.inspections == given.inspections
    with reader() as measure:
        demand_harmless(measure(tmp_path / "large.jsonl"), "a large host")


def test_an_inspection_that_is_too_large_to_be_read_is_recorded_as_its_first_rows(tmp_path: Path) -> None:
    given = large_host("/usr/bin/kube-controller " + "--an-option=value " * 20)
    (found,) = read(record(tmp_path / "large.jsonl", [given]))
    assert len(found.rows) == 4096
    for kept, whole in zip(found.inspections, given.inspections, strict=True):
        assert kept.rows == whole.rows[: len(kept.rows)]
        assert 1000 < len(kept.rows) < len(whole.rows)
        assert kept.total_allocs + kept.lost == whole.total_allocs + whole.lost
    with reader() as measure:
        demand_harmless(measure(tmp_path / "large.jsonl"), "a large inspection")
