"""Looking back on the screen: what jumps do to the state, and the time line."""

import time as clock
from collections.abc import Iterator
from dataclasses import replace
from math import inf

import pytest

from slabtui.columns.units import Basis
from slabtui.model.course import Course, Point
from slabtui.model.history import LENGTH, History
from slabtui.model.host import Origin
from slabtui.model.snapshot import Snapshot
from slabtui.views import time_line
from slabtui.views.actions import press
from slabtui.views.effects import Effect
from slabtui.views.state import State
from tests.support.fakes import cache, snapshot

BEGIN = 1_750_000_000.0  # 2025-06-15 15:06:40 UTC
RUN = Origin("replay", "host", "6.12", BEGIN)


@pytest.fixture(autouse=True)
def utc() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        clock.tzset()
        yield
    clock.tzset()


def at(number: int, origin: Origin = RUN) -> Snapshot:
    """Return an interval of a recording: in each, one more object is allocated than in the one before."""
    row = replace(cache(1, "filp", allocs=number, size=10), total_allocs=number * (number + 1) // 2, live=5)
    return replace(snapshot(row, time=BEGIN + 10 * number, origin=origin), elapsed=10.0)


def history(first: int, last: int, origin: Origin = RUN) -> History:
    found = History()
    for number in range(first, last + 1):
        found.add(at(number, origin))
    return found


def replaying(number: int = 3, **more: object) -> State:
    state = State(10.0, replay=True, **more)
    for one in range(1, number + 1):
        state.receive(at(one))
    state.take_effects()
    return state


def since(state: State) -> float:
    """Return the objects allocated since the baseline, as the screen shows them."""
    state.basis = Basis.SINCE
    state.arrange()
    return state.units.allocs(state.rows[0])


def test_sums_since_the_start_stay_exact_after_jumps_there_and_back() -> None:
    state = replaying()
    for last in (500, 40, 900):
        for is_complete, first in ((False, max(1, last - 20)), (True, max(1, last - LENGTH + 1))):
            state.arrive(history(first, last), is_complete=is_complete)
            assert since(state) == last * (last + 1) // 2
        state.step_back()
        assert since(state) == (last - 1) * last // 2
        state.toggle_pause()


def test_in_another_run_they_begin_with_what_is_kept_and_return_with_the_first() -> None:
    state = replaying()
    state.arrive(history(11, 20, replace(RUN, since=BEGIN + 5)), is_complete=True)
    assert since(state) == sum(range(11, 21))
    state.arrive(history(30, 40), is_complete=True)
    assert since(state) == sum(range(1, 41))


def test_a_jump_drops_the_mark_and_says_so_but_not_the_one_that_is_set_there() -> None:
    state = replaying()
    press(state, "0")
    state.arrive(history(50, 60), is_complete=False)
    assert "The mark is cleared: growth and sums count from the start again" in state.message
    assert since(state) == 60 * 61 // 2
    press(state, "0")
    state.arrive(history(10, 60), is_complete=True)
    assert "cleared" not in state.message
    assert since(state) == 0
    state.receive(at(61))
    assert since(state) == 61


def test_it_stays_paused_or_plays_on_and_keeps_the_place_while_the_past_comes() -> None:
    state = replaying()
    state.end()
    state.arrive(history(50, 60), is_complete=False)
    assert (state.time.paused, state.time.ended, state.time.back) == (False, False, 0)
    press(state, "[")
    state.arrive(history(1, 60), is_complete=True)
    assert (state.time.paused, state.time.back, state.shown) == (True, 1, at(59))
    state.arrive(history(1, 30), is_complete=False)
    assert (state.time.paused, state.time.back, state.shown) == (True, 0, at(30))


def test_a_step_beyond_what_is_kept_is_a_jump() -> None:
    state = replaying()
    state.arrive(history(400, 401), is_complete=True)
    press(state, "{")
    assert state.shown == at(400)
    press(state, "{")
    assert state.time.target == BEGIN + 10 * 390
    assert state.take_effects() == [Effect.JUMP]
    press(state, "}")
    assert state.shown == at(401)
    press(state, "}")
    assert (state.time.stepping, state.take_effects()) == (10, [Effect.STEP])


def test_there_is_nothing_before_the_beginning() -> None:
    state = replaying(1)
    press(state, "[")
    assert state.message == "[ does nothing here: this is the beginning of the recording"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, "only a recording has other moments"),
        ({"replay": True, "streamed": True}, "a stream has no other moments"),
        ({"replay": True, "repeats": True}, "the demo has no other moments"),
    ],
)
def test_keys_that_jump_say_where_there_are_no_jumps(more: dict[str, bool], why: str) -> None:
    state = State(1.0, **more)
    state.receive(at(1))
    for key in "()twW":
        press(state, key)
        assert state.message.startswith(f"{key} does nothing here: {why}")
    assert state.take_effects() == []


def ask(state: State, text: str) -> None:
    press(state, "t")
    state.type(text)
    press(state, "enter")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("15:30", BEGIN + 1400),
        ("02:30", BEGIN + 11 * 3600 + 1400),
        (" -10m ", BEGIN + 9400),
        ("-3h", BEGIN + 10),  # before the beginning
        ("2025-06-15T20:00", BEGIN + 17600),
    ],
)
def test_a_moment_is_found_from_the_one_on_the_screen(text: str, moment: float) -> None:
    state = replaying()
    state.arrive(history(990, 1000), is_complete=True)
    state.time.course = Course((Point(BEGIN, 1), Point(BEGIN + 20 * 3600, 1)), is_whole=True)
    ask(state, text)
    assert (state.time.target, state.prompt, state.take_effects()) == (moment, None, [Effect.JUMP])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no moment, as 02:30, -10m or 2026-11-26T02:30"),
        ("25:00", "no moment, as 02:30, -10m or 2026-11-26T02:30"),
        ("2024-01-01", "the recording begins at 2025-06-15 15:06:50 and ends at 2025-06-15 15:23:20"),
        ("9999-12-31", "the recording begins at 2025-06-15 15:06:50 and ends at 2025-06-15 15:23:20"),
    ],
)
def test_what_is_no_moment_of_the_recording_is_said_in_the_prompt(text: str, complaint: str) -> None:
    state = replaying()
    state.time.course = Course((Point(BEGIN, 1), Point(BEGIN + 1000, 1)), is_whole=True)
    ask(state, text)
    assert state.prompt is not None
    assert state.prompt.complaint == complaint
    assert state.take_effects() == []


def test_a_recording_without_the_slab_memory_has_moments_too() -> None:
    state = replaying()
    state.time.course = Course((), is_whole=True)
    ask(state, "15:30")
    assert (state.time.target, state.prompt) == (BEGIN + 1400, None)


def test_the_search_goes_through_the_moments_and_begins_again() -> None:
    state = replaying()
    press(state, "w")
    assert (state.message, state.take_effects()) == ("Looking for where filp grew most…", [Effect.SEARCH])
    steps = [Point(BEGIN + 10 * number, (number > 100) + 2 * (number > 300) << 20) for number in range(500)]
    state.find(Course(tuple(steps), is_whole=True))
    assert state.message == "filp +2.00MiB in 5 min at 15:56:50, 1 of 2"
    assert (state.time.target, state.take_effects()) == (BEGIN + 3010, [Effect.JUMP])
    for message in ("filp +1.00MiB in 5 min at 15:23:30, 2 of 2", "filp +2.00MiB in 5 min at 15:56:50, 1 of 2"):
        press(state, "w")
        assert state.message == message
    assert state.table.followed == state.rows[0].cache
    press(state, "W")
    state.find(Course())
    assert state.message == "slab memory never grew in this recording, or its memory is not in it"


def drawn(state: State, width: int, number: int) -> list[str]:
    return "".join(text for _, text in time_line.lines(state, width, number)).split("\n")


def test_the_time_line_shows_the_course_and_the_place_in_it() -> None:
    state = replaying()
    state.time.course = Course(tuple(Point(BEGIN + 10 * n, 100 + n, 50) for n in range(1, 101)), is_whole=False)
    (line,) = drawn(state, 40, 1)
    assert line.startswith("15:06:50 ▁")
    assert line.endswith("█ 15:23:20…")
    first, second = drawn(state, 60, 2)
    assert first.startswith("slab          15:06:50 ▁")
    assert second.startswith("unreclaimable          ▁")
    assert len(first) == 60
    styles = [(style, len(text)) for style, text in time_line.lines(state, 40, 1)]
    assert styles == [("dim", 9), ("chart", 0), ("selected", 1), ("chart", 20), ("dim", 10)]


def test_a_time_line_over_days_has_dates_and_a_narrow_one_no_times() -> None:
    state = replaying()
    state.time.course = Course((Point(BEGIN, 1), Point(BEGIN + 1e5, 1)), is_whole=True)
    (line,) = drawn(state, 60, 1)
    assert line.startswith("06-15 15:06 ")
    assert line.endswith(" 06-16 18:53")
    assert len(drawn(state, 12, 1)[0]) == 12


def test_each_column_of_the_time_line_stands_for_its_time() -> None:
    state = replaying()
    state.time.course = course = Course((Point(BEGIN, 1), Point(BEGIN + 1000, 1)), is_whole=True)
    times = [time_line.time_of(state, 40, 1, x) for x in range(40)]
    shown = [time for time in times if time is not None]
    assert shown == sorted(shown)
    assert (shown[0], shown[-1]) == (course.begin, course.end)
    assert times.index(shown[0]) == len("15:06:40 ")
    for x, time in enumerate(times):
        if time is not None:
            state.arrive(history(2, 3), is_complete=False)
            assert course.column_at(time + 1, len(shown)) == x - times.index(shown[0])


@pytest.mark.parametrize(
    ("course", "said"),
    [(Course(), "the recording is read"), (Course((), is_whole=True), "the slab memory is not in this recording")],
)
def test_it_says_what_it_does_not_know(course: Course, said: str) -> None:
    state = replaying()
    state.time.course = course
    assert drawn(state, 80, 2) == [f"time line: {said}", ""]
    assert time_line.time_of(state, 80, 2, 40) is None


def test_the_last_moment_is_the_end_of_the_recording() -> None:
    state = replaying()
    press(state, ")")
    assert state.time.target == inf
    press(state, "(")
    assert state.time.target == BEGIN + 10
