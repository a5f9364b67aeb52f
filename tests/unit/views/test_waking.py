"""An idle cache allocates for the first time: its selection, its open page and its history stay."""

import re
from dataclasses import replace

import pytest

from slabtui.model.identity import Identities
from slabtui.model.inspection import ON_PAGE, About, Inspection, InspectionKind
from slabtui.model.request import InspectionRequest, Request
from slabtui.model.snapshot import CacheTotals, Reading, Snapshot
from tests.support.fakes import LOADAVG, difference
from tests.unit.views.test_app import Screen
from tests.unit.views.test_page import FakeProducer, tab

ADDRESS = 0xFFFF888100000700


class Host:
    """The readings of a kernel with busy caches and one that is idle at first."""

    def __init__(self) -> None:
        self.identities = Identities()
        self.allocs = 0
        self.sleeper: int | None = None  # its allocations; None: it has never allocated, so that only its name is known
        self._before = self.read()

    def read(self) -> Reading:
        rows = [
            CacheTotals(self.identities.seen(number, f"busy-{number}"), f"busy-{number}", 64, total_allocs=self.allocs)
            for number in range(1, 4)
        ]
        if self.sleeper is None:
            rows.append(CacheTotals(self.identities.listed("sleeper"), "sleeper", 64, live=5))
        else:
            key = self.identities.seen(ADDRESS, "sleeper", 64)
            rows.append(
                CacheTotals(key, "sleeper", 64, address=ADDRESS, live=5 + self.sleeper, total_allocs=self.sleeper)
            )
        return Reading(tuple(rows))

    def interval(self) -> Snapshot:
        self.allocs += 7
        after = self.read()
        made = difference(self._before, after, Snapshot(1.7e9, 1.0, LOADAVG))
        self._before = after
        return made


@pytest.fixture
def host() -> Host:
    return Host()


def screen_of(host: Host) -> Screen:
    """Return a screen on which the idle cache is selected."""
    screen = Screen()
    for _ in range(3):
        screen.app.show(host.interval())
    screen.type("z", "end", "F")
    assert screen.selected() == "sleeper"
    return screen


def test_the_selection_stays(host: Host) -> None:
    screen = screen_of(host)
    host.sleeper = 4
    screen.app.show(host.interval())
    assert screen.selected() == "sleeper"
    assert screen.names()[-1] != screen.names()[0]
    screen.app.show(host.interval())  # idle again, and without z it would still show: it is followed
    screen.type("z")
    assert screen.selected() == "sleeper"


def test_the_page_its_request_and_its_charts_stay(host: Host) -> None:
    screen, producer = screen_of(host), FakeProducer()
    screen.app.connect(producer)
    screen.type("enter", "5")
    key = host.identities.listed("sleeper")
    about = Inspection(key, InspectionKind.ABOUT, about=About(live=5))
    screen.app.show(replace(host.interval(), inspections=(about,)))
    asked = [*producer.requests]
    assert asked[-1] == Request(inspection=InspectionRequest(key, ON_PAGE))
    for allocs in (4, 12):
        host.sleeper = allocs
        screen.app.show(replace(host.interval(), inspections=(replace(about, about=About(live=5 + allocs)),)))
    assert producer.requests == asked
    assert tab(screen) == "5 About"
    lines = screen.lines()
    assert lines[2].startswith("sleeper ")
    assert lines[3].startswith("live 17 ")
    (first,) = (place for place, line in enumerate(lines) if line.startswith("allocs/s "))
    assert re.fullmatch("allocs/s 8  min 0  max 8 +LIVE 17  min 5  max 17 *", lines[first])
    assert re.fullmatch(r"8│ +█  17│ +▁█", lines[first + 1])
    assert re.fullmatch(r"0│ +██   0│ +▅▅▅▅██", lines[first + 2])
    screen.type("esc")
    assert screen.selected() == "sleeper"


def test_the_sparkline_of_the_table_has_what_came_before(host: Host) -> None:
    screen = screen_of(host)
    host.sleeper = 4
    screen.app.show(host.interval())
    (line,) = (line for line in screen.lines() if line.startswith("sleeper "))
    assert line.endswith("█")
    assert len(screen.state.series(screen.state.rows[-1], 60)) == 4


def test_another_cache_of_its_name_is_not_taken_for_it(host: Host) -> None:
    screen = screen_of(host)
    screen.type("enter")
    host.sleeper = 4
    screen.app.show(host.interval())
    assert screen.state.page is not None
    opened = screen.state.page.row.cache
    other = host.identities.seen(ADDRESS + 256, "sleeper", 64)
    assert other != opened
    screen.app.show(replace(host.interval(), inspections=(Inspection(other, InspectionKind.CALLERS),)))
    assert screen.state.pages.inspection is None
    assert screen.has("Collecting…")
