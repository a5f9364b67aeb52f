"""The application in urwid's main loop with a producer in a thread, on a screen that keeps its frames."""

import os
import threading
from collections.abc import Callable

import pytest
import urwid
from urwid.testing import ScriptedScreen

from slabtui.model.inspection import ON_PAGE
from slabtui.model.request import InspectionRequest, Request
from slabtui.producer import Producer
from slabtui.queues import ProducerDiedError, SnapshotsEndedError
from slabtui.views.app import App
from slabtui.views.state import State
from tests.support.fakes import cache, snapshot

PATIENCE = 30.0  # seconds
DENTRY = cache(1, "dentry", allocs=5)


class Watched(ScriptedScreen):
    """A screen whose keys depend on what is drawn.

    Args:
        drawn: called with the text of each frame; returns keys that are pressed then, or raises ExitMainLoop.
    """

    def __init__(self, drawn: Callable[[str], list[str]]) -> None:
        super().__init__(inputs=[])
        self._drawn = drawn

    def hook_event_loop(self, event_loop: urwid.EventLoop, callback: Callable[[list[str], list[int]], None]) -> None:
        self._press = lambda keys: event_loop.alarm(0, lambda: callback(keys, []))
        event_loop.alarm(PATIENCE, self._give_up)

    def _give_up(self) -> None:
        raise TimeoutError("\n".join(self.last_text))

    def draw_screen(self, size: tuple[int, int], canvas: urwid.Canvas) -> None:
        super().draw_screen(size, canvas)
        if keys := self._drawn("\n".join(self.last_text)):
            self._press(keys)


class Made(Producer):
    """A producer whose thread runs a function."""

    def __init__(self, produce: Callable[["Made"], None]) -> None:
        super().__init__()
        self._produce = produce
        self.requests: list[Request] = []

    def request(self, wanted: Request) -> None:
        self.requests.append(wanted)

    def produce(self) -> None:
        self._produce(self)

    @property
    def consumers(self) -> int:
        return len(self._queues)


def nothing(text: str) -> list[str]:
    return []


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def run(app: App, producer: Producer, drawn: Callable[[str], list[str]] = nothing) -> None:
    app.run(producer, Watched(drawn))


def test_every_count_reaches_the_screen_however_slow_it_is() -> None:
    def produce(producer: Made) -> None:
        for _ in range(200):
            producer.publish(snapshot(DENTRY))
        raise SnapshotsEndedError

    def drawn(text: str) -> list[str]:
        return ["q"] if " END " in text else []

    state, producer, before = State(1.0, replay=True), Made(produce), descriptors()
    run(App(state), producer, drawn)
    kept = [state.time.history.back(steps) for steps in range(len(state.time.history))]
    assert sum(row.allocs for one in kept for row in one.rows) == 200 * 5
    assert sum(one.elapsed for one in kept) == 200
    assert producer.consumers == 0
    assert descriptors() == before


def test_the_last_snapshot_that_was_asked_for_ends_the_loop_and_the_producer() -> None:
    ended = threading.Event()

    def produce(producer: Made) -> None:
        while producer.sleep(0.01):
            producer.publish(snapshot(DENTRY))
        ended.set()

    left = []
    run(App(State(1.0), count=3, leaving=lambda: left.append(ended.is_set())), Made(produce))
    assert left == [True]


def test_what_ended_the_producer_ends_the_loop() -> None:
    def produce(producer: Made) -> None:
        producer.publish(snapshot(DENTRY))
        raise RuntimeError("broke")

    with pytest.raises(ProducerDiedError, match="broke"):
        run(App(State(1.0)), Made(produce))


def test_keys_open_a_page_and_the_producer_is_asked_for_its_inspection() -> None:
    def produce(producer: Made) -> None:
        producer.publish(snapshot(DENTRY))
        producer.sleep(None)

    keys = iter([["enter"], ["3"], ["b"], ["esc"], ["q"]])

    def drawn(text: str) -> list[str]:
        return next(keys) if "dentry" in text else []

    producer = Made(produce)
    run(App(State(1.0, frees=True)), producer, drawn)
    assert producer.requests == [
        Request(True),
        Request(True, InspectionRequest(DENTRY.cache, ON_PAGE)),
        Request(True),
    ]


def test_a_message_goes_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slabtui.views.timers._MESSAGE_SECONDS", 0.05)
    frames: list[bool] = []

    def drawn(text: str) -> list[str]:
        frames.append("f5 does nothing here" in text.lower())
        if not frames[:-1]:
            return ["f5"]
        return ["q"] if not frames[-1] and True in frames else []

    state = State(1.0)
    run(App(state), Made(lambda producer: producer.sleep(None) and None), drawn)
    assert frames == [False, True, False]
    assert state.message == ""


def test_rows_take_their_places_after_a_cursor_key_though_no_interval_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end of a replay, in a pause and in a long interval the table kept an older order."""
    monkeypatch.setattr("slabtui.views.table_state._HOLD", 0.3)
    pressed = threading.Event()
    seen: list[list[str]] = []

    def produce(producer: Made) -> None:
        producer.publish(snapshot(DENTRY, cache(2, "filp", allocs=1)))
        pressed.wait(PATIENCE)
        producer.publish(snapshot(DENTRY, cache(2, "filp", allocs=99)))
        producer.sleep(None)

    def drawn(text: str) -> list[str]:
        names = [line.split()[0] for line in text.splitlines() if line.startswith(("dentry ", "filp "))]
        seen.append(names)
        if len(names) == 2 and not pressed.is_set():
            threading.Timer(0.05, pressed.set).start()
            return ["down"]
        return ["q"] if names == ["filp", "dentry"] else []

    run(App(State(60.0)), Made(produce), drawn)
    assert ["dentry", "filp"] in seen
    assert seen[-1] == ["filp", "dentry"]


def test_what_other_parts_say_is_shown_with_the_next_event() -> None:
    notes: list[str] = []

    def produce(producer: Made) -> None:
        producer.publish(snapshot(DENTRY))
        producer.sleep(None)

    def drawn(text: str) -> list[str]:
        if "recording stopped" in text:
            raise urwid.ExitMainLoop
        if "dentry" not in text:
            return []
        notes.append("recording stopped")
        return ["down"]

    run(App(State(1.0), notes=lambda: tuple(notes)), Made(produce), drawn)
