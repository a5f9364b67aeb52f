"""What this kernel can do with BPF programs, found by loading programs of a few instructions."""

import os
from dataclasses import dataclass
from pathlib import Path

from slabtui.errors import SlabtuiError
from slabtui.kernel.bpf import remedies, syscalls
from slabtui.kernel.bpf.instructions import CALL, EXIT, KERNEL_FUNCTION, MOVE, assemble
from slabtui.kernel.bpf.syscalls import Program, ProgramType

_NOTHING = (MOVE, 0, 0, 0), (EXIT, 0, 0, 0)  # return 0


@dataclass(frozen=True, slots=True)
class Features:
    """What this kernel can do.

    Attributes:
        jit: whether it compiles programs to machine code. Where it interprets them, a tail call runs the next program
            on the caller's stack, which may be too small for it: the kernel crashes (Linux 6.12 to 7.3).
        rdonly_cast: whether programs may read kernel memory through bpf_rdonly_cast(), Linux 6.2: a load instead of a
            call of a helper function.
    """

    jit: bool
    rdonly_cast: bool


def detect(rdonly_cast: int, word_type: int) -> Features:
    """Load small programs and see what the kernel does with them.

    Args:
        rdonly_cast: BTF id of the function bpf_rdonly_cast(); 0: there is none.
        word_type: BTF id of a type to cast to.

    Raises:
        SlabtuiError: the kernel loads no program at all.
    """
    try:
        program = _load(*_NOTHING)
    except OSError as error:
        why = str(error.strerror)
        raise SlabtuiError(
            f"the kernel refuses BPF programs ({why})", remedies.after(error, "see cat /sys/kernel/security/lockdown")
        ) from error
    try:
        jit = is_compiled(program)
    finally:
        os.close(program)
    return Features(jit=jit, rdonly_cast=jit and rdonly_cast != 0 and _can_cast(rdonly_cast, word_type))


def is_compiled(program: int) -> bool:
    """Return whether the kernel has compiled a loaded program to machine code, rather than interpret it.

    It does not where net.core.bpf_jit_enable is 0, or where it has no JIT compiler for the machine.
    """
    return bool(statistics(program).get("prog_jited"))


def statistics(program: int) -> dict[str, int]:
    """Return the numbers that the kernel keeps of a loaded program, by their names in its fdinfo.

    From bpf_prog_show_fdinfo() in kernel/bpf/syscall.c: run_time_ns and run_cnt, kept while kernel.bpf_stats_enabled
    is 1, and since Linux 5.12 recursion_misses: runs that the kernel skipped, since the program was running on that
    CPU already.
    """
    pairs = (line.split(":", 1) for line in Path(f"/proc/self/fdinfo/{program}").read_text().splitlines())
    return {key: int(value) for key, value in pairs if value.strip().isdecimal()}


def _can_cast(function: int, word_type: int) -> bool:
    arguments = (MOVE, 1, 0, 0), (MOVE, 2, 0, word_type)
    try:
        program = _load(*arguments, (CALL, 0, KERNEL_FUNCTION, function), *_NOTHING)
    except OSError:  # the function exists, but not for such programs or not on this architecture
        return False
    os.close(program)
    return True


def _load(*instructions: tuple[int, int, int, int]) -> int:
    return syscalls.load_program(Program("slabtui_probe", ProgramType.RAW_TRACEPOINT, assemble(instructions)))
