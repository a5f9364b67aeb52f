"""Asks the kernel which BPF programs are loaded, by the system call itself: a second opinion beside bcc's."""

import ctypes
import os
import platform
from pathlib import Path

_SYSCALL = {"x86_64": 321, "aarch64": 280}[platform.machine()]  # bpf(2)
_PROG_GET_NEXT_ID = 11
_LIBC = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    _fields_ = [("start_id", ctypes.c_uint32), ("next_id", ctypes.c_uint32), ("flags", ctypes.c_uint32)]


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
    """Return the ids of the programs that were loaded since, and that no process holds open: somebody left them."""
    since = program_ids() - before
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        if not since:
            break
        try:
            since -= held_by(pid)[0]
        except OSError:
            continue  # it has ended
    return since


def held_by(pid: int | str) -> tuple[set[int], set[int]]:
    """Return the ids of the loaded programs, and those of the maps, that a process holds open."""
    programs: set[int] = set()
    maps: set[int] = set()
    for descriptor in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            lines = Path(f"/proc/{pid}/fdinfo", descriptor).read_text().splitlines()
        except OSError:
            continue  # the one that the directory was read by, or one that was closed meanwhile
        programs |= {int(line.split()[1]) for line in lines if line.startswith("prog_id:")}
        maps |= {int(line.split()[1]) for line in lines if line.startswith("map_id:")}
    return programs, maps
