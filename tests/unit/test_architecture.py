"""The rooms and modules in the documentation are those of the code."""

import re

from tests.tools import rooms

HINT = "run python -m tests.tools.rooms"


def page() -> str:
    return rooms.PAGE.read_text()


def test_every_module_says_what_it_is_for() -> None:
    assert [path for path, summary in rooms.summaries().items() if not summary] == []


def test_the_list_of_modules_has_the_first_line_of_each_docstring() -> None:
    listed = [line for line in page().splitlines() if line.startswith("- `") and ".py`: " in line]
    assert sorted(listed) == sorted(f"- `{path}`: {summary}" for path, summary in rooms.summaries().items()), HINT


def test_the_diagram_has_the_imports_of_the_code() -> None:
    drawn = {
        (importer, imported)
        for importer, targets in re.findall(r"^    (\S+) --> (.+)$", page(), re.MULTILINE)
        for imported in targets.split(" & ")
    }
    expected = {(room, target) for room, targets in rooms.arrows(rooms.imports()).items() for target in targets}
    assert drawn == expected, HINT


def test_the_table_has_every_import_between_rooms() -> None:
    listed = {
        room: frozenset(re.findall(r"`(\S+)`", targets))
        for room, targets in re.findall(r"^\| `(\S+)` \| (`.+`|-) \|$", page(), re.MULTILINE)
        if room in rooms.imports()
    }
    assert listed == rooms.imports(), HINT
