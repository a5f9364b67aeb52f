"""The columns of what is held on the screen, by stack, call site, process or place, and what is said above them."""

from collections.abc import Callable
from functools import lru_cache

from slabtui.columns import column, inspections, numbers
from slabtui.columns.column import UNLIMITED, Fitted
from slabtui.columns.held import EXPLAINS, is_estimate, number_column, share, where_held, who_holds
from slabtui.columns.inspections import InspectionColumn, Scene
from slabtui.columns.numbers import Unit
from slabtui.model.held import Held
from slabtui.model.holders import By
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow

DOUBT = "!"  # after HELD: the row cannot be trusted

_LEAST = 22  # columns for the text: beside HELD and +/s it fits 40 columns
_WIDE = 110  # columns from which on a stack shows who holds most; with less its functions need the room
_LONGEST_SYMBOL = 60  # columns, as on the tab of callers
_LONGEST_PLACE = {"cgroup": 53}  # the whole uid of a pod beside a container's id, from 160 columns on
_WITH_PLACE = 160
# Standard errors: an estimate that is not larger than two of its own may be 0. One alone would never be larger: what
# is held is at least N for each tracked object, and its standard error less.
_ERRORS = 2


def is_vague(row: InspectionRow) -> bool:
    """Return whether the error of a row is so large that it may hold nothing."""
    return row.held is not None and _ERRORS * row.held.standard_error > row.held.objects


def explain(inspection: Inspection) -> str:
    """Return how much of the change of the live objects is explained by what is held; empty where that is unknown."""
    held, tracking = inspection.held_objects, inspection.tracking
    if tracking is None or tracking.live is None or tracking.live_began is None:
        return ""
    change = tracking.live - tracking.live_began
    if 0 < held <= EXPLAINS * change:
        return f"explains {held / change:.0%} of LIVE {change:+,}"
    return f"LIVE {change:+,}"


def _held(row: InspectionRow, held: Held, width: int, scene: Scene) -> str:
    tracking = scene.inspection.tracking
    before, after = "~" * is_estimate(scene.inspection), DOUBT * bool(tracking and tracking.doubt)
    room = width - len(before) - len(after)
    return before + numbers.write(held.objects, Unit.OBJECTS, scene.style, room) + after


def _growth(row: InspectionRow, held: Held, width: int, scene: Scene) -> str:
    if held.growth_objects_s is None:
        return numbers.UNKNOWN
    return numbers.write(round(held.growth_objects_s, 2) + 0.0, Unit.OBJECTS, scene.style, width)


def _age(seconds: float | None) -> str:
    return numbers.UNKNOWN if seconds is None else numbers.brief(seconds)


def _write_holders(row: InspectionRow, width: int, scene: Scene) -> str:
    parts = scene.holders.get(row.key, ())
    processes = {(one.context, one.pid, one.comm) for one in parts}
    more = f" +{len(processes) - 1}" if len(processes) > 1 else ""
    first = who_holds(parts[0]) if parts else numbers.UNKNOWN
    return first[: max(0, width - len(more))] + more


_NUMBERS = (
    number_column(
        "held",
        "HELD",
        8,
        9,
        _held,
        "Objects allocated since the page was opened and not freed; ~: an estimate, dim: its error is so large that"
        " nothing may be held, !: not trustworthy, the line at the top says why",
        Unit.OBJECTS,
    ),
    number_column(
        "held_bytes",
        "BYTES",
        7,
        4,
        lambda row, held, width, scene: numbers.write(held.bytes, Unit.BYTES, scene.style, width),
        "Bytes that these objects take in their slabs",
        Unit.BYTES,
    ),
    number_column(
        "growth",
        "+/s",
        6,
        8,
        _growth,
        "How fast HELD grows, per second: a robust slope since the page was opened",
        Unit.OBJECTS,
    ),
    number_column("oldest", "OLDEST", 6, 7, lambda row, held, *_: _age(held.oldest), "Age of the oldest object held"),
    number_column(
        "median",
        "MEDIAN",
        6,
        3,
        lambda row, held, *_: _age(held.median),
        "Age that half of the objects held have reached; where a row joins several, known between the limits of the"
        " chart of ages only",
    ),
    number_column(
        "held_share",
        "SHARE",
        6,
        5,
        lambda row, held, width, scene: f"{share(row, scene.inspection):.1f}%",
        "Share of this row in all that is held",
        Unit.PERCENT,
    ),
)


def _text(
    name: str, title: str, write: Callable[[InspectionRow, int], str], most: int, meaning: str
) -> InspectionColumn:
    return InspectionColumn(
        id=name,
        title=title,
        width=_LEAST,
        align="left",
        write=lambda row, width, scene: write(row, width),
        help=meaning,
        priority=0,
        most=most,
    )


_WHO = InspectionColumn(
    id="holder",
    title="PROCESS",
    width=24,
    align="left",
    write=_write_holders,
    help="Process that allocated most of them, its PID, and how many other processes did",
    priority=1,
)
_OF_PROCESSES: tuple[InspectionColumn, ...] = tuple(
    one for one in inspections.COLUMNS[InspectionKind.PROCESSES] if one.unit is None
)
COLUMNS: dict[By, tuple[InspectionColumn, ...]] = {
    By.STACK: (
        *_NUMBERS,
        _WHO,
        _text(
            "holding_stack",
            "STACK",
            lambda row, width: inspections.describe(InspectionKind.STACKS, row),
            UNLIMITED,
            "Kernel functions that led to the allocation of what is held: each was called by the one to its right",
        ),
    ),
    By.SITE: (
        *_NUMBERS,
        _WHO,
        _text(
            "holding_site",
            "CALL SITE",
            lambda row, width: inspections.describe(InspectionKind.CALLERS, row),
            _LONGEST_SYMBOL,
            "Kernel function that called the allocator",
        ),
    ),
    By.PROCESS: (*_NUMBERS, *_OF_PROCESSES),
    By.PLACE: (
        *_NUMBERS,
        _WHO,
        _text(
            "holding_place",
            "PLACE",
            where_held,
            UNLIMITED,
            "Container and Kubernetes pod, or systemd unit, else control group in which it was allocated; (removed): it"
            " has been removed since",
        ),
    ),
}


@lru_cache(maxsize=16)  # every row on the screen asks the same
def fit(by: By, width: int) -> Fitted[InspectionRow, Scene]:
    """Return the columns that fit a terminal, with the width of each, in their order."""
    kept = [one for one in COLUMNS[by] if width >= _WIDE or one is not _WHO]
    return column.fit(kept, width, _LONGEST_PLACE if width >= _WITH_PLACE else {})
