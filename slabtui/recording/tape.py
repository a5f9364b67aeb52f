"""A tape: one or more recordings, one after the other, which can be read from any moment on."""

import functools
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.resources.abc import Traversable
from math import inf
from pathlib import Path
from typing import Protocol

from slabtui.errors import SlabtuiError, Status
from slabtui.model.snapshot import Snapshot
from slabtui.recording import codec, index, reader, segments
from slabtui.recording.index import Summary
from slabtui.recording.moments import Moment, span
from slabtui.text import printable


class _Piece(Protocol):
    """A part of a tape: a file, or a segment of a directory."""

    @property
    def begin(self) -> float:
        """The time of its first snapshot."""

    @property
    def end(self) -> float:
        """The time of its last one."""

    @property
    def damage(self) -> str:
        """What is missing of it, as found when it was read last, in words for the user; empty: nothing."""

    def read(self, since: float) -> Iterator[Snapshot]:
        """Yield its snapshots from a moment on."""

    def lines(self) -> Iterator[bytes]:
        """Yield all its lines."""


class Tape:
    """The recordings of files and directories, in the order of their time.

    Args:
        paths: one or more of them.

    Raises:
        SlabtuiError: a directory cannot be read or has no segment; or one of several files cannot be read.
    """

    def __init__(self, paths: Sequence[Path | Traversable]) -> None:
        pieces: list[_Piece] = []
        for path in paths:
            pieces += _segments(path) if isinstance(path, Path) and path.is_dir() else [_File(path)]
        self._name = ", ".join(map(str, paths))
        self._pieces = pieces if len(paths) == 1 else sorted(pieces, key=lambda piece: piece.begin)

    def read(self, begin: Moment | None = None, end: Moment | None = None) -> Iterator[Snapshot]:
        """Yield the snapshots from one moment to another.

        Raises:
            SlabtuiError: a recording cannot be read, the end is before the beginning, or there is no snapshot between.
        """
        is_whole = begin is None and end is None
        since, until = self.limits(begin, end)
        if until < since:
            what = f"--to is before --from: {codec.iso(until)} is before {codec.iso(since)}"
            raise SlabtuiError(what, "name a later end, or an earlier beginning", Status.USAGE)
        is_empty = True
        for snapshot in self.between(since, until):
            is_empty = False
            yield snapshot
        damage = next((piece.damage for piece in self._pieces if piece.damage), "")
        if is_empty and damage:
            raise SlabtuiError(f"{self._name} has no snapshot there that can be read", damage)
        if is_empty and is_whole:
            raise SlabtuiError(f"{self._name} has no snapshot in it", "replay it after the first interval")
        if is_empty:
            first, last = codec.iso(self._pieces[0].begin), codec.iso(self._pieces[-1].end)
            asked = "" if begin is None else f" from {codec.iso(since)}"
            asked += "" if end is None else f" to {codec.iso(until)}"
            raise SlabtuiError(f"{self._name} has no snapshot{asked}", f"it goes from {first} to {last}", Status.USAGE)

    def limits(self, begin: Moment | None, end: Moment | None) -> tuple[float, float]:
        """Return these moments in seconds since the epoch; SlabtuiError where the recording cannot be read."""
        return (0.0, inf) if begin is None and end is None else span(begin, end, self._pieces[-1].end)

    @property
    def begin(self) -> float:
        """The time of the first snapshot."""
        return self._pieces[0].begin

    @property
    def end(self) -> float:
        """The time of the last snapshot; a file is read to its end for it."""
        return self._pieces[-1].end

    def between(self, since: float, until: float) -> Iterator[Snapshot]:
        """Yield the snapshots from one time to another, if there are any; SlabtuiError as for `read`."""
        for snapshot in self._since(since):
            if snapshot.time > until:
                return
            yield snapshot

    def lines(self) -> Iterator[bytes]:
        """Yield all lines, as they are written; SlabtuiError where a file cannot be read."""
        for piece in self._pieces:
            yield from piece.lines()

    def _since(self, since: float) -> Iterator[Snapshot]:
        """Yield the snapshots; the last one before a damage has a note of it, otherwise the first one after it."""
        last: Snapshot | None = None
        notes: list[str] = []
        pieces = self._pieces
        if since:  # a piece ends where the next one begins, at the latest
            pieces = pieces[max(0, sum(piece.begin <= since for piece in pieces) - 1) :]
        for piece in pieces:
            for snapshot in piece.read(since):
                if last is not None:
                    yield last
                last, notes = _noted(snapshot, notes), []
            if piece.damage:
                notes.append(piece.damage)
            if last is not None:
                last, notes = _noted(last, notes), []
        if last is not None:
            yield last


class _File:
    damage = ""  # the reader has its own note or error

    def __init__(self, path: Path | Traversable) -> None:
        self._path = path

    @functools.cached_property
    def _times(self) -> tuple[float, float]:
        return reader.times(self._path)

    @functools.cached_property
    def begin(self) -> float:
        return reader.begin(self._path)

    @property
    def end(self) -> float:
        return self._times[1]

    def read(self, since: float) -> Iterator[Snapshot]:
        return reader.read(self._path, since)

    def lines(self) -> Iterator[bytes]:
        return reader.lines_of(self._path)


class _Segment:
    """A segment; one that is damaged ends before the damage, and one that was dropped meanwhile is empty.

    Args:
        path: the file.
        known: what the index says of it.
        is_newest: whether it may be cut short, or empty: it is still written, or its recorder was killed.
    """

    def __init__(self, path: Path, known: Summary | None, *, is_newest: bool) -> None:
        self._path = path
        self._known = known
        self._is_newest = is_newest
        self.damage = ""
        self.begin = segments.time_of(path.name) or 0.0

    @functools.cached_property
    def _summary(self) -> Summary:
        """What it holds now, although it may have grown since the index was written."""
        try:
            is_known = self._known is not None and self._known.size == self._path.stat().st_size
            return self._known if is_known and self._known is not None else index.scan(self._path, self._known)
        except OSError:
            return Summary()

    @property
    def end(self) -> float:
        return self._summary.end or self.begin

    def read(self, since: float) -> Iterator[Snapshot]:
        self.damage = ""
        start = self._summary.frame_before(since) if since > self.begin else 0
        yield from self._read(since, start)

    def _read(self, since: float, start: int) -> Iterator[Snapshot]:
        is_found = False
        try:
            for snapshot in reader.decode(self._path, since, start, is_segment=True):
                is_found = True
                yield snapshot
        except (reader.CutError, reader.DamagedError) as error:
            if start and not is_found:  # the index may be that of another file
                yield from self._read(since, 0)
            elif isinstance(error, reader.DamagedError) or not self._is_newest:
                missing = "its intervals from there on" if is_found or since > self.begin else "its intervals"
                self.damage = f"{printable(os.fsencode(self._path.name))} is damaged: {missing} are missing"
        except SlabtuiError:
            if self._path.exists():  # otherwise it was dropped
                raise

    def lines(self) -> Iterator[bytes]:
        with suppress(SlabtuiError):
            yield from reader.lines_of(self._path)


def _segments(directory: Path) -> list[_Piece]:
    """Return the segments of a directory; those that a killed recorder has left empty are no part of it."""
    try:
        names = segments.names(directory)
    except OSError as error:
        remedy = "name a directory that you can read"
        raise SlabtuiError(f"cannot read {directory} ({error.strerror})", remedy, Status.USAGE) from error
    if not names:
        remedy = "name a directory that --record has written to"
        raise SlabtuiError(f"{directory} has no recording in it", remedy, Status.USAGE)
    known = index.load(directory)
    newest = names[-1]
    found: list[_Piece] = [_Segment(directory / name, known.get(name), is_newest=name == newest) for name in names]
    return found


def _noted(snapshot: Snapshot, notes: list[str]) -> Snapshot:
    return replace(snapshot, notes=(*snapshot.notes, *notes)) if notes else snapshot
