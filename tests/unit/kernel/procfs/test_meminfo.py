"""The memory of the machine, from /proc/meminfo."""

from pathlib import Path

import pytest

from slabtui.kernel.procfs import meminfo
from slabtui.model.host import HostMemory
from slabtui.system.files import Repeated

LISTING = b"""MemTotal:        8133000 kB
MemFree:         5000000 kB
MemAvailable:    7000000 kB
Slab:             300000 kB
SReclaimable:     200000 kB
SUnreclaim:       100000 kB
HugePages_Total:       0
"""


def test_the_memory_is_in_bytes() -> None:
    kib = (8133000, 7000000, 300000, 200000, 100000)
    assert meminfo.parse(LISTING) == HostMemory(*(1024 * each for each in kib))


@pytest.mark.parametrize("line", [b"", b"Slab: 300000", b"Slab: -3 kB", b"Slab: 3 MB", b"Slab kB", b"Slab: 3 3 kB"])
def test_what_a_line_does_not_say_is_unknown(line: bytes) -> None:
    found = meminfo.parse(LISTING.replace(b"Slab:             300000 kB", line))
    assert found is not None
    assert found.slab is None
    assert found.reclaimable == 200000 * 1024


@pytest.mark.parametrize("listing", [b"", b"\0\xff", b"MemFree: 1 kB\n"])
def test_a_file_that_says_nothing_of_it_is_no_memory(listing: bytes) -> None:
    assert meminfo.parse(listing) is None


def test_a_file_that_is_missing_is_no_memory(tmp_path: Path) -> None:
    assert meminfo.read(Repeated(tmp_path / "meminfo")) is None
    assert meminfo.read(Repeated(tmp_path)) is None


def test_the_slab_memory_of_this_machine_is_its_two_kinds() -> None:
    found = meminfo.read(Repeated(meminfo.MEMINFO))
    assert found is not None
    assert None not in (found.total, found.available, found.slab, found.reclaimable, found.unreclaimable)
    assert found.slab == (found.reclaimable or 0) + (found.unreclaimable or 0)
    assert 0 < (found.slab or 0) < (found.total or 0)
