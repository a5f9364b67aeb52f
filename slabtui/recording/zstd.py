"""Zstandard streams: by Python's own module, or by the zstandard package; a Python before 3.14 may have neither."""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple, Protocol

from slabtui.errors import SlabtuiError

_CHUNK = 64  # bytes of a file at a time
_LAST_BLOCK = b"\x01\0\0"  # an empty one, which ends a frame without a checksum (RFC 8878, 3.1.1.2)
_WINDOW_LOG = 23  # 8 MiB, which every reader has to have room for (RFC 8878, 3.1.1.1.2); recordings need 2 MiB
# As level 16 compresses, but with tables of 2 MiB instead of 60: lines of changes of a few KiB each do not fill those.
_DENSE = {
    "window_log": 21,
    "chain_log": 17,
    "hash_log": 17,
    "search_log": 4,
    "min_match": 3,
    "target_length": 64,
    "strategy": 7,  # ZSTD_btopt
}


class Compressor(Protocol):
    """What a compressor of both modules has: each call returns what can be written so far."""

    def compress(self, data: bytes, /) -> bytes:
        """Take data, and return what has been compressed."""

    def flush(self, mode: Any = ..., /) -> bytes:  # each module has its own type of a mode
        """Return the rest, so that what was taken can be read; without a mode the frame ends."""


class Decompressor(Protocol):
    """What a decompressor of both modules has: it reads one frame."""

    @property
    def eof(self) -> bool:
        """Whether the frame has ended."""

    @property
    def unused_data(self) -> bytes:
        """What came after the end of the frame."""

    def decompress(self, data: bytes, /) -> bytes:
        """Take data, and return what has been decompressed."""


class Codec(NamedTuple):
    """One of the two modules.

    Attributes:
        compressor: begins a frame.
        dense_compressor: begins one that takes less room, and more time: 1 ms for a line of changes.
        block: the mode in which a compressor is flushed within a frame.
        decompressor: begins to read a frame.
        error: raised where the data is not what the format demands.
    """

    compressor: Callable[[], Compressor]
    dense_compressor: Callable[[], Compressor]
    block: int
    decompressor: Callable[[], Decompressor]
    error: type[Exception]


def load(otherwise: str) -> Codec:
    """Return the module that this Python has.

    Args:
        otherwise: what the user can do instead of installing one.

    Raises:
        SlabtuiError: it has none.
    """
    if sys.version_info >= (3, 14):
        try:
            from compression import zstd
        except ImportError:  # this Python was built without it
            pass
        else:
            limits: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
            dense: dict[int, int] = {getattr(zstd.CompressionParameter, name): value for name, value in _DENSE.items()}
            return Codec(
                zstd.ZstdCompressor,
                lambda: zstd.ZstdCompressor(options=dense),
                zstd.ZstdCompressor.FLUSH_BLOCK,
                lambda: zstd.ZstdDecompressor(options=limits),
                zstd.ZstdError,
            )
    try:
        import zstandard
    except ImportError as error:
        raise SlabtuiError(
            ".zst needs the zstandard module", f"apt-get install python3-zstandard, or {otherwise}"
        ) from error
    return Codec(
        lambda: zstandard.ZstdCompressor().compressobj(),
        lambda: zstandard.ZstdCompressor(
            compression_params=zstandard.ZstdCompressionParameters(**_DENSE)
        ).compressobj(),
        zstandard.COMPRESSOBJ_FLUSH_BLOCK,
        lambda: zstandard.ZstdDecompressor(max_window_size=1 << _WINDOW_LOG).decompressobj(),
        zstandard.ZstdError,
    )


def frames(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the content of a file in parts, each with the place in the file at which its frame begins.

    Of a file that is cut short it yields as much as there is. A frame may end with any of its blocks: each one is
    flushed, and a recorder that is killed writes no end. What has arrived of a pipe is read at once. A part is at most
    2 MiB: the smallest block has 4 bytes, and the largest stands for 128 KiB (RFC 8878, 3.1.1.2).

    Args:
        file: one or more frames, one after the other.

    Raises:
        EOFError: the file ends within a block.
        OSError: the data is damaged.
        SlabtuiError: no module can read it.
    """
    codec = load("unpack the file first, with zstd -d")
    frame = codec.decompressor()
    read = getattr(file, "read1", file.read)
    begin = position = 0
    try:
        while data := read(_CHUNK):
            position += len(data)
            while data:
                if frame.eof:
                    frame, begin = codec.decompressor(), position - len(data)
                yield begin, frame.decompress(data)
                data = frame.unused_data if frame.eof else b""
    except codec.error as error:
        raise OSError(str(error)) from error
    if position and not frame.eof and not _takes_last_block(frame, codec.error):
        raise EOFError("the file ends within a block")


def _takes_last_block(frame: Decompressor, error: type[Exception]) -> bool:
    """Return whether another block can follow; within a block those bytes would be a part of its content."""
    with suppress(error):
        frame.decompress(_LAST_BLOCK)
    return frame.eof
