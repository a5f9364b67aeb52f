"""The columns of what is held: their definitions, and what is said of all rows together."""

from collections.abc import Callable

from slabtui.columns import numbers, stacks
from slabtui.columns.column import UNLIMITED
from slabtui.columns.inspections import InspectionColumn, Scene, who
from slabtui.columns.numbers import Style, Unit
from slabtui.model.containers import write_place
from slabtui.model.held import Held
from slabtui.model.holders import name_place
from slabtui.model.inspection import Inspection, InspectionRow

REMOVED = " (removed)"  # after a place whose control group has been removed

_NOTHING = Held()
_PLACE = 21  # columns: a container and its pod fit
EXPLAINS = 1.1  # times the change of the live objects: with more, objects that were live before have been freed


def share(row: InspectionRow, inspection: Inspection) -> float:
    """Return the share of a row in all that is held, in percent."""
    return 100 * row.rank / inspection.held_objects if inspection.held_objects else 0.0


def is_estimate(inspection: Inspection) -> bool:
    """Return whether some objects were not tracked, so that the numbers of all rows are estimates."""
    return inspection.one_in > 1 or (inspection.tracking is not None and inspection.tracking.skipped > 0)


def summarize(inspection: Inspection) -> str:
    """Return how much is held, beside the change of the live objects; and why that cannot be trusted, if so."""
    held, tracking = inspection.held_objects, inspection.tracking
    parts = [f"{held:,} held"]
    if tracking and tracking.live is not None and tracking.live_began is not None:
        change = tracking.live - tracking.live_began
        explained = f"explains {held / change:.0%} of " if 0 < held <= EXPLAINS * change else ""
        parts.append(f"{explained}LIVE {change:+,}")
    if inspection.one_in > 1:
        parts.append(f"one address in {inspection.one_in}")
    if tracking and tracking.doubt:
        parts.append(f"not trustworthy: {tracking.doubt}")
    return ", ".join(parts)


def who_holds(row: InspectionRow) -> str:
    """Return name and PID of the process that allocated."""
    ended = " (ended)" if row.ended else ""
    return f"{who(row)} {row.pid}{ended}" if row.pid else who(row) or numbers.UNKNOWN


def where_held(row: InspectionRow, width: int) -> str:
    """Return the place of the process that allocated, in the longest form that fits a width."""
    if not row.cgroup:
        return name_place(row)
    removed = REMOVED * bool(row.removed)
    return write_place(row.cgroup, width - len(removed)) + removed


def _age(seconds: float | None) -> str:
    return numbers.UNKNOWN if seconds is None else numbers.duration(seconds)


def number_column(
    name: str,
    title: str,
    width: int,
    priority: int,
    write: Callable[[InspectionRow, Held, int, Scene], str],
    meaning: str,
    unit: Unit | None = None,
) -> InspectionColumn:
    """Return a column of a number of what is held; see Column for the arguments."""
    return InspectionColumn(
        id=name,
        title=title,
        width=width,
        align="right",
        write=lambda row, width, scene: write(row, row.held or _NOTHING, width, scene),
        help=meaning,
        priority=priority,
        fields=("held",),
        unit=unit,
    )


COLUMNS: tuple[InspectionColumn, ...] = (
    number_column(
        "held",
        "HELD",
        8,
        1,
        lambda row, held, width, scene: (
            "~" * is_estimate(scene.inspection) + numbers.write(held.objects, Unit.OBJECTS, scene.style, width - 1)
        ),
        "Objects that were allocated since the inspection began and are not freed; ~: an estimate",
        Unit.OBJECTS,
    ),
    number_column(
        "error",
        "S.E.",
        6,
        1,
        lambda row, held, width, scene: numbers.write(round(held.standard_error), Unit.OBJECTS, scene.style, width),
        "Standard error of HELD: two times out of three the true number is within HELD ± S.E.",
        Unit.OBJECTS,
    ),
    number_column(
        "bytes",
        "BYTES",
        10,
        1,
        lambda row, held, width, scene: numbers.write(held.bytes, Unit.BYTES, scene.style, width),
        "Bytes that these objects take in their slabs",
        Unit.BYTES,
    ),
    number_column(
        "growth",
        "+/s",
        7,
        1,
        lambda row, held, width, scene: (
            numbers.UNKNOWN
            if held.growth_objects_s is None
            else numbers.write(round(held.growth_objects_s, 2), Unit.OBJECTS, Style.RAW, width)
        ),
        "How fast HELD grows, per second: a robust slope since the inspection began",
        Unit.OBJECTS,
    ),
    number_column(
        "oldest", "OLDEST", 9, 1, lambda row, held, width, scene: _age(held.oldest), "Age of the oldest object held"
    ),
    number_column(
        "median",
        "MEDIAN",
        9,
        1,
        lambda row, held, width, scene: _age(held.median),
        "Age that half of them have reached",
    ),
    number_column(
        "share",
        "SHARE",
        6,
        1,
        lambda row, held, width, scene: f"{share(row, scene.inspection):.1f}%",
        "Share of the row in all that is held",
        Unit.PERCENT,
    ),
    InspectionColumn(
        id="process",
        title="PROCESS",
        width=24,
        align="left",
        write=lambda row, width, scene: who_holds(row),
        help="Process that allocated them, and its PID",
        priority=1,
        fields=("pid", "comm", "context", "cmdline", "ended"),
    ),
    InspectionColumn(
        id="place",
        title="PLACE",
        width=_PLACE,
        align="left",
        write=lambda row, width, scene: where_held(row, _PLACE),
        help="What the process runs in: its container and Kubernetes pod, or its systemd unit, else its control group",
        priority=1,
        fields=("cgroup", "removed"),
    ),
    InspectionColumn(
        id="stack",
        title="STACK",
        width=26,
        align="left",
        write=lambda row, width, scene: stacks.write_stack(row.frames),
        help="Kernel functions that led to the allocation: each was called by the one to its right",
        priority=0,
        most=UNLIMITED,
        fields=("frames",),
    ),
)
