"""A tape: several recordings as one, from any moment; and intervals that are added up."""

import os
import random
from dataclasses import replace
from functools import reduce
from pathlib import Path

import pytest

from slabtui.errors import SlabtuiError, Status
from slabtui.model.snapshot import merge
from slabtui.recording.flight import DirectorySink
from slabtui.recording.intervals import add_up
from slabtui.recording.limits import Limits
from slabtui.recording.moments import Ago, Date
from slabtui.recording.reader import read
from slabtui.recording.tape import Tape
from tests.support.flight import BEGIN, as_replayed, day
from tests.support.recordings import record


def directory(path: Path, begin: float, number: int = 30) -> Path:
    sink = DirectorySink(path, Limits(segment=60))
    for one in day(3, number, begin=begin):
        sink.write(one)
    sink.close()
    return path


def test_files_and_directories_are_played_in_the_order_of_their_time(tmp_path: Path) -> None:
    later = record(tmp_path / "a.gz", day(3, 10, begin=BEGIN + 5000))
    paths = [later, directory(tmp_path / "d", BEGIN)]
    found = list(Tape(paths).read())
    assert [one.time for one in found] == [one.time for one in (*day(3, 30), *day(3, 10, begin=BEGIN + 5000))]
    assert [one.time for one in Tape(paths).read(Ago(4000))] == [one.time for one in found[-10:]]


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_a_file_is_shown_from_one_moment_to_another(tmp_path: Path, suffix: str) -> None:
    given = list(day(3, 30))
    tape = Tape([record(tmp_path / f"a{suffix}", given)])
    assert list(tape.read(Date(given[10].time), Date(given[15].time))) == as_replayed(given[10:16])
    assert list(tape.read(Ago(20))) == as_replayed(given[-3:])


def test_what_is_not_there_is_one_line_that_says_what_is(tmp_path: Path) -> None:
    tape = Tape([directory(tmp_path / "d", BEGIN)])
    with pytest.raises(SlabtuiError) as caught:
        list(tape.read(Date(BEGIN - 900), Date(BEGIN - 600)))
    assert str(caught.value) == (
        f"{tmp_path / 'd'} has no snapshot from 2025-06-15T14:51:40.000Z to 2025-06-15T14:56:40.000Z: "
        "it goes from 2025-06-15T15:06:50.000Z to 2025-06-15T15:11:40.000Z"
    )
    assert caught.value.status == Status.USAGE


def test_an_end_before_the_beginning_is_one_line(tmp_path: Path) -> None:
    tape = Tape([directory(tmp_path / "d", BEGIN)])
    with pytest.raises(SlabtuiError, match=r"^--to is before --from: .*: name a later end, or an earlier beginning$"):
        list(tape.read(Ago(60), Ago(120)))


def test_what_ends_before_the_recording_is_named_alone(tmp_path: Path) -> None:
    with pytest.raises(SlabtuiError, match=r"has no snapshot to 2025-06-15T14:51:40\.000Z: it goes from"):
        list(Tape([directory(tmp_path / "d", BEGIN)]).read(None, Date(BEGIN - 900)))


def test_a_directory_without_a_recording_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SlabtuiError, match="has no recording in it: name a directory that --record has written to"):
        Tape([tmp_path])


def test_a_damaged_segment_is_read_up_to_the_damage_and_the_others_whole(tmp_path: Path) -> None:
    path = directory(tmp_path / "d", BEGIN)
    second = sorted(path.glob("*.zst"))[1]
    whole = second.read_bytes()
    second.write_bytes(whole[: len(whole) // 2] + bytes(50) + whole[len(whole) // 2 + 50 :])
    found = list(Tape([path]).read())
    assert len(found) < 30
    assert {one.time for one in day(3, 30)} - {one.time for one in found} <= {BEGIN + 10.0 * at for at in range(2, 8)}
    assert found[-1].time == BEGIN + 300


def test_a_damaged_segment_is_named_in_a_note(tmp_path: Path) -> None:
    path = directory(tmp_path / "d", BEGIN)
    first, second, *_ = sorted(path.glob("*.zst"))
    whole, given = second.read_bytes(), [one.time for one in day(3, 30)]
    in_first = len(list(read(first)))
    for content, missing in [
        (b"", "its intervals"),
        (random.Random(1).randbytes(len(whole)), "its intervals"),
        (b"no newline, no recording", "its intervals"),
        (whole[: len(whole) * 7 // 8], "its intervals from there on"),
        (whole[: len(whole) * 7 // 8] + bytes(20), "its intervals from there on"),
    ]:
        second.write_bytes(content)
        found = list(Tape([path]).read())
        note = f"{second.name} is damaged: {missing} are missing"
        assert [one.notes for one in found if one.notes] == [(note,)]
        noted = next(at for at, one in enumerate(found) if one.notes)
        assert (noted >= in_first) == ("from" in missing)
        assert [one.time for one in found[: noted + 1]] == given[: noted + 1]
        assert [one.time for one in found[noted + 1 :]] == given[noted + 1 - len(found) :]
        assert found[noted + 1].time - found[noted].time > 10


def test_a_damage_before_the_first_interval_that_is_shown_is_noted_there(tmp_path: Path) -> None:
    path = directory(tmp_path / "d", BEGIN)
    second = sorted(path.glob("*.zst"))[1]
    os.truncate(second, second.stat().st_size * 7 // 8)
    begin = BEGIN + 60  # in the part that is missing
    first, *others = Tape([path]).read(Date(begin))
    assert first.notes == (f"{second.name} is damaged: its intervals from there on are missing",)
    assert {one.notes for one in others} == {()}
    assert {one.notes for one in Tape([path]).read(Date(BEGIN + 100))} == {()}  # it needs nothing of that


def test_the_newest_segment_may_end_anywhere_but_not_be_something_else(tmp_path: Path) -> None:
    path = directory(tmp_path / "d", BEGIN)
    newest = max(path.glob("*.zst"))
    whole, given = newest.read_bytes(), [one.time for one in day(3, 30)]
    for size in range(0, len(whole), 5):
        newest.write_bytes(whole[:size])
        found = list(Tape([path]).read())
        assert {one.notes for one in found} == {()}
        assert [one.time for one in found] == given[: len(found)]
    newest.write_bytes(random.Random(1).randbytes(len(whole)))
    *_, last = Tape([path]).read()
    assert last.notes == (f"{newest.name} is damaged: its intervals are missing",)


def test_a_segment_that_ends_with_a_whole_interval_has_no_note_after_the_next_run(tmp_path: Path) -> None:
    """As after kill -9: its last frame has no end."""
    killed = DirectorySink(tmp_path)
    for one in day(3, 10):
        killed.write(one)
    killed._unlock()  # its process is gone
    directory(tmp_path, BEGIN + 1000)
    found = list(Tape([tmp_path]).read())
    assert len(found) == 40
    assert {one.notes for one in found} == {()}


def test_a_directory_of_which_nothing_can_be_read_says_why(tmp_path: Path) -> None:
    name = "slabtui-20250615T150650.000Z.jsonl.zst"
    (tmp_path / name).write_bytes(b"no recording")
    with pytest.raises(SlabtuiError) as caught:
        list(Tape([tmp_path]).read())
    cause = f"{tmp_path} has no snapshot there that can be read"
    assert str(caught.value) == f"{cause}: {name} is damaged: its intervals are missing"


def test_intervals_are_added_up_exactly() -> None:
    given = list(day(5, 100))
    found = list(add_up(given, 60))
    assert reduce(merge, found) == reduce(merge, given)
    assert {one.elapsed for one in found[1:-1]} == {60.0}
    assert {one.time % 60 for one in found[:-1]} == {0.0}
    assert found[3] == reduce(merge, [one for one in given if found[2].time < one.time <= found[3].time])


def test_a_sum_has_the_notes_of_all_its_intervals() -> None:
    notes = {1: ("a",), 3: ("b", "a")}
    given = [replace(one, notes=notes.get(at, ())) for at, one in enumerate(day(3, 5))]
    assert [one.notes for one in add_up(given, 3600)] == [("a", "b")]


def test_intervals_that_are_longer_stay_as_they_are_and_runs_stay_apart() -> None:
    given = list(day(5, 10))
    assert list(add_up(given, 1)) == given
    other = [replace(one, origin=replace(one.origin, since=BEGIN + 5)) for one in given[5:]]
    assert len(list(add_up([*given[:5], *other], 3600))) == 2
    assert list(add_up([], 60)) == []
