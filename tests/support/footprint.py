"""The resources of a process: memory, file descriptors, BPF programs and maps."""

import os
from pathlib import Path

from tests.support.bpf import held_by


def left_by(pid: int) -> tuple[int, int, int]:
    """Return how many programs, maps and descriptors a process holds."""
    programs, maps = held_by(pid)
    return len(programs), len(maps), len(os.listdir(f"/proc/{pid}/fd"))


def resident(pid: int) -> int:
    """Return the resident memory of a process, in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))
