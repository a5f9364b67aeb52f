"""Prints a feed on standard output, interval by interval, until it ends, is enough, or nobody reads any more."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

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


class Destination(Protocol):
    """Where text goes: a text stream, or what is used like one."""

    def write(self, text: str, /) -> object:
        """Take text."""

    def flush(self) -> None:
        """Write what has been taken."""


def stream(
    feed: Snapshots,
    output: Destination,
    form: Format,
    selection: Selection,
    *,
    count: int | None,
    complain: Callable[[str], None],
    interrupted: Callable[[], None] = lambda: None,
) -> None:
    """Print snapshots; SIGINT ends it after the interval so far. The feed has stopped before the ending is printed.

    Args:
        feed: where they come from.
        output: where they go; every interval is flushed.
        form: how they are written.
        selection: which rows.
        count: end after so many; None: when the feed ends.
        complain: called with what a snapshot says went wrong, and once with each of its notes.
        interrupted: called by the handler of SIGINT.

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
    with _interruptible(feed, interrupted):
        with suppress(FeedEndedError):
            feed.start()
            while count is None or shown < count:
                snapshot = feed.take(timeout=None)
                if snapshot is not None and show(snapshot):
                    shown, last = shown + 1, snapshot
        feed.stop()
        put(form.ending(last))


@contextmanager
def _interruptible(feed: Snapshots, interrupted: Callable[[], None]) -> Iterator[None]:
    """Let SIGINT finish the feed, so that nothing that was counted stays unprinted; a second one does not wait."""

    def finish(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, previous)
        feed.finish()
        interrupted()

    previous = signal.signal(signal.SIGINT, finish)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
