"""A day of the flight recorder by an injected clock: its size, its segments, its time, and any moment of it at once."""

import random
import resource
import time
from pathlib import Path

import pytest

from slabtui.recording import index, segments
from slabtui.recording.flight import DirectorySink
from slabtui.recording.limits import Limits
from slabtui.recording.moments import Date
from slabtui.recording.tape import Tape
from tests.support.flight import BEGIN, day

INTERVAL, DAY = 10.0, 86400.0  # seconds
LARGEST_DAY = 10_000_000  # bytes, of 250 caches
LONGEST_SEEK = 0.5  # seconds of processor time, from nothing to the first snapshot
MOST_OF_CPU = 0.005  # of one CPU


@pytest.mark.parametrize(
    ("caches", "intervals", "largest", "is_timed"),
    [
        (250, 300, LARGEST_DAY, False),
        pytest.param(250, 8640, LARGEST_DAY, True, marks=pytest.mark.slow),
        pytest.param(2000, 8640, 8 * LARGEST_DAY, True, marks=pytest.mark.slow),
    ],
)
def test_a_day_is_small_and_any_moment_of_it_is_there_at_once(
    tmp_path: Path, caches: int, intervals: int, largest: int, is_timed: bool
) -> None:
    """Only the whole days judge the time, which are run by hand on an idle machine."""
    sink = DirectorySink(tmp_path, Limits())
    writing = 0.0
    for one in day(caches, intervals):
        began = time.thread_time()
        sink.write(one)
        writing += time.thread_time() - began
    sink.close()
    names = segments.names(tmp_path)
    size = sum((tmp_path / name).stat().st_size for name in names)
    seconds = intervals * INTERVAL
    assert size * DAY / seconds < largest
    assert len(names) == len({int((BEGIN + INTERVAL * at) // 3600) for at in range(1, intervals + 1)})
    if is_timed:
        assert writing / seconds < MOST_OF_CPU * max(1, caches / 250)
    chance = random.Random(0)
    seeks = []
    for _ in range(10):
        moment = BEGIN + chance.uniform(INTERVAL, seconds)
        began = time.thread_time()
        found = next(Tape([tmp_path]).read(Date(moment)))
        seeks.append(time.thread_time() - began)
        assert 0 <= found.time - moment <= INTERVAL
    if is_timed:
        assert max(seeks) < LONGEST_SEEK
    (tmp_path / index.FILE).unlink()
    began = time.thread_time()
    next(Tape([tmp_path]).read(Date(BEGIN + seconds / 2)))
    without = time.thread_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"\n{caches} caches, {intervals} intervals: {size / 1e6:.1f} MB in {len(names)} segments, "
        f"{size / intervals:.0f} bytes and {writing / intervals * 1e3:.1f} ms an interval, "
        f"a moment in {max(seeks):.2f} s, without the index {without:.2f} s; {peak >> 10} MiB"
    )
