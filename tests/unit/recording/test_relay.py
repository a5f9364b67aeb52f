"""The relay: snapshots of a stream come at once, and the end of the other process is no error if it was asked for."""

import os
from collections.abc import Iterator
from io import BufferedReader
from typing import cast

import pytest
import zstandard

from slabtui.errors import SlabtuiError
from slabtui.model.snapshot import Snapshot
from slabtui.queues import SnapshotQueue, SnapshotsEndedError
from slabtui.recording.reader import follow
from slabtui.recording.relay import Relay
from tests.support.recordings import lines, snapshots


class Pipe:
    """A pipe with a relay at its end."""

    def __init__(self, given: bytes) -> None:
        reading, self.writing = os.pipe()
        os.write(self.writing, given)
        self.queue = SnapshotQueue(10)
        self.relay = Relay(follow(cast("BufferedReader", open(reading, "rb")), "standard input"))  # noqa: SIM115
        self.relay.subscribe(self.queue)
        self.relay.start()

    def take(self) -> Snapshot:
        snapshot = self.queue.get(timeout=10)
        assert snapshot is not None
        return snapshot


@pytest.mark.parametrize("packed", [False, True])
def test_a_snapshot_comes_as_soon_as_its_line_is_whole(packed: bool) -> None:
    given = snapshots(4)
    frame = zstandard.ZstdCompressor().compressobj()

    def pack(data: bytes) -> bytes:
        return frame.compress(data) + frame.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK) if packed else data

    pipe = Pipe(pack(lines(given[:1])))
    assert pipe.take() == given[0]
    for one in given[1:3]:
        os.write(pipe.writing, pack(lines([one])))
        assert pipe.take() == one
    os.write(pipe.writing, pack(lines(given[3:])[:-20]))
    os.close(pipe.writing)
    with pytest.raises(SnapshotsEndedError):
        pipe.take()
    pipe.relay.stop()


def test_a_damaged_stream_is_one_line() -> None:
    pipe = Pipe(lines(snapshots(1)) + b"{}\n")
    pipe.take()
    with pytest.raises(SlabtuiError, match="standard input, line 2: not a snapshot of slabtui: write to it with"):
        pipe.take()
    os.close(pipe.writing)


def test_a_stream_of_nothing_is_one_line() -> None:
    with pytest.raises(SlabtuiError, match="the stream has no snapshot in it"):
        Relay(iter([]))


def test_an_error_of_a_process_that_was_ended_is_none() -> None:
    closed = []

    def read() -> Iterator[Snapshot]:
        yield snapshots(1)[0]
        relay.finish()
        raise SlabtuiError("ssh ended with status 255", "try it again")

    relay = Relay(read(), lambda: closed.append(True))
    queue = SnapshotQueue()
    relay.subscribe(queue)
    relay.start()
    assert queue.get(timeout=10) == snapshots(1)[0]
    with pytest.raises(SnapshotsEndedError):
        queue.get(timeout=10)
    relay.stop()
    assert closed == [True]
