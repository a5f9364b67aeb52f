"""On arm64: the BPF programs compile for it, and kmalloc's caches are looked for where the kernel has them.

That the kernel there takes the programs is not shown here: it takes such a machine.
"""

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

from slabtui.kernel import directmap

PROGRAMS = {"allocs.bpf.c": 6, "frees.bpf.c": 3, "look.bpf.c": 5}  # and their tallies
COMPILE = """
import sys
from slabtui.kernel import layout
from slabtui.kernel.module import Kit, Module, import_bcc
file, tallies = sys.argv[1:]
table = [] if file == "look.bpf.c" else ["table.bpf.h"]
sizes = ["-DSLOT_BITS=4", "-DENTRIES=16", "-DSTACKS=16", "-DREST=1", f"-DTALLIES={tallies}"]
host = "-fcf-protection=none"  # libbcc 0.31 for x86-64 asks for that protection, which clang knows for x86 only
Module(Kit(import_bcc(), layout.read().macros()), ["common.bpf.h", *table, file], [*sizes, host])
"""


@pytest.mark.live
@pytest.mark.parametrize("file", PROGRAMS)
def test_every_program_compiles_for_arm64(file: str) -> None:
    """bcc takes from ARCH which machine it compiles for."""
    found = subprocess.run(
        [sys.executable, "-c", COMPILE, file, str(PROGRAMS[file])],
        env=os.environ | {"ARCH": "arm64"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")


def struct_pages(page_offset: int, vmemmap: int, objects: Sequence[int], page_size: int) -> list[int]:
    return [(vmemmap + (address - page_offset) // page_size * 64) % 2**64 for address in objects]


@pytest.mark.parametrize("version", ["6.1", "6.12"])
@pytest.mark.parametrize(
    ("page_size", "bits", "least"),
    [(4096, 52, 48), (4096, 48, 48), (16384, 52, 47), (16384, 47, 47), (65536, 52, 48), (65536, 48, 48)],
)
def test_one_guess_is_what_the_kernel_was_built_with(version: str, page_size: int, bits: int, least: int) -> None:
    """PAGE_OFFSET and VMEMMAP_START as arch/arm64/include/asm/memory.h has them, by VA_BITS and VA_BITS_MIN."""
    begin, end = -(2**bits), -(2 ** (least - 1))  # of the direct map
    vmemmap = -(2**30) - (end - begin) // page_size * 64 if version == "6.12" else begin // page_size * 64
    objects = [address % 2**64 for address in (begin, begin + 2**40, end - 1)]
    guesses = directmap.guesses(machine="aarch64", page_size=page_size)
    found = [struct_pages(guess.page_offset, guess.vmemmap, objects, page_size) for guess in guesses]
    assert found.count(struct_pages(begin % 2**64, vmemmap, objects, page_size)) == 1
