"""The memory of the machine, from /proc/meminfo, /proc/zoneinfo and zram devices."""

import resource
from dataclasses import fields
from pathlib import Path

import pytest

from slabtui.kernel.procfs.memory import MemoryFiles, parse
from slabtui.model.memory import HostMemory, Part, divide

LISTING = b"""MemTotal:        8133000 kB
MemFree:         5000000 kB
MemAvailable:    7000000 kB
Active:              100 kB
Inactive:             20 kB
Active(anon):         77 kB
Unevictable:           3 kB
Slab:             300000 kB
SReclaimable:     200000 kB
SUnreclaim:       100000 kB
HugePages_Total:       9
"""
ZONES = b"""Node 0, zone   Normal
  pages free     5579741
      nr_free_pages 5579741
  pagesets
    cpu: 0
              count:    1234
              high:     2249
              batch:    63
    cpu: 1
              count: 66
"""
PAGE = resource.getpagesize()
LATER = {"gpu", "zram", "cpu_free", "corrupted"}  # what this kernel or machine need not have


def test_the_memory_is_in_bytes_and_what_is_not_said_is_unknown() -> None:
    found = parse(LISTING)
    assert found == HostMemory(
        total=8133000 << 10,
        free=5000000 << 10,
        available=7000000 << 10,
        listed=123 << 10,
        slab=300000 << 10,
        reclaimable=200000 << 10,
        unreclaimable=100000 << 10,
    )


@pytest.mark.parametrize("line", [b"", b"Slab: 300000", b"Slab: -3 kB", b"Slab: 3 MB", b"Slab kB", b"Slab: 3 3 kB"])
def test_what_a_line_does_not_say_is_unknown(line: bytes) -> None:
    found = parse(LISTING.replace(b"Slab:             300000 kB", line))
    assert found is not None
    assert found.slab is None
    assert found.reclaimable == 200000 * 1024


@pytest.mark.parametrize("listing", [b"", b"\0\xff", b"MemCold: 1 kB\n"])
def test_a_file_that_says_nothing_of_it_is_no_memory(listing: bytes) -> None:
    assert parse(listing, [b"1 2 3"], ZONES) is None


def test_the_pages_of_cpus_and_the_memory_of_zram_devices_are_added_up() -> None:
    found = parse(LISTING, [b"  4096  74  12288 0 12288 1 0 0 0\n", b"", b"1 2", b"9 9 4096 9"], ZONES)
    assert found is not None
    assert (found.cpu_free, found.zram) == (1300 * PAGE, 16384)


def test_a_file_that_is_missing_is_no_memory(tmp_path: Path) -> None:
    assert MemoryFiles(tmp_path / "meminfo").read() is None
    assert MemoryFiles(tmp_path).read() is None


def test_without_the_other_files_their_memory_is_unknown(tmp_path: Path) -> None:
    meminfo, block = tmp_path / "meminfo", tmp_path / "block"
    meminfo.write_bytes(LISTING)
    stat = block / "zram0" / "mm_stat"
    stat.parent.mkdir(parents=True)
    stat.write_bytes(b"0 0 8192 0")
    files = MemoryFiles(meminfo, block, tmp_path / "zoneinfo")
    found = files.read(cpu_free=True)
    assert found is not None
    assert (found.zram, found.cpu_free) == (8192, None)
    files.close()
    assert files.read() is None


def test_of_this_machine_every_field_is_known_and_the_parts_are_the_total() -> None:
    files = MemoryFiles()
    found = files.read(cpu_free=True)
    files.close()
    assert found is not None
    assert {field.name for field in fields(found) if getattr(found, field.name) is None} <= LATER - {"cpu_free"}
    assert found.slab == (found.reclaimable or 0) + (found.unreclaimable or 0)
    parts = divide(found)
    assert sum(parts.values()) == found.total
    assert abs(parts[Part.UNEXPLAINED]) < (found.total or 0) / 10
