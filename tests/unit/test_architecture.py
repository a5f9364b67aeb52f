"""The map of the rooms in the documentation is true to the code."""

import ast
from pathlib import Path

import slabtui

PACKAGE = Path(slabtui.__file__).parent
PAGE = PACKAGE.parent / "docs" / "architecture.md"


def described() -> dict[str, str]:
    """Return the first line of every module's docstring, by its path below the package."""
    summaries = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        docstring = ast.get_docstring(ast.parse(path.read_text()))
        assert docstring, f"{path} says nothing of what it is for"
        summaries[str(path.relative_to(PACKAGE))] = docstring.splitlines()[0]
    return summaries


def test_the_map_has_every_room_in_its_own_words() -> None:
    lines = PAGE.read_text().splitlines()
    listed = [line for line in lines if line.startswith("- `") and ".py`: " in line]
    assert sorted(listed) == sorted(f"- `{path}`: {summary}" for path, summary in described().items())
