"""The player: publishes every snapshot of a recording at the pace that the user chooses, by the clock of the test."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from slabtui.errors import SlabtuiError
from slabtui.model.host import HostGrowth
from slabtui.model.inspection import InspectionKind
from slabtui.model.request import InspectionRequest, Request
from slabtui.model.snapshot import Snapshot
from slabtui.queues import SnapshotQueue, SnapshotsEndedError
from slabtui.recording.player import FASTEST, SLOWEST, Player
from slabtui.recording.reader import read
from tests.support import hosts
from tests.support.fakes import FakeClock
from tests.support.recordings import lines, record, snapshots

ENDINGS = ["", ".gz", ".zst"]


class Playing:
    """A player with one consumer."""

    def __init__(self, path: Path, paced: bool = True) -> None:
        self.clock = FakeClock()
        self.player = Player(partial(read, path), paced, self.clock)
        self.queue = SnapshotQueue()
        self.player.subscribe(self.queue)

    def take(self) -> Snapshot:
        snapshot = self.queue.get(timeout=10)
        assert snapshot is not None
        return snapshot

    def rest(self) -> list[Snapshot]:
        """Take what is left, until the recording is at its end."""
        found = []
        try:
            while True:
                found.append(self.take())
        except SnapshotsEndedError:
            return found


@contextmanager
def playing(path: Path, paced: bool = True) -> Iterator[Playing]:
    run = Playing(path, paced)
    run.player.start()
    try:
        yield run
    finally:
        run.player.stop()
        assert not run.player._thread.is_alive()


@pytest.mark.parametrize("ending", ENDINGS)
def test_unpaced_every_consumer_gets_every_snapshot_in_order(tmp_path: Path, ending: str) -> None:
    given = snapshots(20, elapsed=3600.0)
    run = Playing(record(tmp_path / f"a{ending}", given), paced=False)
    other = SnapshotQueue(3)
    run.player.subscribe(other)
    run.player.start()
    found = [(run.take(), other.get(timeout=10)) for _ in given]
    assert found == [(one, one) for one in given]
    assert run.rest() == []


def test_paced_a_consumer_that_is_late_gets_every_snapshot(tmp_path: Path) -> None:
    given = snapshots(5, elapsed=0.0)
    with playing(record(tmp_path / "a", given)) as run:
        assert run.rest() == given


@pytest.mark.parametrize(("change", "speed"), [(lambda player: None, 1), (Player.faster, 2), (Player.slower, 0.5)])
def test_paced_snapshots_come_when_they_did_at_that_speed(
    tmp_path: Path, change: Callable[[Player], None], speed: float
) -> None:
    given = snapshots(3, elapsed=1.0)
    run = Playing(record(tmp_path / "a", given))
    change(run.player)
    assert run.player.speed == speed
    run.player.start()
    assert run.take() == given[0]
    for one in given[1:]:
        run.clock.advance_waiter(0.9 / speed)
        assert run.queue.get() is None
        run.clock.advance(0.1 / speed + 0.001)
        assert run.take() == one
    assert run.rest() == []


def test_the_first_snapshot_does_not_wait(tmp_path: Path) -> None:
    given = snapshots(2, elapsed=3600.0)
    with playing(record(tmp_path / "a", given)) as run:
        assert run.take() == given[0]


def test_a_new_speed_takes_effect_within_an_interval(tmp_path: Path) -> None:
    given = snapshots(2, elapsed=64.0)
    with playing(record(tmp_path / "a", given)) as run:
        assert run.take() == given[0]
        run.clock.advance_waiter(0)
        for _ in range(6):
            run.player.faster()
        while (taken := run.queue.get(timeout=0.01)) is None:
            run.clock.advance(0.1)
        assert taken == given[1]
        assert run.clock.monotonic() < 10


def test_the_speed_stays_within_bounds(tmp_path: Path) -> None:
    player = Player(partial(read, record(tmp_path / "a", snapshots(1))), paced=True)
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
    run = Playing(record(tmp_path / "a", given))
    run.player.hold(True)
    run.player.start()
    assert run.take() == given[0]
    for number in (1, 2, 3):
        run.clock.advance_waiter(100.0)
        assert run.queue.get() is None
        run.player.step()
        assert run.take() == given[number]
    run.player.hold(False)
    found = [run.take() for _ in range(1)] if not elapsed else []
    while len(found) < 2:
        run.clock.advance(elapsed)
        if (taken := run.queue.get(timeout=0.01)) is not None:
            found.append(taken)
    assert found == given[4:]
    assert run.rest() == []


def test_a_step_right_after_it_was_held_is_made(tmp_path: Path) -> None:
    given = snapshots(3, elapsed=60.0)
    with playing(record(tmp_path / "a", given)) as run:
        assert run.take() == given[0]
        run.clock.advance_waiter(0)
        run.player.hold(True)
        run.player.step()
        assert run.take() == given[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda player: (player.step(), player.hold(True)),
        lambda player: [player.hold(held) for held in (True, False, True, False)],
    ],
)
def test_what_is_not_held_makes_no_step(tmp_path: Path, change: Callable[[Player], object]) -> None:
    with playing(record(tmp_path / "a", snapshots(3, elapsed=60.0))) as run:
        run.take()
        run.clock.advance_waiter(0)
        change(run.player)
        assert run.queue.get(timeout=0.05) is None


@pytest.mark.parametrize("paced", [True, False])
@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("taken", [0, 1])
@pytest.mark.parametrize("leave", [Player.stop, Player.finish])
def test_it_ends_at_any_time(
    tmp_path: Path, paced: bool, held: bool, taken: int, leave: Callable[[Player], None]
) -> None:
    with playing(record(tmp_path / "a", snapshots(9, elapsed=60.0)), paced) as run:
        run.player.hold(held)
        for _ in range(taken):
            run.take()
        leave(run.player)
        assert len(run.rest()) <= 2


def test_it_stops_before_it_has_started_and_after_its_end(tmp_path: Path) -> None:
    path = record(tmp_path / "a", snapshots(2))
    Player(partial(read, path), paced=True).stop()
    with playing(path, paced=False) as run:
        assert len(run.rest()) == 2


def test_it_stops_without_reading_a_long_recording_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(lines(snapshots(1)) * 50000)
    with playing(tmp_path / "a", paced=False) as run:
        run.take()


def test_a_corrupt_line_reaches_the_consumer_after_what_came_before_it(tmp_path: Path) -> None:
    given = snapshots(2)
    (tmp_path / "a").write_bytes(lines(given) + b"{}\n" + lines(given))
    with playing(tmp_path / "a", paced=False) as run:
        assert [run.take(), run.take()] == given
        with pytest.raises(SlabtuiError, match=r"line 3: not a snapshot"):
            run.queue.get(timeout=10)


def test_a_recording_shows_what_it_has_whatever_is_requested(tmp_path: Path) -> None:
    given = snapshots(3)
    with playing(record(tmp_path / "a", given), paced=False) as run:
        run.player.request(Request(frees=True, inspection=InspectionRequest("dentry", (InspectionKind.STACKS,))))
        run.player.measure()
        assert run.rest() == given


def test_a_consumer_that_leaves_holds_up_no_other_one(tmp_path: Path) -> None:
    given = snapshots(3)
    run = Playing(record(tmp_path / "a", given), paced=False)
    leaves = SnapshotQueue()
    run.player.subscribe(leaves)
    run.player.start()
    assert run.take() == given[0]
    timer = threading.Timer(0.05, run.player.unsubscribe, [leaves])
    timer.start()
    assert run.rest() == given[1:]
    timer.join()


def with_origin(one: Snapshot, since: float | None) -> Snapshot:
    return replace(one, origin=replace(one.origin, since=since), growth=HostGrowth(since or 0.0))


def repeating(path: Path, paced: bool = False) -> Playing:
    run = Playing(path, paced)
    run.player = Player(partial(read, path), paced, run.clock, repeats=True)
    run.player.subscribe(run.queue)
    return run


@pytest.mark.parametrize("since", [999.0, None])
def test_a_recording_that_repeats_begins_again_as_another_run_after_the_one_before(
    tmp_path: Path, since: float | None
) -> None:
    given = [with_origin(one, since) for one in snapshots(3, elapsed=1.5)]
    run = repeating(record(tmp_path / "a", given))
    run.player.start()
    found = [run.take() for _ in range(8)]
    run.player.stop()
    assert found[:3] == given
    for at, one in enumerate(found[3:], 3):
        passed = at // 3 * 3.5  # seconds: from the beginning of the first interval to the end of the last
        assert one.time == pytest.approx(given[at % 3].time + passed)
        assert one.origin.since == (None if since is None else since + passed)
        assert one.growth == HostGrowth((since or 0.0) + passed)
        assert one.rows == given[at % 3].rows


def test_growth_is_judged_anew_when_a_recording_begins_again(tmp_path: Path) -> None:
    """The live objects fall to those of the beginning then."""
    run = repeating(record(tmp_path / "a", snapshots(2)))
    judged: list[tuple[object, float]] = []

    class Judge:
        def judge(self, snapshot: Snapshot) -> Snapshot:
            judged.append((self, snapshot.time))
            return snapshot

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("slabtui.recording.player.Growth", Judge)
        run.player._growth = Judge()
        run.player.start()
        found = [run.take() for _ in range(6)]
        run.player.stop()
    judges = [judge for judge, _ in judged[:6]]
    assert [judges.index(judge) for judge in judges] == [0, 0, 2, 2, 4, 4]
    assert [one.time for one in found] == sorted(one.time for one in found)


def test_a_recording_that_repeats_keeps_its_pace_and_stands_still_while_held(tmp_path: Path) -> None:
    run = repeating(record(tmp_path / "a", snapshots(2, elapsed=1.0)), paced=True)
    run.player.start()
    run.take()
    for _ in range(5):
        run.clock.advance_waiter(0.9)
        assert run.queue.get() is None
        run.clock.advance(0.1 + 0.001)
        run.take()
    run.player.hold(True)
    run.clock.advance_waiter(100.0)
    assert run.queue.get() is None
    run.player.stop()


def test_a_recording_without_judgements_is_judged_while_it_is_played(tmp_path: Path) -> None:
    leak = list(hosts.snapshots({"filp": lambda time: 20 * time}, 60))
    (tmp_path / "a").write_bytes(lines(leak))
    with playing(tmp_path / "a", paced=False) as run:
        assert hosts.growing(run.rest()[-1]) == {"filp"}


def test_the_judgements_of_a_recording_stay_until_the_user_marks(tmp_path: Path) -> None:
    """Those of a longer baseline are better than what its last minutes show."""
    begun = HostGrowth(since=hosts.START - 1000)
    leak = [replace(one, growth=begun) for one in hosts.snapshots({"filp": lambda time: 20 * time}, 120)]
    (tmp_path / "a").write_bytes(lines(leak))
    with playing(tmp_path / "a", paced=False) as run:
        before = [run.take() for _ in range(60)]
        run.player.mark()
        after = run.rest()
    assert {(one.growth, *hosts.growing(one)) for one in before} == {(begun,)}
    assert after[-1].growth != begun
    assert hosts.growing(after[-1]) == {"filp"}
