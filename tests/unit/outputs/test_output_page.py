"""The tables of fields in docs/output.md have the fields that are written, with their types."""

import json
import re
from dataclasses import replace
from typing import Any, get_args, get_type_hints

import pytest

from slabtui.columns.column import field_names
from slabtui.columns.inspections import COLUMNS
from slabtui.model.beside import KernelSite, SideCount
from slabtui.model.held import Held, Tracking
from slabtui.model.host import HostGrowth, Origin
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.inspection import About, Context, Inspection, InspectionKind, InspectionRow
from slabtui.model.leaks import GrowingCache, Keeper, Leak, LeakReport
from slabtui.model.memory import CgroupMemory, HostMemory, MemoryReport, Part, PartChange
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.outputs import leaks
from slabtui.recording import codec
from tests import ROOT

KEY = CacheKey(KeyKind.CACHE, "dentry", 2)
VALUES = {  # one of each type that a field of the model may have
    int: 1,
    float: 2.5,
    bool: True,
    str: "text",
    CacheKey: KEY,
    Context: Context.PROCESS,
    Part: Part.FREE,
    tuple[str, ...]: ("text",),
    tuple[tuple[int, int], ...]: ((0, 3),),
    tuple[int, ...]: (1, 2),
    tuple[SideCount, ...]: (SideCount("unused", 2, 1),),
    tuple[KernelSite, ...]: (KernelSite("slab_debug", 2, 128, ("d_alloc",), "fs/dcache.c:3", "1-9"),),
}


def filled(owner: type, **known: object) -> Any:
    """Return an object of the model in which no field is unknown or empty."""
    hints = {name: hint for name, hint in get_type_hints(owner).items() if name not in known}
    kinds = {name: next(one for one in (hint, *get_args(hint)) if one in VALUES) for name, hint in hints.items()}
    return owner(**{name: VALUES[kind] for name, kind in kinds.items()}, **known)


BARE = Snapshot(time=1.7e9, elapsed=1.0, loadavg="", lost=None)
ROWS = (CacheRow(cache=KEY, name="dentry"), CacheRow(cache=KEY, name="dentry", growing=False), filled(CacheRow))
MACHINE = {"memory": filled(HostMemory), "cgroup_memory": filled(CgroupMemory), "growth": filled(HostGrowth)}
FULL = filled(Snapshot, rows=ROWS, inspections=(), origin=filled(Origin), **MACHINE)
INSPECTION_ROWS = {
    kind: (
        filled(InspectionRow, held=None),
        filled(InspectionRow, held=None, standard_error=None, ended=None, removed=None),
    )
    for kind in COLUMNS
}
INSPECTION_ROWS[InspectionKind.STACKS] += (filled(InspectionRow, held=None, pid=None),)
HELD = InspectionKind.HELD
ROWS_HELD = tuple(filled(InspectionRow, held=held) for held in (filled(Held), Held(), None))
INSPECTIONS = [
    *(Inspection(KEY, kind, rows=rows) for kind, rows in INSPECTION_ROWS.items()),
    Inspection(KEY, InspectionKind.ABOUT, about=filled(About)),
    Inspection(KEY, InspectionKind.ABOUT, about=About()),
    Inspection(KEY, InspectionKind.ABOUT),
    *(Inspection(KEY, HELD, rows=ROWS_HELD, tracking=one) for one in (filled(Tracking), Tracking(), None)),
]
BLANK = {"memory": HostMemory(), "cgroup_memory": CgroupMemory(), "growth": HostGrowth(1.7e9)}  # nothing is known
LINES = [json.loads(codec.dumps(one, ROWS)) for one in (BARE, FULL, replace(FULL, **BLANK))]
WRITTEN_INSPECTIONS: list[dict[str, Any]] = json.loads(codec.dumps(replace(BARE, inspections=tuple(INSPECTIONS)), ()))[
    "inspections"
]
PARTS = (filled(PartChange), PartChange(Part.FREE, 3))
MEMORIES = (filled(MemoryReport, parts=PARTS), MemoryReport(2.5, 7, parts=PARTS))
ABOUTS = [one["about"] for one in WRITTEN_INSPECTIONS if one.get("about")]
KEEPERS = [
    Keeper(row, (row, replace(row, ended=None, removed=None, cgroup="")), explains)
    for row in ROWS_HELD
    for explains in (0.5, None)
]
GROWING = [GrowingCache(row, 2.0, 1.5, 2.5, 3, keeper) for row in (ROWS[0], ROWS[-1]) for keeper in (None, KEEPERS[0])]
ABOUT = Inspection(KEY, InspectionKind.ABOUT, about=filled(About))
LEAKS = [
    Leak(tuple(GROWING), ("text",), held, tuple(KEEPERS), ABOUT, time)
    for time, held in zip((None, 1.5, None), INSPECTIONS[-3:], strict=True)
]
LEAKS.append(Leak(tuple(GROWING), ("text",), None, tuple(KEEPERS)))
REPORTS: list[dict[str, Any]] = [
    json.loads(leaks.dumps(one))
    for one in (
        LeakReport(FULL, 1.5, None, 3, 0.5),
        LeakReport(FULL, 1.5, 2.5, 3, 0.5, tuple(LEAKS), tuple(GROWING), tuple(GROWING), (KEY,), memory=MEMORIES[0]),
        LeakReport(FULL, 1.5, None, 3, 0.5, memory=MEMORIES[1]),
    )
]
WRITTEN_MEMORIES = [report["memory"] for report in REPORTS if report["memory"]]
WRITTEN_KEEPERS = [keeper for leak in REPORTS[1]["leaks"] for keeper in leak["keepers"]]
WRITTEN = {
    "A report": REPORTS,
    "A leak": REPORTS[1]["leaks"],
    "A cache that grows": REPORTS[1]["uncertain"],
    "How it was tracked": [leak["held"] for leak in REPORTS[1]["leaks"] if leak["held"]],
    "A keeper": WRITTEN_KEEPERS,
    "A process that keeps objects": [process for keeper in WRITTEN_KEEPERS for process in keeper["processes"]],
    "A place that keeps objects": [place for keeper in WRITTEN_KEEPERS for place in keeper["places"]],
    "A snapshot": [*LINES, LINES[0] | {"inspections": WRITTEN_INSPECTIONS}],
    "The memory of the machine": [line["memory"] for line in LINES[1:]],
    "The memory of the control group": [line["cgroup_memory"] for line in LINES[1:]],
    "The growth of its slab memory": [line["growth"] for line in LINES[1:]],
    "The memory in a report on leaks": WRITTEN_MEMORIES,
    "A part of the memory": [part for one in WRITTEN_MEMORIES for part in one["parts"]],
    "A cache": [row for line in LINES for row in line["caches"]],
    "An inspection": WRITTEN_INSPECTIONS,
    "A row of an inspection": [row for one in WRITTEN_INSPECTIONS for row in one.get("rows", ())],
    "What is held": [row["held"] for row in WRITTEN_INSPECTIONS[-1]["rows"] if row["held"]],
    "What is known of all objects": [one["tracking"] for one in WRITTEN_INSPECTIONS if one.get("tracking")],
    "What the kernel says about a cache": ABOUTS,
    "A count beside a cache": [count for about in ABOUTS for count in about["counts"]],
    "A site that the kernel knows": [site for about in ABOUTS for site in about["sites"]],
}


def name_of_type(value: object) -> str:
    """Return the type of a value of JSON in the words of the page."""
    if isinstance(value, list):
        members = {list: "pairs", dict: "objects", str: "strings", int: "integers"}
        return f"array of {members[type(value[0])]}" if value else ""
    names = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", type(None): "null"}
    return names[type(value)]


def types(objects: list[dict[str, Any]]) -> dict[str, str]:
    """Return the types of every field that these objects have."""
    found: dict[str, set[str]] = {}
    for one in objects:
        for name, value in one.items():
            found.setdefault(name, set()).add(name_of_type(value))
    return {name: " or ".join(sorted(kinds - {""}, key=lambda kind: kind == "null")) for name, kinds in found.items()}


def documented(heading: str) -> dict[str, str]:
    """Return the types of the fields in the table below a heading of the page."""
    page = (ROOT / "docs" / "output.md").read_text()
    section = re.search(rf"^### {heading}\n(.*?)(?=^##)", page, re.MULTILINE | re.DOTALL)
    assert section, heading
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section[1], re.MULTILINE))


@pytest.mark.parametrize("heading", WRITTEN)
def test_the_page_has_every_field_that_is_written_with_its_type(heading: str) -> None:
    assert documented(heading) == types(WRITTEN[heading])


def test_the_fields_of_a_cache_are_on_the_page_in_their_order() -> None:
    assert tuple(documented("A cache")) == codec.ROW_FIELDS


@pytest.mark.parametrize("kind", COLUMNS)
def test_every_field_that_an_inspection_has_in_csv_is_on_the_page(kind: InspectionKind) -> None:
    assert set(field_names(COLUMNS[kind])) <= set(documented("A row of an inspection"))
