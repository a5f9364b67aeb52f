"""Which code allocated what is in use: lists of real kernels with slab_debug=U; /proc/allocinfo by its documents."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slabtui.kernel.procfs.kernel_sites import match, parse_allocinfo, parse_traces, read_allocinfo, read_traces
from slabtui.model.beside import KernelSite
from tests import ROOT

SAMPLES = ROOT / "tests" / "fixtures" / "slab_debug"
ENTRY = ("do_syscall_64", "entry_SYSCALL_64_after_hwframe")
OF_7_3 = ("alloc_empty_file", "alloc_file_pseudo", "__anon_inode_getfile", "anon_inode_getfile_fmode", "do_eventfd")
OF_6_1 = ("__alloc_file", "alloc_empty_file", "alloc_file", "alloc_file_pseudo", "__anon_inode_getfile", "do_eventfd")

# In the words of Documentation/filesystems/proc.rst and of the commits a38568a0b46d and the one of version 2.0.
ALLOCINFO = rb"""allocinfo - version: 2.0
#     <size>  <calls> <tag info>
           0        0 init/main.c:1314 func:do_initcalls 
     3145728    12288 fs/file_table.c:227 func:alloc_empty_file 
     2560        10 fs/file_table.c:999 func:alloc_empty_file accurate:no 
         100        1 fs/file_table.c:300 func:alloc_empty_file 
       65536      256 drivers/net/foo.c:12 [foo] func:alloc_empty_file 
        -256        1 mm/x.c:1 func:f
       49152       48 arch/x86/kernel/cpu/mce/core.c:2709 func:mce_device_create accurate:no 
         256        1 "\x1b[2J":3 func:\evil
"""  # noqa: W291 as the kernel writes it
FILP = KernelSite("/proc/allocinfo", 12288, 3145728, ("alloc_empty_file",), "fs/file_table.c:227")
FEW = KernelSite("/proc/allocinfo", 10, 2560, ("alloc_empty_file",), "fs/file_table.c:999")
MODULE = KernelSite("/proc/allocinfo", 256, 65536, ("alloc_empty_file [foo]",), "drivers/net/foo.c:12")


@pytest.mark.parametrize(("release", "stack", "pid"), [("7.3", OF_7_3, "150"), ("6.1", OF_6_1, "143")])
def test_a_list_of_a_real_kernel_names_who_keeps_500_eventfds(release: str, stack: tuple[str, ...], pid: str) -> None:
    found = list(parse_traces((SAMPLES / f"filp-{release}.alloc_traces").read_bytes(), 256))
    system_call = "__x64_sys_eventfd2"
    assert found[0] == KernelSite("slab_debug", 500, 500 * 256, (*stack, system_call, *ENTRY), pids=pid)
    assert all(site.frames[0] == stack[0] and len(site.frames) > 5 for site in found)
    assert sum(site.objects for site in found) > 500


def test_a_list_of_an_older_kernel_has_no_stacks() -> None:
    found = list(parse_traces((SAMPLES / "filp-5.10.alloc_calls").read_bytes(), 256))
    assert found == [KernelSite("slab_debug", 36, 36 * 256, ("__alloc_file",), pids="1-114")]


def test_modules_and_unusual_lines_are_read_and_hostile_ones_escaped() -> None:
    listing = b"""      2 ovl_open+0x8c/0xd0 [overlay] waste=64/8 age=1 pid=7 cpus=0
        kmalloc_trace+0x26/0x90
        ovl_open+0x8c/0xd0 [overlay]

      1 <not-available> age=3
      9
    nonsense
      3 \x1b[2J+0x1/0x2 pid=\x07
"""
    assert list(parse_traces(listing, 8)) == [
        KernelSite("slab_debug", 2, 16, ("kmalloc_trace", "ovl_open [overlay]"), pids="7"),
        KernelSite("slab_debug", 1, 8, ("9", "nonsense")),
        KernelSite("slab_debug", 3, 24, (r"\x1b[2J",), pids=r"\x07"),
    ]


def test_the_list_is_read_only_of_a_cache_that_keeps_it(tmp_path: Path) -> None:
    listing = b"".join(b"%d f%d+0x1/0x2 pid=1\n" % (number, number) for number in range(1, 100))
    for name, flag in (("kept", "1"), ("bare", "0")):
        (tmp_path / "sys" / name).mkdir(parents=True)
        (tmp_path / "debug" / name).mkdir(parents=True)
        (tmp_path / "sys" / name / "store_user").write_text(f"{flag}\n")
        (tmp_path / "debug" / name / "alloc_traces").write_bytes(listing)
    places = tmp_path / "sys", tmp_path / "debug"
    assert [site.objects for site in read_traces("kept", 8, *places)] == [99, 98, 97, 96, 95, 94, 93, 92]
    assert read_traces("bare", 8, *places) == ()
    assert read_traces("none", 8, *places) == ()
    (tmp_path / "debug" / "kept" / "alloc_traces").unlink()
    assert read_traces("kept", 8, *places) == ()
    (tmp_path / "sys" / "kept" / "alloc_calls").write_bytes(b"7 f+0x1/0x2\n")
    assert read_traces("kept", 8, *places) == (KernelSite("slab_debug", 7, 56, ("f",)),)


def test_allocinfo_has_the_code_that_has_something_in_use(tmp_path: Path) -> None:
    found = list(parse_allocinfo(ALLOCINFO))
    assert found[0] == FILP
    assert [site.frames for site in found[-2:]] == [("mce_device_create",), (r"\\evil",)]
    assert len(found) == 6
    (tmp_path / "allocinfo").write_bytes(ALLOCINFO)
    assert read_allocinfo(tmp_path / "allocinfo") == tuple(found)
    assert read_allocinfo(tmp_path / "none") == ()


def test_code_of_a_cache_has_its_call_site_and_its_size() -> None:
    sites = tuple(parse_allocinfo(ALLOCINFO))
    assert match(sites, {"alloc_empty_file+0x48"}, 256) == (FILP, FEW)
    assert match(sites, {"alloc_empty_file.isra.0+0x48", "other+0x1"}, 256) == (FILP, FEW)
    assert match(sites, {"alloc_empty_file+0x48 [foo]"}, 256) == (MODULE,)
    assert match(sites, {"alloc_empty_file+0x48"}, 192) == ()
    assert match(sites, {"f+0x1", "0xffffffff81000000"}, 256) == ()


@given(st.binary(max_size=200) | st.lists(st.sampled_from(ALLOCINFO.split()), max_size=20).map(b" ".join))
def test_no_list_breaks_the_parsers_and_all_that_they_find_is_harmless(listing: bytes) -> None:
    for site in (*parse_traces(listing, 8), *parse_allocinfo(listing)):
        assert all(text.isprintable() for text in (site.place, site.pids, *site.frames))
        assert site.objects >= 0
