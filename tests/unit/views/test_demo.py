"""The demo: a page without data says which pages have some, and a second round is another run."""

from dataclasses import replace

from urwid.testing import render_text

from slabtui.cli.options import DEMO
from slabtui.model.host import Origin
from slabtui.model.inspection import Inspection, InspectionKind
from slabtui.recording.reader import inspected_caches, read
from slabtui.views.app import App
from slabtui.views.state import State
from tests.support.fakes import cache, snapshot

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


def test_the_inspected_caches_of_the_demo_are_those_that_it_has() -> None:
    found = [inspection.cache.name for one in read(DEMO) for inspection in one.inspections]
    assert inspected_caches(DEMO) == tuple(dict.fromkeys(found))


def test_the_charts_begin_anew_with_another_round() -> None:
    app = App(State(1.0, replay=True))
    for since in (1.0, 1.0, 9.0):
        app.show(replace(snapshot(DENTRY), origin=Origin("replay", since=since)))
    assert app.state.series(DENTRY, 60) == [5.0]
