"""What happens on the hosts of a generated fleet: the truths that the analysis has to find. Pure, from a seed."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

OLD, NEW = "6.12.57-1", "6.18.9-1"

# What grows, in bytes per hour. Nothing else grows.
LEAKS = {"kmalloc-512": 24 << 20}  # since the new kernel, on some hosts
LONE = {"kmalloc-192": 40 << 20}  # on one host
RECLAIMABLE = {"ext4_inode_cache": 60 << 20, "dentry": 10 << 20}  # on every host: files are read
FOLLOWER = ("lsm_inode_cache", "ext4_inode_cache")  # an object of the first for each one of the second

_CHANGED, _LEAKING = 0.6, 0.37  # parts of the hosts
_LONE_AT = timedelta(hours=3, minutes=10)  # after midnight


@dataclass(frozen=True, slots=True)
class Host:
    """One host.

    Attributes:
        name: of the host.
        changes: when it boots the new kernel; None: it keeps the old one.
        leaks: whether the new kernel leaks there.
        leaks_alone: since when it has a leak that no other host has; None: it has none.
    """

    name: str
    changes: datetime | None
    leaks: bool
    leaks_alone: datetime | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A fleet, and the time in which it is recorded.

    Attributes:
        hosts: all of them.
        begin: of the recordings.
        intervals: that each host records.
        seconds: of an interval.
    """

    hosts: tuple[Host, ...]
    begin: datetime
    intervals: int
    seconds: int


def make(hosts: int, begin: datetime, hours: float, seconds: int, seed: int) -> Plan:
    """Return the plan of a fleet of which 60 % boot a new kernel in the middle, and 37 % leak then."""
    chance = random.Random(seed)
    names = [f"node{number:04}" for number in range(1, hosts + 1)]
    changed = chance.sample(names, round(_CHANGED * hosts))
    leaking = set(changed[: round(_LEAKING * hosts)])
    lone = chance.choice([name for name in names if name not in changed])
    middle = begin + timedelta(hours=hours / 2)
    boots = {name: middle + timedelta(seconds=chance.randrange(round(hours * 60))) for name in changed}
    midnight = begin.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Plan(
        tuple(
            Host(name, boots.get(name), name in leaking, midnight + _LONE_AT if name == lone else None)
            for name in names
        ),
        begin,
        round(hours * 3600 / seconds),
        seconds,
    )
