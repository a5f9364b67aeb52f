"""Capabilities: which ones slabtui needs, and dropping all others."""

import ctypes
import enum
import os
import resource
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from slabtui.errors import SlabtuiError

STATUS = Path("/proc/self/status")

_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
_MOST = 64  # capabilities that the format has room for
_PR_CAPBSET_DROP, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 24, 47, 2  # include/uapi/linux/prctl.h
_PR_SET_NO_NEW_PRIVS = 38
_LIBC = ctypes.CDLL(None, use_errno=True)


class Capability(enum.IntEnum):
    """Numbers from include/uapi/linux/capability.h, and what slabtui needs each for; capabilities(7)."""

    DAC_OVERRIDE = 1  # write a file that the user names wherever root may
    DAC_READ_SEARCH = 2  # read /proc/slabinfo and /sys/kernel/slab, which are root's
    SYS_ADMIN = 21  # switch the kernel's BPF statistics on and off
    SYSLOG = 34  # see addresses in /proc/kallsyms, for names of callers and for the direct map
    PERFMON = 38  # read kernel memory in a BPF program
    BPF = 39  # load BPF programs


COUNTING = frozenset((Capability.BPF, Capability.PERFMON, Capability.SYSLOG, Capability.DAC_READ_SEARCH))
FILES = frozenset((Capability.DAC_OVERRIDE,))
SCREEN = COUNTING | FILES | {Capability.SYS_ADMIN}


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable")]


def held(status: Path = STATUS) -> frozenset[Capability]:
    """Return which of them this process has."""
    line = next(line for line in status.read_text().splitlines() if line.startswith("CapEff:"))
    effective = int(line.split()[1], 16)
    return frozenset(capability for capability in Capability if effective >> capability & 1)


def demand(status: Path = STATUS) -> None:
    """Check that this process may load tracing programs.

    Raises:
        SlabtuiError: it has neither CAP_SYS_ADMIN nor CAP_BPF and CAP_PERFMON.
    """
    has = held(status)
    if Capability.SYS_ADMIN not in has and not has >= {Capability.BPF, Capability.PERFMON}:
        raise SlabtuiError(
            "not allowed to load BPF programs", "run it as root: sudo slabtui, or with CAP_BPF and CAP_PERFMON"
        )


def unlimit_locked_memory() -> None:
    """Remove the limit of locked memory, if this process may: CAP_SYS_RESOURCE.

    Before Linux 5.11 (commit 80ee81e0403c, "bpf: Eliminate rlimit-based memory accounting infra for bpf maps") BPF
    programs and maps count as locked memory, and the usual limit is a few pages.
    """
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def raise_open_files() -> None:
    """Raise the soft limit of open files to the hard limit: each process that is counted takes a descriptor.

    The soft limit is 1024 by default for the sake of programs that call select(2); slabtui does not. Its child
    processes inherit the new one, and do not call it either.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def keep(needed: Collection[Capability], alone: Collection[Capability] = ()) -> None:
    """Drop every capability but these, for this thread, those that it starts, and all child processes; capset(2).

    Nothing that is done later can then do more, whatever goes wrong in it. A process that may load programs by
    CAP_SYS_ADMIN alone keeps that. A child of root would get everything back that is in the bounding set, and a child
    of another user loses everything that is not ambient: "Transformation of capabilities during execve()" in
    capabilities(7).

    Args:
        needed: what is kept, and what child processes get.
        alone: what is kept beside that and what no child gets; a later call gives it up.

    Raises:
        OSError: the kernel refused.
    """
    has = held()
    kept = has & set(needed)
    if not kept >= {Capability.BPF, Capability.PERFMON}:
        kept |= has & {Capability.SYS_ADMIN}
    for number in range(_MOST):
        if number not in kept:
            _LIBC.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)  # refused without CAP_SETPCAP, and for unknown numbers
    _set(kept | (has & set(alone)), kept)
    for capability in kept:
        _LIBC.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, int(capability), 0, 0)


def drop_all() -> None:
    """Drop every capability of this thread and of those that it starts, for good: also an execve() returns none.

    Raises:
        OSError: the kernel refused.
    """
    _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _set(frozenset(), frozenset())


def _set(permitted: Collection[Capability], inheritable: Collection[Capability]) -> None:
    """Set the capabilities of this thread; the permitted ones are effective, too.

    Raises:
        OSError: the kernel refused.
    """
    sets = (_Sets * 2)()
    for capability in permitted:
        word, bit = divmod(capability, 32)
        sets[word].effective |= 1 << bit
        sets[word].permitted |= 1 << bit
        if capability in inheritable:
            sets[word].inheritable |= 1 << bit
    if _LIBC.capset(ctypes.byref(_Header(_VERSION, 0)), sets):
        code = ctypes.get_errno()
        raise OSError(code, f"capset: {os.strerror(code)}")
