"""What is held: objects that were allocated since tracking began and are not freed, by stack and process."""

from dataclasses import dataclass

AGES = (1, 10, 60, 600, 3600)  # seconds: the limits between the ages that are counted; the last ones are older
ERROR_DIGITS = 1  # of a standard error, after the point


@dataclass(frozen=True, slots=True)
class Held:
    """What one stack of one process holds; estimates where one object in N is tracked.

    Attributes:
        objects: allocated since tracking began, and not freed.
        bytes: their size in bytes.
        standard_error: of `objects`; 0: exact if nothing was skipped, see Tracking.
        oldest: age of the oldest tracked object, in seconds; None: none is held.
        median: the age that half of the objects have reached, likewise.
        ages: objects younger than each limit of AGES (1, 10, 60, 600 and 3600 seconds) and not younger than the one
            before; at the end the older ones.
        growth_objects_s: how fast `objects` grows, per second: a robust slope since tracking began; None: not yet
            known.
        lifetime_median: the time that half of the freed objects lived, in seconds, to a factor of 1.4; None: none was
            freed.
        lifetime_p99: the same of 99 of 100 of them.
    """

    objects: int = 0
    bytes: int = 0
    standard_error: float = 0.0
    oldest: float | None = None
    median: float | None = None
    ages: tuple[int, ...] = (0,) * (len(AGES) + 1)
    growth_objects_s: float | None = None
    lifetime_median: float | None = None
    lifetime_p99: float | None = None


@dataclass(frozen=True, slots=True)
class Tracking:
    """What is known of all objects of the cache, since tracking began.

    Attributes:
        net: allocations - frees that were seen: of what is in the sample, times N. None where not all processes are
            counted: their frees are those of all processes.
        seen: allocations and frees that were seen, likewise.
        gone: objects that were held and that no event showed freed: their address was handed out again, or their page
            left the cache.
        skipped: allocations of the sample that were not drawn; 0: each one was tracked.
        live_began: objects in use when tracking began, as in /proc/slabinfo; None where unknown.
        live: the same now.
        doubt: why the rows cannot be trusted, in words for the user; empty if they can.
        bulk: whether what is allocated and freed in bulk is followed: where the kernel has probes on functions.
    """

    net: int | None = None
    seen: int | None = None
    gone: int = 0
    skipped: int = 0
    live_began: int | None = None
    live: int | None = None
    doubt: str = ""
    bulk: bool = False
