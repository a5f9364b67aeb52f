"""Metrics of the running kernel say who keeps what leaks, as long as it is held."""

from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from slabtui.analysis.growth import Growth
from slabtui.cli import command_line
from slabtui.cli.exporting import Exporter
from slabtui.collector import Collector
from slabtui.model.snapshot import Snapshot
from tests.live.test_held import EVENTFD
from tests.support.keeper import Keeper, keeping
from tests.support.probes import probing

pytestmark = pytest.mark.live

INTERVAL, MOST = 0.25, 240  # intervals; the programs are compiled in the first ones
RATE = 400  # files per second: more than others keep meanwhile
LEAST = 100  # files
OTHERS = 20  # files that other processes may keep by the same stack


def is_of_events(stack: str) -> bool:
    return any(name in stack for name in EVENTFD)


class _Marking(Growth):
    """Marks the cache of files at once, which takes 40 seconds otherwise."""

    def judge(self, snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, rows=tuple(replace(row, growing=row.name == "filp") for row in snapshot.rows))


class _Reader:
    """Reads the metrics after each interval, and lets the keeper free its files once these are in them."""

    def __init__(self, path: Path, keeper: Keeper, collector: Collector) -> None:
        self._path, self._keeper, self._collector = path, keeper, collector
        self.held = 0.0
        self.labels: dict[str, str] = {}
        self.is_gone = False

    def read(self) -> tuple[str, ...]:
        families = {one.name: one.samples for one in parse_text(self._path.read_text())}
        values = {one.labels["keeper"]: one.value for one in families.get("slabtui_held_objects", [])}
        stacks = [one.labels for one in families.get("slabtui_held_info", []) if is_of_events(one.labels["stack"])]
        if self.held and values.get(self.labels["keeper"], 0) <= OTHERS:
            self.is_gone = True
            self._collector.finish()
        elif not self.held and stacks and values[stacks[0]["keeper"]] >= LEAST:
            (self.labels,) = stacks
            self.held = values[self.labels["keeper"]]
            self._keeper.do("free")
        return ()


def test_the_stack_that_keeps_files_is_exposed_until_they_are_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.prom"
    given = command_line.parse(["--metrics", str(path), "--metrics-held"])
    with keeping() as keeper, probing() as probe:
        collector = Collector(probe, INTERVAL)
        monkeypatch.setattr(collector, "_growth", _Marking())
        reader = _Reader(path, keeper, collector)
        keeper.do("rate", RATE)
        said: list[str] = []
        try:
            Exporter(given).run(collector, MOST, said.append, reader.read)
        finally:
            collector.stop()
        assert sum(bool(part.modules) for part in probe.suspects.parts) == 1  # no more than needed
    print(reader.labels, reader.held, said)
    assert reader.held >= LEAST
    assert reader.labels["cache"] == "filp"
    assert reader.labels["comm"].startswith("python")
    assert reader.is_gone
    assert not path.exists()
