"""slabtui as a library: the iterator of snapshots on recordings and fake sources, its errors, and its page."""

import gc
import inspect
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import fields, is_dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import slabtui
from slabtui import library
from slabtui.cli.options import DEMO
from slabtui.collector import Collector
from slabtui.errors import Status
from slabtui.library import SnapshotStream
from slabtui.model.snapshot import Reading
from slabtui.recording.addresses import show_all
from slabtui.recording.reader import read
from tests.support.fakes import FakeClock, FakeSource, cache, growing, snapshot
from tests.support.recordings import record, snapshots
from tests.tools import reference

PATIENCE = 20  # seconds that a busy machine may take


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return record(tmp_path / "slab.jsonl", snapshots(5))


def stream(source: FakeSource, clock: FakeClock) -> SnapshotStream:
    return SnapshotStream(Collector(source, 1.0, clock=clock), show_all)


def advance(clock: FakeClock, seconds: int) -> None:
    for _ in range(seconds):
        clock.advance_waiter(1.0)


def close_while_another_thread_waits(found: SnapshotStream) -> list[list[slabtui.Snapshot]]:
    """Return what another thread has taken from the stream; empty if it has not ended."""
    taken: list[list[slabtui.Snapshot]] = []
    waiting = threading.Thread(target=lambda: taken.append(list(found)), daemon=True)
    waiting.start()
    while not found._queue._changed._waiters:  # type: ignore[attr-defined]  # of CPython's Condition
        time.sleep(0.001)
    found.close()
    waiting.join(PATIENCE)
    return taken


def test_the_package_has_every_name_of_the_library() -> None:
    assert {name: getattr(slabtui, name) for name in library.__all__} == {
        name: getattr(library, name) for name in library.__all__
    }
    assert set(library.__all__) <= set(dir(slabtui))
    assert not hasattr(slabtui, "AddressHider")


def test_the_package_imports_nothing_until_a_name_of_the_library_is_used() -> None:
    """It comes before the program handles SIGINT."""
    code = (
        "import sys; before = set(sys.modules); import slabtui; slabtui.__version__; hasattr(slabtui, '__wrapped__')\n"
        "print(set(sys.modules) - before); slabtui.Snapshot; print('slabtui.library' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "{'slabtui'}\nTrue\n"


def test_a_recording_is_read_to_its_end(recording: Path) -> None:
    with slabtui.open_recording(str(recording)) as found:
        assert list(found) == list(read(recording))
        assert list(found) == []


def test_reading_goes_on_after_a_break(recording: Path) -> None:
    with slabtui.open_recording(recording) as found:
        taken = []
        for snapshot in found:
            taken.append(snapshot)
            break
        assert [*taken, *found] == list(read(recording))


def test_the_demo_has_the_judgement_and_the_inspections() -> None:
    with slabtui.open_recording(str(DEMO)) as found:
        *_, last = found
    assert last.growth is not None
    assert any(row.growing for row in last.rows)
    assert last.inspection(slabtui.InspectionKind.STACKS) is not None


def test_a_stream_may_be_closed_twice_and_not_be_used_then(recording: Path) -> None:
    with slabtui.open_recording(recording) as found:
        next(found)
        found.close()
        found.close()
    with pytest.raises(slabtui.SlabtuiError, match=r"^the stream of snapshots is closed: open another one$"):
        next(found)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, None])
def test_the_source_is_closed_however_the_block_ends(error: type[BaseException] | None) -> None:
    source, clock = growing(2), FakeClock()
    threads = threading.active_count()
    with pytest.raises(error) if error else nullcontext(), stream(source, clock) as found:
        advance(clock, 1)
        assert next(found).allocs == 2
        if error:
            raise error
    assert source.closed
    assert threading.active_count() == threads


def test_a_stream_that_is_dropped_stops_counting() -> None:
    source, clock = growing(2), FakeClock()
    found = stream(source, clock)
    advance(clock, 1)
    next(found)
    thread = found._producer._thread
    del found
    gc.collect()
    thread.join(PATIENCE)
    assert source.closed


def test_another_thread_may_close_a_stream_that_waits() -> None:
    found = stream(growing(2), FakeClock())
    assert close_while_another_thread_waits(found) == [[]]


def test_a_producer_that_hangs_does_not_keep_a_thread_waiting() -> None:
    release = threading.Event()

    def hang(number: int) -> Reading:
        release.wait(2 * PATIENCE)
        return Reading()

    assert close_while_another_thread_waits(stream(FakeSource(hang), FakeClock())) == [[]]
    assert not release.is_set()
    release.set()


def test_a_slow_loop_loses_no_counts() -> None:
    clock = FakeClock()
    with stream(growing(3, step=5), clock) as found:
        advance(clock, 1)
        first = next(found)
        advance(clock, 4)
        clock.advance_waiter(0)  # the last one is on the queue
        second = next(found)
    assert (first.elapsed, first.allocs) == (1, 15)
    assert (second.elapsed, second.allocs) == (4, 60)


def test_a_source_that_cannot_be_read_at_first_is_an_error() -> None:
    def fail(number: int) -> Reading:
        raise OSError(5, "Input/output error")

    with stream(FakeSource(fail), FakeClock()) as found, pytest.raises(slabtui.SlabtuiError) as raised:
        next(found)
    assert raised.value.remedy == "start slabtui again"


def test_the_death_of_the_producer_is_an_error() -> None:
    def die(number: int) -> Reading:
        raise ZeroDivisionError("it broke")

    with stream(FakeSource(die), FakeClock()) as found, pytest.raises(slabtui.SlabtuiError) as raised:
        next(found)
    assert "it broke" in raised.value.cause
    assert raised.value.remedy == "please report this, with `uname -r`"


def test_kernel_addresses_are_there_only_if_they_are_asked_for(tmp_path: Path) -> None:
    address = 0xFFFF888100000000
    path = record(tmp_path / "slab.jsonl", [snapshot(replace(cache(1), address=address))])
    found = []
    for addresses in (False, True):
        with slabtui.open_recording(path, addresses=addresses) as one:
            found.append(next(one).rows[0].address)
    assert found == [None, address]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (partial(slabtui.open, 0), "the interval is 0: choose one from 0.1 to 3600 seconds"),
        (partial(slabtui.open, float("nan")), "the interval is nan: choose one from 0.1 to 3600 seconds"),
        (partial(slabtui.open, cgroup=""), "the path of the control group is empty: name one, or None for all"),
        (
            partial(slabtui.open, inspect="filp", kinds=["hold"]),
            "no kind of inspection is 'hold': "
            "choose from stacks, processes, callers, about, held, as in kinds=['held']",
        ),
        (
            partial(slabtui.open_recording, "/nowhere"),
            "cannot read /nowhere (No such file or directory): name a file that --record has written",
        ),
    ],
)
def test_a_wrong_argument_is_one_error(call: Callable[[], object], said: str) -> None:
    with pytest.raises(slabtui.SlabtuiError) as raised:
        call()
    assert str(raised.value) == said
    assert raised.value.status == Status.USAGE


def test_an_error_is_the_same_in_another_process() -> None:
    error = slabtui.SlabtuiError("it broke", "try again", Status.USAGE)
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.cause, copy.remedy, copy.status) == (str(error), "it broke", "try again", Status.USAGE)


def public() -> Iterator[Any]:
    return (getattr(slabtui, name) for name in library.__all__)


def test_the_reference_is_the_one_that_the_docstrings_make() -> None:
    page = reference.PAGE.read_text()
    assert page == reference.render(page), "run make docs"


def test_the_reference_has_every_name_of_the_library() -> None:
    assert {*reference.FUNCTIONS, *reference.TYPES} == set(library.__all__)


@pytest.mark.parametrize("kind", [kind for kind in public() if is_dataclass(kind)], ids=lambda kind: kind.__name__)
def test_every_field_has_its_meaning_in_the_reference(kind: Any) -> None:
    assert set(reference.read_attributes(kind)) == {field.name for field in fields(kind)}


@pytest.mark.parametrize("function", [slabtui.open, slabtui.open_recording])
def test_every_argument_has_its_meaning_in_the_reference(function: Callable[..., object]) -> None:
    assert list(reference.read_section(function, "Args")) == list(inspect.signature(function).parameters)
