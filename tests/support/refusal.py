"""Runs a command whose bpf(2) fails: `python -m tests.support.refusal ERRNO BPF_COMMAND|all COMMAND...`."""

import ctypes
import errno
import os
import platform
import struct
import sys

_AUDIT_ARCH, _BPF = {"x86_64": (0xC000003E, 321), "aarch64": (0xC00000B7, 280)}[platform.machine()]
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000  # SECCOMP_RET_*
_LOAD_WORD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_RET|BPF_K
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
COMMANDS = {  # enum bpf_cmd in include/uapi/linux/bpf.h
    "map-create": 0,
    "map-update": 2,
    "prog-load": 5,
    "raw-tracepoint-open": 17,
    "map-lookup-batch": 24,
    "enable-stats": 32,
}


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def refuse(code: int, command: int | None) -> None:
    """Make bpf(2) fail with this error from here on, also in executed programs; None: for every command."""
    last = [(_IF_EQUAL, 0, 1, command)] if command is not None else []
    conditions = [(_LOAD_WORD, 0, 0, _FIRST_ARGUMENT), *last] if last else []
    end = len(conditions) + 1  # instructions between here and ALLOW
    program = [
        (_LOAD_WORD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 0, end + 2, _AUDIT_ARCH),
        (_LOAD_WORD, 0, 0, _NUMBER),
        (_IF_EQUAL, 0, end, _BPF),
        *conditions,
        (_RETURN, 0, 0, _ERRNO | code),
        (_RETURN, 0, 0, _ALLOW),
    ]
    packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(_Program(len(program), packed)), 0, 0),
    ):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    refuse(getattr(errno, sys.argv[1]), COMMANDS.get(sys.argv[2]))
    os.execvp(sys.argv[3], sys.argv[3:])
