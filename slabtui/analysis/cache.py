"""The series and the judgement of one cache: its live objects over time, and its rows with the judgement."""

from dataclasses import replace

from slabtui.analysis import known
from slabtui.analysis.judged import JudgedSeries
from slabtui.analysis.series import Bins
from slabtui.analysis.sign import Sign
from slabtui.analysis.stretch import Stretch
from slabtui.analysis.trend import Trend
from slabtui.model.snapshot import UNJUDGED, CacheRow, Judgement, judge_row, round_rate, unjudged_values

HOUR = 3600
# Growth that can be seen. LIVE has the free objects in the slabs of the CPUs, which come and go with the load: for
# small objects about 120 per CPU (set_cpu_partial() in mm/slub.c), 240 on a small host. A cache that takes some tens of
# objects more for each new load is no leak that matters. One object in five seconds is seen after 21 minutes.
_LEAST_OBJECTS = 256
_LEAST_BYTES = 256 << 10  # the same of objects of more than 1 KiB, of which the CPUs keep fewer


class JudgedCache(JudgedSeries):
    """The live objects of one cache.

    Args:
        row: its first row.
        live: its live objects.

    Attributes:
        key: of the row.
        name: of the row.
        names: the same, and its aliases.
        size: bytes that one object takes; None: unknown.
        judgement: the judgement that its rows get from now on.
    """

    __slots__ = (
        "_given",
        "_row",
        "_sign",
        "_used",
        "_values",
        "judgement",
        "key",
        "name",
        "names",
        "size",
    )

    def __init__(self, row: CacheRow, live: int) -> None:
        super().__init__(live)
        self.key = row.cache
        self.name = row.name
        self.names = (row.name, *row.aliases)
        self.reclaimable = known.is_reclaimable(row.name) if row.reclaimable is None else row.reclaimable
        self.judgement = UNJUDGED
        self._sign = Sign()
        self.size = row.size
        self._given: CacheRow | None = None  # the row that was judged last
        self._row = row
        self._values: tuple[object, ...] = ()
        self._used = self.judgement

    @property
    def least(self) -> float:
        """Growth that can be seen, in objects."""
        return find_least(self.size)

    @property
    def rate(self) -> float | None:
        """How fast it grows, in objects per second: where it is marked, in the stretch on which the mark rests.

        Otherwise since the baseline. If most of what has grown since then is gone, the slope does not describe it any
        more: it is the whole change then, divided by the time. None: not known yet.
        """
        if self._sign:
            return self._sign.slope
        baseline = self.baseline
        if baseline.trend is None:
            return None
        if baseline.is_gone and baseline.trend.span:
            return (self.recent[-1] - self.long[0]) / baseline.trend.span
        return baseline.slope

    @property
    def trend(self) -> Trend | None:
        """The trend on which its mark rests, else the one since the baseline; None: not known yet."""
        marked = self._sign.rests_on if self._sign else None
        return self.baseline.trend if marked is None else marked.best

    @property
    def bytes_per_hour(self) -> float | None:
        """The same in bytes per hour; None: not known yet, or the size of its objects is not known."""
        rate = self.rate
        return None if rate is None or self.size is None else rate * self.size * HOUR

    @property
    def is_marked(self) -> bool:
        """Whether it was judged as growing within the last minute."""
        return bool(self._sign)

    @property
    def has_verdict(self) -> bool:
        """Whether its last verdict was anything but NONE."""
        return self._sign.matters or bool(self.judgement.grows_with)

    def examine(self, bins: Bins) -> bool:
        """Find the trends at the end of a bin; return whether that took time."""
        took_time = super().examine(bins)
        if took_time or self.judgement.growing is None:
            self._put_judgement(self.judgement.grows_with)
        return took_time

    def put_verdict(self, rests_on: Stretch | None, grows_with: tuple[str, ...], is_supported: bool = False) -> None:
        """Put a verdict into the judgement of the next rows.

        Args:
            rests_on: the stretch in which it grows as a leak does; None: it does not.
            grows_with: names of other caches; see CacheRow.
            is_supported: whether one of these is marked.
        """
        before = self._sign.slope
        if self._sign.put(rests_on, is_supported):
            self.forget_highs()
        if self._sign.slope != before or grows_with != self.judgement.grows_with:
            self._put_judgement(grows_with)

    def _put_judgement(self, grows_with: tuple[str, ...]) -> None:
        judgement = Judgement(
            round_rate(self.rate),
            round_rate(self.minute.slope if self.minute else None),
            round_rate(self.bytes_per_hour),
            self.is_marked if self.is_known else None,
            grows_with,
        )
        if judgement != self.judgement:
            self.judgement = judgement

    def judge(self, row: CacheRow) -> CacheRow:
        """Return a row of the cache with its judgement: the same object as before where nothing has changed.

        Most caches are idle most of the time. Their rows are the same objects as before, or have the same values;
        comparing them takes less time than making a row.
        """
        if row is self._given and self._used is self.judgement:
            return self._row
        self._given = row
        values = unjudged_values(row)
        if values == self._values and self._used is self.judgement:
            return self._row
        self._values, self._used = values, self.judgement
        self.size = row.size
        self._row = judge_row(values, self.judgement)
        if row.reclaimable is not None:
            self.reclaimable = row.reclaimable
        elif self.reclaimable is not None:  # a recording that lacks it
            self._row = replace(self._row, reclaimable=self.reclaimable)
        return self._row

    def mark(self) -> None:
        """Begin a new baseline now."""
        super().mark()
        self._sign = Sign()
        self._put_judgement(())


def find_least(size: int | None) -> float:
    """Return by how many objects of this size a cache must grow to be judged."""
    return min(_LEAST_OBJECTS, _LEAST_BYTES / size) if size else _LEAST_OBJECTS
