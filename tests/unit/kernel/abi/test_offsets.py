"""The offsets in this kernel's structures, and the errors where they cannot be read."""

import struct
from dataclasses import fields
from pathlib import Path

import pytest

from slabtui.errors import SlabtuiError, Status
from slabtui.kernel.abi import offsets

NO_TYPES = struct.pack("=HBBIIIII", 0xEB9F, 1, 0, 24, 0, 0, 0, 1) + b"\0"


def refusal(path: Path) -> str:
    with pytest.raises(SlabtuiError) as caught:
        offsets.read(path)
    assert caught.value.status == Status.FAILED
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_a_kernel_without_btf_is_reported_with_what_to_boot(tmp_path: Path) -> None:
    path = tmp_path / "vmlinux"
    assert refusal(path) == f"this kernel has no BTF ({path}): boot a kernel built with CONFIG_DEBUG_INFO_BTF=y"


def test_btf_that_cannot_be_read_is_reported_with_the_reason(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"cannot read {tmp_path} (Is a directory): run slabtui as root"


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "shorter than a BTF header"), (b"\x7fELF" + bytes(100), "not BTF"), (NO_TYPES[:-1], "cut short")],
)
def test_garbage_is_reported_with_the_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "vmlinux"
    path.write_bytes(data)
    assert refusal(path) == f"cannot use {path} ({reason}): use Linux 5.10 or newer"


def test_a_kernel_without_the_tracepoint_is_reported_with_what_to_boot(tmp_path: Path) -> None:
    path = tmp_path / "vmlinux"
    path.write_bytes(NO_TYPES)
    assert refusal(path).startswith("this kernel has no tracepoint kmem_cache_alloc: boot a kernel built with CONFIG_")


class ShortAtFirst(type(Path())):  # type: ignore[misc]
    """A file whose first read returns a part only, as a file of sysfs may."""

    reads = 0

    def read_bytes(self) -> bytes:
        type(self).reads += 1
        return super().read_bytes()[: 3 if self.reads == 1 else None]


def test_a_read_that_ends_early_is_repeated(tmp_path: Path) -> None:
    (tmp_path / "vmlinux").write_bytes(b"0123456789")
    assert offsets.read_whole(ShortAtFirst(tmp_path / "vmlinux")) == b"0123456789"


@pytest.mark.live
def test_this_kernels_layout_makes_a_macro_of_every_number() -> None:
    found = offsets.read()
    assert len({found.cache_name, found.cache_size, found.cache_object_size}) == 3
    assert found.arg_bytes_alloc == found.arg_bytes_req + 1
    assert found.kmalloc_max_cache == 2 << found.page_shift
    assert len({found.task_stack, found.task_flags, found.task_group_leader, found.task_comm}) == 4
    assert bool(found.functions.alloc_bulk) == bool(found.functions.free_bulk)
    assert found.page_step in (0, (1 << 30 >> found.page_shift) * found.page_struct_size)
    assert f"-DCACHE_NAME={found.cache_name}" in found.macros()
    assert len(found.macros()) == len(fields(found)) - 1  # all but the functions
