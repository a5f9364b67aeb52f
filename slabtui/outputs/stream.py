"""Prints a feed on standard output, interval by interval, until it ends, is enough, or nobody reads any more."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import TextIO

from slabtui import query
from slabtui.feed import FeedEndedError, Snapshots
from slabtui.outputs.formats import Format
from slabtui.query import Order
from slabtui.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows are printed: in what order, which names, and how many at most (None: all)."""

    order: Order
    pattern: str = ""
    most: int | None = None


def stream(
    feed: Snapshots,
    output: TextIO,
    form: Format,
    selection: Selection,
    *,
    count: int | None,
    complain: Callable[[str], None],
) -> None:
    """Print snapshots; SIGINT ends it after the interval so far.

    Args:
        feed: where they come from.
        output: where they go; every interval is flushed.
        form: how they are written.
        selection: which rows.
        count: end after so many; None: when the feed ends.
        complain: called with what a snapshot says went wrong, and once with each of its notes.

    Raises:
        BrokenPipeError: nobody reads any more.
    """
    matches = query.matcher(selection.pattern)

    def put(text: str) -> None:
        output.write(text)
        output.flush()

    told: set[str] = set()

    def show(snapshot: Snapshot) -> bool:
        for note in snapshot.notes:
            if note not in told:
                complain(note)
        told.update(snapshot.notes)
        if snapshot.error:
            complain(snapshot.error)
            return False
        rows = query.arrange(snapshot.rows, selection.order, matches, shows=form.shows)
        put(form.write(snapshot, rows[: selection.most]))
        return True

    put(form.heading)
    shown = 0
    last: Snapshot | None = None
    with _interruptible(feed), suppress(FeedEndedError):
        feed.start()
        while count is None or shown < count:
            snapshot = feed.take(timeout=None)
            if snapshot is not None and show(snapshot):
                shown, last = shown + 1, snapshot
    put(form.ending(last))


@contextmanager
def _interruptible(feed: Snapshots) -> Iterator[None]:
    """Let SIGINT finish the feed, so that nothing that was counted stays unprinted; a second one does not wait."""

    def finish(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        feed.finish()

    previous = signal.signal(signal.SIGINT, finish)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
