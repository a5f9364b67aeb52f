"""What the numbers of a table count (per second, per interval, since the baseline), and how they are written."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from slabtui.columns.numbers import Style
from slabtui.model.baseline import Baseline, Change
from slabtui.model.snapshot import CacheRow


class Basis(enum.StrEnum):
    """The time that numbers of events are for."""

    SECOND = "per second"
    INTERVAL = "per interval"
    SINCE = "since the baseline"


SUFFIXES = {Basis.SECOND: "/s", Basis.INTERVAL: "/int", Basis.SINCE: " SINCE"}  # of a heading


@dataclass(frozen=True, slots=True)
class Units:
    """How the numbers of one interval are shown. The default is that of text: of the interval, with every digit.

    Attributes:
        style: how they are written.
        basis: the time that they are for.
        elapsed: seconds of the interval.
        baseline: where `Basis.SINCE` begins; None: nothing was counted yet.
        net: where allocations - frees begin; None: frees are not counted.
    """

    style: Style = Style.RAW
    basis: Basis = Basis.INTERVAL
    elapsed: float = 1.0
    baseline: Baseline | None = None
    net: Baseline | None = None

    def since(self, row: CacheRow) -> Change:
        """Return what happened in a cache since the baseline."""
        return Change() if self.baseline is None else self.baseline.since(row)

    def allocs(self, row: CacheRow) -> float:
        """Return the objects allocated."""
        return self._rate(row.allocs) if self.basis is not Basis.SINCE else self.since(row).allocs

    def bytes(self, row: CacheRow) -> float:
        """Return the bytes allocated."""
        return self._rate(row.bytes) if self.basis is not Basis.SINCE else self.since(row).bytes

    def frees(self, row: CacheRow) -> float | None:
        """Return the objects freed; None where that is not known for the whole time."""
        if self.basis is not Basis.SINCE:
            return None if row.frees is None else self._rate(row.frees)
        return self.since(row).frees if self.net is not None and self.net is self.baseline else None

    def live_delta(self, row: CacheRow) -> float | None:
        """Return the change of the objects in use; None where unknown."""
        if self.basis is not Basis.SINCE:
            return None if row.live_delta is None else self._rate(row.live_delta)
        return self.since(row).live

    def live_bytes(self, row: CacheRow) -> int | None:
        """Return by how many bytes the objects in use changed since the baseline; None where unknown."""
        live = self.since(row).live
        return None if live is None or row.size is None else live * row.size

    def net_objects(self, row: CacheRow) -> int | None:
        """Return allocations - frees; None where frees are not counted, or do not explain the change of LIVE."""
        if self.net is None or row.disagrees is not False:
            return None
        change = self.net.since(row)
        return None if change.frees is None else change.allocs - change.frees

    def total(self, rows: Iterable[CacheRow], name: str) -> float | None:
        """Return the sum over these rows of `allocs`, `bytes` or `frees`; None where no row has it."""
        if self.basis is Basis.SINCE:
            known = [number for row in rows if (number := getattr(self, name)(row)) is not None]
            return sum(known) if known else None
        amounts = [amount for row in rows if (amount := getattr(row, name)) is not None]
        return self._rate(sum(amounts)) if amounts else None

    def _rate(self, amount: int) -> float:
        if self.basis is Basis.INTERVAL or self.elapsed <= 0:
            return amount
        return amount / self.elapsed
