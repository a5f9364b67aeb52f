"""Zstandard streams: by Python's own module, or by the zstandard package; a Python before 3.14 may have neither."""

import sys
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple, Protocol

from slabtui.errors import SlabtuiError

_CHUNK = 64  # bytes of a file at a time
_WINDOW_LOG = 23  # 8 MiB, which every reader has to have room for (RFC 8878, 3.1.1.1.2); recordings need 2 MiB


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
        block: the mode in which a compressor is flushed within a frame.
        decompressor: begins to read a frame.
        error: raised where the data is not what the format demands.
    """

    compressor: Callable[[], Compressor]
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
            return Codec(
                zstd.ZstdCompressor,
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
        zstandard.COMPRESSOBJ_FLUSH_BLOCK,
        lambda: zstandard.ZstdDecompressor(max_window_size=1 << _WINDOW_LOG).decompressobj(),
        zstandard.ZstdError,
    )


def decompress(file: BinaryIO) -> Iterator[bytes]:
    """Yield the content of a file; of one that is cut short, as much as there is.

    A part is at most 2 MiB: the smallest block has 4 bytes, and the largest stands for 128 KiB (RFC 8878, 3.1.1.2).

    Args:
        file: one or more frames, one after the other.

    Raises:
        OSError: the data is damaged.
        SlabtuiError: no module can read it.
    """
    codec = load("unpack the file first, with zstd -d")
    frame = codec.decompressor()
    try:
        while data := file.read(_CHUNK):
            while data:
                if frame.eof:
                    frame = codec.decompressor()
                yield frame.decompress(data)
                data = frame.unused_data if frame.eof else b""
    except codec.error as error:
        raise OSError(str(error)) from error
