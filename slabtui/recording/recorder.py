"""Records snapshots to a file: a consumer with a thread and a queue of its own, which a slow disk cannot hold up."""

import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from slabtui.errors import SlabtuiError, Status
from slabtui.model.inspection import Inspection
from slabtui.model.snapshot import Snapshot
from slabtui.queues import SnapshotQueue, SnapshotsEndedError
from slabtui.recording import bounds, codec, zstd
from slabtui.recording.addresses import Concealer, show_all
from slabtui.system import files, threads
from slabtui.system.ending import WAIT

_CAPACITY = 100  # snapshots: ten seconds at the shortest interval; some hundred kilobytes each
_MOST_ROWS = 4096  # of each kind of an inspection whose line would be too long: with long texts they take 4 MiB
_GZIP_FORMAT = 16  # added to the window size: with the header and the trailer of gzip; zlib.h, deflateInit2()


class Recorder:
    """Writes the snapshots of its queue to a new file, compressed as its name ends in: .gz, .zst, or not at all.

    What is written is flushed with each snapshot, so that it can be read whatever becomes of this process. While the
    disk is slower than the snapshots come, the queue merges them: the recording has longer intervals, and no count is
    lost. A disk that fails ends the recording, and never the program.

    Args:
        path: the file; it must not exist.
        conceal: what becomes of a snapshot before it is written; called in the recorder's thread.
        created: called when the file has been created, in this thread and in the recorder's, since each thread has
            capabilities of its own to give up.

    Attributes:
        queue: where the snapshots come from. The recording ends with them.

    Raises:
        SlabtuiError: the file exists, cannot be made, or is to be compressed by a module that this Python lacks; or the
            process may not create another thread.
    """

    def __init__(self, path: Path, conceal: Concealer = show_all, created: Callable[[], None] = lambda: None) -> None:
        self.queue = SnapshotQueue(_CAPACITY)
        self._conceal = conceal
        self._created = created
        module = zstd.load("record to a .gz file") if path.suffix == ".zst" else None
        try:
            self._file = files.create(path)
        except OSError as error:
            why = f"cannot record to {path} ({error.strerror})"
            raise SlabtuiError(why, files.advise(error), Status.USAGE) from error
        created()
        self._compress, self._flush, self._end = _compressor(path, module)
        self._failure: str | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        threads.start(self._thread)
        self._ready.wait()

    @property
    def failure(self) -> str | None:
        """Why nothing more is recorded; None: it is."""
        return self._failure

    def notes(self) -> tuple[str, ...]:
        """Return what goes wrong, in words for the user."""
        if self._failure is not None:
            return (f"recording stopped: {self._failure}",)
        if not self.queue.wait_for_room(0):
            return ("the disk is too slow for the recording: its intervals become longer",)
        return ()

    def close(self) -> None:
        """Record what is in the queue, and finish the file; but do not wait for a disk that hangs.

        A disk that is only slow gets what is left as one interval: one write is outstanding then, and one to come.
        """
        self.queue.close(SnapshotsEndedError())  # its producer may not have started, or hang
        self._thread.join(WAIT / 2)
        self.queue.compact()
        self._thread.join(WAIT / 2)
        if self._thread.is_alive() and self._failure is None:
            self._failure = "the disk takes nothing"

    def _run(self) -> None:
        try:
            self._created()
        finally:
            self._ready.set()
        for snapshot in self._snapshots():
            if self._failure is None:
                self._try(partial(self._record, snapshot))
        if self._failure is None:
            self._try(lambda: self._write(self._end()))
        self._try(self._file.close)

    def _snapshots(self) -> Iterator[Snapshot]:
        """Yield all snapshots. Why there are no more is reported by the consumers that show them."""
        with suppress(Exception):
            while (snapshot := self.queue.get(timeout=None)) is not None:
                yield snapshot

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except Exception as error:  # whatever it is, the program goes on
            self._failure = self._failure or getattr(error, "strerror", None) or str(error) or repr(error)

    def _record(self, snapshot: Snapshot) -> None:
        self._write(self._compress(_line(self._conceal(snapshot))))
        self._write(self._flush())

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]


def _line(snapshot: Snapshot) -> bytes:
    """Return the line of a snapshot. Inspections that would make it too long to be read have their first rows only."""
    line = codec.dumps(snapshot, snapshot.rows).encode() + b"\n"
    if len(line) < bounds.LONGEST_LINE and bounds.is_simple(line):
        return line
    shorter = replace(snapshot, inspections=tuple(map(_shorten, snapshot.inspections)))
    return codec.dumps(shorter, shorter.rows).encode() + b"\n"


def _shorten(found: Inspection) -> Inspection:
    dropped = sum(row.total_allocs for row in found.rows[_MOST_ROWS:])
    return replace(found, rows=found.rows[:_MOST_ROWS], lost=found.lost + dropped)


def _compressor(
    path: Path, module: zstd.Codec | None
) -> tuple[Callable[[bytes], bytes], Callable[[], bytes], Callable[[], bytes]]:
    """Return how to compress, to flush so that everything up to here can be read, and to end."""
    if path.suffix == ".gz":
        # Not by gzip.GzipFile, which writes its end when it is freed, although the file is full or closed by then.
        stream = zlib.compressobj(zlib.Z_BEST_COMPRESSION, wbits=zlib.MAX_WBITS | _GZIP_FORMAT)
        return stream.compress, lambda: stream.flush(zlib.Z_SYNC_FLUSH), stream.flush
    if module:
        frame = module.compressor()
        return frame.compress, lambda: frame.flush(module.block), frame.flush
    return bytes, bytes, bytes
