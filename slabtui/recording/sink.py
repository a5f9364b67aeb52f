"""Where a recorder writes: to a new file, or to standard output; each snapshot as one line, flushed."""

import os
import zlib
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Protocol

from slabtui.errors import SlabtuiError, Status
from slabtui.model.snapshot import Snapshot
from slabtui.recording import lines, zstd
from slabtui.system import files

_GZIP_FORMAT = 16  # added to the window size: with the header and the trailer of gzip; zlib.h, deflateInit2()


class Sink(Protocol):
    """Takes the snapshots of a recorder, in its thread."""

    @property
    def creates_more(self) -> bool:
        """Whether it creates files after its first one."""

    @property
    def trouble(self) -> str:
        """What goes wrong while the recording goes on, in words for the user; empty: nothing."""

    @property
    def is_empty(self) -> bool:
        """Whether there is no interval in it that can be replayed."""

    def write(self, snapshot: Snapshot) -> None:
        """Record a snapshot; OSError where that fails for good."""

    def close(self) -> None:
        """Finish what was written; OSError where that fails."""


class FileSink:
    """Writes whole lines to a file, and flushes each of them, so that it can be read whatever becomes of this process.

    Args:
        file: open, without a buffer.
        suffix: `.gz` and `.zst` compress.
        path: of the file, if it is removed where not even its first interval could be written; None: it stays.

    Attributes:
        is_empty: whether no interval has been written as a whole.

    Raises:
        SlabtuiError: it is to be compressed by a module that this Python lacks.
    """

    creates_more = False
    trouble = ""

    def __init__(self, file: FileIO, suffix: str = "", path: Path | None = None) -> None:
        self._file = file
        self._path = path
        self._is_begun = False
        self.is_empty = True
        self._compress, self._flush, self._end = _compressor(suffix)

    def write(self, snapshot: Snapshot) -> None:
        """Write its line."""
        line = self._compress(lines.whole(snapshot))
        self._is_begun = True
        self._put(line)
        self._put(self._flush())
        self.is_empty = False

    def close(self) -> None:
        """Write the end of the compressed stream, and close the file; remove one that could not be begun."""
        try:
            self._put(self._end())
        finally:
            if self._is_begun and self.is_empty and self._path is not None:
                with suppress(OSError):
                    files.remove(self._path, self._file)
            self._file.close()

    def _put(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]


def create(path: Path) -> FileSink:
    """Create a file to record to.

    Raises:
        SlabtuiError: the file exists, cannot be made, or is to be compressed by a module that this Python lacks.
    """
    if path.suffix == ".zst":
        zstd.load("record to a .gz file")  # before there is a file
    try:
        file = files.create(path)
    except OSError as error:
        what = f"cannot record to {path} ({error.strerror})"
        raise SlabtuiError(what, files.advise(error), Status.USAGE) from error
    return FileSink(file, path.suffix, path)


def standard_output() -> FileSink:
    """Return a sink that writes whole lines to standard output.

    Raises:
        SlabtuiError: that is a terminal.
    """
    if os.isatty(1):
        remedy = "redirect it to a file or a pipe, as in --record - | slabtui --replay -"
        raise SlabtuiError("--record - does not write to a terminal", remedy, Status.USAGE)
    return FileSink(FileIO(os.dup(1), "w"))


def _compressor(suffix: str) -> tuple[Callable[[bytes], bytes], Callable[[], bytes], Callable[[], bytes]]:
    """Return how to compress, to flush so that everything up to here can be read, and to end."""
    if suffix == ".gz":
        # Not by gzip.GzipFile, which writes its end when it is freed, although the file is full or closed by then.
        stream = zlib.compressobj(zlib.Z_BEST_COMPRESSION, wbits=zlib.MAX_WBITS | _GZIP_FORMAT)
        return stream.compress, lambda: stream.flush(zlib.Z_SYNC_FLUSH), stream.flush
    if suffix == ".zst":
        module = zstd.load("record to a .gz file")
        frame = module.compressor()
        return frame.compress, lambda: frame.flush(module.block), frame.flush
    return bytes, bytes, bytes
