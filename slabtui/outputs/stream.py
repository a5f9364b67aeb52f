"""Prints a feed on standard output, interval by interval, until it ends, is enough, or nobody reads any more."""

import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

from slabtui.columns import query
from slabtui.columns.query import Order
from slabtui.errors import SlabtuiError
from slabtui.feed import FeedEndedError, Snapshots
from slabtui.model.snapshot import Snapshot
from slabtui.outputs.formats import Format
from slabtui.recording.addresses import Concealer, show_all


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
    conceal: Concealer = show_all,
    interrupted: Callable[[], None] = lambda: None,
) -> None:
    """Print snapshots; SIGINT ends it after the interval so far. The feed has stopped before the ending is printed.

    Args:
        feed: where they come from.
        output: where they go; every interval is flushed.
        form: how they are written.
        selection: which rows.
        count: end after this many, those that could not be read included; None: when the feed ends.
        complain: called with what a snapshot says went wrong, and once with each of its notes.
        conceal: what becomes of a snapshot before it is printed.
        interrupted: called by the handler of SIGINT.

    Raises:
        BrokenPipeError: nobody reads any more.
        SlabtuiError: the last of `count` could not be read.
    """
    matches = query.matcher(selection.pattern)

    def put(text: str) -> None:
        output.write(text)
        output.flush()

    told: set[str] = set()

    def tell(notes: Collection[str]) -> None:
        for note in notes:
            if note not in told:
                complain(note)
        told.update(notes)

    def show(snapshot: Snapshot) -> None:
        rows = query.arrange(snapshot.rows, selection.order, matches, shows=form.shows)
        put(form.write(snapshot, rows[: selection.most]))

    put(form.heading)
    left = count
    last: Snapshot | None = None
    failure: str | None = None
    with _interruptible(feed, interrupted):
        with suppress(FeedEndedError):
            feed.start()
            while left is None or left > 0:
                taken = feed.take(timeout=None)
                if taken is None:
                    continue
                snapshot = conceal(taken)
                left = None if left is None else left - 1
                tell(snapshot.notes)
                if not snapshot.error:
                    show(snapshot)
                    last = snapshot
                elif left == 0:
                    failure = snapshot.error
                else:
                    complain(snapshot.error)
        feed.stop()
        put(form.ending(last))
    if failure:
        raise SlabtuiError(failure, "start slabtui again")


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
        if signal.getsignal(signal.SIGINT) is finish:  # else another signal has begun the end, and the next is fatal
            signal.signal(signal.SIGINT, previous)
