"""A part that is compiled in a thread: once, attached if it is still requested, with its trouble until it ends."""

import threading
from collections.abc import Callable, Sequence

import pytest

from slabtui.errors import SlabtuiError
from slabtui.kernel.bpf.module import Module
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.deferred import Deferred
from slabtui.kernel.part import Part

SETTINGS = Settings()
NOTHING = 0


class Counting(Part[int]):
    """A part without programs, whose attach and detach are counted."""

    def __init__(self, refusals: Sequence[Exception] = ()) -> None:
        self._refusals = list(refusals)
        self.attachments = self.closings = 0
        self._attached = False

    @property
    def modules(self) -> Sequence[Module]:
        return ()

    @property
    def descriptors(self) -> Sequence[int]:
        return (7,) if self._attached else ()

    @property
    def trouble(self) -> str:
        return "no names" if self._attached else ""

    def attach(self, settings: Settings) -> None:
        self.attachments += 1
        if self._refusals:
            raise self._refusals.pop()
        self._attached = True

    def detach(self) -> None:
        self._attached = False

    def put(self, settings: Settings) -> None:
        pass

    def read(self) -> int:
        return self.attachments

    def close(self) -> None:
        self.closings += 1


def deferred(make: Callable[[], Counting], ready: Callable[[], None] = lambda: None) -> Deferred[Counting, int]:
    return Deferred("frees", make, NOTHING, ready)


def test_a_part_is_made_once_and_attached_when_it_is_ready() -> None:
    ready, made = threading.Event(), []
    part = deferred(lambda: made.append(Counting()) or made[0], ready.set)  # type: ignore[func-returns-value]
    for _ in range(3):
        part.attach(SETTINGS)
    assert ready.wait(10)
    assert (part.attached, part.pending, part.read()) == (False, True, NOTHING)
    assert (part.advance(SETTINGS), part.advance(SETTINGS)) == (True, False)
    assert (part.attached, part.pending, part.read()) == (True, False, 1)
    part.detach()
    part.attach(SETTINGS)
    assert (len(made), part.read()) == (1, 2)


def test_nothing_is_attached_while_it_is_made() -> None:
    go = threading.Event()
    part = deferred(lambda: (go.wait(10) and Counting()) or Counting())
    part.attach(SETTINGS)
    assert not part.advance(SETTINGS)
    assert not part.attached
    go.set()
    part.wait()
    assert part.advance(SETTINGS)


def test_a_part_that_is_no_longer_wanted_is_not_attached() -> None:
    part = deferred(Counting)
    part.attach(SETTINGS)
    part.detach()
    part.wait()
    assert part.advance(SETTINGS)
    assert not part.attached
    part.attach(SETTINGS)
    assert part.attached


def test_a_failure_is_its_trouble_until_it_is_attached_again() -> None:
    outcomes: list[Exception] = [SlabtuiError("it broke", "try again"), OSError(5, "it broke too")]

    def make() -> Counting:
        if outcomes:
            raise outcomes.pop(0)
        return Counting()

    part = deferred(make)
    for words in ("it broke: try again", "[Errno 5] it broke too"):
        part.attach(SETTINGS)
        part.wait()
        assert not part.advance(SETTINGS)
        assert (part.failure, part.trouble) == (words, f"frees not counted: {words}")
    part.attach(SETTINGS)
    assert part.trouble == ""
    part.wait()
    assert part.advance(SETTINGS)
    assert part.trouble == "no names"  # the part's own


def test_a_refused_attachment_is_its_trouble_until_it_is_detached() -> None:
    part = deferred(lambda: Counting([SlabtuiError("refused", "see dmesg")]))
    part.attach(SETTINGS)
    part.wait()
    assert part.advance(SETTINGS)
    assert part.trouble == "frees not counted: refused: see dmesg"
    part.detach()
    assert part.trouble == ""
    part.attach(SETTINGS)
    assert part.attached


def test_an_error_in_the_program_itself_is_raised() -> None:
    def make() -> Counting:
        raise ZeroDivisionError

    part = deferred(make)
    part.attach(SETTINGS)
    part.wait()
    with pytest.raises(ZeroDivisionError):
        part.advance(SETTINGS)


def test_what_becomes_ready_after_the_end_is_closed() -> None:
    go, made = threading.Event(), Counting()
    part = deferred(lambda: (go.wait(10) and made) or made)
    part.attach(SETTINGS)
    part.close()
    go.set()
    part.wait()
    assert made.closings == 1
    assert not part.advance(SETTINGS)


def test_what_is_ready_but_not_attached_yet_is_closed() -> None:
    made = Counting()
    part = deferred(lambda: made)
    part.attach(SETTINGS)
    part.wait()
    part.close()
    assert made.closings == 1


def test_waiting_for_what_was_not_begun_returns_at_once() -> None:
    part = deferred(Counting)
    part.wait()
    assert not part.advance(SETTINGS)


def test_a_refused_thread_is_its_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    part = deferred(Counting)
    part.attach(SETTINGS)
    assert part.trouble.startswith("frees not counted: cannot start a thread: raise `ulimit -u`, or pids.max")
    assert not part.pending


@pytest.mark.parametrize("runs", [True, False])
def test_its_programs_run_for_each_event_if_those_of_the_part_do(runs: bool) -> None:
    class Running(Counting):
        @property
        def runs_per_event(self) -> bool:
            return runs

    part = deferred(Running)
    assert not part.runs_per_event
    part.attach(SETTINGS)
    part.wait()
    part.advance(SETTINGS)
    assert part.runs_per_event == runs
