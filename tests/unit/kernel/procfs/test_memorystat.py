"""The slab memory of a control group: what memory.stat says, and why there is none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from slabtui.kernel.procfs import cgroups, memorystat
from slabtui.kernel.procfs.cgroups import Group
from slabtui.kernel.procfs.memorystat import MemoryStat, parse
from slabtui.model.memory import CgroupMemory

LISTING = b"""anon 0
kernel 5042176
kernel_stack 245760
percpu 1440
slab_reclaimable 1802240
slab_unreclaimable 1028096
slab 2830336
workingset_refault_anon 0
"""
VERSION_1 = b"cache 9883648\nrss 13238272\ntotal_cache 947097600\n"
HOSTILE = "e\x1b[2J v'il"


@pytest.mark.parametrize(
    ("listing", "found"),
    [
        (LISTING, CgroupMemory(2830336, 1802240, 1028096, 5042176)),
        (LISTING.replace(b"kernel 5042176\n", b""), CgroupMemory(2830336, 1802240, 1028096)),
        (VERSION_1, None),
        (b"", None),
        (b"slab -5\nslab x\nslab 5 6\n", None),
    ],
)
def test_the_slab_figures_of_a_listing_are_found(listing: bytes, found: CgroupMemory | None) -> None:
    assert parse(listing) == found


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the root of an artificial hierarchy, with a group a/b; real ones are in tests/live/test_groups.py."""
    below = tmp_path / "a" / HOSTILE
    below.mkdir(parents=True)
    for directory in (tmp_path, tmp_path / "a", below):
        (directory / "cgroup.controllers").write_text("memory pids\n")
        (directory / "cgroup.subtree_control").write_text("\n")
    for module in (cgroups, memorystat):
        monkeypatch.setattr(module, "hierarchy", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def stat(root: Path) -> Iterator[MemoryStat]:
    group = Group(Path("/a", HOSTILE))
    yield MemoryStat(group)
    group.close()


def test_the_memory_is_read_each_time(root: Path, stat: MemoryStat) -> None:
    for size in (5, 7):
        (root / "a" / HOSTILE / "memory.stat").write_text(f"slab {size}\n")
        assert stat.read() == CgroupMemory(size)
        assert stat.trouble == ""


def test_the_topmost_group_that_does_not_pass_the_controller_on_is_named(root: Path, stat: MemoryStat) -> None:
    assert stat.read() is None
    assert stat.trouble == f"no slab figures of the cgroup: echo +memory >{root}/cgroup.subtree_control"
    (root / "cgroup.subtree_control").write_text("pids memory\n")
    assert stat.read() is None
    assert stat.trouble == f"no slab figures of the cgroup: echo +memory >{root}/a/cgroup.subtree_control"


def test_a_hostile_path_is_harmless_in_the_command(root: Path) -> None:
    below = root / "a" / HOSTILE / "c"
    below.mkdir()
    (below / "cgroup.controllers").touch()
    for directory in (root, root / "a"):
        (directory / "cgroup.subtree_control").write_text("memory\n")
    group = Group(below)
    try:
        stat = MemoryStat(group)
        assert stat.read() is None
        assert "\x1b" not in stat.trouble
        assert stat.trouble.endswith("""v'"'"'il/cgroup.subtree_control'""")
    finally:
        group.close()


def test_where_version_1_has_the_controller_there_is_one_line(root: Path, stat: MemoryStat) -> None:
    (root / "cgroup.controllers").write_text("hugetlb\n")
    assert stat.read() is None
    assert stat.trouble == "no slab figures of the cgroup: its memory controller is in cgroup v1, or off"


def test_of_a_group_that_is_gone_only_its_own_notes_speak(root: Path, stat: MemoryStat) -> None:
    group = root / "a" / HOSTILE
    for file in group.iterdir():
        file.unlink()
    group.rmdir()
    assert (stat.read(), stat.trouble) == (None, "")
