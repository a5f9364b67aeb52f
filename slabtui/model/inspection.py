"""What a close look at one cache finds: who allocates from it, or all that the kernel says about it."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property


class Kind(enum.StrEnum):
    """What is looked at."""

    CALLERS = "callers"
    STACKS = "stacks"
    PROCESSES = "processes"
    ABOUT = "about"


class Context(enum.StrEnum):
    """On whose behalf the kernel ran when it allocated."""

    PROCESS = "process"
    KERNEL_THREAD = "kernel thread"
    INTERRUPT = "interrupt"


@dataclass(frozen=True, slots=True)
class Request:
    """What is counted only because somebody looks at it.

    Attributes:
        frees: whether frees are counted.
        cache: the cache that is looked at closely: its address, or its name or an alias; None: none.
        kind: what is looked at.
        measurements: how often the user has asked what counting costs.
    """

    frees: bool = False
    cache: int | str | None = None
    kind: Kind | None = None
    measurements: int = 0


@dataclass(frozen=True, slots=True)
class InspectionRow:
    """One caller, stack or process, and what it allocated.

    Attributes:
        frames: the call site as symbol+offset, or the functions of a stack, the innermost first; empty for a process.
        pid: process ID; 0 in an interrupt; None unless it is a process.
        comm: its name, harmless to print.
        cgroup: path of its control group in the unified hierarchy; empty where unknown.
        context: what kind of process it is.
        allocs: objects allocated: in one interval, or in all since the look began.
        bytes: their size.
        total_allocs, total_bytes: both since the look began.
        standard_error: of total_allocs, in allocations; 0: they are exact; None: unknown, as in older recordings.
    """

    allocs: int
    bytes: int
    total_allocs: int
    total_bytes: int
    frames: tuple[str, ...] = ()
    pid: int | None = None
    comm: str = ""
    cgroup: str = ""
    context: Context = Context.PROCESS
    standard_error: float | None = 0.0

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from others."""
        return self.frames or (self.context, self.pid)


@dataclass(frozen=True, slots=True)
class About:
    """What the kernel says about one cache; None or empty: it does not.

    Attributes:
        aliases: the other caches that were merged into it, by name.
        object_size: bytes that its creator asked for per object.
        size: bytes that an object takes in its slab.
        objects_per_slab: objects that a slab holds.
        slab_bytes: bytes of a slab.
        flags: in words.
        nodes: NUMA nodes, each with how many slabs lie on it.
        live: objects in use.
        mem: bytes of memory held.
    """

    aliases: tuple[str, ...] = ()
    object_size: int | None = None
    size: int | None = None
    objects_per_slab: int | None = None
    slab_bytes: int | None = None
    flags: tuple[str, ...] = ()
    nodes: tuple[tuple[int, int], ...] = ()
    live: int | None = None
    mem: int | None = None


@dataclass(frozen=True)
class Inspection:
    """A close look at one cache.

    Attributes:
        cache: its name.
        kind: what was looked at.
        look: number of the look, from 1: a new one counts from 0.
        one_in: for stacks: one was taken in so many allocations, the counts are estimates if that is more than 1.
        lost: allocations that are in no entry.
        entries: who allocated, most allocations since the look began first.
        about: for the kind of that name.
    """

    cache: str
    kind: Kind
    look: int = 1
    one_in: int = 1
    lost: int = 0
    entries: tuple[InspectionRow, ...] = ()
    about: About | None = None

    @cached_property  # asked for with every entry
    def total_allocs(self) -> int:
        """Allocations of all entries since the look began."""
        return sum(entry.total_allocs for entry in self.entries)

    @cached_property
    def variance(self) -> float | None:
        """The square of the standard error of `total_allocs`; None: unknown."""
        errors = [entry.standard_error for entry in self.entries]
        return None if None in errors else sum(error * error for error in errors if error is not None)


def interval(before: Inspection | None, after: Inspection | None) -> Inspection | None:
    """Return what came between two readings, in which allocs and bytes are those since the look began."""
    if after is None:
        return None
    earlier: dict[tuple[object, ...], InspectionRow] = {}
    if before is not None and before.look == after.look:
        earlier = {entry.key: entry for entry in before.entries}
    return replace(after, entries=tuple(_since(earlier.get(entry.key), entry) for entry in after.entries))


def _since(known: InspectionRow | None, entry: InspectionRow) -> InspectionRow:
    if known is None:
        return entry
    return replace(entry, allocs=entry.allocs - known.allocs, bytes=entry.bytes - known.bytes)


def folded(entries: Sequence[InspectionRow]) -> str:
    """Return stacks in the format of flame graph tools: functions from the outermost in, a space, the count."""
    return "".join(f"{';'.join(reversed(entry.frames))} {entry.total_allocs}\n" for entry in entries if entry.frames)
