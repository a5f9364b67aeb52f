"""A control group that limits the number of tasks (threads and processes): no other such limit applies to root."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PIDS = Path("/sys/fs/cgroup/pids")  # of its own where the hierarchy is version 1


@contextmanager
def limited(most: int | None = None) -> Iterator[Path]:
    """Yield the directory of a new group in which at most this many tasks can be created; None: any number."""
    group = (_PIDS if _PIDS.is_dir() else _PIDS.parent) / f"slabtui-pids-{os.getpid()}"
    group.mkdir()
    try:
        limit(group, most)
        yield group
    finally:
        group.rmdir()


def limit(group: Path, most: int | None) -> None:
    """Limit the number of tasks of a group, including those that it has."""
    (group / "pids.max").write_text("max" if most is None else str(most))


def inside(group: Path) -> list[str]:
    """Return the command that runs another one in the group."""
    return ["bash", "-ec", f'echo 0 >{group / "cgroup.procs"}\nexec "$@"', "bash"]
