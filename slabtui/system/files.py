"""Files: creates those that the user names, which only their owner can read, and reads those of /proc repeatedly."""

import errno
import fcntl
import os
import stat
import tempfile
from io import BufferedWriter, FileIO
from pathlib import Path

from slabtui.errors import SlabtuiError, Status

_MODE = 0o600  # recordings and exports name the processes of all users
_SUFFIX = ".part"  # of a file that is not complete
_REMEDIES = {  # by the error of a file that cannot be created
    errno.EEXIST: "name a new file",
    errno.EACCES: "name a file in a directory that you can write to",
    errno.EPERM: "name a file in a directory that you can write to",
    errno.EROFS: "name a file in a directory that you can write to",
    errno.ENOENT: "create its directory first, with mkdir -p",
    errno.ENOSPC: "free some space, or name a file on another disk",
}
_CHUNK = 16384  # bytes; the kernel returns a page at a time of most files of /proc


def create(path: Path) -> FileIO:
    """Create a file and open it for writing, without a buffer; a link is not followed.

    Raises:
        FileExistsError: the file exists; its mode and its content stay as they are.
        OSError: it cannot be created.
        ValueError: there is a null byte in the name.
    """
    return FileIO(path, "x", opener=lambda name, flags: os.open(name, flags, _MODE))


def remove(path: Path, file: FileIO) -> None:
    """Remove a file that is open, unless another one has its name by now; OSError where that fails."""
    if os.path.samestat(path.lstat(), os.fstat(file.fileno())):
        path.unlink()


def replace(path: Path, content: bytes, mode: int = _MODE, *, synced: bool = True) -> None:
    """Write a file, in place of the one that is there, if any: each reader sees the old or the new one as a whole.

    It is written beside, and then gets the name; rename(2). What a killed process left there is replaced, too.

    Args:
        path: the file.
        content: what it contains then.
        mode: its permissions, whatever the umask is.
        synced: whether it is on the disk first, so that no crash leaves it empty; fsync(2).

    Raises:
        OSError: it cannot be written, or what is there is no regular file; what is there stays as it is.
    """
    _demand_regular(path)
    beside = path.with_name(f".{path.name}{_SUFFIX}")
    beside.unlink(missing_ok=True)
    try:
        with BufferedWriter(create(beside)) as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            if synced:
                os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def demand_replaceable(path: Path) -> None:
    """Check that `replace` can write a file as it is now, and write nothing.

    Raises:
        OSError: it could not.
    """
    _demand_regular(path)
    with tempfile.TemporaryFile(suffix=_SUFFIX, dir=path.parent):
        pass


def lock(path: Path) -> int:
    """Create a file if there is none, lock it, and return its descriptor: it is locked until that is closed; flock(2).

    Who has locked it can remove it: no other process then has the lock of a file that is no longer there.

    Raises:
        BlockingIOError: another process has locked it.
        OSError: it cannot be created or locked.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.lstat()):
                return descriptor
        except FileNotFoundError:  # it was removed between the two
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def advise(error: OSError) -> str:
    """Return what the user can do about an error of a file that cannot be created."""
    return _REMEDIES.get(error.errno or 0, "name another file")


def has_no_room(error: OSError) -> bool:
    """Return whether a file could not be written because the disk, or the quota of its user, is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def unwritable(path: Path, error: OSError, status: Status) -> SlabtuiError:
    """Return the error for a file that cannot be replaced."""
    return SlabtuiError(f"cannot write {path} ({error.strerror})", advise(error), status)


def _demand_regular(path: Path) -> None:
    """Raise OSError if there is something else than a regular file, as a link, a directory or a device."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise OSError(errno.EEXIST, "it is no regular file", str(path))


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
