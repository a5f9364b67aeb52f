"""slabtui as a library: the snapshots of the running kernel, or of a recording, one after the other."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from slabtui.collector import Collector
from slabtui.errors import SlabtuiError, Status, explain
from slabtui.kernel import opening
from slabtui.model.beside import KernelSite, SideCount
from slabtui.model.held import Held, Tracking
from slabtui.model.host import HostGrowth, Origin
from slabtui.model.identity import CacheKey, KeyKind
from slabtui.model.inspection import About, Context, Inspection, InspectionKind, InspectionRow
from slabtui.model.memory import CgroupMemory, HostMemory
from slabtui.model.request import INTERVAL, LONGEST, SHORTEST, InspectionRequest, Request
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.producer import Producer
from slabtui.queues import ProducerDiedError, SnapshotQueue, SnapshotsEndedError
from slabtui.recording.addresses import AddressHider, Concealer, show_all

__all__ = [
    "About",
    "CacheKey",
    "CacheRow",
    "CgroupMemory",
    "Context",
    "Held",
    "HostGrowth",
    "HostMemory",
    "Inspection",
    "InspectionKind",
    "InspectionRow",
    "KernelSite",
    "KeyKind",
    "Origin",
    "SideCount",
    "SlabtuiError",
    "Snapshot",
    "SnapshotStream",
    "Tracking",
    "open",
    "open_recording",
]


class SnapshotStream(Iterator[Snapshot]):
    """An iterator of snapshots: next() waits for the end of an interval, and returns its snapshot.

    Counting begins when the stream is made, and ends when it is closed, as by a `with` statement. While the program
    that takes the snapshots is slow, intervals of the running kernel are merged into a longer one: no count is lost,
    and `elapsed` is the real length. A recording waits.

    Args:
        producer: not started yet.
        conceal: replaces kernel addresses.

    Raises:
        SlabtuiError: the process may not create another thread.
    """

    def __init__(self, producer: Producer, conceal: Concealer) -> None:
        self._producer = producer
        self._conceal = conceal
        self._queue = SnapshotQueue()
        self._closed = False
        producer.subscribe(self._queue)
        try:
            producer.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __next__(self) -> Snapshot:
        """Wait for the end of the interval, and return its snapshot. Ctrl-C interrupts it.

        Raises:
            StopIteration: the recording is at its end, or another thread has closed the stream meanwhile.
            SlabtuiError: the stream is closed, or its source cannot go on.
        """
        if self._closed:
            raise SlabtuiError("the stream of snapshots is closed", "open another one", Status.USAGE)
        try:
            return self._conceal(next(iter(self._queue)))
        except ProducerDiedError as error:
            raise SlabtuiError(str(error), "please report this, with `uname -r`") from error

    def close(self) -> None:
        """Stop counting; in any thread, and more than once."""
        self._closed = True
        self._producer.stop()
        self._queue.close(SnapshotsEndedError())  # a producer that hangs does not: next() must not wait for it

    def __del__(self) -> None:
        self._producer.finish()  # if it was not closed; `stop` would wait, and this may be the producer's thread


def open(  # noqa: A001  users call slabtui.open()
    interval: float = INTERVAL,
    *,
    frees: bool = False,
    pids: Collection[int] = (),
    cgroup: str | os.PathLike[str] | None = None,
    inspect: str | None = None,
    kinds: Collection[str] = ("held",),
    addresses: bool = False,
) -> SnapshotStream:
    """Count in the running kernel.

    It takes about a second, in which a child process compiles the programs. It needs root, or CAP_BPF and CAP_PERFMON,
    and bcc from the distribution, as the program does.

    Args:
        interval: seconds from one snapshot to the next, 0.1 to 3600.
        frees: whether frees are counted too.
        pids: count only what these processes allocate; empty: what all do.
        cgroup: count only what this control group and those below it allocate: its directory, or its path as in
            /proc/PID/cgroup; None: what all do.
        inspect: the name or alias of a cache to inspect; None: none.
        kinds: what is inspected of it: one or more of `held`, `stacks`, `processes`, `callers` and `about`.
        addresses: whether kernel addresses are in the snapshots. They show where the kernel is in memory (KASLR).

    Raises:
        SlabtuiError: an argument is wrong, this process may not count, or the kernel or bcc are not enough.
    """
    if not SHORTEST <= interval <= LONGEST:
        remedy = f"choose one from {SHORTEST:g} to {LONGEST:g} seconds"
        raise SlabtuiError(f"the interval is {interval!r}", remedy, Status.USAGE)
    if cgroup is not None and not os.fspath(cgroup):  # as from an unset variable; Path would take it for the directory
        raise SlabtuiError("the path of the control group is empty", "name one, or None for all", Status.USAGE)
    request = Request(frees, None if inspect is None else InspectionRequest(inspect, _check_kinds(kinds)))
    try:
        opening.demand(inspect)
        source = opening.open_probe(pids, None if cgroup is None else Path(cgroup))
    except OSError as error:
        explained = explain(error)
        if explained is None:
            raise
        raise explained from error
    collector = Collector(source, interval, settles=True)
    collector.request(request)
    return SnapshotStream(collector, _choose_concealer(addresses))


def open_recording(path: str | os.PathLike[str], *, addresses: bool = False) -> SnapshotStream:
    """Read a recording that `--record` has written, compressed or not, as fast as its snapshots are taken.

    Args:
        path: the file, or a directory of segments.
        addresses: whether kernel addresses are in the snapshots, if the recording has them.

    Raises:
        SlabtuiError: it cannot be read, or is no recording.
    """
    from slabtui.recording.player import Player  # imported here, because it imports cattrs
    from slabtui.recording.tape import Tape

    return SnapshotStream(Player(Tape((Path(path),)).read, paced=False), _choose_concealer(addresses))


def _check_kinds(given: Collection[str]) -> tuple[InspectionKind, ...]:
    known = tuple(InspectionKind)
    for kind in given:
        if kind not in known:
            remedy = f"choose from {', '.join(known)}, as in kinds=['held']"
            raise SlabtuiError(f"no kind of inspection is {kind!r}", remedy, Status.USAGE)
    return tuple(map(InspectionKind, dict.fromkeys(given)))


def _choose_concealer(addresses: bool) -> Concealer:
    return show_all if addresses else AddressHider()
