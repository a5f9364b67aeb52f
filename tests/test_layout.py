"""What this kernel's layout is read from, and the guesses of its direct map, where all is well and where it is not."""

import struct
from dataclasses import fields
from pathlib import Path

import pytest

from slabtui.errors import SlabtuiError, Status
from slabtui.kernel import directmap, layout
from slabtui.kernel.directmap import DirectMap

PAGE_OFFSET_BASE = "ffffffff82a01000 D page_offset_base\n"
VMEMMAP_BASE = "ffffffff82a01008 D vmemmap_base\n"
OTHERS = "ffffffff81000000 T _text\nffffffffc0400000 t vmemmap_base_of_mine\t[module]\n"
BOTH = DirectMap(page_offset_at=0xFFFFFFFF82A01000, vmemmap_at=0xFFFFFFFF82A01008)
NO_TYPES = struct.pack("=HBBIIIII", 0xEB9F, 1, 0, 24, 0, 0, 0, 1) + b"\0"


def refusal(path: Path) -> str:
    with pytest.raises(SlabtuiError) as caught:
        layout.read(path)
    assert caught.value.status == Status.FAILED
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_a_kernel_without_btf_is_told_with_what_to_boot(tmp_path: Path) -> None:
    path = tmp_path / "vmlinux"
    assert refusal(path) == f"this kernel has no BTF ({path}): boot a kernel built with CONFIG_DEBUG_INFO_BTF=y"


def test_btf_that_cannot_be_read_is_told_with_the_reason(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"cannot read {tmp_path} (Is a directory): run slabtui as root"


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "shorter than a BTF header"), (b"\x7fELF" + bytes(100), "not BTF"), (NO_TYPES[:-1], "cut short")],
)
def test_garbage_is_told_with_the_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "vmlinux"
    path.write_bytes(data)
    assert refusal(path) == f"cannot use {path} ({reason}): use Linux 5.10 or newer"


def test_a_kernel_without_the_tracepoint_is_told_with_what_to_boot(tmp_path: Path) -> None:
    path = tmp_path / "vmlinux"
    path.write_bytes(NO_TYPES)
    assert refusal(path).startswith("this kernel has no tracepoint kmem_cache_alloc: boot a kernel built with CONFIG_")


@pytest.mark.live
def test_this_kernels_layout_makes_a_macro_of_every_number() -> None:
    found = layout.read()
    assert len({found.cache_name, found.cache_size, found.cache_object_size}) == 3
    assert found.arg_bytes_alloc == found.arg_bytes_req + 1
    assert found.kmalloc_max_cache == 2 << found.page_shift
    assert len({found.task_stack, found.task_flags, found.task_group_leader, found.task_comm}) == 4
    assert found.alloc_bulk in ("", "kmem_cache_alloc_bulk", "kmem_cache_alloc_bulk_noprof")
    assert f"-DCACHE_NAME={found.cache_name}" in found.macros()
    assert f"-DALLOC_BULK={found.alloc_bulk}" in found.macros()
    assert len(found.macros()) == len(fields(found))


@pytest.fixture
def kallsyms(tmp_path: Path) -> Path:
    return tmp_path / "kallsyms"


def test_a_machine_whose_arithmetic_is_not_known_gets_no_guess(kallsyms: Path) -> None:
    kallsyms.write_text(OTHERS + PAGE_OFFSET_BASE + VMEMMAP_BASE)
    assert list(directmap.guesses(kallsyms, machine="riscv64")) == []


@pytest.mark.parametrize(
    "listing", [OTHERS + PAGE_OFFSET_BASE + VMEMMAP_BASE, VMEMMAP_BASE + PAGE_OFFSET_BASE + OTHERS]
)
def test_the_kernels_own_variables_are_tried_after_the_defaults(kallsyms: Path, listing: str) -> None:
    kallsyms.write_text(listing)
    *defaults, last = directmap.guesses(kallsyms, machine="x86_64")
    assert last == BOTH
    assert len(defaults) == 2
    for guess in defaults:
        assert guess.page_offset > guess.page_offset_at == 0
        assert guess.vmemmap > guess.vmemmap_at == 0


@pytest.mark.parametrize(
    "listing",
    [
        "0000000000000000 D page_offset_base\n0000000000000000 D vmemmap_base\n",
        OTHERS + PAGE_OFFSET_BASE,
        OTHERS + VMEMMAP_BASE,
        OTHERS,
        "(null) D page_offset_base\n page_offset_base\n" + VMEMMAP_BASE,
        "",
        None,
    ],
    ids=["hidden", "no vmemmap_base", "no page_offset_base", "neither", "garbage", "empty", "no file"],
)
def test_only_the_defaults_are_tried_where_the_variables_are_not_told(kallsyms: Path, listing: str | None) -> None:
    if listing is not None:
        kallsyms.write_text(listing)
    guesses = list(directmap.guesses(kallsyms, machine="x86_64"))
    assert len(guesses) == 2
    assert not any(guess.page_offset_at or guess.vmemmap_at for guess in guesses)
