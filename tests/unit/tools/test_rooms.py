"""The diagram of the rooms: which imports it finds, which arrows it leaves out, and what it replaces in the page."""

from graphlib import CycleError
from pathlib import Path

import pytest

from tests.support.markdown import replace_part
from tests.tools import rooms

NO_ROOM: frozenset[str] = frozenset()
CHAIN = {"top": frozenset({"middle", "bottom"}), "middle": frozenset({"bottom"}), "bottom": NO_ROOM}


@pytest.mark.parametrize(
    ("module", "room"),
    [
        ("slabtui", None),
        ("slabtui.cli.options", "cli"),
        ("slabtui.collector", "collector"),
        ("slabtui.views.table", "views"),
        ("slabtui.kernel.bpf", "kernel.bpf"),
        ("slabtui.kernel.bpf.maps", "kernel.bpf"),
        ("slabtui.kernel.bpfx", "kernel"),
    ],
)
def test_a_module_belongs_to_a_room(module: str, room: str | None) -> None:
    assert rooms.room_of(module) == room


def test_imports_inside_functions_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = tmp_path / "house"
    for name, text in {
        "__init__": "",
        "cli": "def main():\n    from house.views import table\n",
        "__main__": "import house.cli\n",
        "views/__init__": "",
        "views/table": "import os\nfrom house import __file__\nfrom house.model import Row\n",
        "model": "Row = tuple\n",
    }.items():
        path = house / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert rooms.imports("house") == {"cli": {"views"}, "views": {"model"}, "model": set()}


def test_an_arrow_that_a_longer_path_replaces_is_left_out() -> None:
    assert rooms.arrows(CHAIN) == {"top": {"middle"}, "middle": {"bottom"}, "bottom": set()}


def test_rooms_that_import_each_other_are_refused() -> None:
    with pytest.raises(CycleError):
        rooms.arrows({"a": frozenset({"b"}), "b": frozenset({"a"})})


def test_a_room_comes_before_those_that_it_imports() -> None:
    assert rooms.order(CHAIN) == ["top", "middle", "bottom"]


def test_only_the_text_between_the_markers_is_replaced() -> None:
    page = "before\n<!-- x: written by tests/tools/rooms.py -->\nold\n<!-- end of x -->\nafter\n"
    text = replace_part(page, "x", "new", "tests/tools/rooms.py")
    assert text == "before\n<!-- x: written by tests/tools/rooms.py -->\n\nnew\n\n<!-- end of x -->\nafter\n"
    assert replace_part(text, "x", "new", "tests/tools/rooms.py") == text


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="does not have the lines"):
        replace_part("# A page\n", "x", "new", "tests/tools/rooms.py")
