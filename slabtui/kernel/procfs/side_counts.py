"""What the kernel counts beside the objects of some caches: negative dentries, open files, sockets, threads."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")

_HERE = "in this network namespace"


@dataclass(frozen=True, slots=True)
class _Rule:
    """Which caches have counts, and where these are.

    Attributes:
        caches: matches their names.
        file: below /proc; None: cgroup.stat of the root of the unified hierarchy.
        counts: the name of each count, and what matches it in the file.
    """

    caches: str
    file: str | None
    counts: tuple[tuple[str, str], ...]


_RULES = (
    # Documentation/admin-guide/sysctl/fs.rst. Negative dentries are counted since Linux 5.0 (commit af0c9af1b3f6), and
    # only unused ones.
    _Rule(
        "dentry",
        "sys/fs/dentry-state",
        (
            ("dentries", r"^(\d+)"),
            ("unused", r"^\d+\s+(\d+)"),
            ("negative", r"^(?:\d+\s+){4}(\d+)"),
        ),
    ),
    _Rule("filp", "sys/fs/file-nr", (("open files", r"^(\d+)"),)),
    _Rule(
        r"(\w+_)?inode(_cache)?", "sys/fs/inode-nr", (("inodes of all kinds", r"^(\d+)"), ("unused", r"^\d+\s+(\d+)"))
    ),
    # Each keeps a mem_cgroup, a struct cgroup and more in these sizes of kmalloc: docs/counting.md.
    _Rule(
        r"mem_cgroup|kmalloc-(cg-|rnd-\d+-)?[124]k",
        None,
        (("dying control groups", r"^nr_dying_descendants (\d+)"),),
    ),
    # net/ipv4/proc.c and net/ipv6/proc.c, sockstat_seq_show() and sockstat6_seq_show()
    _Rule("sock_inode_cache", "net/sockstat", ((f"sockets {_HERE}", r"^sockets: used (\d+)"),)),
    _Rule(
        "TCP(v6)?",
        "net/sockstat",
        (("TCP sockets", r"^TCP:.* alloc (\d+)"), ("that no process has", r"^TCP:.* orphan (\d+)")),
    ),
    _Rule(r"tw_sock_TCP(v6)?", "net/sockstat", ((f"sockets in TIME_WAIT {_HERE}", r"^TCP:.* tw (\d+)"),)),
    _Rule("UDP", "net/sockstat", ((f"UDP sockets {_HERE}", r"^UDP: inuse (\d+)"),)),
    _Rule("UDPv6", "net/sockstat6", ((f"UDP sockets {_HERE}", r"^UDP6: inuse (\d+)"),)),
    _Rule("nf_conntrack", "sys/net/netfilter/nf_conntrack_count", ((f"tracked connections {_HERE}", r"^(\d+)"),)),
    _Rule("nf_conntrack", "sys/net/netfilter/nf_conntrack_max", (("the most allowed (nf_conntrack_max)", r"^(\d+)"),)),
    _Rule("task_struct|pid", "loadavg", (("threads", r"^\S+ \S+ \S+ \d+/(\d+)"),)),  # proc_loadavg(5)
)


def read(names: Sequence[str], proc: Path = PROC, hierarchy: Path | None = None) -> dict[str, int]:
    """Return the counts beside a cache, by what they count; one that cannot be read is left out.

    Args:
        names: of the cache and its aliases.
        proc: where procfs is mounted.
        hierarchy: the root of the unified hierarchy of control groups; None: there is none.
    """
    return dict(_find(names, proc, hierarchy))


def _find(names: Sequence[str], proc: Path, hierarchy: Path | None) -> Iterable[tuple[str, int]]:
    for rule in _RULES:
        if any(re.fullmatch(rule.caches, name) for name in names):
            path = proc / rule.file if rule.file else hierarchy and hierarchy / "cgroup.stat"
            text = _content(path) if path else ""
            for name, pattern in rule.counts:
                if found := re.search(pattern, text, re.MULTILINE | re.ASCII):
                    yield name, int(found[1])


def _content(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
