"""The flight recorder: segments, their bounds, what a kill at any step leaves, and a full disk."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path

import pytest

from slabtui.errors import SlabtuiError, Status
from slabtui.model.snapshot import Snapshot
from slabtui.recording import index, moments, segments
from slabtui.recording.flight import DirectorySink
from slabtui.recording.limits import Limits
from slabtui.recording.tape import Tape
from tests.support import flight
from tests.support.flight import BEGIN, as_replayed, day, record_until_killed, replayed

MINUTE = Limits(segment=60)


def record(directory: Path, snapshots: "Iterator[Snapshot] | list[Snapshot]", limits: Limits | None = None) -> None:
    sink = DirectorySink(directory, limits)
    for one in snapshots:
        sink.write(one)
    sink.close()


def test_what_is_recorded_is_replayed_across_segments(tmp_path: Path) -> None:
    given = list(day(20, 100))
    record(tmp_path / "a", given, MINUTE)
    assert replayed(tmp_path / "a") == as_replayed(given)
    names = segments.names(tmp_path / "a")
    assert len(names) == 18  # 1000 s, the first of which is 20 s before a whole minute
    assert names == sorted(names)
    assert names[0] == "slabtui-20250615T150650.000Z.jsonl.zst"


def test_a_segment_ends_with_a_whole_multiple_of_its_time(tmp_path: Path) -> None:
    record(tmp_path, day(3, 30), MINUTE)
    begins = [segments.time_of(name) for name in segments.names(tmp_path)]
    assert [begin % 60 for begin in begins[1:] if begin is not None] == [0.0] * (len(begins) - 1)


def test_what_is_too_old_is_dropped(tmp_path: Path) -> None:
    given = list(day(3, 100))
    record(tmp_path, given, Limits(segment=60, keep=180))
    found = replayed(tmp_path)
    assert found == as_replayed(given)[-len(found) :]
    assert 180 <= found[-1].time - found[0].time <= 180 + 2 * 60


def test_a_recording_stays_within_its_size_and_leaves_other_files_alone(tmp_path: Path) -> None:
    foreign = ["slabtui-20250101T000000.000Z.jsonl.zst.bak", "slabtui-99999999T000000.000Z.jsonl.zst", "a.jsonl.zst"]
    for name in foreign:
        (tmp_path / name).write_bytes(b"mine")
    given = list(day(50, 150))
    record(tmp_path, given, Limits(segment=60, size=25_000))
    found = replayed(tmp_path)
    assert found == as_replayed(given)[-len(found) :]
    size = sum((tmp_path / name).stat().st_size for name in segments.names(tmp_path))
    assert 12_000 < size <= 28_000
    assert [(tmp_path / name).read_bytes() for name in foreign] == [b"mine"] * 3


def test_a_run_continues_the_directory_of_the_one_before(tmp_path: Path) -> None:
    first, second = list(day(5, 20)), list(day(5, 20, begin=BEGIN + 1000))
    record(tmp_path, first, Limits(segment=60, keep=800))
    record(tmp_path, second, Limits(segment=60, keep=800))
    assert replayed(tmp_path)[-20:] == as_replayed(second)
    assert len(replayed(tmp_path)) < 40


def test_a_clock_that_is_set_back_loses_no_interval(tmp_path: Path) -> None:
    given = list(day(5, 20))
    back = [*given[:10], *(replace(one, time=one.time - 1000) for one in given[10:])]
    record(tmp_path, back, MINUTE)
    assert replayed(tmp_path) == as_replayed(back)


def test_two_recorders_do_not_write_to_one_directory(tmp_path: Path) -> None:
    first = DirectorySink(tmp_path)
    with pytest.raises(SlabtuiError) as caught:
        DirectorySink(tmp_path)
    assert str(caught.value) == f"another slabtui records to {tmp_path}: stop it, or name another directory"
    first.close()
    DirectorySink(tmp_path).close()


@pytest.mark.parametrize(("below", "why"), [("a/b", "No such file or directory"), ("file", "File exists")])
def test_a_directory_that_cannot_be_used_is_one_line(tmp_path: Path, below: str, why: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SlabtuiError) as caught:
        DirectorySink(tmp_path / below)
    assert str(caught.value).startswith(f"cannot record to {tmp_path / below} ({why}): ")
    assert caught.value.status == Status.USAGE


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        record(tmp_path / "a", day(2, 2))
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "a").iterdir()} == {0o600}


def test_a_new_segment_begins_on_request(tmp_path: Path) -> None:
    sink = DirectorySink(tmp_path)
    for one in day(2, 4):
        sink.write(one)
        sink.renew()
    sink.close()
    assert len(segments.names(tmp_path)) == 4


def test_every_interval_can_be_read_before_its_segment_ends(tmp_path: Path) -> None:
    sink, given = DirectorySink(tmp_path), list(day(5, 5))
    for number, one in enumerate(given, 1):
        sink.write(one)
        assert replayed(tmp_path) == as_replayed(given[:number])
    sink.close()


@pytest.mark.parametrize("index_is", ["kept", "missing", "torn", "of another directory", "no index", "wrong"])
def test_any_moment_is_found_with_or_without_the_index(
    tmp_path: Path, index_is: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flight.flight, "FRAME_TEXT", 4000)
    given = list(day(10, 60))
    record(tmp_path, given, Limits(segment=300))
    whole = index.load(tmp_path)
    assert len(whole) > 1
    assert max(len(summary.frames) for summary in whole.values()) > 2
    file = tmp_path / index.FILE
    wrong = {name: {**asdict(summary), "frames": [[7, 0]]} for name, summary in whole.items()}
    damages: dict[str, Callable[[], object]] = {
        "kept": lambda: None,
        "missing": file.unlink,
        "torn": lambda: os.truncate(file, file.stat().st_size // 2),
        "of another directory": lambda: index.save(tmp_path, {f"x{name}": one for name, one in whole.items()}),
        "wrong": lambda: file.write_text(json.dumps({"schema": "slabtui-index/1", "segments": wrong})),
        "no index": lambda: file.write_text('{"schema":"slabtui-index/1","segments":{"a":[],"b":{"frames":1}}}'),
    }
    damages[index_is]()
    for one in given[::7]:
        found = Tape([tmp_path]).read(at(one.time), at(one.time + 15))
        assert [each.time for each in found] == [each.time for each in given if one.time <= each.time <= one.time + 15]


def test_an_index_is_made_again_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flight.flight, "FRAME_TEXT", 4000)
    record(tmp_path, day(10, 60), Limits(segment=300))
    whole = index.load(tmp_path)
    (tmp_path / index.FILE).unlink()
    DirectorySink(tmp_path).close()
    assert index.load(tmp_path) == {}  # nothing was written
    record(tmp_path, day(10, 1, begin=BEGIN + 1000), Limits(segment=300))
    again = index.load(tmp_path)
    assert {name: again[name] for name in whole} == whole


@pytest.mark.parametrize("stride", [61, pytest.param(1, marks=pytest.mark.slow)])
def test_a_kill_at_any_step_loses_at_most_the_interval_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stride: int
) -> None:
    """Rotation, new frames, the index and dropping by size are among the steps."""
    monkeypatch.setattr(flight.flight, "FRAME_TEXT", 3000)
    given = list(day(4, 30))
    later = list(day(4, 2, begin=BEGIN + 10_000))
    limits = Limits(segment=60, size=4000)
    for step in count(1, stride):
        directory = tmp_path / str(step)
        written, is_killed = record_until_killed(directory, given, limits, step)
        found = []
        with suppress(SlabtuiError):
            found = [one.time for one in replayed(directory)]
        last = written + (len(found) > 0 and given[written:] != [] and found[-1] == given[written].time)
        assert found == [one.time for one in given[last - len(found) : last]], step
        assert len(found) >= min(written, 3), step
        record(directory, later, limits)
        after = [one.time for one in replayed(directory)]
        assert after[-2:] == [one.time for one in later], step
        assert after[:-2] == found[len(found) - len(after[:-2]) :], step
        if not is_killed:
            assert written == len(given)
            assert step > 150
            break


def at(time: float) -> moments.Date:
    return moments.Date(time)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
def test_a_full_disk_costs_the_oldest_segments_and_no_count(tmp_path: Path) -> None:
    """One of 64 KiB: first with room for segments, then filled by another file, then with room again."""
    script = (
        f"mount -t tmpfs -o size=64k none {tmp_path} && exec {sys.executable} -m tests.support.full_disk {tmp_path}"
    )
    command = ["unshare", "--mount", "sh", "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.stderr == ""
    found = json.loads(ended.stdout)
    assert found["dropped"] > 0
    assert found["trouble"][0] == ""
    assert found["trouble"][1].startswith("nothing can be recorded now (No space left on device): ")
    assert found["trouble"][2] == ""
    assert found["longest"] > 10
    assert found["gaps"] == []
    assert found["allocs"] == found["expected"]
