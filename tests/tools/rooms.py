"""Writes the rooms, their imports and the list of modules into docs/architecture.md: `python -m tests.tools.rooms`."""

import ast
import sys
from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

import slabtui
from tests import ROOT
from tests.support.markdown import replace_part, table

PACKAGE = Path(slabtui.__file__).parent
PAGE = ROOT / "docs" / "architecture.md"
_COMMAND_LINE = "cli"
_NESTED = ("kernel.abi", "kernel.bpf", "kernel.procfs")  # rooms inside a room

Edges = Mapping[str, frozenset[str]]


def room_of(module: str) -> str | None:
    """Return the room that a module belongs to; None: the package `slabtui` itself, which imports nothing."""
    _, _, inside = module.partition(".")
    if not inside:
        return None
    for nested in _NESTED:
        if f"{inside}.".startswith(f"{nested}."):
            return nested
    first = inside.split(".")[0]
    return _COMMAND_LINE if first == "__main__" else first


def imports(package: str = "slabtui") -> Edges:
    """Return which other rooms each room imports, those imported inside functions included."""
    graph = grimp.build_graph(package, cache_dir=None)
    edges: dict[str, set[str]] = {room: set() for module in graph.modules if (room := room_of(module))}
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            importer, target = room_of(module), room_of(imported)
            if importer and target and importer != target:
                edges[importer].add(target)
    return {room: frozenset(targets) for room, targets in edges.items()}


def arrows(edges: Edges) -> Edges:
    """Return the edges without those that a longer path replaces.

    Raises:
        graphlib.CycleError: rooms import each other.
    """
    below: dict[str, frozenset[str]] = {}
    for room in TopologicalSorter(edges).static_order():
        below[room] = edges[room].union(*(below[target] for target in edges[room]))
    return {room: targets.difference(*(below[target] for target in targets)) for room, targets in edges.items()}


def order(edges: Edges) -> list[str]:
    """Return the rooms from the highest to the lowest: each before the rooms that it imports, else by name."""
    importers: dict[str, set[str]] = {room: set() for room in edges}
    for room, targets in edges.items():
        for target in targets:
            importers[target].add(room)
    sorter = TopologicalSorter(importers)
    sorter.prepare()
    rooms: list[str] = []
    while ready := sorted(sorter.get_ready()):
        rooms += ready
        sorter.done(*ready)
    return rooms


def diagram(edges: Edges) -> str:
    """Return the diagram of the rooms and the table of their imports, in Markdown."""
    rooms = order(edges)
    shown = arrows(edges)
    drawn = [f"    {room} --> {' & '.join(_in(rooms, shown[room]))}" for room in rooms if shown[room]]
    rows = [(f"`{room}`", ", ".join(f"`{target}`" for target in _in(rooms, edges[room]))) for room in rooms]
    return "\n".join(("```mermaid", "graph TD", *drawn, "```", "", table(("room", "imports"), rows)))


def summaries() -> dict[str, str]:
    """Return the first line of every module's docstring, by its path below the package."""
    return {
        str(path.relative_to(PACKAGE)): (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def modules() -> str:
    """Return the list of modules with the first lines of their docstrings, in Markdown, by directory."""
    by_directory: dict[str, list[str]] = {}
    for path, summary in summaries().items():
        by_directory.setdefault(str(Path(path).parent), []).append(f"- `{path}`: {summary}")
    parts = (
        f"`{'slabtui' if directory == '.' else f'slabtui/{directory}'}/`:\n\n" + "\n".join(lines)
        for directory, lines in sorted(by_directory.items())
    )
    return "\n\n".join(parts)


def rendered(page: str) -> str:
    """Return the page with the rooms and modules of the code as it is now."""
    for name, text in (("rooms", diagram(imports())), ("modules", modules())):
        page = replace_part(page, name, text, "tests/tools/rooms.py")
    return page


def _in(rooms: list[str], some: Iterable[str]) -> list[str]:
    return sorted(some, key=rooms.index)


def main() -> int:
    """Write the page; with `-`, print the rooms only."""
    if sys.argv[1:] == ["-"]:
        print(diagram(imports()))
    else:
        PAGE.write_text(rendered(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
