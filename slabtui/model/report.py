"""The report on one run, for a ticket: the host, its slab memory over time, what was counted, and what grows."""

from dataclasses import dataclass

from slabtui.model.leaks import LeakReport
from slabtui.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Machine:
    """What the running system says about itself, harmless to print. A recording does not have it.

    Attributes:
        distribution: its name and version, from os-release(5); empty where unknown.
        cpus: number of CPUs that are online; None where unknown.
        uptime: seconds since it was booted, with the time that it was suspended; None where unknown.
    """

    distribution: str = ""
    cpus: int | None = None
    uptime: float | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """The slab memory of the host at one moment, in bytes; None where unknown.

    Attributes:
        seconds: since the beginning of the run.
        slab: all of it.
        reclaimable: the part that the kernel frees when memory is short.
        unreclaimable: the part that it does not.
    """

    seconds: float
    slab: int | None = None
    reclaimable: int | None = None
    unreclaimable: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of one run.

    Attributes:
        run: the whole run as one interval; its rows have the judgement of the run.
        intervals: how many snapshots it consists of.
        moments: the slab memory over the run, the oldest first.
        leaks: which caches grow, and who keeps their objects; None: not known.
        unknown: why `leaks` is not known, in words for the user.
        notes: what could not be counted or read, in words for the user.
        machine: what the system says about itself; None: the run is from a recording.
        command: what makes such a report again.
        version: of slabtui.
    """

    run: Snapshot
    intervals: int
    moments: tuple[Moment, ...] = ()
    leaks: LeakReport | None = None
    unknown: str = ""
    notes: tuple[str, ...] = ()
    machine: Machine | None = None
    command: str = ""
    version: str = ""

    @property
    def began(self) -> float:
        """When the run began, in seconds since the epoch; a recording that was made up may be longer than its time."""
        return max(0.0, self.run.time - self.run.elapsed)
