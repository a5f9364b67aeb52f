"""The machine that was measured: where snapshots come from, and how its slab memory grows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """Where snapshots come from.

    Attributes:
        source: `live`: the running kernel; `replay`: a recording.
        host: the name of the machine that was measured.
        kernel: its kernel's release, as `uname -r` prints it.
        since: when counting began, in seconds since the epoch; None where unknown, as in older recordings.
        scope: which processes are counted, in words that are harmless to print, as `pid 8445 python3` or
            `cgroup /system.slice`; empty: all.
    """

    source: str = "live"
    host: str = ""
    kernel: str = ""
    since: float | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True)
class HostGrowth:
    """How the slab memory of the machine grows: robust slopes since the baseline.

    Attributes:
        since: the baseline, in seconds since the epoch: when counting began, or the last mark.
        slab_bytes_s: bytes per second of `HostMemory.slab`; None: not known yet.
        unreclaimable_bytes_s: the same of `HostMemory.unreclaimable`.
        growing: whether the unreclaimable memory grows, beyond its noise, or a cache does; None: not known yet.
        full_in_s: seconds until the available memory is used up; None unless `growing`. The rate is that of the
            unreclaimable memory on which `growing` rests, or that of all growing caches together, if it is more.
    """

    since: float
    slab_bytes_s: float | None = None
    unreclaimable_bytes_s: float | None = None
    growing: bool | None = None
    full_in_s: float | None = None
