"""On arm64: the BPF programs compile for it, and the search for the array of struct page has it among its candidates.

These tests do not show that an arm64 kernel accepts the programs: that takes an arm64 machine.
"""

from collections.abc import Callable

import pytest

from slabtui.kernel.abi import offsets
from slabtui.kernel.abi.offsets import Offsets
from slabtui.kernel.bpf.compiler import Compiler
from slabtui.kernel.bpf.features import Features
from slabtui.kernel.bpf.module import BuildContext, Module
from tests.support.probes import as_preemptible

HOST = "-fcf-protection=none"  # libbcc 0.31 for x86-64 asks for that protection, which clang knows for x86 only
SIZES = (
    HOST,
    "-DSLOT_BITS=4",
    "-DROWS=16",
    "-DSTACK_ROWS=16",
    "-DSTACKS=16",
    "-DRATE=67",
    "-DBESIDE=200",
    "-DTIMED=64",
)
SIZES += ("-DBULKS=4", "-DTALLIES=8", "-DSHEAF_RESULT=2", "-DCHUNK=128")
SIZES += ("-DENTRIES=16", "-DGOAL=4", "-DSTRATA=4", "-DSTRATUM_RATE=400", "-DUSUAL=3000")
PROGRAMS = {
    "allocs": ("table.bpf.h", "calibration.bpf.c", "inventory.bpf.c", "allocs.bpf.c"),
    "frees": ("table.bpf.h", "frees.bpf.c"),
    "inspect": ("origin.bpf.h", "inspect.bpf.c"),
    "held": ("origin.bpf.h", "held.bpf.c"),
    "bulk": ("bulk.bpf.c",),
}


@pytest.mark.live
@pytest.mark.parametrize("where", [offsets.read, as_preemptible])
@pytest.mark.parametrize("rdonly_cast", [False, True])
@pytest.mark.parametrize("files", PROGRAMS.values(), ids=PROGRAMS)
def test_every_program_compiles_for_arm64(
    files: tuple[str, ...], rdonly_cast: bool, where: Callable[[], Offsets], monkeypatch: pytest.MonkeyPatch
) -> None:
    """bcc reads from ARCH for which machine it compiles."""
    monkeypatch.setenv("ARCH", "arm64")
    compiler = Compiler()
    context = BuildContext(compiler, Features(jit=True, rdonly_cast=rdonly_cast), where().macros(), 1, 2)
    Module(context, ("common.bpf.h", *files), SIZES).close()
    compiler.close()


@pytest.mark.parametrize("version", ["6.1", "6.12"])
@pytest.mark.parametrize(
    ("page_size", "bits", "least"),
    [(4096, 52, 48), (4096, 48, 48), (16384, 52, 47), (16384, 47, 47), (65536, 52, 48), (65536, 48, 48)],
)
def test_the_base_of_the_pages_is_one_of_the_candidates(version: str, page_size: int, bits: int, least: int) -> None:
    """PAGE_OFFSET and VMEMMAP_START as arch/arm64/include/asm/memory.h has them, by VA_BITS and VA_BITS_MIN."""
    begin, end = 2**64 - 2**bits, 2**64 - 2 ** (least - 1)  # of the direct map
    vmemmap = (
        2**64 - 2**30 - (end - begin) // page_size * 64 if version == "6.12" else 2**64 - 2**bits // page_size * 64
    )
    base = vmemmap - begin // page_size * 64
    assert base % offsets.page_step(64, page_size) == 0
    for address in (begin, begin + 2**40, end - 1):
        assert base + address // page_size * 64 == vmemmap + (address - begin) // page_size * 64


def test_a_struct_page_of_an_odd_size_is_not_searched_for() -> None:
    assert offsets.page_step(56, 4096) == 0
    assert offsets.page_step(64, 4096) == 16 << 20
