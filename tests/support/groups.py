"""Control groups of the running kernel, in the unified hierarchy."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cgroup_root() -> Path:
    """Return where the unified hierarchy is mounted."""
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return Path(next(fields[1] for fields in map(str.split, mounts) if fields[2] == "cgroup2"))


@contextmanager
def own_group(name: str = "") -> Iterator[Path]:
    """Yield the directory of a new control group, which a test may remove."""
    group = cgroup_root() / (name or f"slabtui-test-{os.getpid()}")
    group.mkdir()
    try:
        yield group
    finally:
        if group.exists():
            group.rmdir()


def enter(group: Path, pid: int) -> None:
    """Move a process into a control group."""
    (group / "cgroup.procs").write_text(str(pid))
