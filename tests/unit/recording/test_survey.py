"""The survey of a recording: the same amounts as a full decoding gives, whatever form it has."""

import threading
from collections.abc import Callable
from math import inf
from pathlib import Path

import pytest

from slabtui.model.course import Course, Point
from slabtui.model.snapshot import Snapshot
from slabtui.recording.flight import DirectorySink
from slabtui.recording.limits import Limits
from slabtui.recording.sink import create
from slabtui.recording.survey import Survey
from slabtui.recording.tape import Tape
from tests.support.fakes import key
from tests.support.flight import BEGIN, day
from tests.support.recordings import write


def growing(number: int = 200) -> list[Snapshot]:
    """Return snapshots in which one cache grows; its name is hostile, and another one's begins with it."""
    found = []
    for at, one in enumerate(day(3, number)):
        first, second, third = one.rows
        for row, name, mem in ((first, 'a"}{', at // 20 << 12), (second, 'a"}{"b', 1), (third, "c", None)):
            row.name, row.mem, row.cache = name, mem, key(1, name)
        found.append(one)
    return found


class Notified:
    """A survey that has begun; waits until something is known."""

    def __init__(self, survey: Survey) -> None:
        self._changed = threading.Event()
        survey.start(self._changed.set)

    def wait(self, find: Callable[[], Course | None]) -> Course:
        while (found := find()) is None or not found.is_whole:
            assert self._changed.wait(20)
            self._changed.clear()
        return found


@pytest.mark.parametrize("form", ["/", "", ".gz", ".zst"])
def test_the_course_is_that_of_the_snapshots(tmp_path: Path, form: str) -> None:
    given = growing()
    path = tmp_path / f"a{form}"
    write(DirectorySink(path, Limits(segment=600)) if form == "/" else create(path), given)
    survey = Survey(Tape([path]).lines, 0.0, inf)
    notified = Notified(survey)
    try:
        course = notified.wait(lambda: survey.course)
        memory = [one.memory for one in given if one.memory is not None]
        assert [(point.amount, point.part) for point in course.points] == [(m.slab, m.unreclaimable) for m in memory]
        for row in given[0].rows:
            course = notified.wait(lambda cache=row.cache: survey.of_cache(cache))
            rows = [(one.time, one.row(row.cache)) for one in given]
            assert course.points == tuple(
                Point(time, found.mem) for time, found in rows if found is not None and found.mem is not None
            )
    finally:
        survey.stop()


def test_it_keeps_to_the_part_that_is_replayed(tmp_path: Path) -> None:
    write(create(tmp_path / "a"), growing())
    survey = Survey(Tape([tmp_path / "a"]).lines, BEGIN + 100, BEGIN + 200)
    notified = Notified(survey)
    course = notified.wait(lambda: survey.course)
    survey.stop()
    assert (course.begin, course.end) == (BEGIN + 100, BEGIN + 200)


def test_a_damaged_recording_is_surveyed_up_to_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    write(create(path), growing())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    survey = Survey(Tape([path]).lines, 0.0, inf)
    course = Notified(survey).wait(lambda: survey.course)
    survey.stop()
    assert 0 < len(course.points) < 200
