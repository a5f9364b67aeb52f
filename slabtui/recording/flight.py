"""The flight recorder: writes snapshots to segments in a directory, bounded by age and size, for as long as it runs.

A process that is killed at any moment leaves a directory that can be read, and that it continues when it starts again.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import TypeVar

from slabtui.model.snapshot import Snapshot, merge
from slabtui.recording import index, segments, zstd
from slabtui.recording.changes import ChangeEncoder
from slabtui.recording.index import Summary
from slabtui.recording.limits import Limits
from slabtui.system import files

FRAME_TEXT = 2 << 20  # bytes of lines in a frame; 0.2 s to read them up to a moment, of 2000 caches that all change

_PART = 20  # a segment takes at most this part of the size that is kept, so that dropping one leaves most of it
_SYNC = 30.0  # seconds of recording that are lost at most if the machine stops, beside the interval that has begun

_Result = TypeVar("_Result")


class DirectorySink:
    """Writes lines of changes to the newest segment, and flushes each of them.

    Where the disk is full, the oldest segments are dropped. Where it takes nothing all the same, the interval becomes
    longer until it does.

    Args:
        directory: is created if there is none. No other recorder may write to it.
        limits: of the recording.

    Attributes:
        trouble: why nothing can be written now; empty: it can.

    Raises:
        SlabtuiError: another recorder writes there, it cannot be written to, or no module can compress.
    """

    creates_more = True

    def __init__(self, directory: Path, limits: Limits | None = None) -> None:
        zstd.load("record to a .gz file")  # before there is a directory
        self._directory = directory
        self._limits = limits or Limits()
        self._unlock = segments.lock(directory)
        self._segments: dict[str, Summary] | None = None  # the oldest first; None: not read yet
        self._segment: _Segment | None = None
        self._waiting: Snapshot | None = None  # what could not be written yet
        self._is_renewed = False
        self.trouble = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is no segment."""
        return not self._segments

    def renew(self) -> None:
        """Begin a new segment with the next snapshot; in any thread, or by a signal's handler."""
        self._is_renewed = True

    def write(self, snapshot: Snapshot) -> None:
        """Write a snapshot, with those that could not be written before; then drop what is too old or too much."""
        if self._segments is None:
            self._segments = _summaries(self._directory)
        self._waiting = snapshot if self._waiting is None else merge(self._waiting, snapshot)
        try:
            self._append(self._waiting)
        except OSError as error:
            self._end(is_whole=False)
            self.trouble = f"nothing can be recorded now ({error.strerror}): the interval becomes longer until it can"
        else:
            self._waiting, self.trouble = None, self._sync(snapshot.time)
        self._drop_what_is_beyond(snapshot.time)

    def close(self) -> None:
        """End the segment, and let other recorders in."""
        self._end(is_whole=True)
        self._unlock()

    def _append(self, snapshot: Snapshot) -> None:
        if self._segment is not None and self._is_over(self._segment, snapshot.time):
            self._end(is_whole=True)
        if self._segment is None:
            self._begin(snapshot.time)
        segment = self._segment
        assert segment is not None
        begins_frame = segment.is_frame_full
        if begins_frame:
            segment.begin_frame()
        segment.append(snapshot)
        if begins_frame:
            self._save_index()

    def _sync(self, now: float) -> str:
        """Let the disk confirm what was written; return what goes wrong."""
        try:
            if self._segment is not None:
                self._segment.sync(now)
        except OSError as error:
            return f"the disk does not confirm what is recorded ({error.strerror})"
        return ""

    def _is_over(self, segment: "_Segment", time: float) -> bool:
        begin, end = segment.summary.begin, segment.summary.end
        is_due = time // self._limits.segment != begin // self._limits.segment
        is_set_back = time < end  # the clock: a segment has the times in their order
        return is_due or is_set_back or self._is_renewed or segment.summary.size >= self._limits.size // _PART

    def _begin(self, time: float) -> None:
        self._is_renewed = False
        name = segments.name_after(next(reversed(self._all), None), time)
        path = self._directory / name
        file = self._make_room(lambda: files.create(path))
        self._segment = _Segment(path, file, self._make_room)
        self._all[name] = self._segment.summary
        self._save_index()

    def _end(self, *, is_whole: bool) -> None:
        """End the segment, without what was written of a line in part."""
        segment, self._segment = self._segment, None
        if segment is None:
            return
        with suppress(OSError):  # every line is there already
            segment.end() if is_whole else segment.cut()
        if not segment.summary.frames:  # no line of it could be written
            with suppress(OSError):
                segment.path.unlink()
            self._all.pop(segment.path.name, None)
        self._save_index()

    def _save_index(self) -> None:
        with suppress(OSError):  # it only saves time
            self._make_room(lambda: index.save(self._directory, self._all))

    def _make_room(self, write: Callable[[], _Result]) -> _Result:
        """Write, and drop the oldest segment as often as the disk is too full for that; otherwise OSError."""
        while True:
            try:
                return write()
            except OSError as error:
                if not files.has_no_room(error) or not self._drop_oldest():
                    raise

    def _drop_what_is_beyond(self, now: float) -> None:
        while sum(summary.size for summary in self._all.values()) > self._limits.size and self._drop_oldest():
            pass
        while (oldest := next(iter(self._all.values()), None)) and oldest.end < now - self._limits.keep:
            if not self._drop_oldest():
                break

    def _drop_oldest(self) -> bool:
        """Drop the oldest segment, but not the one that is written to; False: there is no other."""
        name = next(iter(self._all), None)
        if name is None or (self._segment is not None and name == self._segment.path.name):
            return False
        del self._all[name]
        with suppress(OSError):  # gone already
            (self._directory / name).unlink()
        return True

    @property
    def _all(self) -> dict[str, Summary]:
        assert self._segments is not None
        return self._segments


class _Segment:
    """The segment that is written to.

    Args:
        path: of the file.
        file: new, without a buffer.
        make_room: is given each write, and repeats it once there is room for it on the disk.
    """

    def __init__(self, path: Path, file: FileIO, make_room: Callable[[Callable[[], None]], None]) -> None:
        self.path = path
        self._make_room = make_room
        self.summary = Summary()
        self._file = file
        self._module = zstd.load("record to a .gz file")
        self._frame = 0  # where it begins
        self._text = 0  # bytes of lines in it
        self._synced = 0.0
        self._new_frame()

    @property
    def is_frame_full(self) -> bool:
        """Whether the next line belongs to a new frame."""
        return self._text >= FRAME_TEXT

    def begin_frame(self) -> None:
        """End the frame; the next line can be read without those before it."""
        self._put(self._compressor.flush())
        self._frame = self.summary.size
        self._new_frame()

    def append(self, snapshot: Snapshot) -> None:
        """Write the line of a snapshot."""
        line = self._encoder.encode(snapshot)
        data = self._compressor.compress(line) + self._compressor.flush(self._module.block)
        self._put(data)
        self._text += len(line)
        slab = None if snapshot.memory is None else snapshot.memory.slab
        self.summary.add(round(snapshot.time, 3), slab, self._frame)

    def sync(self, now: float) -> None:
        """Let the disk confirm what was written, if that is due; OSError where it does not."""
        if now - self._synced >= _SYNC:
            self._synced = now
            os.fdatasync(self._file.fileno())

    def end(self) -> None:
        """Write the end of the frame, and close the file."""
        try:
            self._put(self._compressor.flush())
            os.fdatasync(self._file.fileno())
        finally:
            self._file.close()

    def cut(self) -> None:
        """Remove what was written in part, and close the file."""
        try:
            self._file.truncate(self.summary.size)
        finally:
            self._file.close()

    def _new_frame(self) -> None:
        self._encoder = ChangeEncoder()
        self._compressor = self._module.dense_compressor()
        self._text = 0

    def _put(self, data: bytes) -> None:
        left = memoryview(data)

        def write() -> None:
            nonlocal left
            while left:
                left = left[self._file.write(left) :]

        self._make_room(write)
        self.summary.size += len(data)


def _summaries(directory: Path) -> dict[str, Summary]:
    """Return what is in a directory: what the index says, and what it lacks by reading the segments."""
    known, found = index.load(directory), {}
    for name in segments.names(directory):
        path, summary = directory / name, known.get(name)
        with suppress(OSError):
            if summary is None or summary.size != path.stat().st_size:
                summary = index.scan(path, summary)
                summary.end = summary.end or segments.time_of(name) or 0.0  # of one that holds nothing
            found[name] = summary
    return found
