"""A part that is made in a thread: there once, retried after a failure, and never waited for unless asked."""

import threading

import pytest

from slabtui.errors import SlabtuiError
from slabtui.kernel.deferred import Deferred


def test_a_part_is_made_once_and_collected_once() -> None:
    ready = threading.Event()
    made: list[int] = []

    def make() -> int:
        made.append(1)
        return 7

    deferred = Deferred(make)
    for _ in range(3):
        deferred.begin(ready.set)
    assert ready.wait(10)
    assert (deferred.collect(), deferred.collect(), deferred.part) == (7, None, 7)
    deferred.begin(ready.set)
    assert made == [1]


def test_nothing_is_collected_while_it_is_made() -> None:
    go = threading.Event()
    deferred = Deferred(lambda: go.wait(10))
    deferred.begin(lambda: None)
    assert deferred.collect() is None
    go.set()
    deferred.wait()
    assert deferred.collect() is True


def test_a_failure_is_raised_where_it_is_collected_and_then_tried_again() -> None:
    outcomes = [SlabtuiError("it broke", "try again"), OSError(5, "it broke too")]

    def make() -> int:
        if outcomes:
            raise outcomes.pop(0)
        return 7

    deferred = Deferred(make)
    for error in (SlabtuiError, OSError):
        deferred.begin(lambda: None)
        deferred.wait()
        with pytest.raises(error, match="it broke"):
            deferred.collect()
        assert deferred.part is None
    deferred.begin(lambda: None)
    deferred.wait()
    assert deferred.collect() == 7


def test_waiting_for_what_was_not_begun_returns_at_once() -> None:
    deferred = Deferred(lambda: 7)
    deferred.wait()
    assert deferred.collect() is None


def test_no_leave_for_a_thread_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(SlabtuiError, match=r"cannot start a thread: raise `ulimit -u`, or pids\.max"):
        Deferred(lambda: 7).begin(lambda: None)
