"""Asks the kernel which BPF programs are loaded and what they return, by the system call itself."""

import ctypes
import os
import platform
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

_SYSCALL = {"x86_64": 321, "aarch64": 280}[platform.machine()]  # bpf(2)
_PROG_TEST_RUN, _PROG_GET_NEXT_ID = 10, 11
_RUN_ON_CPU = 1  # BPF_F_TEST_RUN_ON_CPU
_FREED_WITHIN = 10  # seconds
_LIBC = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    _fields_ = [("start_id", ctypes.c_uint32), ("next_id", ctypes.c_uint32), ("flags", ctypes.c_uint32)]


class _TestRun(ctypes.Structure):
    _fields_ = [
        ("program", ctypes.c_uint32),
        ("result", ctypes.c_uint32),
        *((name, ctypes.c_uint32) for name in ("data_size_in", "data_size_out")),
        *((name, ctypes.c_uint64) for name in ("data_in", "data_out")),
        *((name, ctypes.c_uint32) for name in ("repeat", "duration", "context_size", "context_size_out")),
        *((name, ctypes.c_uint64) for name in ("context", "context_out")),
        *((name, ctypes.c_uint32) for name in ("flags", "cpu", "batch_size")),
    ]


def run(program: int, arguments: Sequence[int], cpu: int) -> int:
    """Run a raw tracepoint's program once on a CPU, and return the 32 bits that it returns; Linux 5.10.

    Raises:
        OSError: the kernel refused.
    """
    context = (ctypes.c_uint64 * len(arguments))(*arguments)
    request = _TestRun(
        program=program,
        context_size=ctypes.sizeof(context),
        context=ctypes.addressof(context),
        flags=_RUN_ON_CPU,
        cpu=cpu,
    )
    if _LIBC.syscall(_SYSCALL, _PROG_TEST_RUN, ctypes.byref(request), ctypes.sizeof(request)) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(request.result)


def program_ids() -> set[int]:
    """Return the ids of all loaded programs."""
    found: set[int] = set()
    attributes = _Attributes()
    while _LIBC.syscall(_SYSCALL, _PROG_GET_NEXT_ID, ctypes.byref(attributes), ctypes.sizeof(attributes)) == 0:
        found.add(attributes.next_id)
        attributes.start_id = attributes.next_id
    return found


def own_program_ids() -> set[int]:
    """Return the ids of the loaded programs that this process holds open."""
    return held_by("self")[0]


def ownerless(before: set[int]) -> set[int]:
    """Return the ids of the programs that were loaded since, and that no process holds open: they were left behind."""
    since = program_ids() - before
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        if not since:
            break
        try:
            since -= held_by(pid)[0]
        except OSError:
            continue  # it has ended
    return since


def gone(before: set[int]) -> bool:
    """Wait until the kernel has freed the detached programs, a moment later; programs of other processes do not matter.

    A program of another process may have no owner for a moment, too: only one that never has one is left behind.
    """
    end = time.monotonic() + _FREED_WITHIN
    left = ownerless(before)
    while left and time.monotonic() < end:
        time.sleep(0.05)
        left &= ownerless(before)
    return not left


def held_by(pid: int | str) -> tuple[set[int], set[int]]:
    """Return the ids of the loaded programs, and those of the maps, that a process holds open."""
    descriptors = list(_descriptors(pid))
    programs = {int(fields["prog_id"]) for fields in descriptors if "prog_id" in fields}
    return programs, {int(fields["map_id"]) for fields in descriptors if "map_id" in fields}


def own_compiled_ids() -> set[int]:
    """Return the ids of the programs held by this process that the kernel compiled to machine code."""
    return {int(fields["prog_id"]) for fields in _descriptors("self") if fields.get("prog_jited") == "1"}


def _descriptors(pid: int | str) -> Iterator[dict[str, str]]:
    """Yield the fields that the kernel shows of each descriptor of a process; proc_pid_fdinfo(5)."""
    for descriptor in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            lines = Path(f"/proc/{pid}/fdinfo", descriptor).read_text().splitlines()
        except OSError:
            continue  # the one that the directory was read by, or one that was closed meanwhile
        yield {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
