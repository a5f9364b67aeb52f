"""A damaged recording is read up to the damage; a file that is not a recording is refused in one line."""

import gzip
import json
import random
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slabtui.errors import SlabtuiError, Status
from slabtui.model.inspection import Inspection, InspectionKind
from slabtui.model.snapshot import Snapshot
from slabtui.recording.player import Player
from slabtui.recording.reader import inspected_caches, read
from tests.support.fakes import key
from tests.support.recordings import lines, record, snapshots, version_1

ENDINGS = ["", ".gz", ".zst"]
MAGIC = {"": b'{"schema"', ".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd"}
PACK = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}
CUT = "the recording is cut short here"


def demand_one_line(error: SlabtuiError, path: Path, status: Status = Status.FAILED) -> None:
    """Demand that an error is short and safe to print, names the recording and gives a remedy."""
    assert str(error).isprintable()
    assert len(str(error)) < 300 + len(str(path))
    assert str(path) in str(error)
    assert str(error).endswith(": name a file that --record has written")
    assert error.status == status


def refusal(path: Path, status: Status = Status.FAILED) -> str:
    """Return why a recording cannot be read to its end."""
    with pytest.raises(SlabtuiError) as caught:
        list(read(path))
    demand_one_line(caught.value, path, status)
    return str(caught.value)


def is_start_of(found: list[Snapshot], whole: list[Snapshot]) -> bool:
    """Return whether these are the first of a recording; the last may say that it was cut."""
    uncut = [replace(each, notes=tuple(note for note in each.notes if note != CUT)) for each in found]
    assert not [each for each in found[:-1] if CUT in each.notes]
    return len(found) > 0 and uncut == whole[: len(found)]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_recording_is_recognised_by_what_is_in_it_whatever_its_name(tmp_path: Path, ending: str) -> None:
    given = snapshots(2)
    path = record(tmp_path / f"a{ending}", given).rename(tmp_path / "b.gz")
    assert list(read(path)) == given


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_recordings_that_were_joined_are_read_as_one(tmp_path: Path, pack: "type[bytes]") -> None:
    given = snapshots(4)
    (tmp_path / "a").write_bytes(pack(lines(given[:1])) + pack(lines(given[1:])))
    assert list(read(tmp_path / "a")) == given


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
def test_a_corrupt_line_is_named_after_the_good_ones_before_it(tmp_path: Path, ending: str, corrupt: bytes) -> None:
    given = snapshots(3)
    path = tmp_path / "a"
    path.write_bytes(PACK[ending](lines(given[:2]) + corrupt + lines(given[2:])))
    assert f"{path}, line 3: " in refusal(path)
    found = read(path)
    assert [next(found), next(found)] == given[:2]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_recording_of_a_later_schema_is_recognised_by_its_first_line(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(PACK[ending](lines(snapshots(2)).replace(b"slabtui/2", b"slabtui/3")))
    assert f"{path}, line 1: schema 'slabtui/3', and this slabtui knows slabtui/1 and slabtui/2" in refusal(path)


def test_damage_within_a_compressed_recording_is_reported_or_ends_it(tmp_path: Path) -> None:
    given = snapshots(3)
    whole = bytearray(gzip.compress(lines(given)))
    whole[-8] ^= 1  # of its checksum
    (tmp_path / "a").write_bytes(whole)
    found = read(tmp_path / "a")
    assert [next(found), next(found), next(found)] == given
    with pytest.raises(SlabtuiError, match="CRC check failed"):
        next(found)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_recording_of_nothing_is_refused(tmp_path: Path, ending: str) -> None:
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
def test_a_file_that_is_no_recording_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    refusal(path)
    with pytest.raises(SlabtuiError):
        Player(partial(read, path), paced=False)


def test_an_empty_file_a_directory_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert "has no snapshot in it" in refusal(tmp_path / "a")
    assert "(Is a directory)" in refusal(tmp_path, Status.USAGE)  # the user named a wrong file
    assert "(No such file or directory)" in refusal(tmp_path / "b", Status.USAGE)
    with pytest.raises(SlabtuiError):
        Player(partial(read, tmp_path / "a"), paced=True)


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
def test_the_inspected_caches_of_a_recording_are_found_in_their_order(tmp_path: Path, ending: str) -> None:
    stacks, callers = InspectionKind.STACKS, InspectionKind.CALLERS
    found = [Inspection(key(at, name), kind) for at, name, kind in ((1, "filp", stacks), (2, '"a', callers))]
    order = ([], found[:1], found[1:], found[:1])
    given = [replace(one, inspections=tuple(some)) for one, some in zip(snapshots(4), order, strict=True)]
    assert inspected_caches(record(tmp_path / f"a{ending}", given)) == ("filp", '"a')
    (tmp_path / "older").write_text(json.dumps(version_1(lines(given[:1]).decode())))
    assert inspected_caches(tmp_path / "older") == ()
