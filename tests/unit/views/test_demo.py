"""The demo: a page without data says which pages have some, and a second round is another run."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from urwid.testing import render_text

from slabtui.cli.options import DEMO
from slabtui.model.host import Origin
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow
from slabtui.recording.reader import inspected_caches, read
from slabtui.views.app import App
from slabtui.views.state import State
from tests.support.fakes import cache, snapshot
from tests.unit.views.test_app import Screen

DENTRY = cache(1, "dentry", allocs=5)


def page_of_dentry(inspected: tuple[str, ...]) -> str:
    """Return the page of a cache that is not inspected in this interval."""
    app = App(State(1.0, replay=True, inspected_caches=inspected))
    app.show(snapshot(DENTRY, inspections=(Inspection(cache(2, "filp").cache, InspectionKind.CALLERS),)))
    app.state.open_page()
    app.sync()
    return " ".join(" ".join(render_text(app.stack, (80, 24), focus=True)).split())


def test_a_page_without_data_says_which_caches_have_some() -> None:
    page = page_of_dentry(("filp", "vm_area_struct"))
    assert "The recording has no data for “Stacks” of this cache here." in page
    assert "It has inspections of filp, vm_area_struct; in this interval of filp." in page
    assert "It has inspections" not in page_of_dentry(())


def test_a_page_shows_the_last_inspection_before_the_interval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enter on the leak of the demo showed nothing for four fifths of the time."""
    monkeypatch.chdir(tmp_path)
    screen = Screen()
    screen.state.time.replay = True
    row = InspectionRow(allocs=3, bytes=192, total_allocs=30, total_bytes=1920, frames=("d_alloc+0x2a",))
    had = Inspection(DENTRY.cache, InspectionKind.CALLERS, rows=(row,))
    screen.show(DENTRY, time=1.7e9, inspections=(had,))
    screen.show(DENTRY, time=1.7e9 + 9, inspections=(Inspection(cache(2, "filp").cache, InspectionKind.CALLERS),))
    screen.type("enter", "4")
    then = time.strftime("%H:%M:%S", time.localtime(1.7e9))
    assert screen.has("d_alloc+0x2a")
    assert f"as of {then}" in screen.lines()[2]
    screen.type("e", "enter")
    (written,) = tmp_path.iterdir()
    assert "d_alloc" in written.read_text()
    screen.show(DENTRY, time=1.7e9 + 10, inspections=(had,))
    assert screen.has("d_alloc+0x2a")
    assert not screen.has("as of")
    screen.type("[")
    assert screen.has(f"as of {then}")


def test_a_live_page_does_not_show_an_inspection_that_is_over() -> None:
    screen = Screen()
    had = Inspection(DENTRY.cache, InspectionKind.CALLERS, rows=())
    screen.show(DENTRY, inspections=(had,))
    screen.show(DENTRY)
    screen.type("enter", "4")
    assert screen.has("Collecting…")


def test_the_inspected_caches_of_the_demo_are_those_that_it_has() -> None:
    found = [inspection.cache.name for one in read(DEMO) for inspection in one.inspections]
    assert inspected_caches(DEMO) == tuple(dict.fromkeys(found))


def test_the_charts_begin_anew_with_another_round() -> None:
    app = App(State(1.0, replay=True))
    for since in (1.0, 1.0, 9.0):
        app.show(replace(snapshot(DENTRY), origin=Origin("replay", since=since)))
    assert app.state.series(DENTRY, 60) == [5.0]
