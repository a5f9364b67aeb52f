"""Where the kernel's direct map and its array of struct page may lie: the guesses that calibration tries in turn.

The address arithmetic is the kernel's own virt_to_page(), for a sparse memory map in virtual memory
(include/asm-generic/memory_model.h). On x86_64 both bases move at boot with KASLR; the kernel keeps them in two
variables. On arm64 both are constants: there KASLR moves the memory within the map.
"""

import platform
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

KALLSYMS = Path("/proc/kallsyms")

_VARIABLES = (b"page_offset_base", b"vmemmap_base")

# Documentation/arch/x86/x86_64/mm.rst: the bases without KASLR, with page tables of four and of five levels.
_X86_64_DEFAULTS = ((0xFFFF888000000000, 0xFFFFEA0000000000), (0xFF11000000000000, 0xFFD4000000000000))

# From arch/arm64/include/asm/memory.h in Linux 6.1, 6.12 and 7.2. With addresses of fewer bits than 52 the direct map
# begins higher up, and what is in use of the array does so in step: the bases of 52 bits are right for all.
_ARM64_PAGE_OFFSET = 2**64 - 2**52
_ARM64_STRUCT_PAGE = 64  # bytes; other configurations put the array elsewhere
_ARM64_ABOVE_VMEMMAP = 2**30  # bytes, in Linux 6.12


@dataclass(frozen=True, slots=True)
class DirectMap:
    """One guess: the two bases themselves, or the addresses of the kernel variables that hold them."""

    page_offset: int = 0
    vmemmap: int = 0
    page_offset_at: int = 0
    vmemmap_at: int = 0


def guesses(kallsyms: Path = KALLSYMS, machine: str | None = None, page_size: int | None = None) -> Iterator[DirectMap]:
    """Yield what is worth trying on this machine; nothing where the arithmetic is not known."""
    match machine or platform.machine():
        case "x86_64":
            yield from _x86_64(kallsyms)
        case "aarch64":
            yield from _arm64(page_size or resource.getpagesize())


def _x86_64(kallsyms: Path) -> Iterator[DirectMap]:
    """Yield the defaults first, although few kernels run without KASLR.

    A wrong guess costs a millisecond to try, the kernel's list of symbols a good fifty to read.
    """
    for page_offset, vmemmap in _X86_64_DEFAULTS:
        yield DirectMap(page_offset, vmemmap)
    addresses = _addresses(kallsyms)
    if all(addresses):
        yield DirectMap(page_offset_at=addresses[0], vmemmap_at=addresses[1])


def _arm64(page_size: int) -> Iterator[DirectMap]:
    """Yield where Linux 6.12 has the array, which ends at a fixed address, and where 6.1 has it.

    Its end is for the last page of the direct map, whose address follows from the fewest bits that this kernel can do
    with: 48 as a rule, 47 with pages of 16 KiB. In 6.1 it begins at a fixed address, with room for all 52 bits.
    """
    fewest = 47 if page_size == 16384 else 48
    pages = (2**52 - 2 ** (fewest - 1)) // page_size
    yield DirectMap(_ARM64_PAGE_OFFSET, 2**64 - _ARM64_ABOVE_VMEMMAP - pages * _ARM64_STRUCT_PAGE)
    yield DirectMap(_ARM64_PAGE_OFFSET, 2**64 - 2**52 // page_size * _ARM64_STRUCT_PAGE)


def _addresses(kallsyms: Path) -> list[int]:
    """Return the addresses of the two variables; 0 for one that is not listed or hidden (kptr_restrict)."""
    try:
        listing = kallsyms.read_bytes()
    except OSError:
        return [0, 0]
    return [_address(listing, variable) for variable in _VARIABLES]


def _address(listing: bytes, symbol: bytes) -> int:
    end = listing.find(b" " + symbol + b"\n")
    try:
        return int(listing[listing.rfind(b"\n", 0, end) + 1 : end].split()[0], 16) if end >= 0 else 0
    except (ValueError, IndexError):
        return 0
