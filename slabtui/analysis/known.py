"""Facts about some caches, by their names: reclaimable, dependent on others, or emptied by a timer. Pure."""

from collections.abc import Iterable

# Caches that the kernel creates with SLAB_RECLAIM_ACCOUNT, for recordings that lack the flag: those of which
# /sys/kernel/slab/*/reclaim_account says so on Linux 6.18, and the same of other file systems. Caches of inodes that
# are in memory alone (shmem, hugetlbfs, mqueue) do not have it. kmalloc-rcl-* serve __GFP_RECLAIMABLE
# (mm/slab_common.c).
_RECLAIMABLE = frozenset(
    {
        "bdev_cache",
        "btrfs_inode",
        "buffer_head",
        "debugfs_inode_cache",
        "dentry",
        "dquot",
        "erofs_inode",
        "ext4_groupinfo_1k",
        "ext4_groupinfo_4k",
        "ext4_inode_cache",
        "extent_status",
        "fat_inode_cache",
        "fuse_inode",
        "inode_cache",
        "isofs_inode_cache",
        "jbd2_journal_head",
        "jbd2_revoke_record_s",
        "mb_cache_entry",
        "nfs_inode_cache",
        "ovl_inode",
        "proc_inode_cache",
        "radix_tree_node",
        "sock_inode_cache",
        "squashfs_inode_cache",
        "tracefs_inode_cache",
        "xfs_buf",
        "xfs_ili",
        "xfs_inode",
    }
)
_RECLAIMABLE_KMALLOC = "kmalloc-rcl-"

# Each object of these refers to a dentry or an inode, which cannot be reclaimed meanwhile: struct file (f_path in
# include/linux/fs.h), struct mount (mnt_root in fs/mount.h), the marks of inotify (fs/notify/mark.c).
_PINNING = frozenset({"filp", "mnt_cache", "inotify_inode_mark"})

# One object for each inode, of whatever file system: lsm_inode_alloc() in security/security.c, and the same of SELinux
# before Linux 5.1.
_PER_INODE = frozenset({"lsm_inode_cache", "selinux_inode_security"})

# A socket in TIME_WAIT keeps the buckets of its local port: one, and since Linux 6.1 another one for its address
# (inet_twsk_hashdance() and inet_bind2_bucket_create() in net/ipv4). So they grow with these sockets. The kernel often
# merges them with other caches of 128 bytes, such as eventpoll_epi.
_TIME_WAIT = frozenset({"tw_sock_TCP", "tw_sock_TCPv6"})
_BUCKETS = frozenset({"tcp_bind_bucket", "tcp_bind2_bucket"})

# Objects that a timer of the kernel frees: a steady load makes the cache grow for that time, and then it stays level.
_TIMED = {
    # TCP_TIMEWAIT_LEN in include/net/tcp.h
    "tw_sock_TCP": (60.0, "sockets in TIME_WAIT, which end after 60 s"),
    "tw_sock_TCPv6": (60.0, "sockets in TIME_WAIT, which end after 60 s"),
    # net.ipv4.tcp_synack_retries in Documentation/networking/ip-sysctl.rst: the last one times out after 63 s
    "request_sock_TCP": (63.0, "connections that wait for the last step of their handshake, for up to 63 s"),
    "request_sock_TCPv6": (63.0, "connections that wait for the last step of their handshake, for up to 63 s"),
    # nf_conntrack_tcp_timeout_time_wait and others in Documentation/networking/nf_conntrack-sysctl.rst
    "nf_conntrack": (120.0, "tracked connections, which are kept for 120 s after their end"),
}


def is_reclaimable(name: str) -> bool | None:
    """Return whether a cache of this name is reclaimable, where a recording does not say so; None: unknown."""
    return True if name in _RECLAIMABLE or name.startswith(_RECLAIMABLE_KMALLOC) else None


def pins(names: Iterable[str]) -> bool:
    """Return whether the objects of a cache with these names keep dentries and inodes from being reclaimed."""
    return not _PINNING.isdisjoint(names)


def is_per_inode(names: Iterable[str]) -> bool:
    """Return whether a cache with these names has one object for each inode."""
    return not _PER_INODE.isdisjoint(names)


def is_of_inodes(name: str) -> bool:
    """Return whether the objects of a cache of this name are inodes."""
    return "inode" in name and name not in _PER_INODE


def is_time_wait(names: Iterable[str]) -> bool:
    """Return whether the objects of a cache with these names are sockets in TIME_WAIT."""
    return not _TIME_WAIT.isdisjoint(names)


def buckets_per_time_wait(names: Iterable[str]) -> int:
    """Return how many objects of a cache with these names a socket in TIME_WAIT keeps at most."""
    return len(_BUCKETS.intersection(names))


def lifetime(names: Iterable[str]) -> float:
    """Return the seconds after which a timer frees what has accumulated in a cache with these names; 0: none does."""
    return max((_TIMED[name][0] for name in names if name in _TIMED), default=0.0)


def meaning(names: Iterable[str]) -> str:
    """Return what the objects of a cache with these names are, where that explains why it grows; empty: unknown."""
    return next((_TIMED[name][1] for name in names if name in _TIMED), "")
