"""The interpreter of BPF programs does what the running kernel does, instruction by instruction and map by map."""

import errno
import os
import random
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slabtui.kernel.bpf import syscalls
from slabtui.kernel.bpf.child import Compiled
from slabtui.kernel.bpf.instructions import link
from slabtui.kernel.bpf.maps import Maps
from slabtui.kernel.bpf.settings import Settings
from slabtui.kernel.bpf.syscalls import Program, ProgramType
from slabtui.kernel.counters import CACHE_SIZE
from tests.support import bpf
from tests.support.ebpf import Instruction, Run, decode
from tests.support.interleavings import InTurn, Once, Scene, interleave
from tests.support.machine import Machine, Shape
from tests.support.simulation import CPUS, SLOT_BITS, SLOW_PATHS, WORDS, Image, Simulation, compile_source

pytestmark = pytest.mark.live

REGISTERS = (0, 2, 3, 4)  # those that the programs made at random calculate with
ARITHMETIC = (0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xA0, 0xB0, 0xC0)
DIVISIONS, SHIFTS, NEGATION = (0x30, 0x90), (0x60, 0x70, 0xC0), 0x80
JUMPS = (0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xA0, 0xB0, 0xC0, 0xD0)
ATOMICS = (0x00, 0x40, 0x50, 0xA0)
WIDTHS = {0x00: 4, 0x08: 2, 0x10: 1, 0x18: 8}
EXIT: Instruction = (0x95, 0, 0, 0, 0)

MAPS = """\
#include <uapi/linux/bpf.h>
#undef bpf_probe_read_kernel /* bcc may define these two as others, see common.bpf.h */
#undef bpf_probe_read_kernel_str
BPF_HASH(hash, u32, u64, 3);
BPF_ARRAY(array, u64, 3);
BPF_PERCPU_ARRAY(each, u64, 3);
BPF_PROG_ARRAY(others, 2);

/* Reads a value of the hash after another one has been written. */
int on_reuse(struct bpf_raw_tracepoint_args *ctx)
{
	u32 first = 1, second = 2;
	u64 value = ctx->args[0], *found;

	hash.update(&first, &value);
	hash.update(&second, &value);
	found = hash.lookup(&first);
	if (!found)
		return 0;
	value = ctx->args[1];
	hash.update(&first, &value);
	value = ctx->args[2];
	hash.update(&second, &value);
	return *found;
}

int on_strings(struct bpf_raw_tracepoint_args *ctx)
{
	u64 from = ctx->args[0], to[2] = {-1, -1}, copy = 0;
	int length, other;

	length = bpf_probe_read_kernel_str(&to[0], 5, &from);
	other = bpf_probe_read_kernel_str(&to[1], 3, (void *)ctx->args[1]);
	if (bpf_probe_read_kernel(&copy, sizeof(copy), &to[0]))
		return 1;
	return copy * 31 + (copy >> 32) * 17 + to[1] * 11 + (to[1] >> 32) * 13 + length * 7 + (other < 0);
}

int on_call(struct bpf_raw_tracepoint_args *ctx)
{
	others.call(ctx, ctx->args[0]);
	return 77;
}

int on_called(struct bpf_raw_tracepoint_args *ctx)
{
	return ctx->args[1];
}
"""
ON_MAP = """\
int on_MAP(struct bpf_raw_tracepoint_args *ctx)
{
	u64 value = ctx->args[2], *found;
	u32 key = ctx->args[1];

	switch (ctx->args[0]) {
	case 0:
		found = MAP.lookup(&key);
		return found ? *found : 12345;
	case 1:
		return MAP.update(&key, &value);
	case 2:
		return MAP.insert(&key, &value);
	default:
		return MAP.delete(&key);
	}
}
"""
DELETE = 3
ERRORS = {"hash": {errno.ENOENT, errno.E2BIG, errno.EEXIST}, "array": {errno.EINVAL, errno.E2BIG, errno.EEXIST}}
ERRORS["each"] = ERRORS["array"]


def encode(program: Sequence[Instruction]) -> bytes:
    return b"".join(struct.pack("<BBhi", code, to | source << 4, at, value) for code, to, source, at, value in program)


def load_number(register: int, number: int) -> list[Instruction]:
    lower, upper = struct.unpack("<ii", struct.pack("<Q", number))
    return [(0x18, register, 0, 0, lower), (0, 0, 0, 0, upper)]


@contextmanager
def loaded(name: str, program: bytes) -> Iterator[int]:
    descriptor = syscalls.load_program(Program(name, ProgramType.RAW_TRACEPOINT, program))
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@st.composite
def arithmetic(draw: st.DrawFn) -> list[Instruction]:
    operation, kind, to = draw(st.sampled_from(ARITHMETIC)), draw(st.sampled_from((0x04, 0x07))), draw(registers)
    if operation == NEGATION:
        return [(operation | kind, to, 0, 0, 0)]
    if draw(st.booleans()):
        return [(operation | kind | 0x08, to, draw(registers), 0, 0)]
    value = draw(st.integers(-(1 << 31), (1 << 31) - 1))
    if operation in SHIFTS:
        value %= 64 if kind == 0x07 else 32  # the verifier refuses others
    if operation in DIVISIONS:
        value = value or 1
    return [(operation | kind, to, 0, 0, value)]


@st.composite
def jump(draw: st.DrawFn) -> list[Instruction]:
    code, left, right = (
        draw(st.sampled_from(JUMPS)) | draw(st.sampled_from((0x05, 0x06))),
        draw(registers),
        draw(registers),
    )
    over = draw(arithmetic())
    if draw(st.booleans()):
        return [(code | 0x08, left, right, len(over), 0), *over]
    return [(code, left, 0, len(over), draw(st.integers(-(1 << 31), (1 << 31) - 1))), *over]


@st.composite
def memory(draw: st.DrawFn) -> list[Instruction]:
    """Store, add atomically and load, in a word of the stack."""
    size, other = draw(st.sampled_from(tuple(WIDTHS))), draw(st.sampled_from(tuple(WIDTHS)))
    place = -8 + draw(st.integers(0, 8 // WIDTHS[size] - 1)) * WIDTHS[size]
    elsewhere = -8 + draw(st.integers(0, 8 // WIDTHS[other] - 1)) * WIDTHS[other]
    atomic = draw(st.sampled_from(ATOMICS)) | draw(st.sampled_from((0, 1)))
    whole = draw(st.sampled_from((0x00, 0x18)))
    return [
        (0x7B, 10, draw(registers), -8, 0),
        draw(st.sampled_from([(0x63 | size, 10, draw(registers), place, 0), (0x62 | size, 10, 0, place, -77)])),
        (0xC3 | whole, 10, draw(registers), -8, atomic),
        (0x61 | other, draw(registers), 10, elsewhere, 0),
    ]


registers = st.sampled_from(REGISTERS)
programs = st.lists(st.one_of(arithmetic(), jump(), memory()), min_size=1, max_size=12).map(
    lambda parts: [instruction for part in parts for instruction in part]
)


@given(st.lists(st.integers(0, (1 << 64) - 1), min_size=4, max_size=4), programs, registers, st.sampled_from((0, 32)))
@settings(max_examples=300)
def test_instructions_do_what_they_do_in_the_kernel(
    numbers: list[int], body: list[Instruction], result: int, half: int
) -> None:
    begin = [
        part for register, number in zip(REGISTERS, numbers, strict=True) for part in load_number(register, number)
    ]
    end: list[Instruction] = [(0xBF, 0, result, 0, 0), (0x77, 0, 0, 0, half), EXIT]  # the kernel returns 32 bits
    program = encode([*begin, *body, *end])
    run = Run(Machine({}), decode(program), [0])
    run.finish()
    assert run.result is not None
    with loaded("random", program) as descriptor:
        assert bpf.run(descriptor, [0], cpu=0) == run.result & 0xFFFFFFFF


class Both:
    """Maps in the kernel and on a simulated machine, which are to stay the same."""

    def __init__(self, compiled: Compiled, shapes: dict[str, Shape]) -> None:
        self._programs = compiled.programs
        self._here = {number: compiled.maps[name] for name, number in compiled.references.items()}
        self.machine = Machine({compiled.references[name]: shape for name, shape in shapes.items()})

    def compare(self, name: str, events: Sequence[tuple[int, Sequence[int]]]) -> list[int]:
        """Run a program for each event, a CPU and arguments; check that it returns the same in both; return that."""
        program = self._programs[name]
        results = []
        with loaded(name, link(program, self._here, {})) as descriptor:
            for cpu, arguments in events:
                run = Run(self.machine, decode(program), arguments, cpu=cpu)
                run.finish()
                assert run.result is not None
                results.append(run.result & 0xFFFFFFFF)
                assert bpf.run(descriptor, arguments, cpu) == results[-1], (name, cpu, arguments)
        return results


@pytest.fixture(scope="module")
def compiled() -> Iterator[tuple[Compiled, dict[str, Shape]]]:
    compiled, shapes = compile_source(MAPS + "".join(ON_MAP.replace("MAP", name) for name in ERRORS), ())
    yield compiled, shapes
    for descriptor in compiled.maps.values():
        os.close(descriptor)


@pytest.fixture(scope="module")
def both(compiled: tuple[Compiled, dict[str, Shape]]) -> Both:
    return Both(*compiled)


@pytest.mark.parametrize("name", ERRORS)
def test_maps_do_what_they_do_in_the_kernel(both: Both, name: str) -> None:
    choose = random.Random(11)
    events = [
        (choose.randrange(2), [choose.randrange(4), choose.randrange(5), choose.getrandbits(20)]) for _ in range(500)
    ]
    results = both.compare(f"on_{name}", events)
    assert {-error & 0xFFFFFFFF for error in ERRORS[name]} <= set(results)


def test_an_update_gives_the_old_element_to_another_key_as_in_the_kernel(both: Both) -> None:
    both.compare("on_hash", [(0, [DELETE, key, 0]) for key in range(5)])
    assert both.compare("on_reuse", [(cpu, [7, 8, 9]) for cpu in (0, 1, 0)]) == [9, 9, 9]


def test_strings_are_read_as_in_the_kernel(both: Both) -> None:
    texts = [int.from_bytes(b"abcdefgh"[:length], "little") for length in range(9)]
    results = both.compare("on_strings", [(0, [text, nowhere]) for text in texts for nowhere in (0, 1 << 40)])
    assert len(set(results)) == 5  # up to four characters fit


def test_a_tail_call_that_finds_no_program_goes_on(both: Both, compiled: tuple[Compiled, dict[str, Shape]]) -> None:
    references, descriptors, programs = compiled[0].references, compiled[0].maps, compiled[0].programs
    with loaded("on_called", programs["on_called"]) as called:
        Maps(descriptors).put_descriptor("others", 1, called)
        both.machine.tail_calls[references["others"], 1] = decode(programs["on_called"])
        assert both.compare("on_call", [(0, [0, 5]), (0, [1, 5]), (0, [2, 5])]) == [77, 5, 77]


@pytest.mark.parametrize("which", ["allocs", "frees"])
def test_the_programs_that_count_do_what_they_do_in_the_kernel(which: str) -> None:
    """Caches at addresses where nothing is: in the kernel they have no names, and kmalloc is counted by size class."""
    image = Image(which)
    object_ = 1 << 40  # its struct page would lie where no kernel has memory
    caches = [0xDEAD_0000_0000_0000 + (number << 8) for number in (1, 1 + 32, 2, 1 + 64, 31, 63, 95)]
    simulation = Simulation(image, ())
    maps, choose = Maps(image.compiled.maps), random.Random(12)
    owners, slots = maps.hash("caches", CACHE_SIZE), maps.per_cpu_array("slots", WORDS)
    here = {image.compiled.references[name]: descriptor for name, descriptor in image.compiled.maps.items()}
    with ExitStack() as stack:
        stack.callback(image.close)
        programs = {
            name: stack.enter_context(loaded(name, link(program, here, {})))
            for name, program in image.compiled.programs.items()
        }
        for place, name in enumerate(SLOW_PATHS if which == "allocs" else ()):
            maps.put_descriptor("slow_path", place, programs[name])
        for epoch in range(1, 4):
            simulation.begin_interval(epoch)
            maps.put("settings", 0, Settings(epoch=epoch))
            for _ in range(200):
                program, cpu = choose.choice((image.named, image.addressed)), choose.randrange(2)
                arguments = image.arguments(program, choose.choice((0, object_, object_ + 64)), choose.choice(caches))
                Run(simulation.machine, image.programs[program], arguments, cpu=cpu).finish()
                bpf.run(programs[program], arguments, cpu)
        assert {slot: bytes(value) for slot, value in owners.read().items()} == simulation.values("caches")
        slots.read(range(1 << SLOT_BITS))
        for slot, words in enumerate(zip(*map(simulation.slots, range(CPUS)), strict=True)):
            assert [slots.total(slot, word) for word in range(WORDS)] == [
                sum(pair) for pair in zip(*words, strict=True)
            ]
        assert maps.per_cpu_array("tallies", 1).totals() == simulation.tallies()
    assert simulation.count_events()


def test_every_order_of_steps_is_tried_once() -> None:
    """Two actors of two steps each, which write their turn: as many orders as there are ways to choose 2 of 4."""
    written: list[str] = []

    def begin() -> Scene:
        written.clear()
        machine = Machine({0: Shape(2, 4, 8, 1)})
        actors = [InTurn([Once(lambda step=step: note(machine, step)) for step in steps]) for steps in ("ab", "cd")]
        return Scene(machine, actors)

    def note(machine: Machine, step: str) -> None:
        written.append(step)
        machine.memory.write(machine.maps[0].lookup(0, bytes(4)), "".join(written).encode())

    ends = ["".join(written) for _ in interleave(begin)]
    assert sorted(ends) == ["abcd", "acbd", "acdb", "cabd", "cadb", "cdab"]


def test_who_runs_where_is_what_the_test_says() -> None:
    pid, task = ([(0x85, 0, 0, 0, function), EXIT] for function in (14, 35))
    for program, expected in ((pid, 42 << 32 | 42), (task, 0x1000)):
        run = Run(Machine({}), program, [0], pid=42, task=0x1000)
        run.finish()
        assert run.result == expected


def test_a_program_may_not_read_what_is_not_there() -> None:
    run = Run(Machine({}), [(0xB7, 1, 0, 0, 64), (0x79, 0, 1, 0, 0), EXIT], [0])
    with pytest.raises(LookupError, match="nothing at 0x40"):
        run.finish()
