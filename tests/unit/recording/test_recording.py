"""Recordings: written as they come, read back whatever happened to them, played at a pace."""

import gzip
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slabtui.errors import SlabtuiError, Status
from slabtui.feed import FeedEndedError, Snapshots
from slabtui.model.inspection import Inspection, InspectionRow, Kind, Request
from slabtui.model.snapshot import Origin, Snapshot
from slabtui.recording import codec
from slabtui.recording.recording import FASTEST, SLOWEST, Player, Recorded, Recorder, read
from tests.support.fakes import cache, snapshot

ENDINGS = ["", ".gz", ".zst"]
MAGIC = {"": b'{"schema"', ".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd"}
PACK = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}
CUT = "the recording is cut short here"

# Records into a file that cannot grow beyond 4 KiB, first as it is, then as a feed; prints what became of it.
FULL_DISK = """
import json, random, resource, signal, sys
from pathlib import Path
from slabtui.recording.recording import Recorded, Recorder
from tests.support.fakes import cache, snapshot
from tests.unit.recording.test_recording import Given

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
chance = random.Random(0)
path = Path(sys.argv[1])
recorder = Recorder(path)
taken = [snapshot(cache(1, chance.randbytes(40).hex()), time=1000.0 + at, notes=("own",)) for at in range(100)]
feed = Recorded(Given(taken), recorder)
notes = [feed.take().notes for _ in taken]
size = path.stat().st_size
recorder.write(taken[0])
failure = recorder.failure
recorder.close()
print(json.dumps([failure, notes, size, path.stat().st_size, recorder.failure]))
"""


class Given(Snapshots):
    """A feed of these snapshots, which also tells what was asked of it."""

    def __init__(self, given: Iterable[Snapshot | None]) -> None:
        self._given = iter(given)
        self.asked: list[str | Request] = []

    def start(self) -> None:
        self.asked.append("start")

    def stop(self) -> None:
        self.asked.append("stop")

    def hurry(self) -> None:
        self.asked.append("hurry")

    def finish(self) -> None:
        self.asked.append("finish")

    def watch(self, wanted: Request) -> None:
        self.asked.append(wanted)

    def take(self, timeout: float | None = 0) -> Snapshot | None:
        self.asked.append(f"take {timeout}")
        return next(self._given)


def snapshots(number: int, elapsed: float = 1.0) -> list[Snapshot]:
    """Return so many snapshots as a recording gives them."""
    return [
        replace(
            snapshot(cache(1, "a", allocs=at), cache(2, "b", size=None), time=1000.0 + at, lost=None, notes=("own",)),
            elapsed=elapsed,
            origin=Origin("replay", "host", "6.1"),
        )
        for at in range(number)
    ]


def record(path: Path, given: Iterable[Snapshot]) -> Path:
    recorder = Recorder(path)
    for each in given:
        recorder.write(replace(each, origin=replace(each.origin, source="live")))
    recorder.close()
    assert recorder.failure is None
    return path


def lines(given: Iterable[Snapshot]) -> bytes:
    return b"".join(codec.dumps(each, each.rows).encode() + b"\n" for each in given)


def demand_one_line(error: SlabtuiError, path: Path) -> None:
    """Demand that an error is short, harmless to print, names the recording and says what to do."""
    assert str(error).isprintable()
    assert len(str(error)) < 300 + len(str(path))
    assert str(path) in str(error)
    assert str(error).endswith(": name a file that --record has written")
    assert error.status == Status.FAILED


def refusal(path: Path) -> str:
    """Return why a recording cannot be read to its end."""
    with pytest.raises(SlabtuiError) as caught:
        list(read(path))
    demand_one_line(caught.value, path)
    return str(caught.value)


def is_start_of(found: list[Snapshot], whole: list[Snapshot]) -> bool:
    """Tell whether these are the first of a recording; the last may say that it was cut."""
    uncut = [replace(each, notes=tuple(note for note in each.notes if note != CUT)) for each in found]
    assert not [each for each in found[:-1] if CUT in each.notes]
    return len(found) > 0 and uncut == whole[: len(found)]


@contextmanager
def playing(path: Path, paced: bool = True) -> Iterator[Player]:
    player = Player(path, paced)
    player.start()
    try:
        yield player
    finally:
        player.stop()
        assert not player._thread.is_alive()  # stop() waits for it, but not for as long as it may sleep


def rest(player: Player, pause: float = 0) -> list[Snapshot]:
    """Take what is left, with a pause before each, until the recording is at its end."""
    found = []
    try:
        while (taken := player.take(timeout=10)) is not None:
            found.append(taken)
            time.sleep(pause)
    except FeedEndedError:
        return found
    raise AssertionError("it neither goes on nor ends")


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_recorded_is_read_back(tmp_path: Path, ending: str) -> None:
    given = snapshots(5)
    path = record(tmp_path / f"a{ending}", given)
    assert list(read(path)) == given
    assert path.read_bytes().startswith(MAGIC[ending])


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_recording_is_told_by_what_is_in_it_whatever_its_name(tmp_path: Path, ending: str) -> None:
    given = snapshots(2)
    path = record(tmp_path / f"a{ending}", given).rename(tmp_path / "b.gz")
    assert list(read(path)) == given


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_snapshot_can_be_read_before_the_recording_is_closed(tmp_path: Path, ending: str) -> None:
    given = snapshots(3)
    path = tmp_path / f"a{ending}"
    recorder = Recorder(path)
    for number, each in enumerate(given, 1):
        recorder.write(each)
        recorder._writer.put(lambda: None).wait(20)  # a busy disk may take longer than write() waits
        found = list(read(path))
        assert len(found) == number
        assert is_start_of(found, given)
    recorder.close()


def test_a_plain_recording_is_lines_of_the_schema(tmp_path: Path) -> None:
    given = snapshots(3)
    live = [replace(each, origin=replace(each.origin, source="live")) for each in given]
    assert record(tmp_path / "a.jsonl", given).read_bytes() == lines(live)


def test_compressed_recordings_are_those_of_the_usual_tools(tmp_path: Path) -> None:
    plain = record(tmp_path / "a", snapshots(3)).read_bytes()
    assert gzip.decompress(record(tmp_path / "a.gz", snapshots(3)).read_bytes()) == plain
    packed = record(tmp_path / "a.zst", snapshots(3)).read_bytes()
    assert zstandard.ZstdDecompressor().decompressobj().decompress(packed) == plain


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_recordings_that_were_joined_are_read_as_one(tmp_path: Path, pack: "type[bytes]") -> None:
    given = snapshots(4)
    (tmp_path / "a").write_bytes(pack(lines(given[:1])) + pack(lines(given[1:])))
    assert list(read(tmp_path / "a")) == given


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_that_exists_is_refused_and_untouched(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    path.write_bytes(b"mine")
    with pytest.raises(SlabtuiError) as caught:
        Recorder(path)
    assert str(caught.value) == f"cannot record to {path} (File exists): name a new file"
    assert caught.value.status == Status.USAGE
    assert path.read_bytes() == b"mine"


def test_a_link_to_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    with pytest.raises(SlabtuiError, match="File exists"):
        Recorder(tmp_path / "a")
    assert not (tmp_path / "b").exists()


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "a.gz"
    with pytest.raises(SlabtuiError) as caught:
        Recorder(path)
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
    recorder = Recorder(tmp_path / "a", lambda one: replace(one, rows=(), notes=("concealed",)))
    recorder.write(snapshot(cache(1)))
    recorder.close()
    (found,) = read(tmp_path / "a")
    assert (found.rows, found.notes) == ((), ("concealed",))


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_recording_cut_anywhere_is_read_as_far_as_it_goes(tmp_path: Path, ending: str) -> None:
    given = snapshots(3)
    whole = record(tmp_path / f"a{ending}", given).read_bytes()
    path = tmp_path / "cut"
    most = 0
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        try:
            found = list(read(path))
        except SlabtuiError as error:
            demand_one_line(error, path)
            assert most == 0
            continue
        assert is_start_of(found, given)
        assert len(found) >= most >= len(found) - 1  # a byte more never gives less
        most = len(found)
    assert most == 3


def test_a_line_without_its_end_is_left_out_and_the_one_before_says_so(tmp_path: Path) -> None:
    given = snapshots(2)
    (tmp_path / "a").write_bytes(lines(given)[:-2])
    assert list(read(tmp_path / "a")) == [replace(given[0], notes=("own", CUT))]


def test_a_last_line_that_lacks_only_its_newline_is_whole(tmp_path: Path) -> None:
    given = snapshots(2)
    (tmp_path / "a").write_bytes(lines(given)[:-1])
    assert list(read(tmp_path / "a")) == given


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("corrupt", [b"\n", b"{}\n", b"\xff\xfe\n", b'{"schema":"slabtui/1"}\n', b"null\n"])
def test_a_corrupt_line_is_named_after_what_came_before_it(tmp_path: Path, ending: str, corrupt: bytes) -> None:
    given = snapshots(3)
    path = tmp_path / "a"
    path.write_bytes(PACK[ending](lines(given[:2]) + corrupt + lines(given[2:])))
    assert f"{path}, line 3: " in refusal(path)
    found = read(path)
    assert [next(found), next(found)] == given[:2]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_recording_of_a_later_schema_is_told_from_its_first_line(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(PACK[ending](lines(snapshots(2)).replace(b"slabtui/1", b"slabtui/2")))
    assert f"{path}, line 1: schema 'slabtui/2', and this slabtui knows slabtui/1" in refusal(path)


def test_damage_within_a_compressed_recording_is_told_or_ends_it(tmp_path: Path) -> None:
    given = snapshots(3)
    whole = bytearray(gzip.compress(lines(given)))
    whole[-8] ^= 1  # of its checksum
    (tmp_path / "a").write_bytes(whole)
    found = read(tmp_path / "a")
    assert [next(found), next(found), next(found)] == given
    with pytest.raises(SlabtuiError, match="CRC check failed"):
        next(found)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_recording_of_nothing_is_told(tmp_path: Path, ending: str) -> None:
    assert "has no snapshot in it" in refusal(record(tmp_path / f"a{ending}", []))


@pytest.mark.parametrize(
    "content",
    [
        b"\n",
        b"\0" * 4096,
        b"slabtui\n",
        b'{"caches":[]}\n',
        b"[" * 100000,
        b"\x1f\x8b",
        b"\x1f\x8bno gzip at all",
        b"\x28\xb5\x2f\xfd",
        b"\x28\xb5\x2f\xfdno zstd at all",
        random.Random(0).randbytes(4096),
        Path(sys.executable).read_bytes()[:100000],
    ],
    ids=range(11),
)
def test_a_file_that_is_no_recording_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    refusal(path)
    with pytest.raises(SlabtuiError):
        Player(path, paced=False)


def test_an_empty_file_a_directory_and_none_at_all_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert "has no snapshot in it" in refusal(tmp_path / "a")
    assert "(Is a directory)" in refusal(tmp_path)
    assert "(No such file or directory)" in refusal(tmp_path / "b")
    with pytest.raises(SlabtuiError):
        Player(tmp_path / "a", paced=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([b"", *MAGIC.values()]), st.binary(max_size=200))
def test_no_bytes_break_the_reader(tmp_path: Path, start: bytes, content: bytes) -> None:
    (tmp_path / "a").write_bytes(start + content)
    with pytest.raises(SlabtuiError):
        list(read(tmp_path / "a"))


@pytest.mark.parametrize("ending", ENDINGS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=4)), min_size=1, max_size=3))
def test_no_change_to_a_recording_breaks_the_reader(
    tmp_path: Path, ending: str, changes: list[tuple[int, bytes]]
) -> None:
    whole = bytearray(PACK[ending](lines(snapshots(3))))
    for at, put in changes:
        at %= len(whole)  # noqa: PLW2901
        whole[at : at + 1] = put
    (tmp_path / "a").write_bytes(whole)
    try:
        found = list(read(tmp_path / "a"))
    except SlabtuiError as error:
        demand_one_line(error, tmp_path / "a")
    else:
        assert 1 <= len(found) <= 4


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_full_disk_ends_the_recording_and_not_the_program(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    ended = subprocess.run(
        [sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, check=False, timeout=20
    )
    assert ended.stderr == ""
    failure, notes, size, size_after, failure_after = json.loads(ended.stdout)
    assert failure == failure_after == "File too large"
    assert size == size_after <= 4096
    written = notes.index(["own", "recording stopped: File too large"])
    assert written > 1
    assert notes == [["own"]] * written + [["own", "recording stopped: File too large"]] * (100 - written)

    found = list(read(path))
    assert written <= len(found) <= written + 1
    assert [each.time for each in found] == [1000.0 + at for at in range(len(found))]
    assert {each.notes for each in found} <= {("own",), ("own", CUT)}


def test_what_is_taken_is_recorded_and_passed_on(tmp_path: Path) -> None:
    given = snapshots(3)
    feed = Given([given[0], None, *given[1:]])
    recorder = Recorder(tmp_path / "a")
    recorded = Recorded(feed, recorder)
    recorded.start()
    recorded.hurry()
    assert [recorded.take(), recorded.take(timeout=None), recorded.take(timeout=1), recorded.take()] == [
        given[0],
        None,
        *given[1:],
    ]
    recorded.stop()
    stopped = ["finish", "take 0.5", "stop"]  # what the interval has come to is recorded too
    assert feed.asked == ["start", "hurry", "take 0", "take None", "take 1", "take 0", *stopped]
    recorder.close()
    assert list(read(tmp_path / "a")) == given


def test_a_signal_while_it_stops_does_not_leave_the_feed_running(tmp_path: Path) -> None:
    class Interrupted(Given):
        def take(self, timeout: float | None = 0) -> Snapshot | None:
            super().take(timeout)
            raise SystemExit(143)

    feed, recorder = Interrupted(snapshots(1)), Recorder(tmp_path / "a")
    recorded = Recorded(feed, recorder)
    with pytest.raises(SystemExit):
        recorded.stop()
    recorded.stop()
    recorder.close()
    assert feed.asked == ["finish", "take 0.5", "stop"]


def test_what_is_watched_is_counted_by_the_feed_and_recorded(tmp_path: Path) -> None:
    look = Inspection("dentry", Kind.CALLERS, entries=(InspectionRow(1, 64, 1, 64, frames=("d_alloc+0x2a",)),))
    given = [replace(one, detail=look) for one in snapshots(2)]
    feed, recorder = Given(given), Recorder(tmp_path / "a")
    recorded = Recorded(feed, recorder)
    recorded.watch(Request(cache=7, kind=Kind.CALLERS))
    assert [recorded.take(), recorded.take()] == given
    recorder.close()
    assert feed.asked[0] == Request(cache=7, kind=Kind.CALLERS)
    assert list(read(tmp_path / "a")) == given


def test_a_recording_shows_what_it_has_whatever_one_would_watch(tmp_path: Path) -> None:
    given = snapshots(3)
    with playing(record(tmp_path / "a", given), paced=False) as player:
        player.watch(Request(frees=True, cache="dentry", kind=Kind.STACKS))
        assert rest(player) == given


@pytest.mark.parametrize("ending", ENDINGS)
def test_unpaced_a_slow_consumer_gets_every_snapshot_in_order(tmp_path: Path, ending: str) -> None:
    given = snapshots(20, elapsed=3600.0)
    with playing(record(tmp_path / f"a{ending}", given), paced=False) as player:
        assert rest(player, pause=0.005) == given


def test_whoever_waits_is_told_of_every_snapshot_and_of_the_end(tmp_path: Path) -> None:
    told = []
    player = Player(record(tmp_path / "a", snapshots(3)), paced=False, notify=lambda: told.append(1))
    player.start()
    assert len(rest(player)) == 3
    player.stop()
    assert len(told) == 4


@pytest.mark.parametrize("speed", [1, 2, 0.5])
def test_paced_it_is_no_faster_than_it_was_recorded_at_that_speed(tmp_path: Path, speed: float) -> None:
    given = snapshots(4, elapsed=0.1)
    player = Player(record(tmp_path / "a", given), paced=True)
    {1: lambda: None, 2: player.faster, 0.5: player.slower}[speed]()
    assert player.speed == speed
    began = time.monotonic()
    player.start()
    assert player.take(timeout=10) == given[0]
    for at in (1, 2, 3):
        assert player.take(timeout=10) == given[at]
        assert time.monotonic() - began >= at * 0.1 / speed
    assert rest(player) == []
    player.stop()


def test_the_first_snapshot_does_not_wait(tmp_path: Path) -> None:
    given = snapshots(2, elapsed=3600.0)
    with playing(record(tmp_path / "a", given)) as player:
        assert player.take(timeout=5) == given[0]


def test_a_new_speed_takes_hold_within_an_interval(tmp_path: Path) -> None:
    given = snapshots(2, elapsed=6.4)
    with playing(record(tmp_path / "a", given)) as player:
        assert player.take(timeout=10) == given[0]
        time.sleep(0.05)
        for _ in range(6):
            player.faster()
        began = time.monotonic()
        assert player.take(timeout=10) == given[1]
        assert time.monotonic() - began < 1


def test_the_speed_stays_within_bounds(tmp_path: Path) -> None:
    player = Player(record(tmp_path / "a", snapshots(1)), paced=True)
    assert player.speed == 1
    for _ in range(20):
        player.faster()
    assert player.speed == FASTEST == 64
    for _ in range(20):
        player.slower()
    assert player.speed == SLOWEST == 1 / 16


@pytest.mark.parametrize("elapsed", [0.0, 0.05])
def test_held_it_goes_step_by_step_and_then_on(tmp_path: Path, elapsed: float) -> None:
    given = snapshots(6, elapsed)
    player = Player(record(tmp_path / "a", given), paced=True)
    player.hold(True)
    player.start()
    assert player.take(timeout=10) == given[0]
    for step in (1, 2, 3):
        assert player.take(timeout=0.15) is None
        player.hurry()
        assert player.take(timeout=10) == given[step]
    player.hold(True)
    assert player.take(timeout=0.15) is None
    player.hold(False)
    assert rest(player) == given[4:]
    player.stop()


def test_a_step_right_after_it_was_held_is_made(tmp_path: Path) -> None:
    given = snapshots(3, elapsed=60.0)
    with playing(record(tmp_path / "a", given)) as player:
        assert player.take(timeout=10) == given[0]
        time.sleep(0.02)
        player.hold(True)
        player.hurry()
        assert player.take(timeout=10) == given[1]
        assert player.take(timeout=0.15) is None


def test_hurrying_what_is_not_held_changes_nothing(tmp_path: Path) -> None:
    given = snapshots(3, elapsed=60.0)
    with playing(record(tmp_path / "a", given)) as player:
        player.hurry()
        assert player.take(timeout=10) == given[0]
        player.hurry()
        player.hold(True)
        assert player.take(timeout=0.15) is None


def test_a_hold_and_its_end_make_no_step(tmp_path: Path) -> None:
    given = snapshots(3, elapsed=60.0)
    with playing(record(tmp_path / "a", given)) as player:
        assert player.take(timeout=10) == given[0]
        for held in (True, False, True, False):
            player.hold(held)
        assert player.take(timeout=0.15) is None


@pytest.mark.parametrize("paced", [True, False])
@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("taken", [0, 1])
def test_it_stops_at_any_time(tmp_path: Path, paced: bool, held: bool, taken: int) -> None:
    with playing(record(tmp_path / "a", snapshots(9, elapsed=60.0)), paced) as player:
        player.hold(held)
        for _ in range(taken):
            assert player.take(timeout=10)
        time.sleep(0.02)


def test_it_stops_before_it_has_started_and_after_its_end(tmp_path: Path) -> None:
    path = record(tmp_path / "a", snapshots(2))
    Player(path, paced=True).stop()
    with playing(path, paced=False) as player:
        assert len(rest(player)) == 2


def test_it_stops_without_reading_a_long_recording_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(lines(snapshots(1)) * 50000)
    with playing(tmp_path / "a", paced=False) as player:
        assert player.take(timeout=10)


def test_a_corrupt_line_reaches_whoever_takes_after_what_came_before_it(tmp_path: Path) -> None:
    given = snapshots(2)
    (tmp_path / "a").write_bytes(lines(given) + b"{}\n" + lines(given))
    with playing(tmp_path / "a", paced=False) as player:
        assert [player.take(timeout=10), player.take(timeout=10)] == given
        with pytest.raises(SlabtuiError, match=r"line 3: not a snapshot"):
            player.take(timeout=10)


def test_a_disk_that_takes_nothing_stops_the_recording(tmp_path: Path) -> None:
    """Nothing waits for it, and no more than a hundred snapshots are kept for it."""
    recorder = Recorder(tmp_path / "a")
    answers = threading.Event()

    def hang() -> None:
        answers.wait(60)

    recorder._writer.put(hang)
    feed = Recorded(Given(snapshots(110)), recorder)
    began = time.monotonic()
    notes = [taken.notes for _ in range(110) if (taken := feed.take())]
    recorder.close()
    assert time.monotonic() - began < 5
    assert notes[:99] == [("own",)] * 99
    assert notes[-1] == ("own", "recording stopped: the disk takes nothing")
    assert recorder.failure == "the disk takes nothing"
    answers.set()
