"""The analysis of a fleet loads recordings exactly, and finds what is planted in those of 20 hosts."""

import random
import re
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from duckdb import DuckDBPyConnection

from slabtui.analysis import known
from slabtui.model.host import Origin
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.recording import flight
from slabtui.recording.flight import DirectorySink
from slabtui.recording.tape import Tape
from tests.support.fakes import key, snapshot
from tests.tools.fleet import page, plan, questions, shape, small, truths
from tests.tools.fleet.plan import Plan

SEED = 7


@pytest.fixture(scope="module")
def fleet() -> Plan:
    return plan.make(20, datetime(2026, 11, 26, 2, 30, tzinfo=UTC), hours=2, seconds=120, seed=SEED)


@pytest.fixture(scope="module")
def connection(fleet: Plan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    with chdir(tmp_path_factory.mktemp("fleet")), duckdb.connect() as connection:
        small.record(fleet, SEED, caches=24)
        questions.run(connection, "load")
        questions.run(connection, "growth")
        yield connection


def test_the_answers_are_what_is_planted(fleet: Plan, connection: DuckDBPyConnection) -> None:
    answers = {name: questions.run(connection, name) for name in questions.QUESTIONS}
    assert not list(truths.find_errors(fleet, answers))


def test_the_caches_that_hold_most_are_those_of_the_recordings(fleet: Plan, connection: DuckDBPyConnection) -> None:
    last = {host.name: list(Tape([Path("recordings", host.name)]).read())[-1] for host in fleet.hosts}
    held: dict[str, int] = {}
    for row in (row for one in last.values() for row in one.rows):
        if not row.reclaimable and row.name != plan.FOLLOWER[0]:
            held[row.name] = held.get(row.name, 0) + row.mem
    fleet_wide, _, of_hosts, _ = questions.run(connection, "memory")
    assert fleet_wide.by("name") == sorted(held, key=lambda name: (-held[name], name))[:10]
    for host, one in last.items():
        rows = sorted((row for row in one.rows if row.name in held), key=lambda row: (-row.mem, row.name))
        assert [name for at, name in of_hosts.by("host", "name") if at == host] == [row.name for row in rows[:3]]


def test_a_host_that_had_the_new_kernel_before_is_not_one_that_keeps_the_old_one() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE limits AS SELECT 1 AS least_growth")
        connection.execute(
            "CREATE TABLE growth (host TEXT, kernel TEXT, name TEXT, begins INT, bytes_per_hour INT, grows BOOLEAN)"
        )
        rows = [(host, kernel, "a", at, 9 * at, at > 0) for host in "xy" for at, kernel in enumerate(("old", "new"))]
        rows += [("early", "new", "a", 0, 9, True), ("late", "old", "a", 0, 0, False)]
        connection.executemany("INSERT INTO growth VALUES (?, ?, ?, ?, ?, ?)", rows)
        (found,) = questions.run(connection, "kernels")
    assert found.by("hosts_growing", "hosts_changed", "unchanged_growing", "unchanged_hosts") == [(2, 2, 0, 1)]


def test_reclaimable_memory_grows_and_is_not_reported(connection: DuckDBPyConnection) -> None:
    grown = connection.sql("SELECT name, min(bytes_per_hour) FROM period GROUP BY name").fetchall()
    rates = dict(grown)
    assert all(rates[name] > rate / 2 for name, rate in plan.RECLAIMABLE.items())
    assert rates[plan.FOLLOWER[0]] > 1 << 20  # it would be reported if it were not excluded


def test_the_excluded_caches_are_those_with_an_object_for_each_inode() -> None:
    excluded = re.search(r"name NOT IN \((.*)\)", questions.file("growth").read_text())
    assert excluded
    assert all(known.is_per_inode([name.strip(" '")]) for name in excluded[1].split(","))


def test_loading_gives_what_a_replay_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(flight, "FRAME_TEXT", 4096)  # a few lines
    directory = Path("recordings", "host=a b")
    directory.parent.mkdir()
    sink = DirectorySink(directory)
    for number, one in enumerate(changing(60)):
        if number == 30:
            sink.renew()
        sink.write(one)
    sink.close()
    assert load() == replayed(directory)


def test_a_segment_that_is_torn_is_loaded_up_to_its_last_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    directory = Path("recordings", "torn")
    directory.parent.mkdir()
    sink = DirectorySink(directory)
    for one in changing(20):
        sink.write(one)
    sink.close()
    (segment,) = directory.glob("*.zst")
    segment.write_bytes(segment.read_bytes()[: segment.stat().st_size // 2])
    (directory / "slabtui-index.json").unlink()
    found = replayed(directory)
    assert found
    assert load() == found


def test_some_hosts_can_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("recordings").mkdir()
    for host in ("web1", "db1"):
        sink = DirectorySink(Path("recordings", host))
        sink.write(next(changing(1)))
        sink.close()
    with duckdb.connect() as connection:
        connection.execute("SET VARIABLE recordings = 'recordings/web*/slabtui-2023*.jsonl.zst'")
        questions.run(connection, "load")
        assert connection.sql("SELECT DISTINCT host FROM 'fleet/*/*/*.parquet'").fetchall() == [("web1",)]


def changing(intervals: int) -> Iterator[Snapshot]:
    """Yield intervals in which caches come, go and come back, two have one name, and values are unknown for a while."""
    chance = random.Random(3)
    rows = {
        number: CacheRow(key(number, f"cache-{number // 2}"), f"cache-{number // 2}", 64, 64) for number in range(8)
    }
    for at in range(intervals):
        for number, row in rows.items():
            allocs = chance.choice([0, 0, 7])
            rows[number] = replace(
                row,
                allocs=allocs,
                bytes=allocs * 64,
                total_allocs=row.total_allocs + allocs,
                total_bytes=row.total_bytes + allocs * 64,
                frees=chance.choice([None, 0, 3]) if chance.random() < 0.2 else row.frees and 0,
                live=chance.choice([None, at, row.live]),
                mem=chance.choice([4096 * at, row.mem, row.mem]),
                reclaimable=chance.choice([None, True, False]) if chance.random() < 0.1 else row.reclaimable,
            )
        there = [row for row in rows.values() if chance.random() < 0.9]
        origin = Origin("live", "a name", "6.18.9", 1.7e9)
        error = "the disk is on fire" if chance.random() < 0.1 else None
        yield snapshot(*([] if error else there), time=1.7e9 + 60 * at, error=error, origin=origin)


def load() -> list[tuple]:
    """Return what load.sql writes."""
    with duckdb.connect() as connection:
        questions.run(connection, "load")
        found = connection.sql(
            "SELECT epoch(time), name, live, mem, reclaimable, allocs, bytes, frees, kernel FROM 'fleet/*/*/*.parquet'"
        )
        return sorted(found.fetchall(), key=repr)


def replayed(directory: Path) -> list[tuple]:
    """Return the same of what a replay shows, with the caches of one name added up."""
    found = []
    for one in Tape([directory]).read():
        for name in {row.name for row in one.rows}:
            rows = [row for row in one.rows if row.name == name]
            sums = {field: total(rows, field) for field in ("live", "mem", "allocs", "bytes", "frees")}
            kinds = {row.reclaimable for row in rows} - {None}
            reclaimable = kinds == {True} if kinds else None
            live, mem, *counts = sums.values()
            found.append((one.time, name, live, mem, reclaimable, *counts, one.origin.kernel))
    return sorted(found, key=repr)


def total(rows: list[CacheRow], field: str) -> int | None:
    """Return a sum as SQL does: without what is unknown; None: all is."""
    values = [value for row in rows if (value := getattr(row, field)) is not None]
    return sum(values) if values else None


def test_the_shape_of_a_host_is_measured_from_its_recording() -> None:
    rows = [CacheRow(key(1, "a"), "a", 64, 64, reclaimable=True, live=10 * at, mem=8192, allocs=4) for at in (1, 2)]
    (found,) = shape.measure(snapshot(row) for row in rows)
    assert found == shape.Shape("a", 64, 409.6, 1, 20, 0.0, 4.0)
    assert len(shape.load()) > 200


def test_the_page_gets_its_tables_between_its_markers() -> None:
    text = page.fill("a\n<!-- x: by a tool -->\nold\n<!-- end of x -->\nb", {"x": page.table(["c"], [[None], [1]])})
    assert text == "a\n<!-- x: by a tool -->\n\n| c |\n| --- |\n|  |\n| 1 |\n\n<!-- end of x -->\nb"
