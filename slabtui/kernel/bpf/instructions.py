"""BPF instructions as bytes: points compiled programs to this process's maps and to functions of the kernel. Pure.

struct bpf_insn in include/uapi/linux/bpf.h: 8 bits of code, 4 each for the destination and the source register, 16 of
offset, 32 of immediate value.
"""

import struct
import sys
from collections.abc import Iterable, Mapping

LOAD_WORDS, CALL, MOVE, EXIT = 0x18, 0x85, 0xB7, 0x95  # BPF_LD|BPF_DW|BPF_IMM, BPF_JMP|BPF_CALL, BPF_ALU64|BPF_MOV ...
MAP_DESCRIPTOR, KERNEL_FUNCTION = 1, 2  # BPF_PSEUDO_MAP_FD, BPF_PSEUDO_KFUNC_CALL: in the place of the source register

_INSTRUCTION = struct.Struct("=BBhi")
_DESTINATION_SHIFT, _SOURCE_SHIFT = (0, 4) if sys.byteorder == "little" else (4, 0)


def assemble(instructions: Iterable[tuple[int, int, int, int]]) -> bytes:
    """Return a program.

    Args:
        instructions: code, destination register, source register and immediate value of each.
    """
    return b"".join(
        _INSTRUCTION.pack(code, to << _DESTINATION_SHIFT | source << _SOURCE_SHIFT, 0, value)
        for code, to, source, value in instructions
    )


def link(
    program: bytes, maps: Mapping[int, int], functions: Mapping[int, int], constants: Mapping[int, int] | None = None
) -> bytes:
    """Return a compiled program with its references resolved.

    Args:
        program: the instructions.
        maps: descriptor in the process that compiled it -> descriptor of the same map here.
        functions: immediate value of a call that stands for a kernel function -> BTF id of that function.
        constants: a number of 64 bits that a program loads -> what it is to load instead.
    """
    linked = bytearray(program)
    loads = {_words(stands_for): _words(value) for stands_for, value in (constants or {}).items()}
    for at in range(0, len(linked), _INSTRUCTION.size):
        code, registers, offset, value = _INSTRUCTION.unpack_from(linked, at)
        source = registers >> _SOURCE_SHIFT & 15
        if code == LOAD_WORDS and source == MAP_DESCRIPTOR:
            _INSTRUCTION.pack_into(linked, at, code, registers, offset, maps[value])
        elif code == LOAD_WORDS and not source:
            after = at + _INSTRUCTION.size  # the upper half lies in the place of the next instruction
            upper = _INSTRUCTION.unpack_from(linked, after)[3]
            if words := loads.get((value, upper)):
                _INSTRUCTION.pack_into(linked, at, code, registers, offset, words[0])
                _INSTRUCTION.pack_into(linked, after, 0, 0, 0, words[1])
        elif code == CALL and not source and value in functions:
            call = registers | KERNEL_FUNCTION << _SOURCE_SHIFT
            _INSTRUCTION.pack_into(linked, at, code, call, offset, functions[value])
    return bytes(linked)


def _words(number: int) -> tuple[int, int]:
    """Return the lower and the upper half of a number, as signed integers."""
    lower, upper = struct.unpack("<ii", struct.pack("<Q", number))
    return lower, upper
