"""The mouse on the widgets: what a click, the wheel and a drag do at every place, and what they leave alone."""

import pytest
from urwid.testing import click, press, render_runs, render_text

from slabtui.model.inspection import ON_PAGE
from slabtui.views.app import App
from slabtui.views.keymap import KeyContext
from slabtui.views.state import State
from tests.support.fakes import caches, snapshot

SIZES = [(80, 24), (200, 50), (40, 10)]
WHEEL_UP, WHEEL_DOWN = 4, 5


class Pointed:
    """The application at one size, with a mouse."""

    def __init__(self, size: tuple[int, int], number: int = 100) -> None:
        self.size = size
        self.state = State(1.0)
        self.app = App(self.state)
        self.app.show(snapshot(*caches(number)))
        self.lines()

    def lines(self) -> list[str]:
        return render_text(self.app.stack, self.size, focus=True)

    @property
    def top(self) -> int:
        """The line of the headings."""
        return next(y for y, line in enumerate(self.lines()) if line.startswith("CACHE"))

    def click(self, x: int, y: int, **more: object) -> None:
        assert click(self.app.stack, self.size, x, y, **more)
        click(self.app.stack, self.size, x, y, button=0, event="mouse release")

    def click_on(self, text: str) -> None:
        y = next(y for y, line in enumerate(self.lines()) if text in line)
        self.click(self.lines()[y].index(text), y)

    def selected(self) -> str:
        marked = [
            text
            for row in render_runs(self.app.stack, self.size, focus=True)
            for style, text in row
            if style == "selected"
        ]
        assert len(marked) == 1
        return marked[0].split()[0]

    def first(self) -> str:
        return self.lines()[self.top + 1].split()[0]


@pytest.mark.parametrize("size", SIZES)
def test_a_click_on_any_place_of_a_heading_sorts_by_its_column_and_again_reverses(size: tuple[int, int]) -> None:
    at = Pointed(size)
    at.click(0, at.top)
    assert at.lines()[at.top].startswith("CACHE▲")
    at.click(1, at.top)
    assert at.lines()[at.top].startswith("CACHE▼")
    title = at.lines()[at.top].index("ALLOCS/s")
    for x in range(title, title + len("ALLOCS/s")):
        at.click(0, at.top)
        at.click(x, at.top)
        assert "ALLOCS/s▼" in at.lines()[at.top].replace(" ", "")


def test_a_click_on_a_column_that_cannot_sort_says_so() -> None:
    at = Pointed((80, 24))
    order = at.state.order
    at.click(at.lines()[at.top].index("HISTORY"), at.top)
    assert at.state.order == order
    assert "cannot be sorted" in at.lines()[-2]


@pytest.mark.parametrize("size", SIZES)
def test_a_click_selects_its_row_and_a_second_one_opens_it(size: tuple[int, int]) -> None:
    at = Pointed(size)
    for below in range(1, size[1] - at.top - 2):
        name = at.lines()[at.top + below].split()[0]
        at.click(3, at.top + below)
        if below == 1:
            assert at.state.context is not KeyContext.TABLE  # the first row was selected
            press(at.app.stack, size, "esc")
            continue
        assert at.selected() == name
        assert at.state.context is KeyContext.TABLE
    at.click(3, at.top + 3)
    name = at.selected()
    at.click(3, at.top + 3)
    assert at.state.page is not None
    assert at.state.page.row.name == name


@pytest.mark.parametrize("size", SIZES)
def test_the_tabs_of_a_page_can_be_clicked(size: tuple[int, int]) -> None:
    at = Pointed(size)
    press(at.app.stack, size, "enter")
    line = next(y for y, text in enumerate(at.lines()) if " 1 " in text and " 4 " in text)
    for number, kind in [*enumerate(ON_PAGE, 1)][::-1]:
        at.click(at.lines()[line].index(f" {number} ") + 1, line)
        assert at.state.pages.tab is kind
    shown = at.state.pages.tab
    at.click(0, line)  # the name of the cache
    assert at.state.pages.tab is shown


@pytest.mark.parametrize("size", SIZES)
def test_the_wheel_scrolls_by_rows_and_the_selection_stays_in_view(size: tuple[int, int]) -> None:
    at = Pointed(size)
    assert at.first() == "cache-99"
    at.click(5, at.top + 2, button=WHEEL_DOWN)
    assert at.first() == "cache-96"
    assert at.selected() == "cache-96"
    at.app.show(snapshot(*caches(100)))
    assert at.first() == "cache-96"
    for _ in range(100):
        at.click(5, at.top + 2, button=WHEEL_DOWN)
    assert at.lines()[-3].startswith("cache-0 ")
    for _ in range(100):
        at.click(5, at.top + 2, button=WHEEL_UP)
    assert at.first() == "cache-99"


def test_the_scroll_bar_can_be_clicked_and_dragged_and_opens_nothing() -> None:
    size = (80, 24)
    at = Pointed(size)
    end = size[0] - 1
    at.click(end, size[1] - 3)
    assert at.first() != "cache-99"
    assert at.state.context is KeyContext.TABLE
    click(at.app.stack, size, end, size[1] - 3)
    click(at.app.stack, size, 10, at.top + 1, event="mouse drag")
    click(at.app.stack, size, 10, at.top + 1, button=0, event="mouse release")
    assert at.first() == "cache-99"
    at.click(end, at.top + 1)
    assert at.state.context is KeyContext.TABLE


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("event", "button"),
    [
        ("mouse press", 2),
        ("mouse press", 3),
        ("mouse press", 6),
        ("mouse press", 9),
        ("ctrl mouse press", 1),
        ("shift mouse press", 1),
        ("meta mouse press", 5),
        ("mouse drag", 1),
        ("mouse release", 0),
        ("mouse release", 1),
    ],
)
def test_nothing_else_does_anything_anywhere(event: str, button: int, size: tuple[int, int]) -> None:
    at = Pointed(size)
    for keys in ((), ("enter",), ("?",), ("esc", "/", "c")):
        press(at.app.stack, size, *keys)
        before = at.lines(), [*at.state.windows]
        for x in (0, 1, size[0] // 2, size[0] - 1, size[0], 10_000, -1):
            for y in (0, 1, 2, 3, size[1] // 2, size[1] - 2, size[1] - 1, size[1], 10_000, -1):
                assert click(at.app.stack, size, x, y, event=event, button=button)
        assert (at.lines(), at.state.windows) == before


@pytest.mark.parametrize("size", SIZES)
def test_a_click_while_one_types_moves_the_cursor_of_the_prompt_and_nothing_else(size: tuple[int, int]) -> None:
    at = Pointed(size)
    press(at.app.stack, size, "/", *"cache")
    chosen, order = at.state.place, at.state.order
    for y in range(size[1] - 1):
        at.click(3, y)
    assert (at.state.place, at.state.order) == (chosen, order)
    at.click(len("Filter: ca"), size[1] - 1)
    press(at.app.stack, size, "x")
    assert at.lines()[-1].startswith("Filter: caxche")


def test_a_click_works_while_the_screen_is_paused() -> None:
    at = Pointed((80, 24))
    press(at.app.stack, at.size, "p")
    at.click(3, at.top + 4)
    assert at.selected() == "cache-96"
    at.click(0, at.top)
    assert at.state.time.paused
    assert at.first() == "cache-0"


def test_a_click_where_a_wider_screen_had_something_is_no_click() -> None:
    at = Pointed((200, 50))
    at.size = (40, 10)
    at.lines()
    before = at.lines()
    for x, y in ((150, 5), (5, 45), (199, 49)):
        at.click(x, y)
    assert at.lines() == before


def test_a_message_goes_with_the_next_press_and_not_with_the_release() -> None:
    at = Pointed((80, 24))
    at.click(at.lines()[at.top].index("HISTORY"), at.top)
    assert at.state.message
    at.click(3, at.top + 4)
    assert not at.state.message
