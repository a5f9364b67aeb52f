"""Programs are pointed to the maps of this process and to functions of the kernel, and nothing else changes."""

import sys

import pytest

from slabtui.kernel.bpf.instructions import (
    CALL,
    EXIT,
    KERNEL_FUNCTION,
    LOAD_WORDS,
    MAP_DESCRIPTOR,
    MOVE,
    assemble,
    link,
)

SECOND_HALF = (0, 0, 0, 0)  # of a load of 64 bits
MARK = 0x7FFFFFF1


@pytest.mark.skipif(sys.byteorder != "little", reason="the bytes are those of a little-endian machine")
def test_instructions_are_those_of_the_kernels_header() -> None:
    assert assemble([(MOVE, 2, 0, -2)]).hex() == "b702" + "0000" + "feffffff"
    assert assemble([(CALL, 0, KERNEL_FUNCTION, 0x1234)]).hex() == "8520" + "0000" + "34120000"


def test_a_map_gets_its_descriptor_here() -> None:
    program = assemble([(LOAD_WORDS, 1, MAP_DESCRIPTOR, 5), SECOND_HALF, (EXIT, 0, 0, 0)])
    assert link(program, {5: 77}, {}) == assemble([(LOAD_WORDS, 1, MAP_DESCRIPTOR, 77), SECOND_HALF, (EXIT, 0, 0, 0)])


def test_a_call_that_stands_for_a_function_becomes_that_call() -> None:
    program = assemble([(CALL, 0, 0, MARK), (CALL, 0, 0, 4)])
    assert link(program, {}, {MARK: 4711}) == assemble([(CALL, 0, KERNEL_FUNCTION, 4711), (CALL, 0, 0, 4)])


def test_numbers_that_only_look_like_them_stay() -> None:
    program = assemble([(MOVE, 1, 0, 5), (LOAD_WORDS, 1, 0, 5), SECOND_HALF, (MOVE, 1, 0, MARK)])
    assert link(program, {5: 77}, {MARK: 4711}) == program


@pytest.mark.parametrize("value", [0, 1, 0xFFFF_EA00_1234_5678])
def test_a_number_that_stands_for_a_constant_becomes_that_constant(value: int) -> None:
    mark = 0x51AB_0000_F001_F00D  # the lower half is negative as an immediate value
    halves = [(number, number >> 32) for number in (mark, value)]
    before, after = (
        assemble([(LOAD_WORDS, 1, 0, signed(lower & 0xFFFFFFFF)), (0, 0, 0, signed(upper)), (MOVE, 1, 0, 5)])
        for lower, upper in halves
    )
    assert link(before, {}, {}, {mark: value}) == after


def signed(word: int) -> int:
    return word - (1 << 32) if word >> 31 else word


def test_a_map_that_did_not_come_along_is_an_error() -> None:
    with pytest.raises(KeyError):
        link(assemble([(LOAD_WORDS, 1, MAP_DESCRIPTOR, 5), SECOND_HALF]), {6: 7}, {})
