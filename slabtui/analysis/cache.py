"""The series and the judgement of one cache: its live objects over time, and its rows with the judgement."""

from dataclasses import replace

from slabtui.analysis import known
from slabtui.analysis.judged import ENOUGH, JudgedSeries
from slabtui.analysis.series import Timeline
from slabtui.model.snapshot import RATE_DIGITS, UNJUDGED, CacheRow, Judgement, judge_row, unjudged_values

_HOUR = 3600
_CONFIRMED = 2  # verdicts in a row that a cache is growing, before it is marked; there is one for each bin
_STAYS = 12  # verdicts in a row that it is not, before it is no longer marked


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

    __slots__ = ("_given", "_left", "_row", "_used", "_values", "_wanted", "judgement", "key", "name", "names", "size")

    def __init__(self, row: CacheRow, live: int) -> None:
        super().__init__(live)
        self.key = row.cache
        self.name = row.name
        self.names = (row.name, *row.aliases)
        self.reclaimable = known.is_reclaimable(row.name) if row.reclaimable is None else row.reclaimable
        self.judgement = UNJUDGED
        self._wanted = self._left = 0
        self.size = row.size
        self._given: CacheRow | None = None  # the row that was judged last
        self._row = row
        self._values: tuple[object, ...] = ()
        self._used = self.judgement

    @property
    def bytes_per_hour(self) -> float | None:
        """How fast it grows since the baseline; None: not known yet, or the size of its objects is not known."""
        return None if self.trend is None or self.size is None else self.trend.slope * self.size * _HOUR

    @property
    def is_marked(self) -> bool:
        """Whether it was judged as growing within the last minute."""
        return self._left > 0

    @property
    def has_verdict(self) -> bool:
        """Whether its last verdict was anything but NONE."""
        return bool(self._left or self._wanted or self.judgement.grows_with)

    def examine(self, timeline: Timeline) -> bool:
        """Find the trends at the end of a bin; return whether that took time."""
        took_time = super().examine(timeline)
        if took_time or self.judgement.growing is None:
            self._put_judgement(self.judgement.grows_with)
        return took_time

    def put_verdict(self, growing: bool, grows_with: tuple[str, ...]) -> None:
        """Put a verdict into the judgement of the next rows.

        A cache is marked at the second verdict in a row that it is growing, and for a minute after the last one.
        """
        self._wanted = self._wanted + 1 if growing else 0
        self._left = _STAYS if self._wanted >= _CONFIRMED else max(0, self._left - 1)
        self._put_judgement(grows_with)

    def _put_judgement(self, grows_with: tuple[str, ...]) -> None:
        judgement = Judgement(
            _rounded(self.trend.slope if self.trend else None),
            _rounded(self.minute.slope if self.minute else None),
            _rounded(self.bytes_per_hour),
            self.is_marked if len(self.long) >= ENOUGH else None,
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
        self._wanted = self._left = 0
        self._put_judgement(())


def _rounded(rate: float | None) -> float | None:
    """Return a rate as recordings have it, so that replay shows the same."""
    return None if rate is None else round(rate, RATE_DIGITS)
