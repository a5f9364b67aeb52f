"""What the user has chosen to see, over the snapshots so far, and every transition of it. Pure: it draws nothing."""

import time
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field
from math import inf

from slabtui.columns import numbers, query
from slabtui.model.course import Course
from slabtui.model.history import History
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import ON_PAGE, InspectionKind
from slabtui.model.request import InspectionRequest, Request
from slabtui.model.snapshot import Snapshot
from slabtui.recording import moments
from slabtui.views.effects import Effect, NothingToDoError
from slabtui.views.keymap import KeyContext
from slabtui.views.page_state import PageState
from slabtui.views.position import Position
from slabtui.views.search import Search
from slabtui.views.table_state import TableState
from slabtui.views.windows import HelpWindow, PageWindow, PromptWindow, Purpose, TableWindow, Window

_SUFFIXES = {InspectionKind.STACKS: ".folded", InspectionKind.ABOUT: ".json"}  # of a proposed name; others: .csv


@dataclass(slots=True)
class State(TableState):
    """The view's state. Its methods are the transitions; one that is not possible raises NothingToDoError.

    Attributes:
        replay: for the position.
        streamed: for the position.
        repeats: for the position.
        error: why the source could not be read last time; empty if it could.
        other_notes: what other parts of the program say beside the notes of the snapshot.
        inspected_caches: names of the caches that the recording has inspections of; empty: not known.
        windows: all windows, the topmost last.
        pages: what the page of a cache shows.
        search: where a cache grew most.
    """

    replay: InitVar[bool] = False
    streamed: InitVar[bool] = False
    repeats: InitVar[bool] = False
    error: str = ""
    other_notes: tuple[str, ...] = ()
    inspected_caches: tuple[str, ...] = ()
    windows: list[Window] = field(init=False)
    pages: PageState = field(init=False)
    search: Search = field(init=False, default_factory=Search)
    _effects: list[Effect] = field(init=False, default_factory=list)

    def __post_init__(self, replay: bool, streamed: bool, repeats: bool) -> None:
        self.time = Position(self._effects.append, replay, streamed, repeats)
        self.matches = query.matcher(self.pattern)
        self.windows = [self.table]
        self.pages = PageState(self.windows, self.time)

    # What comes from the producer.

    def receive(self, snapshot: Snapshot) -> None:
        """Take in a new snapshot; one that covers no time changes the error only."""
        self.error = snapshot.error or ""
        if not snapshot.elapsed:
            return
        if self.baselines.receive(snapshot):
            self._steady.clear()
        self._on_position(lambda: self.time.receive(snapshot))

    def arrive(self, history: History, *, is_complete: bool) -> None:
        """Show another moment of the recording; all marks are dropped.

        Args:
            history: the intervals up to that moment.
            is_complete: whether the same interval was there before, with fewer others before it.
        """
        self._steady.clear()
        self._on_position(lambda: self.time.arrive(history, is_again=is_complete))
        snapshots, last = history.snapshots(), history.added
        if self.baselines.jump(snapshots, last, keeps_marks=is_complete):
            cleared = "The mark is cleared: growth and sums count from the start again"
            self.message = f"{self.message}; {cleared}" if self.message else cleared
        self.arrange()

    def end(self) -> None:
        """There are no more snapshots."""
        self.time.ended = True

    def play(self, speed: float) -> None:
        """The replay runs at this speed from now on."""
        if speed == self.time.speed:
            self.message = f"x{speed:g} is the limit"
        elif self.time.paused:  # then the header does not show it
            self.message = f"The replay continues at x{speed:g}"
        self.time.speed = speed

    # Time.

    def toggle_pause(self) -> None:
        """Pause, or continue with the newest snapshot."""
        self._on_position(self.time.toggle_pause)

    def step_back(self, steps: int = 1) -> None:
        """Show an earlier interval, and pause."""
        self._on_position(lambda: self.time.step_back(steps))

    def step_forward(self, steps: int = 1) -> None:
        """Show a later interval while paused."""
        self._on_position(lambda: self.time.step_forward(steps))

    def ask_for_moment(self) -> None:
        """Open the prompt for a moment of the recording."""
        self.time.demand_jumps()
        self.windows.append(PromptWindow(Purpose.MOMENT, ""))
        self.message = "A time of day, -10m for ten minutes before this moment, or 2026-11-26T02:30"

    def seek_growth(self) -> None:
        """Show the moment at which the selected cache grew most, then the next one; the selection follows it."""
        self.time.demand_jumps()
        row = self.pages.inspected or self.selected
        if row is None:
            raise NothingToDoError("no cache is selected")
        if self.page is None:
            self.table.followed = row.cache
        self._seek(row.cache, row.name)

    def seek_growth_of_all(self) -> None:
        """Show the moment at which all slab memory grew most, then the next one."""
        self.time.demand_jumps()
        self._seek(None, "slab memory")

    def _seek(self, cache: CacheKey | None, name: str) -> None:
        self.search.seek(cache, name)
        if self.search.rises is None:
            self.message = f"Looking for where {name} grew most…"
            self._effects.append(Effect.SEARCH)
        else:
            self._show_rise()

    def find(self, course: Course) -> None:
        """Take in the course of the memory that is looked for."""
        if self.search.is_waiting:
            self.search.take(course)
            self._show_rise()

    def _show_rise(self) -> None:
        self.message = self.search.message
        if (rise := self.search.rise) is not None:
            self.time.jump(rise.time)

    # Windows.

    def open_page(self) -> None:
        """Open the page of the selected cache."""
        row = self.selected
        if row is None:
            raise NothingToDoError("no cache is selected")
        self.pages.open(row)

    def open_held(self) -> None:
        """Open the page of the selected cache on the tab of what is held."""
        self.open_page()
        self.pages.show_tab(InspectionKind.HELD)

    def open_help(self) -> None:
        """Show what the screen means, and the keys."""
        self.windows.append(HelpWindow())

    def ask_for_filter(self) -> None:
        """Open the prompt for the filter."""
        self.windows.append(PromptWindow(Purpose.FILTER, self.pattern))

    def ask_for_export(self) -> None:
        """Open the prompt for the name of a file."""
        if self.shown is None or (self.page is not None and self.pages.inspection is None):
            raise NothingToDoError("there is nothing to write yet")
        suffix = ".csv" if self.page is None else _SUFFIXES.get(self.pages.tab, ".csv")
        name = time.strftime(f"slabtui-%Y%m%d-%H%M%S{suffix}", time.localtime(self.shown.time))
        self.windows.append(PromptWindow(Purpose.EXPORT, name))

    def close(self) -> None:
        """Close the topmost window; the table stays."""
        if len(self.windows) > 1:
            self.windows.pop()

    # The prompt.

    def type(self, text: str) -> None:
        """Replace the text of the prompt; a filter acts at once."""
        prompt = self.prompt
        if prompt is None:
            return
        prompt.text, prompt.complaints = text, ()
        if prompt.purpose is Purpose.FILTER:
            try:
                self.filter_by(text)
            except query.BadFilterError as error:
                what = str(error)
                self.complain(what, what.partition(":")[0], "not valid")

    def complain(self, *forms: str) -> None:
        """Say in the prompt what is wrong with its text, in the longest form that fits; that is the first."""
        if self.prompt is not None:
            self.prompt.complaints = forms

    def accept(self) -> None:
        """Keep the filter and close the prompt; or write the file, which closes it if that succeeds."""
        prompt = self.prompt
        if prompt is None:
            return
        if prompt.purpose is Purpose.FILTER:
            if prompt.complaint:
                raise NothingToDoError("the filter is not valid")
            self.close()
        elif prompt.purpose is Purpose.MOMENT:
            self._accept_moment(prompt.text)
        else:
            self._effects.append(Effect.EXPORT)

    def _accept_moment(self, text: str) -> None:
        """Jump to the moment that was typed; say in the prompt what is wrong with it."""
        course, begin, shown = self.time.course, self.time.begin, self.shown
        if begin is None or shown is None:
            self.complain("nothing is shown yet", "not yet")
            return
        try:
            moment = moments.parse(text.strip())
            target = moments.find(moment, shown.time, begin, course.end if course.is_known else inf)
        except (ValueError, OverflowError):
            self.complain("no moment, as 02:30, -10m or 2026-11-26T02:30", "no moment, as 02:30, -10m", "no moment")
            return
        if isinstance(moment, moments.Ago):
            target = max(target, begin)
        if target < begin or (course.is_known and target > course.end):
            end = f" and ends at {numbers.date_and_clock(course.end)}" if course.is_known else ""
            whole = f"the recording begins at {numbers.date_and_clock(begin)}{end}"
            if target < begin:
                self.complain(whole, f"begins {numbers.date_and_clock(begin)}", "too early")
            else:
                self.complain(whole, f"ends {numbers.date_and_clock(course.end)}", "too late")
            return
        self.close()
        self.message = ""
        self.time.jump(target)

    def cancel(self) -> None:
        """Close the prompt; the filter is again what it was before."""
        prompt = self.prompt
        self.close()
        if prompt is not None and prompt.purpose is Purpose.FILTER and self.pattern != prompt.before:
            try:
                self.filter_by(prompt.before)
            except query.BadFilterError:  # with the names that came meanwhile it takes too long
                self.filter_by("")
                self.dropped = prompt.before

    def finish_export(self, written: str) -> None:
        """Close the prompt and say what was written."""
        self.close()
        self.message = written

    # The rest.

    def measure(self) -> None:
        """Measure again what counting costs."""
        if self.time.replay:
            raise NothingToDoError("a replay counts nothing")
        self._effects.append(Effect.MEASURE)

    def redraw(self) -> None:
        """Draw the whole screen again."""
        self._effects.append(Effect.REDRAW)

    def quit(self) -> None:
        """End the program."""
        self._effects.append(Effect.QUIT)

    def expire_message(self) -> None:
        """Remove the message."""
        self.message = ""

    def take_effects(self) -> list[Effect]:
        """Return what the transitions asked for since the last call, in order."""
        effects = [*self._effects]
        self._effects.clear()
        return effects

    # What follows from the state.

    @property
    def shown(self) -> Snapshot | None:
        """The snapshot on the screen; None before the first."""
        return self.time.shown

    @property
    def window(self) -> Window:
        """The topmost window, which gets the keys."""
        return self.windows[-1]

    @property
    def page(self) -> PageWindow | None:
        """The page that is open, on top or below a dialog or prompt; None: the table is shown."""
        return self.pages.page

    @property
    def prompt(self) -> PromptWindow | None:
        """The prompt that is open; None: there is none."""
        return self.window if isinstance(self.window, PromptWindow) else None

    @property
    def context(self) -> KeyContext:
        """What decides which keys do something."""
        return self._context_of(self.window)

    @property
    def context_below(self) -> KeyContext:
        """The context to which the topmost dialog returns."""
        return self._context_of(self.windows[-2]) if len(self.windows) > 1 else self.context

    def _context_of(self, window: Window) -> KeyContext:
        match window:
            case TableWindow():
                return KeyContext.LEAKS if self.leaks else KeyContext.TABLE
            case PageWindow():
                return self.pages.context
            case PromptWindow():
                return KeyContext.PROMPT
            case _:
                return KeyContext.DIALOG

    @property
    def request(self) -> Request:
        """What is to be counted for what is on the screen."""
        page = self.page
        return Request(self.frees, None if page is None else InspectionRequest(page.row.cache, ON_PAGE))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the source and other parts of the program say."""
        return (*(self.shown.notes if self.shown is not None else ()), *self.other_notes)

    def _on_position(self, move: Callable[[], None]) -> None:
        """Change the position, and the rows if another snapshot is on the screen then."""
        before = self.shown
        move()
        if self.shown is not before:
            self.arrange()
