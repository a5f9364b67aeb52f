"""The table of caches as part of the view's state: which rows it has, their order, and the selection. Pure."""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

from slabtui.columns import caches, leaks, numbers, query
from slabtui.columns.caches import CacheColumn
from slabtui.columns.leaks import Arranged, Steady
from slabtui.columns.numbers import Style
from slabtui.columns.query import Order
from slabtui.columns.units import Basis, Units
from slabtui.model.baseline import Baselines
from slabtui.model.identity import CacheKey
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.views.effects import Effect, NothingToDoError
from slabtui.views.position import Position
from slabtui.views.windows import TableWindow

_Choice = TypeVar("_Choice", Basis, Style)

_IN_PLACE = {"live": "net"}  # of a column of the table, where not all processes are counted
_HOLD = 2.0  # seconds after a key or click that selects a row, in which no row changes its place

_LEAK_ORDER = Order(leaks.DEFAULT_SORT, True)
_STYLES = {
    Style.HUMAN: "with units",
    Style.GROUPED: "with all digits, in groups",
    Style.RAW: "with all digits",
}


@dataclass(slots=True)
class TableState:
    """The table. Its methods are transitions; one that is not possible raises NothingToDoError.

    Without F the selection stays on its line, even if another row moves there, and the list does not scroll by itself.
    With F it follows its row, and the top of the list is in view as long as that row fits. After a cursor key the order
    is held for two seconds, so that Enter opens the row that the user saw.

    Attributes:
        interval: seconds between snapshots, as asked for.
        order: how the rows are sorted.
        pattern: the filter, as typed; the last one that was valid.
        idle: whether idle caches are shown too.
        frees: whether frees are counted, and shown.
        dropped: the filter that was dropped because it takes too long with the names that came; empty: none.
        message: the message line; empty: there is none.
        leaks: whether the table is the leak view.
        style: how numbers are written.
        basis: what numbers of events are for.
        units: the same, for the interval on the screen.
        all_growth: bytes per hour by which all caches that cannot be reclaimed grow.
        rows: the rows on the screen, in order.
        lines: the lines of the list: the rows, and None for the rule above the reclaimable ones of the leak view.
        reclaimable: the caches below that rule.
        reclaimable_names: the names of the reclaimable caches of the interval, shown or not.
        branches: the rows that belong to the one above them; True: the last of its group.
        revision: counts how often the rows or the snapshot on the screen changed: less to compare than the rows.
        matches: the test that the filter makes of a name.
        time: the intervals so far, and the one on the screen.
        table: the window with the selection.
        now: returns the time in seconds, to hold the order.
    """

    interval: float
    order: Order = field(default_factory=Order)
    pattern: str = ""
    idle: bool = False
    frees: bool = False
    dropped: str = ""
    message: str = ""
    leaks: bool = False
    style: Style = Style.HUMAN
    basis: Basis = Basis.SECOND
    units: Units = field(default_factory=Units)
    all_growth: float = 0.0
    rows: list[CacheRow] = field(default_factory=list)
    lines: list[CacheRow | None] = field(default_factory=list)
    reclaimable: frozenset[CacheKey] = frozenset()
    reclaimable_names: frozenset[str] = frozenset()
    branches: Mapping[CacheKey, bool] = field(default_factory=dict)
    revision: int = 0
    matches: Callable[[str], bool] = field(init=False)
    time: Position = field(init=False)
    table: TableWindow = field(default_factory=TableWindow)
    now: Callable[[], float] = monotonic
    baselines: Baselines = field(init=False, default_factory=Baselines)
    _other_order: Order = field(init=False, default=_LEAK_ORDER)
    _steady: Steady = field(init=False, default_factory=Steady)
    _held_until: float = field(init=False, default=0.0)
    _is_held: bool = field(init=False, default=False)

    # What is shown, and how.

    def toggle_leaks(self) -> None:
        """Turn the leak view on or off."""
        self.leaks = not self.leaks
        self.order, self._other_order = self._other_order, self.order
        self._steady.clear()
        self._to_top()

    def toggle_idle(self) -> None:
        """Show or hide idle caches."""
        self.idle = not self.idle
        self._held_until = 0.0
        self.arrange()

    def toggle_frees(self) -> None:
        """Count frees and show them, or stop that."""
        self.frees = not self.frees

    def turn_basis(self) -> None:
        """Show numbers of events per second, per interval, or since the baseline."""
        if self.leaks:
            raise NothingToDoError("the columns of the leak view have fixed units")
        self.basis = _next(Basis, self.basis)
        self.message = f"Numbers are {self.basis}"
        self.arrange()

    def turn_style(self) -> None:
        """Write numbers for people, with digits in groups, or with all digits."""
        self.style = _next(Style, self.style)
        self.message = f"Numbers are written {_STYLES[self.style]}"
        self.arrange()

    def mark(self) -> None:
        """Begin a new baseline with the newest interval."""
        if not len(self.time.history):
            raise NothingToDoError("nothing is counted yet")
        newest = self.time.history.back(0)
        self.baselines.mark(newest)
        self._steady.clear()
        self.time.ask(Effect.MARK)
        clock = numbers.clock(newest.time)
        self.message = f"Mark set at {clock}: growth and sums count from then on"
        self.arrange()

    # The order.

    def sort_by(self, column: str) -> None:
        """Sort by a column, in its own direction, and go to the top."""
        column = _IN_PLACE.get(column, column) if self.scoped and not self.leaks else column
        if column not in (one.id for one in self._columns()):
            raise NothingToDoError("the leak view does not have that column, and l returns to the table")
        self.order = Order.by(column) if column in caches.BY_ID else Order(column, True)
        self._to_top()

    def sort_by_next(self, by: int) -> None:
        """Sort by the column this many places further to the right."""
        columns = [one.id for one in self._columns() if one.value is not None]
        if not self.frees and not self.leaks:
            columns = [one for one in columns if one != caches.FREES.id]
        place = columns.index(self.order.column) if self.order.column in columns else 0
        self.sort_by(columns[(place + by) % len(columns)])
        title = next(one.title for one in self.columns if one.id == self.order.column)
        self.message = f"Sorted by {title}"

    def reverse(self) -> None:
        """Reverse the order, and go to the top."""
        self.order = self.order.reversed()
        self._to_top()

    def filter_by(self, pattern: str) -> None:
        """Show only the caches that match.

        Raises:
            BadFilterError: it is no regular expression, or takes too long; the last filter stays.
        """
        matches = query.matcher(pattern)
        self._held_until = 0.0
        if self.time.shown is not None:
            self._arranged(self.time.shown, matches)
        self.matches, self.pattern, self.dropped = matches, pattern, ""
        self.arrange()

    def clear_filter(self) -> None:
        """Show all caches, and forget the filter that took too long."""
        if not self.pattern and not self.dropped:
            raise NothingToDoError("there is no filter to clear")
        self.filter_by("")

    # The selection.

    def follow(self) -> None:
        """Let the selection follow its row, or let it stay on its line again."""
        row = self.selected
        if row is None:
            raise NothingToDoError("no cache is selected")
        follows = self.table.followed is None
        self.table.followed = row.cache if follows else None
        self._held_until = 0.0
        what = f"follows {row.name} until F or a cursor key" if follows else "stays on its line"
        self.message = f"The selection {what}"

    def select(self, place: int) -> None:
        """Select a line of the list by its place, as a click does."""
        self.table.cursor.select(place)
        self.moved()

    def moved(self) -> None:
        """The user has moved the selection: it stays on its line from now on, and the order is held."""
        self.table.followed = None
        self._held_until = self.now() + _HOLD

    def release(self) -> None:
        """Let the rows take their places if the time in which the order is held is over."""
        if self._is_held and self.now() >= self._held_until:
            self.arrange()

    @property
    def held_seconds(self) -> float:
        """Return for how long the rows still have the order that they had before; 0: they have their own."""
        return max(0.0, self._held_until - self.now()) if self._is_held else 0.0

    @property
    def place(self) -> int:
        """Place of the selected line."""
        return self.table.cursor.place

    @property
    def selected(self) -> CacheRow | None:
        """The selected cache; None: the table is empty."""
        return self.lines[self.place] if self.place < len(self.lines) else None

    @property
    def scoped(self) -> bool:
        """Whether not all processes are counted, in the interval on the screen."""
        return self.time.shown is not None and bool(self.time.shown.origin.scope)

    @property
    def columns(self) -> tuple[CacheColumn, ...]:
        """The columns of the table, with the headings of what is shown now."""
        return tuple(self._columns())

    # The rows.

    def series(self, row: CacheRow, length: int) -> list[float]:
        """Return the allocations per second of a cache in up to `length` intervals, the one on the screen last."""
        return self.time.history.series(row.cache, length, self.time.back)

    def live_series(self, row: CacheRow, length: int) -> list[int]:
        """Return the objects in use of a cache in up to `length` intervals where they are known."""
        past = self.time.history.past(row.cache, self.time.back, length)
        return [one.live for one in past if one is not None and one.live is not None]

    def arrange(self) -> None:
        """Choose and order the rows of the shown snapshot again."""
        self.revision += 1
        shown = self.time.shown
        if shown is None:
            return
        times = (shown.elapsed, self.baselines.at(self.time.number), self.baselines.net(self.time.number))
        self.units = Units(self.style, self.basis, *times)
        self.reclaimable_names = leaks.reclaimable_names(shown.rows)
        try:
            found = self._arranged(shown, self.matches)
        except query.BadFilterError:
            self.dropped, self.pattern, self.matches = self.pattern, "", query.matcher("")
            found = self._arranged(shown, self.matches)
        self.rows, self.branches = found.rows, found.branches
        self.reclaimable = frozenset(row.cache for row in found.rows[found.reclaimable :])
        self.all_growth = leaks.all_growth(shown.rows, self.reclaimable_names) if self.leaks else 0.0
        self._lay_out(found)

    def _lay_out(self, found: Arranged) -> None:
        """Make lines of the rows, and keep the selection on its line or its row."""
        lines: list[CacheRow | None] = [*found.rows]
        rule = found.reclaimable < len(lines)
        if rule:
            lines.insert(found.reclaimable, None)
        self.lines = lines
        cursor = self.table.cursor
        cursor.replace(len(lines), frozenset({found.reclaimable} if rule else ()))
        if self.table.followed is not None:
            places = (place for place, row in enumerate(lines) if row and row.cache == self.table.followed)
            if (place := next(places, None)) is not None:
                cursor.follow(place)

    def _arranged(self, shown: Snapshot, matches: Callable[[str], bool]) -> Arranged:
        """Return the rows that the user asks for, in order; soon after a cursor key in the order that they had."""
        held = self._is_held = self.now() < self._held_until
        keep: Container[object] = {row.cache for row in self.rows} if held else {self.table.followed}
        if self.leaks:
            chosen = query.choose(shown.rows, matches, self._shows_leak, keep)
            found = leaks.arrange(chosen, self.order, self.units, self._steady, self.reclaimable_names)
        else:
            value = leaks.value(self.order.column, self.units)
            rows = query.arrange(shown.rows, self.order, matches, shows=self._shows, keep=keep, value=value)
            found = Arranged(rows, len(rows), {})
        if not held:
            return found
        rows = query.hold(self.rows, found.rows)
        below = [place for place, row in enumerate(rows) if row.cache in self.reclaimable]
        return Arranged(rows, below[0] if below else len(rows), self.branches)

    def _shows(self, row: CacheRow) -> bool:
        if self.idle or row.active:
            return True
        if self.basis is not Basis.SINCE:
            return False
        since = self.units.since(row)
        return bool(since.allocs or since.frees or since.live)

    def _shows_leak(self, row: CacheRow) -> bool:
        return self._steady.shows(row, self.units) or self.idle

    def _columns(self) -> tuple[CacheColumn, ...]:
        if self.leaks:
            return leaks.on_screen(self.style, self.frees)
        return leaks.of_table(self.style, self.basis, self.scoped)

    def _to_top(self) -> None:
        """Select the first row, in the new order; a row that is followed stays selected."""
        self._held_until = 0.0
        self.table.cursor.to_top()
        self.arrange()


def _next(every: Iterable[_Choice], one: _Choice) -> _Choice:
    choices = list(every)
    return choices[(choices.index(one) + 1) % len(choices)]
