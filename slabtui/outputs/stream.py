"""Prints snapshots on standard output, interval by interval, until they end, are enough, or cannot be written."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from types import FrameType
from typing import Any, Protocol

from slabtui.columns import query
from slabtui.columns.query import Order
from slabtui.errors import SlabtuiError
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.outputs.formats import Format
from slabtui.outputs.notes import once
from slabtui.producer import Snapshots
from slabtui.queues import SnapshotQueue
from slabtui.recording.addresses import Concealer, show_all


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows are printed.

    Attributes:
        order: how they are sorted.
        pattern: the filter of names.
        most: how many are printed at most; None: all.
        value: what they are sorted by; None: the number of the column of `order` on the screen.
    """

    order: Order
    pattern: str = ""
    most: int | None = None
    value: Callable[[CacheRow], Any] | None = None


class Destination(Protocol):
    """Where text goes: a text stream, or what is used like one."""

    def write(self, text: str, /) -> object:
        """Take text."""

    def flush(self) -> None:
        """Write what has been taken."""


def stream(
    producer: Snapshots,
    output: Destination,
    form: Format,
    selection: Selection,
    *,
    count: int | None,
    complain: Callable[[str], None],
    conceal: Concealer = show_all,
    interrupted: Callable[[], None] = lambda: None,
    notes: Callable[[], tuple[str, ...]] = lambda: (),
) -> None:
    """Start a producer and print its snapshots; it has stopped before the ending is printed.

    SIGINT finishes the producer: the interval so far is printed, and then the ending.

    Args:
        producer: not started yet.
        output: where they go; every interval is flushed. While it is written, snapshots are merged.
        form: how they are written.
        selection: which rows.
        count: end after this many, those that could not be read included; None: when the producer ends.
        complain: called with each error, and once with each note.
        conceal: what becomes of a snapshot before it is printed.
        interrupted: called by the handler of SIGINT.
        notes: what other consumers have to report.

    Raises:
        BrokenPipeError: the reader of the output is gone.
        SlabtuiError: the last of `count` could not be read.
    """
    matches = query.matcher(selection.pattern)
    say = once(complain)

    def put(text: str) -> None:
        output.write(text)
        output.flush()

    def show(snapshot: Snapshot) -> None:
        rows = query.arrange(snapshot.rows, selection.order, matches, shows=form.shows, value=selection.value)
        put(form.write(snapshot, rows[: selection.most]))

    queue = SnapshotQueue()
    producer.subscribe(queue)
    put(form.heading)
    last: Snapshot | None = None
    failure: str | None = None
    with interruptible(producer, interrupted):
        producer.start()
        for number, snapshot in enumerate(map(conceal, islice(queue, count)), 1):
            say((*snapshot.notes, *notes()))
            if snapshot.elapsed:
                show(snapshot)
                last = snapshot
            if snapshot.error and number == count:
                failure = snapshot.error
            elif snapshot.error:
                complain(snapshot.error)
        producer.unsubscribe(queue)
        producer.stop()
        put(form.ending(last))
    if failure:
        raise SlabtuiError(failure, "start slabtui again")


@contextmanager
def interruptible(producer: Snapshots, interrupted: Callable[[], None]) -> Iterator[None]:
    """Let SIGINT finish the producer, so that everything that was counted is printed; a second one does not wait."""

    def finish(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, previous)
        producer.finish()
        interrupted()

    previous = signal.signal(signal.SIGINT, finish)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is finish:  # else another signal has begun the end, and the next is fatal
            signal.signal(signal.SIGINT, previous)
