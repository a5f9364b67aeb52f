"""Where the kernel's direct map and its array of struct page may lie: the guesses that calibration tries in turn.

The address arithmetic is the kernel's own virt_to_page(), for a sparse memory map in virtual memory
(include/asm-generic/memory_model.h). Both bases move at boot with KASLR; the kernel keeps them in two variables.
"""

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

KALLSYMS = Path("/proc/kallsyms")

_VARIABLES = (b"page_offset_base", b"vmemmap_base")

# Documentation/arch/x86/x86_64/mm.rst: the bases without KASLR, with page tables of four and of five levels.
_X86_64_DEFAULTS = ((0xFFFF888000000000, 0xFFFFEA0000000000), (0xFF11000000000000, 0xFFD4000000000000))


@dataclass(frozen=True, slots=True)
class DirectMap:
    """One guess: the two bases themselves, or the addresses of the kernel variables that hold them."""

    page_offset: int = 0
    vmemmap: int = 0
    page_offset_at: int = 0
    vmemmap_at: int = 0


def guesses(kallsyms: Path = KALLSYMS, machine: str | None = None) -> Iterator[DirectMap]:
    """Yield what is worth trying on this machine; nothing where the arithmetic is not known.

    The defaults come first, although few kernels run without KASLR: a wrong guess costs a millisecond to try, the
    kernel's list of symbols a good fifty to read.
    """
    if (machine or platform.machine()) != "x86_64":
        return
    for page_offset, vmemmap in _X86_64_DEFAULTS:
        yield DirectMap(page_offset, vmemmap)
    addresses = _addresses(kallsyms)
    if all(addresses):
        yield DirectMap(page_offset_at=addresses[0], vmemmap_at=addresses[1])


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
