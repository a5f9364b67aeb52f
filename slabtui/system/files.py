"""Files: creates those that the user names, which only their owner can read, and reads those of /proc repeatedly."""

import errno
import os
from io import FileIO
from pathlib import Path

_MODE = 0o600  # recordings and exports name the processes of all users
_CHUNK = 16384  # bytes; the kernel returns a page at a time of most files of /proc


def create(path: Path) -> FileIO:
    """Create a file and open it for writing, without a buffer; a link is not followed.

    Raises:
        FileExistsError: the file exists; its mode and its content stay as they are.
        OSError: it cannot be created.
        ValueError: there is a null byte in the name.
    """
    return FileIO(path, "x", opener=lambda name, flags: os.open(name, flags, _MODE))


def replace(path: Path, content: bytes, mode: int) -> None:
    """Replace a file, so that who opens it finds all of the old content or all of the new one; rename(2).

    A file that is left over from a process that was killed meanwhile is replaced, too.

    Args:
        path: the file; if it is a link, the link is replaced.
        content: what it contains then.
        mode: its permissions, whatever the umask is.

    Raises:
        OSError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    try:
        with create(beside) as file:
            left = memoryview(content)
            while left:
                left = left[file.write(left) :]
            os.fchmod(file.fileno(), mode)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


class Repeated:
    """A file of /proc, kept open to be read again and again: to open it takes several times as long as to read it.

    Args:
        path: the file; it is opened by the first `read`, or before.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._closed = False

    def open(self) -> int:
        """Open it if it is not, and return its descriptor; OSError where that is refused, or it was closed."""
        if self._closed:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        return self._descriptor

    def read(self) -> bytes:
        """Return its whole content as it is now; OSError where it cannot be opened or read."""
        parts, position = [], 0
        while part := os.pread(self.open(), _CHUNK, position):
            parts.append(part)
            position += len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close it for good; more than once."""
        self._closed = True
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
