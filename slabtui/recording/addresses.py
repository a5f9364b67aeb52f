"""Hides the kernel's addresses in what is written: texts have numbers in their place, which reveal nothing of them."""

import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from slabtui.model.identity import CacheKey
from slabtui.model.inspection import About, Inspection, InspectionRow
from slabtui.model.snapshot import CacheRow, Snapshot

Concealer = Callable[[Snapshot], Snapshot]

_MOST = 1 << 16  # addresses that are remembered; a kernel has some thousand call sites
# An offset in a function has at most five digits: kernel/procfs/symbols.py.
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")


def show_all(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot as it is, for --addresses."""
    return snapshot


class AddressHider:
    """Returns snapshots without addresses, in any thread.

    The address of a cache is left out, since its key identifies it. An address in a text (a call site or a cache
    without a name, a message) becomes `hidden-` and a number, the same one until this process ends. The numbers are
    given one after the other, behind random digits that tell one run from another.
    """

    def __init__(self) -> None:
        self._run = secrets.token_hex(4)
        self._next = count()
        self._hidden: dict[str, str] = {}

    def __call__(self, snapshot: Snapshot) -> Snapshot:
        """Return the snapshot without addresses in its rows, its inspections, its notes and its error."""
        return replace(
            snapshot,
            rows=tuple(map(self._row, snapshot.rows)),
            inspections=tuple(map(self._inspection, snapshot.inspections)),
            error=None if snapshot.error is None else self._text(snapshot.error),
            notes=tuple(map(self._text, snapshot.notes)),
        )

    def _row(self, row: CacheRow) -> CacheRow:
        names = (row.name, row.cache.name, *row.grows_with)
        if row.address is None and not any("0x" in name for name in names):
            return row
        grows_with = tuple(map(self._text, row.grows_with))
        return replace(row, address=None, cache=self._key(row.cache), name=self._text(row.name), grows_with=grows_with)

    def _key(self, key: CacheKey) -> CacheKey:
        return key._replace(name=self._text(key.name))

    def _inspection(self, found: Inspection) -> Inspection:
        rows = tuple(map(self._inspection_row, found.rows))
        about = found.about and self._about(found.about)
        return replace(found, cache=self._key(found.cache), rows=rows, about=about, trouble=self._text(found.trouble))

    def _about(self, about: About) -> About:
        """Return an About without addresses in its sites: a function without a name is one."""
        sites = (replace(site, frames=tuple(map(self._text, site.frames))) for site in about.sites)
        return replace(about, sites=tuple(sites)) if about.sites else about

    def _inspection_row(self, row: InspectionRow) -> InspectionRow:
        """Return a row without addresses in its frames.

        Its command line stays: what it has was typed by a user, to whom the kernel does not show its addresses.
        """
        if not any("0x" in frame for frame in row.frames):
            return row
        return replace(row, frames=tuple(map(self._text, row.frames)))

    def _text(self, text: str) -> str:
        return _ADDRESS.sub(self._hide, text) if "0x" in text else text

    def _hide(self, found: re.Match[str]) -> str:
        known = self._hidden.get(found[0])
        if known is not None:
            return known
        if len(self._hidden) >= _MOST:  # of a recording that was made up: its addresses get new numbers
            self._hidden.clear()
        # By setdefault(), which does not let two threads give an address two numbers.
        return self._hidden.setdefault(found[0], f"hidden-{self._run}{next(self._next):08x}")
