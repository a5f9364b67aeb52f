"""What the kernel counts beside the objects of some caches, from its files and from none."""

import os
import socket
from pathlib import Path

import pytest

from slabtui.kernel.procfs import cgroups
from slabtui.kernel.procfs.side_counts import read

FILES = {
    "sys/fs/dentry-state": "1131456\t1129561\t45\t0\t238504\t0\n",
    "sys/fs/file-nr": "559\t0\t2466170\n",
    "sys/fs/inode-nr": "837176\t12\n",
    "sys/net/netfilter/nf_conntrack_count": "77\n",
    "sys/net/netfilter/nf_conntrack_max": "262144\n",
    "loadavg": "0.09 0.33 0.97 1/97 23396\n",
    "net/sockstat": "sockets: used 16\nTCP: inuse 1 orphan 2 tw 3 alloc 4 mem 178\nUDP: inuse 5 mem 0\n",
    "net/sockstat6": "TCP6: inuse 6\nUDP6: inuse 7\n",
}
HERE = "in this network namespace"
FOUND = {
    "dentry": {"dentries": 1131456, "unused": 1129561, "negative": 238504},
    "filp": {"open files": 559},
    "ext4_inode_cache": {"inodes of all kinds": 837176, "unused": 12},
    "btrfs_inode": {"inodes of all kinds": 837176, "unused": 12},
    "sock_inode_cache": {"inodes of all kinds": 837176, "unused": 12, f"sockets {HERE}": 16},
    "nf_conntrack": {f"tracked connections {HERE}": 77, "the most allowed (nf_conntrack_max)": 262144},
    "task_struct": {"threads": 97},
    "TCPv6": {"TCP sockets": 4, "that no process has": 2},
    "tw_sock_TCP": {f"sockets in TIME_WAIT {HERE}": 3},
    "UDP": {f"UDP sockets {HERE}": 5},
    "UDPv6": {f"UDP sockets {HERE}": 7},
    "mem_cgroup": {"dying control groups": 21},
    "kmalloc-cg-2k": {"dying control groups": 21},
    "kmalloc-rnd-07-1k": {"dying control groups": 21},
    "kmalloc-cg-64": {},
    "kmalloc-8k": {},
    "inotify_inode_mark": {},
    "dentry_of_others": {},
    "\x1b[2J": {},
}


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (tmp_path / "cgroup.stat").write_text("nr_descendants 12\nnr_dying_descendants 21\nnr_dying_subsys_memory 9\n")
    return tmp_path


@pytest.mark.parametrize("cache", FOUND)
def test_each_cache_has_what_is_counted_beside_it(cache: str, proc: Path) -> None:
    assert read([cache], proc, proc) == FOUND[cache]


def test_an_alias_counts_as_the_cache(proc: Path) -> None:
    assert read(["kmalloc-64", "filp"], proc, proc) == FOUND["filp"]


def test_what_is_missing_or_says_nothing_has_no_count(tmp_path: Path, proc: Path) -> None:
    for cache in FOUND:
        assert read([cache], tmp_path / "nowhere", None) == {}
    for name in (*FILES, "cgroup.stat"):
        (proc / name).write_bytes(b"\xff\x00 -3\n TCP: tw -1\n")
    for cache in FOUND:
        assert read([cache], proc, proc) == {}


def test_open_files_and_sockets_of_this_machine_are_counted() -> None:
    before = read(["filp", "sock_inode_cache"])
    kept = [socket.socket() for _ in range(300)]
    after = read(["filp", "sock_inode_cache"])
    for each in kept:
        each.close()
    assert after["open files"] - before["open files"] > 200  # others close some, and a CPU counts some for itself
    assert after[f"sockets {HERE}"] - before[f"sockets {HERE}"] > 250


def test_the_control_groups_of_this_machine_are_counted() -> None:
    root = cgroups.hierarchy()
    assert root is not None
    assert os.access(root / "cgroup.stat", os.R_OK)
    assert read(["mem_cgroup"], hierarchy=root)["dying control groups"] >= 0
