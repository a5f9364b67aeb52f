"""Runs compiled BPF programs, one access to shared memory at a time: a test decides what happens between two of them.

The instructions are those of RFC 9669 that clang makes of the project's programs, on a little-endian machine. Kernel
functions have the numbers of enum bpf_func_id in include/uapi/linux/bpf.h. test_ebpf.py compares both with the kernel.
"""

import operator
import struct
from collections.abc import Callable, Sequence
from errno import EFAULT, ENOENT
from typing import Any, ClassVar

from tests.support.machine import Machine

Instruction = tuple[int, int, int, int, int]  # code, destination register, source register, offset, immediate value

_LOAD_WORDS, _JUMP, _CALL, _EXIT = 0x18, 0x05, 0x85, 0x95  # whole codes
_LDX, _ST, _STX, _ALU, _JMP, _JMP32, _ALU64 = range(1, 8)  # the lowest 3 bits of a code: its class
_FROM_REGISTER = 0x08  # in a code of arithmetic or of a jump: the operand is no immediate value
_MEMORY, _ATOMIC = 0x60, 0xC0  # the highest 3 bits of the code of a load or store: its mode
_MOVE = 0xB0  # the highest 4 bits of a code of arithmetic
_FETCH = 0x01  # in the immediate value of an atomic instruction: it also loads the old value
_WIDTHS = {0x00: 4, 0x08: 2, 0x10: 1, 0x18: 8}  # bits 3 and 4 of the code of a load or store -> bytes
_WORD = (1 << 64) - 1
_STACK_SIZE = 512

_ARITHMETIC: dict[int, Callable[[int, int, int], int]] = {  # atomic instructions have the same numbers
    0x00: lambda left, right, bits: left + right,
    0x10: lambda left, right, bits: left - right,
    0x20: lambda left, right, bits: left * right,
    0x30: lambda left, right, bits: left // right if right else 0,
    0x40: lambda left, right, bits: left | right,
    0x50: lambda left, right, bits: left & right,
    0x60: lambda left, right, bits: left << right % bits,
    0x70: lambda left, right, bits: left >> right % bits,
    0x80: lambda left, right, bits: -left,
    0x90: lambda left, right, bits: left % right if right else left,
    0xA0: lambda left, right, bits: left ^ right,
    0xB0: lambda left, right, bits: right,
    0xC0: lambda left, right, bits: _signed(left, bits) >> right % bits,
}
_COMPARISONS: dict[int, Callable[[int, int], object]] = {
    0x10: operator.eq,
    0x20: operator.gt,
    0x30: operator.ge,
    0x40: operator.and_,
    0x50: operator.ne,
    0xA0: operator.lt,
    0xB0: operator.le,
}
_SIGNED_COMPARISONS = {0x60: operator.gt, 0x70: operator.ge, 0xC0: operator.lt, 0xD0: operator.le}


def decode(program: bytes) -> list[Instruction]:
    """Return the instructions of a program."""
    fields = struct.iter_unpack("<BBhi", program)
    return [(code, registers & 15, registers >> 4, offset, value) for code, registers, offset, value in fields]


class Run:
    """One run of a program. It stops before each access to memory that others can see.

    Args:
        machine: where it runs.
        program: its instructions.
        arguments: what its context consists of, words of 64 bits.
        cpu: on which CPU.
        pid: of the current process.
        task: address of the current task.

    Attributes:
        result: what the program has returned, None before its end.
    """

    def __init__(
        self,
        machine: Machine,
        program: Sequence[Instruction],
        arguments: Sequence[int],
        *,
        cpu: int = 0,
        pid: int = 1,
        task: int = 0,
    ) -> None:
        self._machine, self._program, self._cpu, self._pid, self._task = machine, program, cpu, pid, task
        self._context = machine.memory.place(struct.pack(f"<{len(arguments)}Q", *arguments))
        self._stack = machine.memory.place(bytes(_STACK_SIZE))
        self._own = (
            range(self._context, self._context + 8 * len(arguments)),
            range(self._stack, self._stack + _STACK_SIZE),
        )
        self.result: int | None = None
        self._start(program)
        self._go_on()

    @property
    def ended(self) -> bool:
        """Whether the program has returned."""
        return self.result is not None

    def step(self) -> None:
        """Do the access before which the program stopped, and continue up to the next one, or to the end."""
        self._execute()
        self._go_on()

    def finish(self) -> None:
        """Run to the end."""
        while not self.ended:
            self._execute()

    def snapshot(self) -> object:
        """Return the position of the program and its registers; its stack is part of the machine."""
        return id(self._program), self._at, tuple(self._registers), self.result

    def _start(self, program: Sequence[Instruction]) -> None:
        self._program, self._at = program, 0
        self._registers: list[Any] = [None] * 11  # None: no program may read it before it is written
        self._registers[1] = self._context
        self._registers[10] = self._stack + _STACK_SIZE

    def _go_on(self) -> None:
        while not self.ended and not self._meets_others():
            self._execute()

    def _meets_others(self) -> bool:
        """Return whether the next instruction calls a function, or accesses memory that others can see."""
        code, to, source, offset, _ = self._program[self._at]
        if code & 7 not in (_LDX, _ST, _STX):
            return code == _CALL
        address = self._registers[source if code & 7 == _LDX else to] + offset
        return not any(address in own for own in self._own)

    def _execute(self) -> None:
        code, to, source, offset, value = self._program[self._at]
        self._at += 1
        registers = self._registers
        kind, operation = code & 0x07, code & 0xF0
        operand = registers[source] if code & _FROM_REGISTER else value
        if kind in (_ALU, _ALU64) and not offset:
            left = 0 if operation == _MOVE else registers[to]
            registers[to] = _calculate(operation, left, operand, 64 if kind == _ALU64 else 32)
        elif code == _JUMP:
            self._at += offset
        elif code == _CALL and not source:
            self._call(value)
        elif code == _EXIT:
            self.result = registers[0]
        elif kind in (_JMP, _JMP32):
            if _compare(operation, registers[to], operand, 64 if kind == _JMP else 32):
                self._at += offset
        elif code == _LOAD_WORDS:
            upper = self._program[self._at][4]
            registers[to] = value if source else (upper << 32 | value & 0xFFFFFFFF) & _WORD  # or the number of a map
            self._at += 1
        elif kind in (_LDX, _ST, _STX):
            self._access(code, to, source, offset, value)
        else:
            raise NotImplementedError(f"the instruction {code:#x}")

    def _access(self, code: int, to: int, source: int, offset: int, value: int) -> None:
        """Load from memory, or store there."""
        memory, registers = self._machine.memory, self._registers
        kind, mode, width = code & 0x07, code & 0xE0, _WIDTHS[code & 0x18]
        address = registers[source if kind == _LDX else to] + offset
        before = int.from_bytes(memory.read(address, width), "little")
        if kind == _LDX and mode == _MEMORY:
            registers[to] = before
            return
        number = value if kind == _ST else registers[source]
        if kind == _STX and mode == _ATOMIC:
            number = _calculate(value & ~_FETCH, before, number, 8 * width)
            if value & _FETCH:
                registers[source] = before
        elif mode != _MEMORY:
            raise NotImplementedError(f"the instruction {code:#x}")
        memory.write(address, (number & _WORD).to_bytes(8, "little")[:width])

    def _call(self, number: int) -> None:
        arguments = self._registers[1:6]
        result = self._FUNCTIONS[number](self, *arguments)
        if result is not None:  # else another program has begun
            self._registers[:6] = [result & _WORD, *[None] * 5]

    def _lookup(self, which: int, key: int, *_: int) -> int:
        map_ = self._machine.maps[which]
        return map_.lookup(self._cpu, self._read(key, map_.shape.key_size))

    def _update(self, which: int, key: int, value: int, flags: int, *_: int) -> int:
        shape = self._machine.maps[which].shape
        key_read, value_read = self._read(key, shape.key_size), self._read(value, shape.value_size)
        return self._machine.maps[which].update(self._cpu, key_read, value_read, flags)

    def _delete(self, which: int, key: int, *_: int) -> int:
        map_ = self._machine.maps[which]
        return map_.delete(self._read(key, map_.shape.key_size))

    def _time(self, *_: int) -> int:
        self._machine.time += 1
        return self._machine.time

    def _random(self, *_: int) -> int:
        return self._machine.next_random()

    def _tail_call(self, _: int, which: int, key: int, *__: int) -> int | None:
        program = self._machine.tail_calls.get((which, key))
        if program is None:
            return -ENOENT
        self._start(program)
        return None

    def _current_pid(self, *_: int) -> int:
        return self._pid << 32 | self._pid

    def _current_task(self, *_: int) -> int:
        return self._task

    def _read_kernel(self, to: int, size: int, address: int, *_: int) -> int:
        try:
            content, result = self._read(address, size), 0
        except LookupError:
            content, result = bytes(size), -EFAULT
        self._machine.memory.write(to, content)
        return result

    def _read_kernel_string(self, to: int, size: int, address: int, *_: int) -> int:
        try:
            content = self._machine.memory.read_string(address, size)
        except LookupError:
            return self._read_kernel(to, size, address)
        self._machine.memory.write(to, content)
        return len(content)

    def _read(self, address: int, size: int) -> bytes:
        return self._machine.memory.read(address, size)

    _FUNCTIONS: ClassVar[dict[int, Callable[..., int | None]]] = {
        1: _lookup,
        2: _update,
        3: _delete,
        5: _time,
        7: _random,
        12: _tail_call,
        14: _current_pid,
        35: _current_task,
        113: _read_kernel,
        115: _read_kernel_string,
    }


def _calculate(operation: int, left: int, right: int, bits: int) -> int:
    mask = (1 << bits) - 1
    return _ARITHMETIC[operation](left & mask, right & mask, bits) & mask


def _compare(operation: int, left: int, right: int, bits: int) -> bool:
    mask = (1 << bits) - 1
    left, right = left & mask, right & mask
    if operation in _SIGNED_COMPARISONS:
        return _SIGNED_COMPARISONS[operation](_signed(left, bits), _signed(right, bits))
    return bool(_COMPARISONS[operation](left, right))


def _signed(number: int, bits: int) -> int:
    return number - (1 << bits) if number >> bits - 1 else number
