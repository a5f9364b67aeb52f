"""bpf(2): maps, programs and links, by file descriptor. Commands and records are those of include/uapi/linux/bpf.h."""

import ctypes
import enum
import errno
import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from slabtui.errors import SlabtuiError

ENOTSUPP = 524  # include/linux/errno.h; user space has no name for it

_NUMBERS = {"x86_64": 321, "s390x": 351, "ppc64le": 361, "ppc64": 361}  # of the system call
_GENERIC_NUMBER = 280  # aarch64, riscv64, loongarch64: include/uapi/asm-generic/unistd.h
_LIBC = ctypes.CDLL(None, use_errno=True)
_LICENSE = b"GPL"  # of the programs: the helpers that they call require it
_LOG_SIZE = 1 << 20  # bytes of the verifier's log
_TRIES = 5
_NAME_SIZE = 16  # BPF_OBJ_NAME_LEN


class _Command(enum.IntEnum):
    """enum bpf_cmd."""

    MAP_CREATE = 0
    MAP_LOOKUP_ELEM = 1
    MAP_UPDATE_ELEM = 2
    MAP_DELETE_ELEM = 3
    MAP_GET_NEXT_KEY = 4
    PROG_LOAD = 5
    PROG_TEST_RUN = 10
    OBJ_GET_INFO_BY_FD = 15
    RAW_TRACEPOINT_OPEN = 17
    MAP_LOOKUP_BATCH = 24
    MAP_DELETE_BATCH = 27
    LINK_CREATE = 28
    ENABLE_STATS = 32


class ProgramType(enum.IntEnum):
    """Those of enum bpf_prog_type that slabtui loads."""

    TRACEPOINT = 5
    RAW_TRACEPOINT = 17
    TRACING = 26


class AttachType(enum.IntEnum):
    """Those of enum bpf_attach_type that slabtui uses; NONE stands for a program that needs none."""

    NONE = 0
    FENTRY = 24
    FEXIT = 25
    PERF_EVENT = 41


@dataclass(frozen=True, slots=True)
class MapInfo:
    """What the kernel says of a map.

    Attributes:
        kind: its type, of enum bpf_map_type.
        key_size: bytes of a key.
        value_size: bytes of a value; for each CPU, in a per-CPU map.
        max_entries: elements that it has room for.
        flags: those that it was created with.
    """

    kind: int
    key_size: int
    value_size: int
    max_entries: int
    flags: int


@dataclass(frozen=True, slots=True)
class Program:
    """A program to load.

    Attributes:
        name: shown by bpftool; the kernel keeps 15 characters.
        kind: its type.
        instructions: struct bpf_insn, one after the other.
        attach_type: for tracing programs.
        function: BTF id of the kernel function that a tracing program is for.
    """

    name: str
    kind: ProgramType
    instructions: bytes
    attach_type: AttachType = AttachType.NONE
    function: int = 0


class _Element(ctypes.Structure):
    _fields_ = [
        ("map", ctypes.c_uint32),
        ("key", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
        ("flags", ctypes.c_uint64),
    ]


class _Batch(ctypes.Structure):
    _fields_ = [
        ("after", ctypes.c_uint64),
        ("next", ctypes.c_uint64),
        ("keys", ctypes.c_uint64),
        ("values", ctypes.c_uint64),
        ("count", ctypes.c_uint32),
        ("map", ctypes.c_uint32),
        ("element_flags", ctypes.c_uint64),
        ("flags", ctypes.c_uint64),
    ]


class _Info(ctypes.Structure):
    _fields_ = [("descriptor", ctypes.c_uint32), ("size", ctypes.c_uint32), ("info", ctypes.c_uint64)]


class _MapInfo(ctypes.Structure):  # the beginning of struct bpf_map_info
    _fields_ = [
        (name, ctypes.c_uint32) for name in ("type", "id", "key_size", "value_size", "max_entries", "map_flags")
    ]


class _Create(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("type", "key_size", "value_size", "max_entries", "map_flags")]


class _ProgramInfo(ctypes.Structure):
    """The beginning of struct bpf_prog_info; only what follows the gap is asked for."""

    _fields_ = [("before", ctypes.c_char * 208), ("recursion_misses", ctypes.c_uint64)]


class _Load(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_uint32),
        ("count", ctypes.c_uint32),
        ("instructions", ctypes.c_uint64),
        ("license", ctypes.c_uint64),
        ("log_level", ctypes.c_uint32),
        ("log_size", ctypes.c_uint32),
        ("log", ctypes.c_uint64),
        ("kernel_version", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("name", ctypes.c_char * _NAME_SIZE),
        ("interface", ctypes.c_uint32),
        ("attach_type", ctypes.c_uint32),
        ("btf", ctypes.c_uint32),
        ("function_info_size", ctypes.c_uint32),
        ("function_info", ctypes.c_uint64),
        ("function_info_count", ctypes.c_uint32),
        ("line_info_size", ctypes.c_uint32),
        ("line_info", ctypes.c_uint64),
        ("line_info_count", ctypes.c_uint32),
        ("attach_btf_id", ctypes.c_uint32),
        ("attach_program", ctypes.c_uint32),
    ]


class _TestRun(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_uint32) for name in ("program", "result", "data_size_in", "data_size_out")),
        *((name, ctypes.c_uint64) for name in ("data_in", "data_out")),
        *((name, ctypes.c_uint32) for name in ("repeat", "duration", "context_size_in", "context_size_out")),
        *((name, ctypes.c_uint64) for name in ("context_in", "context_out")),
        *((name, ctypes.c_uint32) for name in ("flags", "cpu", "batch_size")),
    ]


class _RawTracepoint(ctypes.Structure):
    _fields_ = [("name", ctypes.c_uint64), ("program", ctypes.c_uint32)]


class _Link(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("program", "target", "attach_type", "flags")] + [
        ("cookie", ctypes.c_uint64)
    ]


class _Statistics(ctypes.Structure):
    _fields_ = [("type", ctypes.c_uint32)]


def lookup(map_: int, key: int, value: int) -> None:
    """Read the value of one element; key and value are addresses.

    Raises:
        OSError: there is no such element, or the kernel refused.
    """
    _call(_Command.MAP_LOOKUP_ELEM, _Element(map_, key, value), "read of a map")


def update(map_: int, key: int, value: int) -> None:
    """Write the value of one element; key and value are addresses.

    Raises:
        OSError: the kernel refused.
    """
    _call(_Command.MAP_UPDATE_ELEM, _Element(map_, key, value), "write of a map")


def delete(map_: int, key: int) -> None:
    """Delete one element; the key is an address.

    Raises:
        OSError: there is no such element, or the kernel refused.
    """
    _call(_Command.MAP_DELETE_ELEM, _Element(map_, key), "clearing of a map")


def find_first_key(map_: int, key: int) -> bool:
    """Write any key of a map to an address; False: the map is empty.

    Raises:
        OSError: the kernel refused.
    """
    try:
        _call(_Command.MAP_GET_NEXT_KEY, _Element(map_, 0, key), "read of a map")
    except OSError as error:
        if error.errno == errno.ENOENT:
            return False
        raise
    return True


def lookup_batch(map_: int, keys: int, values: int, most: int, first: int = 0) -> int:
    """Read up to `most` elements to two addresses, and return how many there were; Linux 5.6, per-CPU arrays 5.13.

    Args:
        map_: the map.
        keys: the address for the keys.
        values: the address for the values.
        most: the room there.
        first: of an array: the first element that is read.

    Raises:
        OSError: the kernel refused, or cannot do this for maps of that type (EINVAL, ENOTSUPP).
    """
    after = ctypes.c_uint64()  # larger than the position of either kind of map
    before = ctypes.c_uint32(first - 1)
    request = _Batch(ctypes.addressof(before) if first else 0, ctypes.addressof(after), keys, values, most, map_)
    try:
        _call(_Command.MAP_LOOKUP_BATCH, request, "read of a map")
    except OSError as error:
        if error.errno != errno.ENOENT:  # the end of the map, which is expected
            raise
    return int(request.count)


def delete_batch(map_: int, keys: int, number: int) -> None:
    """Delete the elements whose keys lie at an address.

    Raises:
        OSError: the kernel refused.
    """
    _call(_Command.MAP_DELETE_BATCH, _Batch(0, 0, keys, 0, number, map_), "clearing of a map")


def describe_map(map_: int) -> MapInfo:
    """Return what the kernel says of a map.

    Raises:
        OSError: the kernel refused.
    """
    info = _MapInfo()
    _call(_Command.OBJ_GET_INFO_BY_FD, _Info(map_, ctypes.sizeof(info), ctypes.addressof(info)), "describe a map")
    return MapInfo(info.type, info.key_size, info.value_size, info.max_entries, info.map_flags)


def create_map(like: MapInfo) -> int:
    """Create an empty map that is described like another one, and return its file descriptor.

    Raises:
        OSError: the kernel refused.
    """
    request = _Create(like.kind, like.key_size, like.value_size, like.max_entries, like.flags)
    return _call(_Command.MAP_CREATE, request, "create a map")


def count_misses(program: int) -> int | None:
    """Return how many runs of a program the kernel skipped, since it was running on that CPU already.

    None: it does not say; recursion_misses is there since Linux 5.12.

    Raises:
        OSError: the kernel refused.
    """
    info = _ProgramInfo()
    request = _Info(program, ctypes.sizeof(info), ctypes.addressof(info))
    _call(_Command.OBJ_GET_INFO_BY_FD, request, "describe a program")
    return int(info.recursion_misses) if request.size == ctypes.sizeof(info) else None


def load_program(program: Program) -> int:
    """Load a program and return its file descriptor.

    Raises:
        OSError: the kernel refused; its text ends with the verifier's last words.
    """
    instructions = ctypes.create_string_buffer(program.instructions, len(program.instructions))
    license_ = ctypes.create_string_buffer(_LICENSE)
    request = _Load(
        type=program.kind,
        count=len(program.instructions) // 8,
        instructions=ctypes.addressof(instructions),
        license=ctypes.addressof(license_),
        name=program.name.encode()[: _NAME_SIZE - 1],
        attach_type=program.attach_type,
        attach_btf_id=program.function,
    )
    try:
        for _ in range(_TRIES):
            with suppress(BlockingIOError):  # EAGAIN: a signal came while the verifier was at work
                return _call(_Command.PROG_LOAD, request)
        return _call(_Command.PROG_LOAD, request)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EACCES, errno.E2BIG):
            raise
        words = _verifier_log(request)
        raise OSError(error.errno, f"{error.strerror}: {words}" if words else error.strerror) from error


def run_program(program: int) -> None:
    """Run the program of a raw tracepoint once, with no arguments; Linux 5.10.

    Raises:
        OSError: the kernel refused.
    """
    _call(_Command.PROG_TEST_RUN, _TestRun(program=program), "run of a program")


def open_raw_tracepoint(program: int, name: str | None = None) -> int:
    """Attach a program, and return the descriptor of the link: closing it detaches the program.

    Args:
        program: its descriptor.
        name: the raw tracepoint; None for a tracing program, which was loaded for a function.

    Raises:
        OSError: the kernel refused, or has no such tracepoint.
    """
    text = ctypes.create_string_buffer(name.encode()) if name else None
    request = _RawTracepoint(ctypes.addressof(text) if text else 0, program)
    return _call(_Command.RAW_TRACEPOINT_OPEN, request)


def create_perf_link(program: int, perf_event: int) -> int:
    """Attach a program to a perf event, and return the descriptor of the link: closing it detaches; Linux 5.15.

    Raises:
        OSError: the kernel refused.
    """
    return _call(_Command.LINK_CREATE, _Link(program, perf_event, AttachType.PERF_EVENT))


def enable_statistics() -> int:
    """Make the kernel measure all programs until the returned descriptor is closed: BPF_STATS_RUN_TIME, Linux 5.8.

    Raises:
        OSError: the kernel refused.
    """
    return _call(_Command.ENABLE_STATS, _Statistics(0))


def _verifier_log(request: _Load) -> str:
    """Load again with the verifier's log, and return its last line that is not about its own statistics."""
    log = ctypes.create_string_buffer(_LOG_SIZE)
    request.log_level, request.log_size, request.log = 1, _LOG_SIZE, ctypes.addressof(log)
    try:
        os.close(_call(_Command.PROG_LOAD, request))
    except OSError:
        lines = log.value.decode(errors="replace").splitlines()
        return next((line for line in reversed(lines) if line and not line.startswith("processed ")), "")
    return ""


def _call(command: _Command, request: ctypes.Structure, what: str = "") -> int:
    result: int = _LIBC.syscall(_number(), int(command), ctypes.byref(request), ctypes.sizeof(request))
    if result < 0:
        code = ctypes.get_errno()
        why = "Operation not supported" if code == ENOTSUPP else os.strerror(code)
        raise OSError(code, f"{what}: {why}" if what else why)
    return result


@cache
def _number() -> int:
    if ctypes.sizeof(ctypes.c_void_p) != 8:
        raise SlabtuiError("this is a 32-bit Python", "run slabtui under a 64-bit one")
    return _NUMBERS.get(platform.machine(), _GENERIC_NUMBER)
