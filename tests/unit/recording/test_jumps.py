"""Jumps in a recording: each shows what the recording has at that moment, and playing goes on from there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from math import inf
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slabtui.model.history import LENGTH
from slabtui.model.snapshot import Snapshot
from slabtui.queues import SnapshotQueue, SnapshotsEndedError
from slabtui.recording.flight import DirectorySink
from slabtui.recording.limits import Limits
from slabtui.recording.moments import Date
from slabtui.recording.player import Arrival, Player
from slabtui.recording.seeker import Seeker
from slabtui.recording.sink import create
from slabtui.recording.tape import Tape
from tests.support import hosts
from tests.support.fakes import FakeClock
from tests.support.flight import BEGIN, as_replayed, day
from tests.support.recordings import lines, write

RUNS = ((BEGIN, 500), (BEGIN + 7000, 40))  # the begin of each run, and its intervals of 10 seconds
FORMS = ("directory", "", ".gz")


def recorded() -> list[Snapshot]:
    """Return the snapshots of two runs, with a gap between them."""
    return [one for begin, number in RUNS for one in day(2, number, begin=begin)]


@cache
def tape(form: str) -> Tape:
    """Return a tape of them."""
    path = Path(mkdtemp(prefix="slabtui-jumps"))
    file = path / f"a{form}"
    write(DirectorySink(path, Limits(segment=600)) if form == "directory" else create(file), recorded())
    return Tape([path if form == "directory" else file])


class Screen:
    """A consumer that takes the arrivals as the screen does."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.queue = SnapshotQueue()
        player.subscribe(self.queue)

    def take(self) -> tuple[Snapshot, Arrival | None]:
        snapshot = self.queue.get(timeout=20)
        assert snapshot is not None
        return snapshot, self.player.arrival(snapshot)

    def jump(self, time: float) -> Arrival:
        """Jump, and return where that leads, with all that is kept."""
        self.player.jump(time)
        first = None
        while True:
            try:
                _, arrival = self.take()
            except SnapshotsEndedError:  # until it is opened again
                continue
            if arrival is not None:
                first = first or arrival
                assert arrival.snapshot.time == first.snapshot.time
                if arrival.is_complete:
                    return arrival


@contextmanager
def playing(seeker: Seeker, clock: FakeClock | None = None) -> Iterator[Screen]:
    player = Player(partial(seeker.read, 0.0), paced=True, clock=clock or FakeClock(), seeker=seeker)
    screen = Screen(player)
    player.hold(True)
    player.start()
    screen.take()
    try:
        yield screen
    finally:
        player.stop()
        assert not player._thread.is_alive()


def expected(snapshots: list[Snapshot], time: float) -> list[Snapshot]:
    """Return the interval that a moment lies in, else the last one, with those of its run before it."""
    place = next((place for place, one in enumerate(snapshots) if one.time >= time), len(snapshots) - 1)
    run = snapshots[place].origin.since
    return [one for one in snapshots[max(0, place + 1 - LENGTH) : place + 1] if one.origin.since == run]


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=5, deadline=None)
@given(
    times=st.lists(st.floats(BEGIN - 100, BEGIN + 8000) | st.just(inf), min_size=1, max_size=3),
    seconds=st.sampled_from((0.0, 60.0)),
)
def test_any_jumps_show_what_the_recording_has_there(form: str, times: list[float], seconds: float) -> None:
    seeker = Seeker(tape(form), None, None, seconds)
    snapshots = list(seeker.read(0.0))
    with playing(seeker) as screen:
        for time in times:
            arrival = screen.jump(time)
            assert arrival.history.snapshots() == expected(snapshots, time)


def test_a_jump_among_long_sums_reads_few_intervals(tmp_path: Path) -> None:
    """Of 300 rows: one sum of 40 intervals has more of them than are read at once, and one more has to be whole."""

    class Counting(Tape):
        read_ = 0

        def between(self, since: float, until: float) -> Iterator[Snapshot]:
            for one in super().between(since, until):
                Counting.read_ += 1
                yield one

    write(create(tmp_path / "a"), list(day(300, 400)))
    seeker = Seeker(Counting([tmp_path / "a"]), None, None, 400.0)
    sums = list(seeker.read(-inf))
    Counting.read_ = 0
    found = seeker.find(inf, sums[-2], lambda: True, at_once=True)
    assert found is not None
    assert found[0][-1].time == sums[-1].time
    assert 0 < Counting.read_ <= 4 * 40


def test_a_jump_stays_in_the_part_that_is_replayed() -> None:
    begin, end = BEGIN + 1000, BEGIN + 2000
    with playing(Seeker(tape("directory"), Date(begin), Date(end), 0.0)) as screen:
        assert screen.jump(0.0).snapshot.time == begin
        assert screen.jump(inf).snapshot.time == end
        assert len(screen.jump(BEGIN + 1500).history) == 51


def test_after_a_jump_it_stands_still_or_plays_on_as_before() -> None:
    clock = FakeClock()
    with playing(Seeker(tape("directory"), None, None, 0.0), clock) as screen:
        assert screen.jump(BEGIN + 3000).snapshot.time == BEGIN + 3000
        clock.advance_waiter(100.0)
        assert screen.queue.get() is None
        screen.player.step(2)
        assert [screen.take()[0].time for _ in range(2)] == [BEGIN + 3010, BEGIN + 3020]
        screen.player.hold(False)
        while (taken := screen.queue.get(timeout=0.01)) is None:
            clock.advance(1.0)
        assert taken == as_replayed(recorded())[302]


def test_a_step_right_after_a_jump_is_made_there() -> None:
    with playing(Seeker(tape("directory"), None, None, 0.0)) as screen:
        screen.player.jump(BEGIN + 3000)
        screen.player.step()
        arrivals, times = [], []
        while not times:
            snapshot, arrival = screen.take()
            arrivals.append(snapshot.time) if arrival else times.append(snapshot.time)
        assert set(arrivals) == {BEGIN + 3000}
        assert times == [BEGIN + 3010]


def test_at_its_end_it_waits_for_a_jump_back() -> None:
    with playing(Seeker(tape("directory"), None, None, 0.0)) as screen:
        screen.jump(inf)
        screen.player.step()
        with pytest.raises(SnapshotsEndedError):
            screen.queue.get(timeout=20)
        assert screen.jump(BEGIN + 20).snapshot.time == BEGIN + 20
        screen.player.step()
        assert screen.take()[0].time == BEGIN + 30


def test_a_recording_without_judgements_is_judged_by_the_intervals_before_the_moment(tmp_path: Path) -> None:
    leak = list(hosts.snapshots({"filp": lambda time: 20 * time}, 200))
    (tmp_path / "a").write_bytes(lines(leak))
    with playing(Seeker(Tape([tmp_path / "a"]), None, None, 0.0)) as screen:
        arrival = screen.jump(leak[150].time)
        assert hosts.growing(arrival.snapshot) == {"filp"}


def test_a_mark_after_a_jump_begins_there() -> None:
    with playing(Seeker(tape("directory"), None, None, 0.0)) as screen:
        screen.jump(BEGIN + 3000)
        screen.player.mark()
        screen.player.step()
        found, _ = screen.take()
        assert found.growth is not None
        assert found.growth.since == BEGIN + 3000
        after = screen.jump(BEGIN + 2000).snapshot.growth  # which drops the mark
        assert after is not None
        assert after.since == BEGIN


def test_an_interval_that_covers_no_time_is_no_moment(tmp_path: Path) -> None:
    given = [replace(one, elapsed=0.0, error="x") if at % 2 else one for at, one in enumerate(day(1, 9))]
    (tmp_path / "a").write_bytes(lines(given))
    with playing(Seeker(Tape([tmp_path / "a"]), None, None, 0.0)) as screen:
        arrival = screen.jump(given[3].time)
        assert [one.time for one in arrival.history.snapshots()] == [given[at].time for at in (0, 2, 4)]
