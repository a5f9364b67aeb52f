"""Any keys at any sizes, in any order, over whatever comes meanwhile: nothing raises, and every screen fits."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from urwid.testing import press

from slabtui.columns.caches import SORTS
from slabtui.columns.query import Order
from slabtui.feed import Feed
from slabtui.model.inspection import Inspection, Kind, Request
from slabtui.model.snapshot import CacheRow
from slabtui.views import keymap
from slabtui.views.app import App
from slabtui.views.footer import Prompt
from slabtui.views.state import State
from tests.support.fakes import caches, snapshot
from tests.unit.views.test_page import INSPECTIONS

NAMES = ("dentry", "kmalloc-cg-192", "~kmalloc-large", r"\x1b[2J", "\u540d\u524d" * 20, "x" * 200)
KEYS = sorted(key for key, action in keymap.BY_KEY.items() if action.name != "quit")
OTHER_KEYS = ("f5", "meta x", "ctrl z", "insert", "\u00e9", "\u540d")
TYPED = (*"~d(e-1.*", "\u540d", "backspace", "delete", "left", "right", "home", "end", "enter", "esc")  # no way to /
COUNTS = st.integers(0, 2**63)


class FakePlayer(Feed):
    """A feed that can be played, and that is asked for a look."""

    speed = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.watched = Request()

    def watch(self, wanted: Request) -> None:
        self.watched = wanted

    def faster(self) -> None:
        self.speed *= 2

    def slower(self) -> None:
        self.speed /= 2

    def hold(self, held: bool) -> None:
        pass


class Keys(RuleBasedStateMachine):
    """The application, driven as the main loop does, but by chance."""

    @initialize(replay=st.booleans(), column=st.sampled_from(tuple(SORTS)))
    def begin(self, replay: bool, column: str) -> None:
        self.size = (80, 24)
        self.rows: tuple[CacheRow, ...] = ()
        self.feed = FakePlayer()
        self.app = App(State(1.0, Order.by(column), replay=replay))
        self.app._feed = self.feed
        self.receive(3, 7, NAMES[0], 0)

    @property
    def prompt(self) -> bool:
        return isinstance(self.app._frame.footer, Prompt)

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

    @rule(keys=st.lists(st.sampled_from(TYPED), max_size=5), opening=st.sampled_from(("/", "e")))
    def answer(self, keys: list[str], opening: str) -> None:
        for key in (opening, *keys):
            self._hit(key)

    @rule(tab=st.sampled_from(tuple(Kind)), after=st.lists(st.sampled_from(("down", "enter", "tab")), max_size=3))
    def look(self, tab: Kind, after: list[str]) -> None:
        for key in ("esc", "esc", "home", "enter", str(list(InspectionKind).index(tab) + 1)):
            self._hit(key)
        self.receive(3, 7, NAMES[0], 0)
        for key in after:
            self._hit(key)

    @rule(left=st.integers(0, 8))
    def write(self, left: int) -> None:
        """Export under the name that is proposed, or one cut short."""
        for key in ("e", *["backspace"] * left, "enter", "esc"):
            self._hit(key)

    def _hit(self, key: str) -> None:
        if self.prompt and key not in TYPED:
            key = "esc"  # a file is to be written nowhere else
        for unhandled in press(self.app.stack, self.size, key):
            self.app.press(unhandled)

    @rule(number=st.integers(0, 60), count=COUNTS, name=st.sampled_from(NAMES), lost=st.none() | COUNTS)
    def receive(self, number: int, count: int, name: str, lost: int | None) -> None:
        first = [replace(row, name=name, allocs=count, bytes=count, live=count, mem=count) for row in caches(1)]
        rest = [replace(row, frees=row.allocs, live_delta=-row.allocs, aliases=(name,)) for row in caches(number)[1:]]
        self.rows = (*first, *rest)
        self.app.show(snapshot(*self.rows, lost=lost, events=count, nanoseconds=1.0, inspection=self._look()))

    @rule(error=st.sampled_from(NAMES))
    def fail(self, error: str) -> None:
        self.app.show(snapshot(error=error))

    @rule(note=st.sampled_from(NAMES))
    def warn(self, note: str) -> None:
        self.app.show(snapshot(*self.rows, notes=(note,) * 3))

    @rule()
    def end(self) -> None:
        self.app.state.ended = True

    @invariant()
    def every_screen_fits(self) -> None:
        canvas = self.app.stack.render(self.size, focus=True)
        assert (canvas.cols(), canvas.rows()) == self.size
        lines = canvas.text
        assert len(lines) == self.size[1]
        assert all(line.decode().isprintable() for line in lines)

    def _look(self) -> Inspection | None:
        """Return what is asked for, of the cache that is asked for; or of another, as right after a change."""
        subject = self.app.state.subject
        kind = self.feed.watched.kind or InspectionKind.STACKS
        return replace(INSPECTIONS[kind], cache=subject.name if subject else "another")


def test_no_keys_at_no_size_break_the_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # exports are written
    run_state_machine_as_test(Keys, settings=settings(max_examples=40, stateful_step_count=30, deadline=None))
