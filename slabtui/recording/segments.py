"""The segments of a recording in a directory: their names, which have the time at which they begin, and who writes."""

import errno
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from slabtui.errors import SlabtuiError, Status
from slabtui.system import files

LOCK = "slabtui.lock"

_NAME = re.compile(r"slabtui-(\d{8}T\d{6}\.\d{3})Z\.jsonl\.zst")
_FORMAT = "%Y%m%dT%H%M%S.%f"
_STEP = 0.001  # seconds between two names
_REMEDIES = {
    errno.EACCES: "name a directory that you can write to",
    errno.EPERM: "name a directory that you can write to",
    errno.EROFS: "name a directory that you can write to",
    errno.ENOENT: "create the directory above it first, with mkdir -p",
    errno.EEXIST: "name a directory",
    errno.ENOTDIR: "name a directory",
}


def name(time: float) -> str:
    """Return the name of the segment whose first snapshot has this time, in seconds since the epoch."""
    written = datetime.fromtimestamp(round(time, 3), UTC).strftime(_FORMAT)[:-3]  # to the millisecond
    return f"slabtui-{written}Z.jsonl.zst"


def time_of(segment: str) -> float | None:
    """Return the time in the name of a segment; None: it is the name of something else."""
    found = _NAME.fullmatch(segment)
    try:
        return None if found is None else datetime.strptime(found[1], _FORMAT).replace(tzinfo=UTC).timestamp()
    except ValueError:  # no such date
        return None


def name_after(last: str | None, time: float) -> str:
    """Return the name of a segment that comes after the last one, although the clock may have been set back."""
    before = None if last is None else time_of(last)
    return name(time if before is None else max(time, before + _STEP))


def names(directory: Path) -> list[str]:
    """Return the names of all segments in their order; OSError where the directory cannot be read."""
    with os.scandir(directory) as entries:
        return sorted(entry.name for entry in entries if time_of(entry.name) is not None)


def lock(directory: Path) -> Callable[[], None]:
    """Create a directory if there is none, and keep other recorders out of it; return what lets them in again.

    Raises:
        SlabtuiError: another one records there, or it cannot be written to.
    """
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        descriptor = files.lock(directory / LOCK)
    except BlockingIOError as error:
        remedy = "stop it, or name another directory"
        raise SlabtuiError(f"another slabtui records to {directory}", remedy, Status.FAILED) from error
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "name another directory")
        raise SlabtuiError(f"cannot record to {directory} ({error.strerror})", remedy, Status.USAGE) from error
    return lambda: os.close(descriptor)
