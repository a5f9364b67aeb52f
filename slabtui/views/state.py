"""What the user has chosen to see, over the snapshots so far; sorting, filtering and pausing act here and at once."""

from collections.abc import Callable
from dataclasses import dataclass, field

from slabtui.columns import query
from slabtui.columns.query import Order
from slabtui.model.history import History
from slabtui.model.inspection import Inspection, Kind, Request
from slabtui.model.snapshot import CacheRow, Snapshot


@dataclass(slots=True)
class State:
    """The view's state.

    Attributes:
        interval: seconds between snapshots, as asked for.
        order: how the rows are sorted.
        pattern: the filter, as typed; the last one that was valid.
        idle: whether caches that allocated nothing show too.
        paused: whether the screen is held.
        stepping: whether the next snapshot is to be shown even so.
        replay: whether snapshots come from a recording, which stands still while the screen is held.
        speed: how many times as fast as recorded a replay runs.
        ended: whether the recording is at its end.
        history: the last snapshots.
        back: how many intervals before the newest the screen shows; 0 unless paused.
        shown: the snapshot on the screen; None before the first.
        error: why the source could not be read last time; empty if it could.
        dropped: the filter that was dropped because it takes too long with the names that came; empty: none.
        rows: the rows on the screen, in order.
        followed: the cache that the selection stays on; it shows even when idle. None: the top row.
        frees: whether frees are counted, and shown.
        measurements: how often the user has asked what counting costs.
        subject: the cache that is looked at closely, as it was when the look began; None: the table shows.
        tab: what is looked at.
        matches: the test that the filter makes of a name.
    """

    interval: float
    order: Order = field(default_factory=Order)
    pattern: str = ""
    idle: bool = False
    paused: bool = False
    stepping: bool = False
    replay: bool = False
    speed: float = 1.0
    ended: bool = False
    history: History = field(default_factory=History)
    back: int = 0
    shown: Snapshot | None = None
    error: str = ""
    dropped: str = ""
    rows: list[CacheRow] = field(default_factory=list)
    followed: int | None = None
    frees: bool = False
    measurements: int = 0
    subject: CacheRow | None = None
    tab: Kind = Kind.CALLERS
    matches: Callable[[str], bool] = field(init=False)
    _growing: frozenset[int] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        self.matches = query.matcher(self.pattern)

    def receive(self, snapshot: Snapshot) -> None:
        """Take in a new snapshot; one that only tells of an error leaves the table as it is."""
        self.error = snapshot.error or ""
        if snapshot.error:
            return
        self.history.add(snapshot)
        if self.paused and not self.stepping and self.shown is not None:
            self.back = min(self.back + 1, len(self.history) - 1)  # the same moment, one more interval ago
        else:
            self.show(0)
        self.stepping = False

    def show(self, back: int) -> None:
        """Show the interval that many before the newest, or the nearest that is known."""
        if len(self.history):
            self.back = max(0, min(back, len(self.history) - 1))
            self.shown = self.history.back(self.back)
            self.arrange()

    def toggle_pause(self) -> None:
        """Hold the screen, or go on with the last snapshot that came."""
        self.paused = not self.paused
        if not self.paused:
            self.show(0)

    def toggle_idle(self) -> None:
        """Show or hide the caches that allocated nothing."""
        self.idle = not self.idle
        self.arrange()

    def sort_by(self, column: str) -> None:
        """Sort by a column, in its own direction."""
        self.order = Order.by(column)
        self.arrange()

    def reverse(self) -> None:
        """Turn the order upside down."""
        self.order = self.order.reversed()
        self.arrange()

    def filter_by(self, pattern: str) -> None:
        """Show only the caches that match.

        Raises:
            BadFilterError: it is no regular expression, or takes too long; the last filter stays.
        """
        matches = query.matcher(pattern)
        if self.shown is not None:
            self._arranged(matches)
        self.matches, self.pattern, self.dropped = matches, pattern, ""
        self.arrange()

    def arrange(self) -> None:
        """Choose and order the rows of the shown snapshot anew."""
        if self.shown is not None:
            self._growing = self.history.growing(self.back)
            try:
                self.rows = self._arranged(self.matches)
            except query.BadFilterError:
                self.dropped, self.pattern, self.matches = self.pattern, "", query.matcher("")
                self.rows = self._arranged(self.matches)

    def _arranged(self, matches: Callable[[str], bool]) -> list[CacheRow]:
        assert self.shown is not None
        return query.arrange(self.shown.rows, self.order, matches, shows=self._shows, keep=self.followed)

    def grows(self, row: CacheRow) -> bool:
        """Tell whether a cache grew in each of the last intervals."""
        return row.cache in self._growing

    @property
    def detail(self) -> Inspection | None:
        """The close look that the screen is to show, if the interval on it has that."""
        found = self.shown.detail if self.shown is not None else None
        if found is None or self.subject is None or (found.cache, found.kind) != (self.subject.name, self.tab):
            return None
        return found

    @property
    def watch(self) -> Request:
        """What is to be counted for what is on the screen."""
        return Request(
            frees=self.frees,
            cache=self.subject.cache if self.subject else None,
            kind=self.tab if self.subject else None,
            measurements=self.measurements,
        )

    @property
    def current(self) -> CacheRow | None:
        """The row of the inspected cache in the interval on the screen, else as the page opened with it."""
        rows = self.shown.rows if self.shown is not None and self.subject is not None else ()
        return next((row for row in rows if self.subject and row.cache == self.subject.cache), self.subject)

    def past(self) -> list[CacheRow | None]:
        """Return the rows of the cache that is looked at, up to the interval on the screen."""
        return self.history.past(self.subject.cache, self.back) if self.subject else []

    def _shows(self, row: CacheRow) -> bool:
        return self.idle or row.active

    def series(self, row: CacheRow, length: int) -> list[float]:
        """Return the allocations per second of a cache in up to `length` intervals, the one on the screen last."""
        return self.history.series(row.cache, length, self.back)
