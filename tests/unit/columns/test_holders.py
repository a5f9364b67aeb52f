"""The columns of what is held on the screen, and what is said above its rows."""

from dataclasses import replace

import pytest

from slabtui.columns.holders import COLUMNS, explain, fit, is_vague
from slabtui.columns.inspections import Scene
from slabtui.columns.numbers import Style, brief
from slabtui.model.held import Held, Tracking
from slabtui.model.holders import By
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow

LEAK = InspectionRow(
    frames=("kmem_cache_alloc", "alloc_empty_file", "do_eventfd"),
    pid=7,
    comm="leak",
    held=Held(300, 57_600, 12.4, 3700.0, 61.0, growth_objects_s=20.456),
)
OTHER = replace(LEAK, pid=8, comm="sh", held=Held(100, 19_200))
HELD = Inspection(
    CacheKey(KeyKind.CACHE, "filp"),
    InspectionKind.HELD,
    rows=(LEAK, OTHER),
    tracking=Tracking(400, 500, live_began=1000, live=1416),
)


def written(by: By, row: InspectionRow, inspection: Inspection = HELD, style: Style = Style.HUMAN) -> dict[str, str]:
    scene = Scene(inspection, style, holders={row.key: (row, OTHER)})
    return {column.title: column.write(row, column.width, scene).strip() for column in COLUMNS[by]}


def test_a_row_says_how_much_is_held_since_when_and_by_whom() -> None:
    assert written(By.STACK, LEAK) == {
        "HELD": "300",
        "BYTES": "56.2Ki",
        "+/s": "20.5",
        "OLDEST": "1h01m",
        "MEDIAN": "1m01s",
        "SHARE": "75.0%",
        "PROCESS": "leak 7 +1",
        "STACK": "alloc_empty_file < do_eventfd",
    }


def test_estimates_and_rows_that_cannot_be_trusted_are_marked() -> None:
    assert written(By.STACK, LEAK, replace(HELD, one_in=2))["HELD"] == "~300"
    doubted = replace(HELD, tracking=Tracking(skipped=1, doubt="frees in bulk"))
    for style in Style:
        assert written(By.STACK, LEAK, doubted, style)["HELD"].replace(" ", "") == "~300!"


def test_what_is_not_known_is_a_dash() -> None:
    found = written(By.STACK, OTHER)
    assert (found["+/s"], found["OLDEST"], found["MEDIAN"]) == ("-", "-", "-")


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("style", Style)
def test_numbers_fit_their_columns_whatever_they_are(by: By, style: Style) -> None:
    huge = Held(2**64 - 1, 2**64 - 1, 1.0, 1e9, 1e9, growth_objects_s=-1.5e18)
    row = replace(LEAK, held=huge)
    scene = Scene(replace(HELD, one_in=2, rows=(row, row), tracking=Tracking(doubt="x")), style)
    for column, room in fit(by, 79):
        if column.align == "right":
            assert len(column.write(row, room, scene)) <= room, column.title


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize(("width", "room"), [(39, 20), (79, 22), (119, 22), (199, 60)])
def test_the_text_has_room_and_the_columns_fill_no_more_than_the_width(by: By, width: int, room: int) -> None:
    fitted = fit(by, width)
    assert sum(wide for _, wide in fitted) + len(fitted) - 1 <= width
    assert fitted[-1][1] >= room
    assert fitted[0][0].title == "HELD"


def test_80_columns_have_all_numbers_and_who_holds_needs_a_wide_terminal() -> None:
    numbers = ["HELD", "BYTES", "+/s", "OLDEST", "MEDIAN", "SHARE"]
    assert [column.title for column, _ in fit(By.STACK, 79)] == [*numbers, "STACK"]
    assert [column.title for column, _ in fit(By.PROCESS, 79)] == [*numbers, "PID", "S", "COMMAND"]
    assert [column.title for column, _ in fit(By.SITE, 120)] == [*numbers, "PROCESS", "CALL SITE"]
    assert [column.title for column, _ in fit(By.STACK, 39)] == ["HELD", "+/s", "STACK"]


@pytest.mark.parametrize(
    ("live", "said"),
    [
        (1416, "explains 96% of LIVE +416"),
        (1380, "explains 105% of LIVE +380"),
        (1100, "LIVE +100"),
        (900, "LIVE -100"),
    ],
)
def test_what_is_held_explains_the_change_of_live_unless_older_objects_were_freed(live: int, said: str) -> None:
    assert explain(replace(HELD, tracking=Tracking(live_began=1000, live=live))) == said


def test_where_live_is_not_known_nothing_is_said_of_it() -> None:
    assert explain(replace(HELD, tracking=Tracking(live=5))) == explain(replace(HELD, tracking=None)) == ""


@pytest.mark.parametrize(("objects", "error", "vague"), [(100, 49.0, False), (100, 51.0, True), (0, 0.0, False)])
def test_a_row_is_vague_where_it_may_be_nothing(objects: int, error: float, vague: bool) -> None:
    assert is_vague(replace(LEAK, held=Held(objects, standard_error=error))) is vague


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0us"),
        (0.00035, "350us"),
        (0.0123, "12ms"),
        (0.9994, "999ms"),
        (0.9996, "1s"),
        (59.4, "59s"),
        (59.6, "1m00s"),
        (3599.6, "1h00m"),
        (86_399.6, "1d00h"),
        (8_639_000, "99d23h"),
        (1e8, "1157d"),
    ],
)
def test_lengths_of_time_fit_six_columns(seconds: float, text: str) -> None:
    assert brief(seconds) == text
