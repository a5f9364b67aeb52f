"""Classic tracepoints: attaches a BPF program to a trace event, by a perf event; perf_event_open(2)."""

import ctypes
import os
import platform
from pathlib import Path

from slabtui.errors import SlabtuiError
from slabtui.kernel.bpf import syscalls

TRACEFS = (Path("/sys/kernel/tracing"), Path("/sys/kernel/debug/tracing"))

_NUMBERS = {"x86_64": 298, "s390x": 331, "ppc64le": 319, "ppc64": 319}  # of the system call
_GENERIC_NUMBER = 241  # aarch64, riscv64, loongarch64: include/uapi/asm-generic/unistd.h
_PERF_TYPE_TRACEPOINT = 2
_PERF_FLAG_FD_CLOEXEC = 8
_ALL_PROCESSES, _NO_GROUP = -1, -1
_LIBC = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    """struct perf_event_attr in include/uapi/linux/perf_event.h, its first version, PERF_ATTR_SIZE_VER0."""

    _fields_ = [
        ("type", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("config", ctypes.c_uint64),
        ("sample_period", ctypes.c_uint64),
        ("sample_type", ctypes.c_uint64),
        ("read_format", ctypes.c_uint64),
        ("flags", ctypes.c_uint64),
        ("wakeup_events", ctypes.c_uint32),
        ("bp_type", ctypes.c_uint32),
        ("config1", ctypes.c_uint64),
    ]


def attach(program: int, event: str) -> int:
    """Attach a program to a trace event on all CPUs, and return the descriptor of the link.

    A trace event has one array of programs for all CPUs (perf_trace_run_bpf_submit() in kernel/events/core.c), so that
    a perf event on any one CPU is enough.

    Args:
        program: descriptor of a program of the type TRACEPOINT.
        event: its group and name, such as kmem/kmalloc.

    Raises:
        SlabtuiError: tracefs is not mounted.
        OSError: the kernel refused.
    """
    cpu = min(os.sched_getaffinity(0))
    attributes = _Attributes(_PERF_TYPE_TRACEPOINT, ctypes.sizeof(_Attributes), _number(event))
    number = _NUMBERS.get(platform.machine(), _GENERIC_NUMBER)
    perf_event: int = _LIBC.syscall(
        number, ctypes.byref(attributes), _ALL_PROCESSES, cpu, _NO_GROUP, _PERF_FLAG_FD_CLOEXEC
    )
    if perf_event < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    try:
        return syscalls.create_perf_link(program, perf_event)
    finally:
        os.close(perf_event)  # the link keeps it open


def _number(event: str) -> int:
    """Return the number that the kernel has given to a trace event."""
    for tracefs in TRACEFS:
        try:
            return int((tracefs / "events" / event / "id").read_text())
        except (FileNotFoundError, NotADirectoryError):
            continue
    raise SlabtuiError("tracefs is not mounted", f"mount -t tracefs tracefs {TRACEFS[0]}")
