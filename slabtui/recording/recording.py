"""Recordings: every snapshot of a session as a line of JSON in a file, written as it comes and played back later."""

import errno
import gzip
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from importlib.resources.abc import Traversable
from io import BufferedReader, FileIO
from pathlib import Path
from typing import BinaryIO, cast

from slabtui.errors import SlabtuiError, Status
from slabtui.feed import Feed, FeedEndedError, Snapshots
from slabtui.model.inspection import Request
from slabtui.model.snapshot import Snapshot
from slabtui.recording import codec, zstd
from slabtui.recording.addresses import Concealer, show_all
from slabtui.system import files
from slabtui.system.ending import WAIT
from slabtui.system.writer import Writer

SLOWEST, FASTEST = 1 / 16, 64.0  # times the recorded pace
_PATIENCE = 0.1  # seconds until a new speed takes hold
_REMEDIES = {  # by the error of a file that cannot be created
    errno.EEXIST: "name a new file",
    errno.EACCES: "name a file in a directory that you can write to",
    errno.EPERM: "name a file in a directory that you can write to",
    errno.ENOENT: "create its directory first, with mkdir -p",
}
_WANTED = "name a file that --record has written"
_GZIP_MAGIC, _ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_GZIP_FORMAT = 16  # added to the window size: with the header and the trailer of gzip; zlib.h, deflateInit2()
_SOON = 0.1  # seconds in which a disk takes a snapshot, usually: so the next one can tell that it failed
_MOST_WAITING = 100  # snapshots: ten seconds at the shortest interval; each holds what changed since the one before
# Bytes. A snapshot of 4096 caches takes 1 MiB, an inspection of 16384 processes in control groups of Kubernetes 6 MiB.
_LONGEST_LINE = 8 << 20


class Recorder:
    """Writes snapshots to a new file, compressed as its name ends in: .gz, .zst, or not at all.

    What is written is flushed with each snapshot, so that it can be read whatever becomes of this process. A disk that
    fails, or takes nothing for too long, ends the recording, not the program: another thread writes.

    Args:
        path: the file; it must not exist.
        conceal: what becomes of a snapshot before it is written.
        created: called when the file has been created, in this thread and in the one that writes, since each thread has
            capabilities of its own to give up.

    Raises:
        SlabtuiError: it exists, cannot be made, or is to be compressed by a module that this Python lacks; or the
            process may not create another thread.
    """

    def __init__(self, path: Path, conceal: Concealer = show_all, created: Callable[[], None] = lambda: None) -> None:
        self._conceal = conceal
        codec = zstd.load("record to a .gz file") if path.suffix == ".zst" else None
        self._writer = Writer("recorder")
        try:
            self._file = files.create(path)
        except OSError as error:
            remedy = _REMEDIES.get(error.errno or 0, "name another file")
            raise SlabtuiError(f"cannot record to {path} ({error.strerror})", remedy, Status.USAGE) from error
        created()
        self._writer.put(created).wait()
        self._write, self._flush, self._end = _encoder(path, self._file, codec)
        self._hangs = False

    @property
    def failure(self) -> str | None:
        """Why nothing more is recorded; None: it is."""
        failure = self._writer.failure
        if failure is not None:
            return getattr(failure, "strerror", None) or str(failure)
        return "the disk takes nothing" if self._hangs else None

    def write(self, snapshot: Snapshot) -> None:
        """Add a snapshot; after a failure, which `failure` then tells, do nothing."""
        if self.failure is not None:
            return
        concealed = self._conceal(snapshot)
        waiting = self._writer.waiting
        if waiting >= _MOST_WAITING:
            self._hangs = True
            return
        written = self._writer.put(lambda: self._add(concealed))
        if not waiting:
            written.wait(_SOON)

    def close(self) -> None:
        """Finish the file, unless the disk hangs."""
        if not self._writer.put(self._finish).wait(WAIT):
            self._hangs = True
            return
        with suppress(OSError):  # the recording has failed before
            self._file.close()

    def _finish(self) -> None:
        self._end()
        self._file.close()

    def _add(self, snapshot: Snapshot) -> None:
        self._write(codec.dumps(snapshot, snapshot.rows).encode() + b"\n")
        self._flush()


def _encoder(
    path: Path, file: FileIO, codec: zstd.Codec | None
) -> tuple[Callable[[bytes], object], Callable[[], object], Callable[[], object]]:
    """Return how to write, to flush so that everything up to here can be read, and to end."""
    write = partial(_write_all, file)
    if path.suffix == ".gz":
        # Not by gzip.GzipFile, which writes its end when it is freed, although the file is full or closed by then.
        stream = zlib.compressobj(zlib.Z_BEST_COMPRESSION, wbits=zlib.MAX_WBITS | _GZIP_FORMAT)
        return (
            lambda data: write(stream.compress(data)),
            lambda: write(stream.flush(zlib.Z_SYNC_FLUSH)),
            lambda: write(stream.flush()),
        )
    if codec:
        frame = codec.compressor()
        return (
            lambda data: write(frame.compress(data)),
            lambda: write(frame.flush(codec.block)),
            lambda: write(frame.flush()),
        )
    return write, lambda: None, lambda: None


def _write_all(file: FileIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


class Recorded(Snapshots):
    """A feed whose snapshots are recorded as they are taken. That recording has stopped, and why, becomes a note.

    Args:
        feed: where they come from.
        recorder: where they go. Closed by whoever made it, after `stop`.
        most: how many will be taken, if that is known; if fewer were, `stop` records the interval that it cuts short.
    """

    def __init__(self, feed: Snapshots, recorder: Recorder, most: int | None = None) -> None:
        self._feed = feed
        self._recorder = recorder
        self._left = most
        self._stopped = False

    def start(self) -> None:
        """Begin."""
        self._feed.start()

    def stop(self) -> None:
        """Record what the interval has come to so far, and end the feed."""
        if self._stopped:
            return
        self._stopped = True
        try:
            if self._left is None or self._left > 0:
                self._feed.finish()
                with suppress(Exception):  # the feed ends, or has died: whoever took from it knows
                    while self.take(timeout=WAIT) is not None:
                        pass
        finally:  # also where a signal ends the wait: a second call does nothing
            self._feed.stop()

    def hurry(self) -> None:
        """Let the next snapshot come at once."""
        self._feed.hurry()

    def finish(self) -> None:
        """Let one more come at once, and then the end."""
        self._feed.finish()

    def watch(self, wanted: Request) -> None:
        """Count more, or less, from now on; the recording has it too."""
        self._feed.watch(wanted)

    def take(self, timeout: float | None = 0) -> Snapshot | None:
        """Return what the feed offers; see there."""
        snapshot = self._feed.take(timeout)
        if snapshot is None:
            return None
        self._recorder.write(snapshot)
        if self._left is not None:
            self._left -= 1
        if self._recorder.failure is None:
            return snapshot
        return replace(snapshot, notes=(*snapshot.notes, f"recording stopped: {self._recorder.failure}"))


class Player(Feed):
    """Plays a recording: the same snapshots, at the pace at which they were recorded, or faster, slower, step by step.

    Args:
        path: the recording.
        paced: whether to wait between snapshots as they once came; without, they come as fast as they are taken.
        notify: called in the thread whenever there is something to take.

    Raises:
        SlabtuiError: the file cannot be read or its first line is no snapshot.
    """

    def __init__(self, path: Path | Traversable, paced: bool, notify: Callable[[], None] = lambda: None) -> None:
        super().__init__(notify)
        self._snapshots = read(path)
        self._first = next(self._snapshots)
        self._paced = paced
        self._held = False
        self._step = False
        self.speed = 1.0

    def faster(self) -> None:
        """Play at twice the speed."""
        self.speed = min(FASTEST, self.speed * 2)

    def slower(self) -> None:
        """Play at half the speed."""
        self.speed = max(SLOWEST, self.speed / 2)

    def hold(self, held: bool) -> None:
        """Stand still, or go on; `hurry` then gives one snapshot at a time."""
        self._held, self._step = held, False
        super().hurry()

    def hurry(self) -> None:
        """Let the next snapshot come at once, if the recording stands still."""
        self._step = self._held
        super().hurry()

    def produce(self) -> None:
        """Offer each snapshot when its time has come."""
        self.put(self._first)
        for snapshot in self._snapshots:
            if self._finishing:
                break
            if self._stopping or (self._paced and not self._wait(snapshot.elapsed)):
                return
            self.put(snapshot)
        raise FeedEndedError

    def _wait(self, seconds: float) -> bool:
        """Let an interval of the recording pass; False: the feed is to stop."""
        left = seconds
        while (held := self._held) or left > 0:
            began, speed = time.monotonic(), self.speed
            if not self.sleep(None if held else min(left / speed, _PATIENCE)):
                return False
            if self._step:
                self._step = False
                break
            left -= 0 if held else (time.monotonic() - began) * speed
        return True


def read(path: Path | Traversable) -> Iterator[Snapshot]:
    """Yield the snapshots of a recording.

    Its last line may be cut short, if the recorder was killed: the recording ends before it, and the last snapshot
    carries a note that says so.

    Raises:
        SlabtuiError: the file cannot be read, it has no snapshot in it, or a line is none; it names the line.
    """
    last: Snapshot | None = None
    try:
        for number, line in enumerate(_lines(path), 1):
            try:
                if len(line) >= _LONGEST_LINE:
                    raise codec.SchemaError(f"longer than {_LONGEST_LINE >> 20} MiB")
                snapshot = codec.loads(line)
            except codec.SchemaError as error:
                if last is None or line.endswith(b"\n") or len(line) >= _LONGEST_LINE:
                    if last is not None:
                        yield last
                    raise SlabtuiError(f"{path}, line {number}: {error}", _WANTED) from error
                last = _cut(last)
                break
            if last is not None:
                yield last
            last = snapshot
    except (EOFError, zlib.error) as error:  # a compressed stream without its end
        if last is None:
            raise SlabtuiError(f"{path} is cut short before its first snapshot", _WANTED) from error
        last = _cut(last)
    except OSError as error:
        if last is not None:
            yield last
        raise SlabtuiError(f"cannot read {path} ({error.strerror or error})", _WANTED) from error
    if last is None:
        raise SlabtuiError(f"{path} has no snapshot in it", _WANTED)
    yield last


def _lines(path: Path | Traversable) -> Iterator[bytes]:
    with path.open("rb") as opened:
        file = cast("BufferedReader", opened)
        start = file.peek(4)
        stream: BinaryIO = file
        if start.startswith(_GZIP_MAGIC):
            stream = cast("BinaryIO", gzip.GzipFile(fileobj=file))
        elif start.startswith(_ZSTD_MAGIC):
            yield from _zstd_lines(file)
            return
        while line := stream.readline(_LONGEST_LINE):
            yield line


def _zstd_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a stream, those included that stand before the point where it is cut."""
    rest = bytearray()
    for part in zstd.decompress(file):
        begin = 0
        while (end := part.find(b"\n", begin) + 1) > 0:
            yield bytes(rest + part[begin:end])
            rest.clear()
            begin = end
        rest += part[begin:]
        if len(rest) >= _LONGEST_LINE:
            break
    if rest:
        yield bytes(rest[:_LONGEST_LINE])


def _cut(last: Snapshot) -> Snapshot:
    return replace(last, notes=(*last.notes, "the recording is cut short here"))
