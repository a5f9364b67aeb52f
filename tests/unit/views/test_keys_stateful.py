"""Any keys in any window at any size, between any events: each acts or says that it does nothing."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import urwid
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from urwid.testing import click, press

from slabtui.columns.caches import SORTS
from slabtui.columns.query import Order
from slabtui.model.course import Course, Point
from slabtui.model.history import History
from slabtui.model.host import HostGrowth, Origin
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import ON_PAGE, Inspection, InspectionKind
from slabtui.model.memory import HostMemory
from slabtui.model.request import Request
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.producer import Producer
from slabtui.recording.player import Arrival
from slabtui.views import keymap
from slabtui.views.app import App
from slabtui.views.keymap import KeyContext
from slabtui.views.state import State
from tests.support.fakes import cache, caches, snapshot
from tests.unit.views.test_page import INSPECTIONS

NAMES = ("dentry", "kmalloc-cg-192", "~kmalloc-large", r"\x1b[2J", "\u540d\u524d" * 20, "x" * 200)
QUITTING = {"quit", "quit-anywhere"}
KEYS = sorted({key for action in keymap.ACTIONS if action.name not in QUITTING for key in action.keys})
OTHER_KEYS = ("f7", "meta x", "ctrl z", "insert", "\u00e9", "\u540d", "paste q", "paste \u540d")
TYPED = (
    *"~d(e-1.*:0m",
    "\u540d",
    "paste e",
    "backspace",
    "delete",
    "left",
    "right",
    "home",
    "end",
    "f7",
    "enter",
    "esc",
)
COUNTS = st.integers(0, 2**63)
# Keys that may change nothing: sorting as before, the tab on the screen, the same message again.
REPEATABLE = {*keymap.SORTS, *keymap.TABS, "redraw", "accept"}
WAYS = {
    KeyContext.TABLE: (),
    KeyContext.LEAKS: ("l",),
    KeyContext.PAGE: ("home", "enter", "5"),
    KeyContext.STACKS: ("home", "enter", "2"),
    KeyContext.PROCESSES: ("home", "enter", "3"),
    KeyContext.HELD: ("home", "L"),
    KeyContext.HOLDERS: ("home", "L", "v", "v"),
    KeyContext.DIALOG: ("?",),
    KeyContext.PROMPT: ("/",),
}


class FakeSurvey:
    """What is known of a recording, as far as the test says."""

    def __init__(self) -> None:
        self.course = Course()
        self.is_known = False

    def start(self, notify: Callable[[], None]) -> None:
        """Begin: nothing becomes known by itself."""

    def stop(self) -> None:
        """End."""

    def of_cache(self, cache: CacheKey | None) -> Course | None:
        return self.course if self.is_known else None


class FakePlayer(Producer):
    """A producer that can be played, and that notes what it is asked for."""

    speed = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.survey = FakeSurvey()
        self.arrived: Arrival | None = None
        self.wanted = Request()
        self.calls: list[object] = []
        self.marks = 0

    def mark(self) -> None:
        self.marks += 1

    def request(self, wanted: Request) -> None:
        self.wanted = wanted
        self.calls.append(wanted)

    def measure(self) -> None:
        self.calls.append("measure")

    def faster(self) -> None:
        self.speed = min(64.0, self.speed * 2)

    def slower(self) -> None:
        self.speed = max(1 / 64, self.speed / 2)

    def hold(self, held: bool) -> None:
        self.calls.append(held)

    def step(self, number: int) -> None:
        self.calls.append(("step", number))

    def jump(self, time: float) -> None:
        self.calls.append(("jump", time))

    def arrival(self, snapshot: Snapshot) -> Arrival | None:
        return None if self.arrived is None or self.arrived.snapshot is not snapshot else self.arrived


class Keys(RuleBasedStateMachine):
    """The application, driven as the main loop does, but by chance."""

    @initialize(replay=st.booleans(), column=st.sampled_from(tuple(SORTS)))
    def begin(self, replay: bool, column: str) -> None:
        self.size = (80, 24)
        self.rows: tuple[CacheRow, ...] = ()
        self.producer = FakePlayer()
        self.state = State(1.0, Order.by(column), replay=replay)
        self.app = App(self.state)
        self.app.connect(self.producer)
        self.receive(3, 7, NAMES[0], 0)

    @rule(columns=st.integers(1, 250), lines=st.integers(1, 80))
    def resize(self, columns: int, lines: int) -> None:
        self.size = columns, lines

    @rule(columns=st.integers(1, 12), lines=st.integers(1, 6))
    def shrink(self, columns: int, lines: int) -> None:
        self.size = columns, lines

    @rule(keys=st.lists(st.sampled_from((*KEYS, *OTHER_KEYS)), max_size=5))
    def hit(self, keys: list[str]) -> None:
        for key in keys:
            self._hit(key)

    @rule(context=st.sampled_from(KeyContext), keys=st.lists(st.sampled_from((*KEYS, *OTHER_KEYS)), max_size=5))
    def hit_in(self, context: KeyContext, keys: list[str]) -> None:
        """Press keys in one window, which is opened first."""
        for key in ("esc", "esc", "esc", *WAYS[context]):
            self._hit(key)
        for key in keys:
            self._hit(key)

    @rule(keys=st.lists(st.sampled_from(TYPED), max_size=5), opening=st.sampled_from(("/", "e", "t")))
    def answer(self, keys: list[str], opening: str) -> None:
        for key in (opening, *keys):
            self._hit(key)

    @rule(tab=st.sampled_from(ON_PAGE), after=st.lists(st.sampled_from(("down", "enter", "tab")), max_size=3))
    def inspect(self, tab: InspectionKind, after: list[str]) -> None:
        for key in ("esc", "esc", "home", "enter", str(ON_PAGE.index(tab) + 1)):
            self._hit(key)
        self.receive(3, 7, NAMES[0], 0)
        for key in after:
            self._hit(key)

    @rule(
        events=st.lists(
            st.tuples(
                st.sampled_from(("mouse press", "mouse drag", "mouse release", "ctrl mouse press")),
                st.integers(0, 7),
                st.integers(-1, 300),
                st.integers(-1, 90),
            ),
            max_size=6,
        ),
        inside=st.booleans(),
    )
    def point(self, events: list[tuple[str, int, int, int]], inside: bool) -> None:
        """Use the mouse anywhere, also beyond the screen; the hint that quits is the only one that may end it."""
        for event, button, x, y in events:
            col, row = (x % self.size[0], y % self.size[1]) if inside else (x, y)
            with suppress(urwid.ExitMainLoop):
                assert click(self.app.stack, self.size, col, row, button=button, event=event)

    @rule(left=st.integers(0, 8))
    def write(self, left: int) -> None:
        """Export under the name that is proposed, or one cut short."""
        for key in ("e", *["backspace"] * left, "enter", "esc"):
            self._hit(key)

    def _hit(self, key: str) -> None:
        state, context = self.state, self.state.context
        if context is KeyContext.PROMPT and key not in TYPED:
            key = "esc"  # no file may be written anywhere else
        action, before = keymap.find(context, key), self._everything()
        if action is not None and action.name in QUITTING:
            return
        assert press(self.app.stack, self.size, key) == []
        changed = self._everything() != before
        said = "does nothing here: " in state.message
        if action is None and context is not KeyContext.PROMPT:
            assert said
            assert not changed
        elif action is None:
            assert not (said and changed)  # the editing keys of a prompt do nothing at its end, and say nothing
            assert said or key != "f7"
        elif not action.command and action.name not in REPEATABLE:
            assert changed or state.message, action.name
        assert not said or state.windows
        assert self.producer.wanted == state.request

    def _everything(self) -> object:
        """Return everything that a key can change."""
        state, prompt = self.state, self.app._prompt
        return (
            [*state.windows],
            (state.order, state.idle, state.frees, state.pattern, state.dropped, state.table.followed),
            (state.pages.tab, state.pages.revision),
            (state.leaks, state.style, state.basis, self.producer.marks),
            (state.time.paused, state.time.back, state.time.speed, state.time.stepping),
            None if prompt is None else (prompt._edit.edit_text, prompt._edit.edit_pos, state.prompt.complaint),
            [*self.producer.calls],
        )

    @rule(number=st.integers(0, 60), count=COUNTS, name=st.sampled_from(NAMES), lost=st.none() | COUNTS)
    def receive(self, number: int, count: int, name: str, lost: int | None) -> None:
        first = [replace(row, name=name, allocs=count, bytes=count, live=count, mem=count) for row in caches(1)]
        rest = [replace(row, frees=row.allocs, live_delta=-row.allocs, aliases=(name,)) for row in caches(number)[1:]]
        rest = [
            replace(
                row,
                reclaimable=bool(place % 3),
                growth_objects_s=float(count % (place + 2)),
                growth_bytes_h=float(count),
                growing=place % 5 == 0,
                grows_with=(f"cache-{place % 4}",),
            )
            for place, row in enumerate(rest)
        ]
        self.rows = (*first, *rest)
        memory = HostMemory(count, count // 2, count, lost, number)
        growth = HostGrowth(1.7e9, float(count), float(number), number > 30, float(count) if number > 30 else None)
        more = {
            "memory": memory,
            "growth": growth if number % 2 else None,
            "origin": Origin("live", name, name, scope=name),
        }
        more |= {"lost": lost, "events": count, "nanoseconds": 1.0, "inspections": self._inspections()}
        self.app.show(snapshot(*self.rows, **more))

    @rule(error=st.sampled_from(NAMES))
    def fail(self, error: str) -> None:
        self.app.show(snapshot(elapsed=0.0, error=error))

    @rule(note=st.sampled_from(NAMES))
    def warn(self, note: str) -> None:
        self.app.show(snapshot(*self.rows, notes=(note,) * 3, error=note))

    @rule(
        amounts=st.lists(st.tuples(st.floats(0.5, 1e6), COUNTS), max_size=9),
        is_whole=st.booleans(),
        known=st.booleans(),
    )
    def survey(self, amounts: list[tuple[float, int]], is_whole: bool, known: bool) -> None:
        """Find out more about the recording."""
        points, time = [], 1.7e9
        for seconds, amount in amounts:
            time += seconds
            points.append(Point(time, amount, amount // 2))
        self.producer.survey.course, self.producer.survey.is_known = Course(tuple(points), is_whole), known
        self.app._playing.take_survey()
        self.app.sync()

    @rule(number=st.integers(1, 4), is_complete=st.booleans(), since=st.none() | st.just(1.6e9))
    def arrive(self, number: int, is_complete: bool, since: float | None) -> None:
        """Come to another moment, as after a jump."""
        history = History()
        for at in range(number):
            one = snapshot(*self.rows, time=1.7e9 + at, origin=Origin("replay", "h", "6", since))
            history.add(one)
        self.producer.arrived = Arrival(one, history, is_complete)
        self.app.show(one)
        assert self.state.shown is not None
        assert self.state.time.number == self.state.time.history.added - self.state.time.back
        assert self.state.baselines.received == self.state.time.history.added
        assert is_complete or self.state.shown.time == one.time

    @rule()
    def end(self) -> None:
        self.state.end()
        self.app.sync()

    @rule()
    def expire(self) -> None:
        self.state.expire_message()
        self.app.sync()

    @invariant()
    def every_screen_fits(self) -> None:
        canvas = self.app.stack.render(self.size, focus=True)
        assert (canvas.cols(), canvas.rows()) == self.size
        lines = canvas.text
        assert len(lines) == self.size[1]
        assert all(line.decode().isprintable() for line in lines)

    def _inspections(self) -> tuple[Inspection, ...]:
        """Return the requested inspections, or one of another cache, as right after a change of the request."""
        wanted = self.producer.wanted.inspection
        if wanted is None:
            return (replace(INSPECTIONS[InspectionKind.STACKS], cache=cache(99).cache),)
        return tuple(replace(INSPECTIONS[kind], cache=wanted.cache) for kind in wanted.kinds)


def test_no_keys_at_no_size_break_the_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # exports are written
    run_state_machine_as_test(Keys, settings=settings(max_examples=40, stateful_step_count=30, deadline=None))
