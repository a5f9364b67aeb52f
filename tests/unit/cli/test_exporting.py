"""What metrics are exposed of a source, and how it ends."""

import errno
import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from slabtui.analysis.growth import Growth
from slabtui.cli import command_line
from slabtui.cli.exporting import Exporter
from slabtui.collector import Collector
from slabtui.errors import SlabtuiError, Status
from slabtui.metrics import destination, suspects
from slabtui.model.held import Tracking
from slabtui.model.inspection import InspectionKind, InspectionReading
from slabtui.model.request import Request
from slabtui.model.snapshot import Reading, Snapshot
from slabtui.system import files
from tests.support.fakes import FakeSource, key, totals

A = key(1, "a")


def export(
    arguments: Sequence[str], readings: Callable[[int], Reading], count: int, notes: Sequence[str] = ()
) -> list[str]:
    """Expose this many intervals of a source; return what was said."""
    said: list[str] = []
    collector = Collector(FakeSource(readings), 0.02)
    try:
        Exporter(command_line.parse(arguments)).run(collector, count, said.append, lambda: tuple(notes))
    finally:
        collector.stop()
    return said


def reading(number: int) -> Reading:
    return Reading((totals(1, "a", 10 * number), totals(2, "b", number)))


def unreadable(number: int) -> Reading:
    if number == 1:
        raise OSError("gone")
    return reading(number)


def test_it_says_where_metrics_are_and_each_note_once(tmp_path: Path) -> None:
    path = tmp_path / "a.prom"
    assert export(["--metrics", str(path)], reading, 3, ["slow"]) == [f"metrics: {path}", "slow"]
    assert list(tmp_path.iterdir()) == []


def test_an_interval_without_a_reading_is_said_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.prom"
    monkeypatch.setattr(destination.Textfile, "close", lambda self: None)
    said = export(["--metrics", str(path)], unreadable, 2)
    assert said == [f"metrics: {path}", "cannot read the counters: gone"]
    text = path.read_text()
    assert "\nslabtui_read_errors_total 1.0\n" in text
    assert '\nslabtui_cache_allocations_total{cache="a"} 20.0\n' in text


def test_the_options_say_which_caches_have_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.prom"
    monkeypatch.setattr(destination.Textfile, "close", lambda self: None)
    export(["--metrics", str(path), "--metrics-exclude", "a", "--metrics-include", "b"], reading, 1)
    lines = path.read_text().splitlines()
    assert [line for line in lines if line.startswith("slabtui_cache_allocations_total")] == [
        'slabtui_cache_allocations_total{cache="b"} 1.0',
        'slabtui_cache_allocations_total{cache="other"} 10.0',
    ]


class _Marking(Growth):
    """Marks a cache in its second and its third interval."""

    def __init__(self) -> None:
        self._intervals = 0

    def judge(self, snapshot: Snapshot) -> Snapshot:
        self._intervals += 1
        rows = (replace(row, growing=row.name == "a" and self._intervals in (2, 3)) for row in snapshot.rows)
        return replace(snapshot, rows=tuple(rows))


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["--metrics-held", "--frees"], [Request(frees=True), Request(frees=True, suspects=(A,)), Request(frees=True)]),
        (["--metrics-held", "--metrics-exclude", "a"], []),
        ([], []),
    ],
)
def test_what_is_held_is_tracked_only_where_asked_for_and_while_a_cache_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], asked: list[Request]
) -> None:
    monkeypatch.setattr(suspects, "STAYS", 0.03)  # seconds: two intervals
    source = FakeSource(reading)
    collector = Collector(source, 0.02)
    monkeypatch.setattr(collector, "_growth", _Marking())
    given = command_line.parse(["--metrics", str(tmp_path / "a.prom"), *arguments])
    collector.request(given.request)
    Exporter(given).run(collector, 8, lambda line: None, tuple)
    collector.stop()
    assert [one for one in source.requests if one != Request()] == asked


def test_why_it_is_not_exposed_what_is_held_is_said_once(tmp_path: Path) -> None:
    doubt = Tracking(doubt="about 7 frees have no event")
    found = InspectionReading(A, InspectionKind.HELD, tracking=doubt)
    said = export(
        ["--metrics", str(tmp_path / "a.prom"), "--metrics-held"],
        lambda number: replace(reading(number), inspections=(found,)),
        3,
    )
    assert said[1:] == [
        "what is held of a#2 is not exposed, because it cannot be trusted: slabtui --held a#2 says why",
    ]


def test_no_address_is_exposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, address = tmp_path / "a.prom", "0xffff888100042000"
    monkeypatch.setattr(destination.Textfile, "close", lambda self: None)
    nameless = lambda number: Reading((totals(1, address, 10 * number),))  # noqa: E731  as the probe calls it
    export(["--metrics", str(path), "--addresses"], nameless, 1)
    text = path.read_text()
    assert address not in text
    assert 'slabtui_cache_allocations_total{cache="hidden-' in text


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "a.prom"
    with pytest.raises(SlabtuiError) as caught:
        export(["--metrics", str(path)], reading, 1)
    expected = f"cannot write {path} (No such file or directory): create its directory first, with mkdir -p"
    assert (str(caught.value), caught.value.status) == (expected, Status.USAGE)


def test_a_second_one_that_should_write_the_same_file_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "a.prom"
    given = command_line.parse(["--metrics", str(path)])
    with closing(Exporter(given)) as first:
        path.write_text("of the first")
        with pytest.raises(SlabtuiError) as caught:
            Exporter(given)
        expected = f"another slabtui writes {path}: stop it, or name another file"
        assert (str(caught.value), caught.value.status) == (expected, Status.FAILED)
        assert path.read_text() == "of the first"
        with closing(Exporter(command_line.parse(["--metrics", str(tmp_path / "b.prom")]))):
            pass
        first.close()
        assert list(tmp_path.iterdir()) == []
        with closing(Exporter(given)):
            first.close()
            assert [one.name for one in tmp_path.iterdir()] == [".a.prom.lock"]


def test_a_file_that_cannot_be_written_for_a_while_is_said_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, replace_file, calls = tmp_path / "a.prom", files.replace, []

    def fail_sometimes(*arguments: object, **more: object) -> None:
        calls.append(0)
        if len(calls) in (2, 3):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace_file(*arguments, **more)

    monkeypatch.setattr(files, "replace", fail_sometimes)
    said = export(["--metrics", str(path)], reading, 5)
    remedy = "free some space, or name a file on another disk"
    assert said == [f"metrics: {path}", f"cannot write {path} (No space left on device): {remedy}"]
    assert len(calls) == 5


def test_a_pattern_that_takes_too_long_is_named(tmp_path: Path) -> None:
    slow = lambda number: Reading((totals(1, "a" * 40, number),))  # noqa: E731  a name that the pattern does not match
    with pytest.raises(SlabtuiError, match=r"^a pattern for metrics takes too long: see slabtui --help$"):
        export(["--metrics", str(tmp_path / "a.prom"), "--metrics-include", "~(a+)+b"], slow, 1)
