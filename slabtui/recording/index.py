"""The index of a directory of segments: what each one holds, so that any moment is found without reading the others.

It only saves time: a segment that it lacks, or that has grown since, is read instead. So it may be old, torn or gone.
"""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from slabtui.recording import checks, lines, zstd

FILE = "slabtui-index.json"

_SCHEMA = "slabtui-index/1"
_NEW = "slabtui-index.new"  # it becomes the index when it is complete
_MOST_FRAMES = 1 << 16  # of a segment
_LARGEST_FILE = 64 << 20  # bytes; 100,000 segments


@dataclass(slots=True)
class Summary:
    """What a segment holds.

    Attributes:
        size: bytes of the file when this was written.
        begin: time of the first snapshot, in seconds since the epoch.
        end: time of the last one.
        slab_least: the smallest slab memory of the machine in it, in bytes; None: not known.
        slab_most: the largest.
        frames: where a frame begins in the file, with the time of its first snapshot. A frame is read without what is
            before it.
    """

    size: int = 0
    begin: float = 0.0
    end: float = 0.0
    slab_least: int | None = None
    slab_most: int | None = None
    frames: list[tuple[int, float]] = field(default_factory=list)

    def add(self, time: float, slab: int | None, frame: int) -> None:
        """Add a snapshot of the frame that begins there."""
        if not self.frames:
            self.begin = time
        if not self.frames or self.frames[-1][0] != frame:
            self.frames.append((frame, time))
        self.end = time
        if slab is not None:
            self.slab_least = slab if self.slab_least is None else min(self.slab_least, slab)
            self.slab_most = slab if self.slab_most is None else max(self.slab_most, slab)

    def frame_before(self, time: float) -> int:
        """Return where the last frame begins whose first snapshot is not after this time; else the first one."""
        return max((offset for offset, begin in self.frames if begin <= time), default=0)


def load(directory: Path) -> dict[str, Summary]:
    """Return the summaries by the names of the segments; empty if there is no index that can be read."""
    try:
        with (directory / FILE).open("rb") as file:
            found = json.loads(file.read(_LARGEST_FILE))
        segments = found["segments"] if found["schema"] == _SCHEMA else {}
        return {str(name): _read(summary) for name, summary in segments.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


def save(directory: Path, segments: dict[str, Summary]) -> None:
    """Write the index: at every moment the old one or the new one is there, whole. OSError where that fails."""
    written = {"schema": _SCHEMA, "segments": {name: asdict(summary) for name, summary in segments.items()}}
    new = directory / _NEW
    new.unlink(missing_ok=True)  # of a process that was killed
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(json.dumps(written, separators=(",", ":")).encode())
        new.rename(directory / FILE)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def scan(path: Path, known: Summary | None = None) -> Summary:
    """Return what a segment holds, by reading it without decoding its rows; of a damaged one what is before that.

    Args:
        path: the segment.
        known: what it held when it was shorter: only the last frame of that is read again, and what follows.

    Raises:
        OSError: it cannot be opened.
        SlabtuiError: no module can read it.
    """
    found = replace(known, frames=list(known.frames)) if known is not None and known.frames else Summary()
    start = found.frames[-1][0] if found.frames else 0
    with path.open("rb") as file:
        found.size = os.fstat(file.fileno()).st_size
        file.seek(start)
        with suppress(OSError, EOFError):  # damaged, or cut
            for frame, line in lines.split(zstd.frames(file)):
                time = lines.time_of(line) if line.endswith(b"\n") else None
                if time is not None:
                    found.add(time, lines.slab_of(line), start + frame)
    return found


def _read(found: Any) -> Summary:
    """Return a summary of JSON; ValueError or the like where it is none."""
    frames = [(checks.count(offset), _seconds(time)) for offset, time in checks.members(found["frames"], _MOST_FRAMES)]
    least, most = (None if found[name] is None else checks.count(found[name]) for name in ("slab_least", "slab_most"))
    size, begin, end = checks.count(found["size"]), _seconds(found["begin"]), _seconds(found["end"])
    return Summary(size, begin, end, least, most, frames)


def _seconds(found: Any) -> float:
    return float(checks.decimal(found, digits=3))
