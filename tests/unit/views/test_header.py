"""The lines above the table: what they say of the host, at every size, and that nothing in them moves."""

import random
import re
from collections import defaultdict
from dataclasses import replace
from itertools import islice

import pytest
from urwid.testing import render_runs, render_text

from slabtui.cli.options import DEMO
from slabtui.model.host import HostGrowth, Origin
from slabtui.model.memory import CgroupMemory, HostMemory
from slabtui.model.snapshot import Snapshot
from slabtui.recording.reader import read
from slabtui.views.app import App
from slabtui.views.state import State
from tests.support.fakes import cache, snapshot

GIB, MIB = 1 << 30, 1 << 20
MEMORY = HostMemory(16 * GIB, 9 * GIB, 1260 * MIB, 1026 * MIB, 234 * MIB)
SCOPE = "pid 8445 python3"


def app_with(*snapshots: Snapshot, frees: bool = False) -> App:
    app = App(State(1.0, frees=frees))
    for one in snapshots:
        app.show(one)
    return app


def busy(**more: object) -> Snapshot:
    known = {"memory": MEMORY, "growth": HostGrowth(1.7e9, 200_000.0, 100.0, False)}
    return snapshot(cache(1, "dentry", allocs=1_234_567, size=384), **{**known, **more})


def lines(app: App, size: tuple[int, int] = (80, 24)) -> list[str]:
    return render_text(app.stack, size, focus=True, strip=True)


def styles(app: App, text: str, size: tuple[int, int] = (80, 24)) -> set[object]:
    return {style for row in render_runs(app.stack, size, focus=True) for style, part in row if text in part}


@pytest.mark.parametrize(
    ("size", "number"), [((40, 10), 1), ((200, 15), 1), ((80, 16), 2), ((80, 24), 2), ((200, 29), 2), ((80, 30), 3)]
)
def test_the_header_has_as_many_lines_as_the_terminal_has_room_for(size: tuple[int, int], number: int) -> None:
    assert lines(app_with(busy()), size)[number].startswith("CACHE")


def test_the_slab_memory_stands_as_meminfo_has_it_with_its_share_of_the_ram_and_its_change() -> None:
    app = app_with(busy())
    assert re.split(" +", lines(app)[1])[:11] == [
        *("slab", "1.23Gi", "recl", "1.00Gi", "unrecl", "234Mi", "7.7%", "of", "RAM", "+11.4Mi/min"),
        "▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁"[:1],
    ]
    wide = lines(app, (200, 50))
    assert "reclaimable 1.00Gi" in wide[1]
    assert "unreclaimable 234Mi" in wide[1]
    assert "1.23M allocs/s" in wide[2]
    assert "452MiB/s" in wide[2]


def test_what_is_not_known_is_no_zero() -> None:
    assert "?/min" in lines(app_with(busy(growth=None)))[1]
    assert "?/min" in lines(app_with(busy(growth=HostGrowth(1.7e9))))[1]
    unknown = app_with(busy(memory=None, growth=None))
    assert "slab memory: not in this recording" in lines(unknown)[1]
    assert "?/min" not in lines(unknown)[1]
    only = app_with(busy(memory=HostMemory(slab=5 * MIB)))
    assert "slab 5.00Mi" in lines(only)[1]
    assert "recl" not in lines(only)[1]
    assert "RAM" not in lines(only)[1]


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((40, 10), "full in 3 h 40 min"),
        ((80, 24), "full in 3 h 40 min"),
        ((120, 40), "memory full in 3 h 40 min"),
        ((200, 50), "memory full in 3 h 40 min"),
    ],
)
def test_when_memory_will_be_full_is_said_loudly_at_every_size(size: tuple[int, int], words: str) -> None:
    growing = HostGrowth(1.7e9, 700_000.0, 700_000.0, growing=True, full_in_s=13_200.0)
    app = app_with(busy(growth=growing))
    assert styles(app, words, size) == {"warning"}
    assert "growing" in styles(app, "+40.1Mi", size) or size[0] == 40


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (120, 40), (200, 50)])
@pytest.mark.parametrize("mode", ["LIVE", "PAUSED"])
def test_the_scope_cannot_be_overlooked(size: tuple[int, int], mode: str) -> None:
    app = app_with(busy(origin=Origin("live", "db7.example", "6.1.0", scope=SCOPE)))
    if mode == "PAUSED":
        app.press("p")
        app.sync()
    assert styles(app, SCOPE, size) == {"scope"}
    assert mode in lines(app, size)[0]


def test_without_a_scope_nothing_is_in_its_style() -> None:
    app = app_with(busy(origin=Origin("live", "db7.example", "6.1.0")))
    assert not any(style == "scope" for row in render_runs(app.stack, (120, 40)) for style, _ in row)
    assert "db7.example 6.1.0" in lines(app, (120, 40))[0]


def test_frees_are_in_the_header_while_they_are_counted() -> None:
    counted = replace(cache(1, "dentry", allocs=5), frees=7)
    assert "frees/s" not in "".join(lines(app_with(snapshot(counted)), (120, 40))[:3])
    assert "7 frees/s" in lines(app_with(snapshot(counted), frees=True), (120, 40))[2]
    assert "? frees/s" in lines(app_with(snapshot(cache(1, allocs=5)), frees=True), (120, 40))[2]


def test_without_any_cache_nothing_was_allocated() -> None:
    assert "0 allocs/s" in lines(app_with(snapshot()), (120, 40))[2]
    assert "0B/s" in lines(app_with(snapshot()), (120, 40))[2]


def test_the_slab_memory_of_the_control_group_stands_beside_that_of_the_host() -> None:
    app = app_with(busy(cgroup_memory=CgroupMemory(30 * MIB, 9 * MIB, 21 * MIB, 47 * MIB)))
    assert lines(app)[1].endswith("+11.4Mi/min cgroup slab 30.0Mi")
    assert "/min  cgroup slab 30.0Mi unrecl 21.0Mi of kernel 47.0Mi  " in lines(app, (160, 50))[1]
    assert lines(app, (60, 16))[1].endswith(" cgroup 30.0Mi")
    older = app_with(busy(cgroup_memory=CgroupMemory(30 * MIB, 9 * MIB, 21 * MIB)))
    assert "kernel" not in lines(older, (200, 50))[1]
    assert "cgroup" not in lines(app_with(busy(cgroup_memory=CgroupMemory())), (200, 50))[1]


def test_the_rates_are_for_the_time_and_in_the_style_of_the_table() -> None:
    app = app_with(busy(elapsed=2.0))
    size = (120, 40)
    for keys, written in (
        ("", ("617k allocs/s", "226MiB/s")),
        ("u", ("1.23M allocs/int", "452MiB/int")),
        ("u", ("1.23M allocs since", "452MiB since")),
        ("uB", ("617,284 allocs/s", "237,036,864 B/s")),
        ("B", ("617284 allocs/s", "237036864 B/s")),
    ):
        for key in keys:
            app.press(key)
        app.sync()
        assert all(text in lines(app, size)[2] for text in written)


def changing(number: int) -> list[Snapshot]:
    """Return intervals of the demo whose numbers have every length."""
    chosen = random.Random(13)
    shown = []
    for one in islice(read(DEMO), number):
        slab = int(2 ** chosen.uniform(20, 38))
        part = int(slab * chosen.random())
        growth = HostGrowth(0.0, chosen.choice((-1, 1)) * 2 ** chosen.uniform(-2, 36), 1.0, growing=False)
        averages = " ".join(f"{10 ** chosen.uniform(-2, 2.9):.2f}" for _ in range(3))
        shown.append(
            replace(
                one,
                loadavg=f"{averages} 1/342 13297",
                lost=int(10 ** chosen.uniform(0, 6)) - 1,
                events=int(10 ** chosen.uniform(4, 9)),
                nanoseconds=10 ** chosen.uniform(1, 2.9),
                bulk=True,
                memory=HostMemory(1 << 38, 1 << 37, slab, part, slab - part),
                cgroup_memory=CgroupMemory(slab // 2, part // 2, (slab - part) // 2, slab),
                growth=growth if chosen.random() > 0.2 else None,
                rows=tuple(replace(row, allocs=int(row.allocs * 10 ** chosen.uniform(-3, 3))) for row in one.rows),
                origin=Origin("live", "db7.example", "6.1.0"),
            )
        )
    return shown


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (100, 24), (120, 40), (200, 50)])
def test_no_field_moves_from_one_interval_to_the_next(size: tuple[int, int]) -> None:
    places: dict[str, set[tuple[int, int]]] = defaultdict(set)
    app = App(State(1.0))
    intervals = 0
    for one in changing(60):
        app.show(one)
        intervals += 1
        shown = render_text(app.stack, size, focus=True)
        for row in (*range(3), -2):
            for label in (
                "load",
                " allocs/s",
                "B/s",
                "every",
                "LIVE",
                "slab",
                "recl",
                "unrecl",
                "RAM",
                "/min",
                "cgroup",
                "CPU",
            ):
                found = re.search(rf"(?<!\w){re.escape(label.strip())}", shown[row])
                if found and not shown[row].startswith("CACHE"):
                    places[label].add((row, found.start()))
    assert intervals == 60
    assert {"slab", "unrecl", "/min", "LIVE"} <= set(places)
    assert {label: found for label, found in places.items() if len(found) > 1} == {}


def test_notes_a_filter_and_what_is_lost_leave_the_header_as_it_is() -> None:
    app = app_with(busy())
    before = lines(app_with(busy(), busy()))[:2]
    app.show(busy(notes=("recording stopped: No space left on device",), lost=99, events=100))
    app.state.filter_by("d")
    app.sync()
    assert lines(app)[:2] == before
    app.show(busy(elapsed=0.0, error="cannot read the counters: gone"))
    assert lines(app)[:2] == before


def test_the_chart_of_the_slab_memory_has_a_base_of_its_own_and_the_whole_session() -> None:
    app = app_with(*(busy(memory=replace(MEMORY, slab=1000 * MIB + step * MIB)) for step in range(200)))
    chart = lines(app, (80, 24))[1].split()[-1]
    assert len(chart) > 9
    assert (chart[0], chart[-1]) == ("▁", "█")
    assert [*chart] == sorted(chart)
    flat = app_with(*(busy(memory=replace(MEMORY, slab=1000 * MIB + step % 2)) for step in range(20)))
    assert set(lines(flat, (80, 24))[1].split()[-1]) == {"▁"}
