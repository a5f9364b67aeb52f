"""The values that are exposed: counters that never decrease, though caches get and lose series of their own. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from slabtui.metrics.keepers import KeeperSeries
from slabtui.metrics.listing import OTHER, Activity, Listing
from slabtui.model.host import Origin
from slabtui.model.identity import CacheKey
from slabtui.model.memory import HostMemory
from slabtui.model.snapshot import CacheRow, Snapshot

HOLD = 120.0  # seconds; twice the longest interval at which hosts are usually scraped

_ALWAYS = float("-inf")  # before every other time
_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True, slots=True)
class CacheSeries:
    """What is exposed of the caches of one name, or of all caches without series of their own.

    Attributes:
        name: their name, harmless to print; OTHER for all caches without series of their own.
        created: when their counters were 0, in seconds since the epoch.
        allocs: objects allocated since then.
        bytes: bytes allocated.
        frees: objects freed; None: not counted.
        live: objects in use; None: unknown.
        mem: bytes of memory that they hold; None: unknown.
        reclaimable: whether the kernel can free them when memory is short; None: unknown, or they differ.
        growing: whether one of them grows as a leak does; None: unknown.
    """

    name: str
    created: float
    allocs: int = 0
    bytes: int = 0
    frees: int | None = None
    live: int | None = None
    mem: int | None = None
    reclaimable: bool | None = None
    growing: bool | None = None


@dataclass(frozen=True, slots=True)
class Exposed:
    """Everything that is exposed at one moment.

    Attributes:
        origin: the machine.
        created: when the counters of the machine were 0, in seconds since the epoch.
        time: when the last interval ended, in seconds since the epoch; None: there was none.
        caches: the series by cache, with OTHER as the last one.
        memory: of the machine; None: unknown.
        lost: events that could not be counted; None: the kernel does not say.
        events: events that the probe saw; None: unknown.
        probe_s: seconds of processor time that the probe took from those who allocate and free; None: unknown.
        errors: intervals that ended without a reading.
        keepers: the stacks that hold most of what leaks; empty: none, or not asked for.
    """

    origin: Origin = field(default_factory=Origin)
    created: float = 0.0
    time: float | None = None
    caches: tuple[CacheSeries, ...] = ()
    memory: HostMemory | None = None
    lost: int | None = None
    events: int | None = None
    probe_s: float | None = None
    errors: int = 0
    keepers: tuple[KeeperSeries, ...] = ()


@dataclass(slots=True)
class _Counters:
    """What was counted in one series.

    A series that began without frees stays without them: they would begin with another value than 0.
    """

    created: float
    frees: int | None
    allocs: int = 0
    bytes: int = 0


@dataclass(slots=True)
class _Own:
    """The series of one name.

    Attributes:
        counters: what they count.
        shown_since: since when they are exposed, in seconds of the sum of all intervals; None: they are not.
        counted: when they counted last.
    """

    counters: _Counters
    shown_since: float | None = None
    counted: float = _ALWAYS


@dataclass(slots=True)
class _Sums:
    """The caches of one name in one interval, or of all names without series."""

    words: tuple[str, ...] = ()
    allocs: int = 0
    bytes: int = 0
    frees: int | None = None
    live: int | None = None
    mem: int | None = None
    reclaimable: set[bool | None] = field(default_factory=set)
    growing: bool | None = None

    def add_state(self, other: "CacheRow | _Sums") -> None:
        """Add what the caches hold now."""
        self.live = _add(self.live, other.live)
        self.mem = _add(self.mem, other.mem)
        if other.growing is not None:
            self.growing = other.growing or bool(self.growing)


class Series:
    """Turns snapshots into series.

    A cache may get series of its own, or lose them, at any time; what it does while it has none is counted in OTHER. A
    monitoring system takes no increase from the first value of a new series, and does not see what changed between
    its last scrape and the end of a series. So a new series is exposed for HOLD seconds before it counts, and
    an old one for HOLD seconds after it has counted last; OTHER counts meanwhile. For everyone who scrapes more often
    than that, the sum of all increases is the increase of the totals. A series that comes back continues with the value
    it had.

    Args:
        listing: chooses the names that have series.
    """

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._now = 0.0  # the sum of all intervals: the clock of the machine may be set
        self._rows: dict[CacheKey, CacheRow] = {}
        self._own: dict[str, _Own] = {}
        self._other: _Counters | None = None
        self._exposed = Exposed()

    def add(self, snapshot: Snapshot) -> Exposed:
        """Return what is exposed after one more interval.

        Raises:
            BadFilterError: a pattern takes too long.
        """
        before = self._exposed
        self._exposed = replace(before, errors=before.errors + (snapshot.error is not None))
        if not snapshot.elapsed:
            return self._exposed
        self._now += snapshot.elapsed
        sums = self._add_rows(snapshot.rows)
        activities = {
            name: Activity(one.mem or 0, one.allocs, one.words, bool(one.growing)) for name, one in sums.items()
        }
        wanted = self._listing.choose(activities, snapshot.elapsed)
        is_first = self._other is None
        created = before.created if self._other else _began(snapshot)
        if self._other is None:
            self._other = _Counters(created, _begin_frees(*sums.values()))
        for name in wanted:
            if name not in self._own:
                frees = _begin_frees(sums[name])
                self._own[name] = _Own(_Counters(created if is_first else snapshot.time, frees))
            if self._own[name].shown_since is None:
                self._own[name].shown_since = _ALWAYS if is_first else self._now
        for name, one in sums.items():
            target = self._choose(name, is_wanted=name in wanted)
            target.allocs += one.allocs
            target.bytes += one.bytes
            target = self._other if target.frees is None else target
            if target.frees is not None:
                target.frees += one.frees or 0
        self._exposed = Exposed(
            origin=snapshot.origin,
            created=created,
            time=snapshot.time,
            caches=tuple(self._list(sums)),
            memory=snapshot.memory,
            lost=_add(before.lost, snapshot.lost),
            events=_add(before.events, snapshot.events),
            probe_s=_add(before.probe_s, _probe_seconds(snapshot)),
            errors=self._exposed.errors,
        )
        return self._exposed

    def _add_rows(self, rows: Iterable[CacheRow]) -> dict[str, _Sums]:
        """Return the sums by name. Totals, not intervals, are subtracted: it does not matter what was merged."""
        found: dict[str, _Sums] = {}
        for row in rows:
            sums = found.get(row.name)
            if sums is None:
                sums = found[row.name] = _Sums((row.name,))
            if row.aliases:
                sums.words += row.aliases
            before = self._rows.get(row.cache)
            sums.allocs += row.total_allocs - (before.total_allocs if before else 0)
            sums.bytes += row.total_bytes - (before.total_bytes if before else 0)
            if row.total_frees is not None:
                sums.frees = (sums.frees or 0) + row.total_frees - ((before and before.total_frees) or 0)
            sums.reclaimable.add(row.reclaimable)
            sums.add_state(row)
            self._rows[row.cache] = row
        return found

    def _choose(self, name: str, *, is_wanted: bool) -> _Counters:
        """Return where an interval of a name counts, its own series or OTHER; end its own when it is time."""
        assert self._other
        own = self._own.get(name)
        if own is None or own.shown_since is None:
            return self._other
        if is_wanted and self._now - own.shown_since >= HOLD:
            own.counted = self._now
            return own.counters
        if not is_wanted and self._now - own.counted >= HOLD:
            own.shown_since = None
        return self._other

    def _list(self, sums: dict[str, _Sums]) -> Iterable[CacheSeries]:
        """Yield the series that are exposed; what the caches without one of their own hold is in OTHER."""
        assert self._other
        rest = _Sums()
        for name, one in sums.items():
            own = self._own.get(name)
            if own is None or own.shown_since is None:
                rest.add_state(one)
            else:
                yield _series(name, own.counters, one)
        yield _series(OTHER, self._other, rest)


def _series(name: str, counters: _Counters, state: _Sums) -> CacheSeries:
    known = state.reclaimable - {None}
    return CacheSeries(
        name=name,
        created=counters.created,
        allocs=counters.allocs,
        bytes=counters.bytes,
        frees=counters.frees,
        live=state.live,
        mem=state.mem,
        reclaimable=known.pop() if len(known) == 1 else None,
        growing=state.growing,
    )


def _begin_frees(*sums: _Sums) -> int | None:
    """Return 0 where frees of these caches are counted, else None."""
    return 0 if any(one.frees is not None for one in sums) else None


def _began(snapshot: Snapshot) -> float:
    since = snapshot.origin.since
    return snapshot.time - snapshot.elapsed if since is None else since


def _probe_seconds(snapshot: Snapshot) -> float | None:
    share = snapshot.cpu_share
    return None if share is None else share * snapshot.elapsed


def _add(total: _Number | None, more: _Number | None) -> _Number | None:
    """Add a number to a sum; what is unknown changes nothing."""
    return total if more is None else more if total is None else total + more
