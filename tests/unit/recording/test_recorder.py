"""The recorder: the content of the file, faults of the disk, and that nothing else waits for the disk."""

import errno
import gzip
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from io import FileIO
from pathlib import Path

import pytest
import zstandard

from slabtui.errors import SlabtuiError, Status
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow
from slabtui.queues import ProducerDiedError
from slabtui.recording.reader import read
from slabtui.recording.recorder import Recorder
from slabtui.recording.sink import create
from tests.support.fakes import cache, key, snapshot
from tests.support.recordings import lines, live, record, snapshots

ENDINGS = ["", ".gz", ".zst"]
MAGIC = {"": b'{"schema"', ".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd"}
CUT = "the recording is cut short here"

# Records into a file that cannot grow beyond 4 KiB; prints the result.
FULL_DISK = """
import json, random, resource, signal, sys
from pathlib import Path
from slabtui.recording.recorder import Recorder
from slabtui.recording.sink import create
from tests.support.fakes import cache, snapshot

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
chance = random.Random(0)
path = Path(sys.argv[1])
recorder = Recorder(create(path))
for at in range(100):
    recorder.queue.put(snapshot(cache(1, chance.randbytes(40).hex()), time=1000.0 + at))
recorder.close()
print(json.dumps([recorder.failure, recorder.notes(), path.stat().st_size]))
"""


class Hanging:
    """A file whose disk takes nothing until a test lets it."""

    def __init__(self, recorder: Recorder) -> None:
        self._file = recorder._sink._file
        self.writes = threading.Event()
        self.answers = threading.Event()
        recorder._sink._file = self

    def write(self, data: bytes) -> int:
        self.writes.set()
        self.answers.wait(60)
        return self._file.write(data)

    def close(self) -> None:
        self._file.close()


class Full:
    """A file on a disk without room."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self.fileno, self.close = file.fileno, file.close

    def write(self, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_recorded_is_read_back(tmp_path: Path, ending: str) -> None:
    given = snapshots(5)
    path = record(tmp_path / f"a{ending}", given)
    assert list(read(path)) == given
    assert path.read_bytes().startswith(MAGIC[ending])


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_snapshot_can_be_read_before_the_recording_is_closed(tmp_path: Path, ending: str) -> None:
    given = snapshots(3)
    path = tmp_path / f"a{ending}"
    recorder = Recorder(create(path))
    for number, each in enumerate(given, 1):
        size = path.stat().st_size
        recorder.queue.put(live(each))
        wait_until(lambda size=size: path.stat().st_size > size)
        found = list(read(path))
        assert [one.time for one in found] == [one.time for one in given[:number]]
    recorder.close()


def test_a_plain_recording_is_lines_of_the_schema(tmp_path: Path) -> None:
    given = snapshots(3)
    assert record(tmp_path / "a.jsonl", given).read_bytes() == lines(map(live, given))


def test_compressed_recordings_are_those_of_the_usual_tools(tmp_path: Path) -> None:
    plain = record(tmp_path / "a", snapshots(3)).read_bytes()
    assert gzip.decompress(record(tmp_path / "a.gz", snapshots(3)).read_bytes()) == plain
    packed = record(tmp_path / "a.zst", snapshots(3)).read_bytes()
    assert zstandard.ZstdDecompressor().decompressobj().decompress(packed) == plain


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_that_exists_is_refused_and_untouched(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    path.write_bytes(b"mine")
    with pytest.raises(SlabtuiError) as caught:
        Recorder(create(path))
    assert str(caught.value) == f"cannot record to {path} (File exists): name a new file"
    assert caught.value.status == Status.USAGE
    assert path.read_bytes() == b"mine"


def test_a_link_to_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    with pytest.raises(SlabtuiError, match="File exists"):
        Recorder(create(tmp_path / "a"))
    assert not (tmp_path / "b").exists()


def test_a_directory_that_does_not_exist_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "a.gz"
    with pytest.raises(SlabtuiError) as caught:
        Recorder(create(path))
    assert str(caught.value) == (
        f"cannot record to {path} (No such file or directory): create its directory first, with mkdir -p"
    )
    assert caught.value.status == Status.USAGE


@pytest.mark.parametrize("ending", ENDINGS)
def test_only_its_owner_can_read_a_recording(tmp_path: Path, ending: str) -> None:
    before = os.umask(0)
    try:
        path = record(tmp_path / f"a{ending}", snapshots(1))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_snapshot_is_concealed_before_it_is_recorded(tmp_path: Path) -> None:
    recorder = Recorder(create(tmp_path / "a"), lambda one: replace(one, rows=(), notes=("concealed",)))
    recorder.queue.put(snapshot(cache(1)))
    recorder.close()
    (found,) = read(tmp_path / "a")
    assert (found.rows, found.notes) == ((), ("concealed",))


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_full_disk_ends_the_recording_and_not_the_program(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    ended = subprocess.run(
        [sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, check=False, timeout=20
    )
    assert ended.stderr == ""
    assert json.loads(ended.stdout) == ["File too large", ["recording stopped: File too large"], path.stat().st_size]
    assert path.stat().st_size <= 4096
    found = list(read(path))
    assert len(found) > 1
    assert [each.time for each in found] == [1000.0 + at for at in range(len(found))]
    assert {each.notes for each in found} <= {(), (CUT,)}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_of_which_no_interval_could_be_written_is_removed_but_not_another_one_of_its_name(
    tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"a{ending}"
    for is_replaced in (False, True):
        recorder = Recorder(create(path))
        recorder._sink._file = Full(recorder._sink._file)
        if is_replaced:
            path.rename(tmp_path / "mine")
            path.write_bytes(b"mine")
        recorder.queue.put(snapshot(cache(1)))
        recorder.close()
        assert recorder.failure == "No space left on device"
        assert (recorder.is_empty, recorder.is_disk_full) == (True, True)
        assert path.exists() == is_replaced
    assert path.read_bytes() == b"mine"


def test_an_inspection_is_recorded(tmp_path: Path) -> None:
    row = InspectionRow(frames=("d_alloc+0x2a",), allocs=1, bytes=64, total_allocs=1, total_bytes=64)
    inspection = Inspection(key(1, "dentry"), InspectionKind.CALLERS, rows=(row,))
    given = [replace(one, inspections=(inspection,)) for one in snapshots(2)]
    assert list(read(record(tmp_path / "a", given))) == given


def test_a_disk_that_hangs_holds_nothing_up_and_what_came_meanwhile_is_merged(tmp_path: Path) -> None:
    recorder = Recorder(create(tmp_path / "a"))
    disk = Hanging(recorder)
    recorder.queue.put(snapshot(cache(1, allocs=1)))
    assert disk.writes.wait(20)
    began = time.monotonic()
    for _ in range(1000):
        recorder.queue.put(snapshot(cache(1, allocs=1)))
    assert time.monotonic() - began < 5
    assert recorder.notes() == ("the disk is too slow for the recording: its intervals become longer",)
    assert recorder.failure is None
    disk.answers.set()
    wait_until(lambda: recorder.notes() == ())
    recorder.close()
    recorder._thread.join(20)
    found = list(read(tmp_path / "a"))
    assert sum(one.allocs for one in found) == sum(one.elapsed for one in found) == 1001
    assert len(found) == 101
    assert found[-1].elapsed == 901


def test_the_way_out_does_not_wait_for_a_disk_that_hangs(tmp_path: Path) -> None:
    recorder = Recorder(create(tmp_path / "a"))
    disk = Hanging(recorder)
    recorder.queue.put(snapshot(cache(1)))
    assert disk.writes.wait(20)
    began = time.monotonic()
    recorder.close()
    assert 0.4 < time.monotonic() - began < 1
    assert recorder.failure == "the disk takes nothing"
    disk.answers.set()


def test_what_waits_is_recorded_on_the_way_out(tmp_path: Path) -> None:
    recorder = Recorder(create(tmp_path / "a"))
    for each in snapshots(50):
        recorder.queue.put(each)
    recorder.close()
    assert list(read(tmp_path / "a")) == snapshots(50)


def test_a_slow_disk_gets_what_is_left_as_one_interval(tmp_path: Path) -> None:
    recorder = Recorder(create(tmp_path / "a.jsonl"))
    write = recorder._sink._put
    recorder._sink._put = lambda data: (time.sleep(0.04), write(data))  # a snapshot takes two writes: 50 would take 4 s
    for number in range(50):
        recorder.queue.put(snapshot(cache(1, allocs=number)))
    recorder.close()
    recorded = list(read(tmp_path / "a.jsonl"))
    assert recorder.failure is None
    assert sum(one.allocs for one in recorded) == sum(range(50))
    assert sum(one.elapsed for one in recorded) == 50
    assert len(recorded) < 50


def test_a_recording_ends_with_its_producer_however_that_ends(tmp_path: Path) -> None:
    recorder = Recorder(create(tmp_path / "a"))
    recorder.queue.put(snapshots(1)[0])
    recorder.queue.close(ProducerDiedError("a bug"))
    recorder._thread.join(20)
    recorder.close()
    assert recorder.failure is None
    assert list(read(tmp_path / "a")) == snapshots(1)


def test_a_fault_in_the_recorder_is_reported_and_ends_nothing_else(tmp_path: Path) -> None:
    def fail(_: object) -> None:
        raise ValueError("a bug")

    recorder = Recorder(create(tmp_path / "a"), fail)
    recorder.queue.put(snapshot(cache(1)))
    wait_until(lambda: recorder.notes() == ("recording stopped: a bug",))
    recorder.queue.put(snapshot(cache(1)))
    recorder.close()
    assert recorder.failure == "a bug"


def test_both_threads_give_up_their_privileges_before_anything_is_recorded(tmp_path: Path) -> None:
    threads = []
    recorder = Recorder(create(tmp_path / "a"), opened=lambda: threads.append(threading.current_thread().name))
    assert threads == ["recorder", "MainThread"]
    recorder.close()


@pytest.mark.parametrize("module", ["cli", "views.app", "recording.recorder", "outputs.formats"])
def test_the_library_that_reads_recordings_is_not_imported_where_none_is_read(module: str) -> None:
    """It takes 20 ms and 5 MB."""
    code = f"import sys, slabtui.{module}; sys.exit('cattrs' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
