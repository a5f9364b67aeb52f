"""The command lines of processes, each read once while its process lives, and whether they have ended."""

import codecs
import os
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from slabtui.text import escaped, printable

PROC = Path("/proc")
LONGEST = 200  # bytes of a command line that are kept
READS = 256  # command lines that are read at a time: each takes some 50 us
CHECKS = 64  # processes at a time of which the start is compared: some 30 us each

_START = 19  # place of the start time after the name, proc_pid_stat(5): field 22; the state is at 0
_ENDED = (b"Z", b"X")  # states of a process that has ended, and for which its parent has not waited
_MOST_STAT = 1024  # bytes


@dataclass(slots=True)
class _Process:
    """A process that was seen.

    Attributes:
        command: its command line.
        start: its start time as the kernel writes it; empty: not known.
        allocs: what it had allocated when it was seen last.
        ended: whether it has ended.
    """

    command: str = ""
    start: bytes = b""
    allocs: int = 0
    ended: bool = False


class Processes:
    """The processes of one inspection.

    A PID may be used again once its process has ended. So the start time of a process is compared from time to time;
    and if allocations are counted for the PID of a process that has ended, they are those of another one.

    Args:
        proc: where procfs is mounted; of another PID namespace than this process, it is not used.
    """

    def __init__(self, proc: Path = PROC) -> None:
        self._proc = proc if is_own(proc) else None
        self._known: dict[int, _Process] = {}
        self._turns: deque[int] = deque()  # of those whose start is known: whose turn it is to be checked

    def learn(self, allocs: Mapping[int, int]) -> None:
        """Find out which processes have ended, and read the command lines of new ones.

        Of many new ones those with the most allocations come first; the others follow in later calls.

        Args:
            allocs: what each process has allocated, by its PID, which is more than 0.
        """
        replaced = set(self._check(allocs))
        new = []
        for pid, amount in allocs.items():
            known = self._known.get(pid)
            if known is None or (amount != known.allocs and (known.ended or pid in replaced)):
                new.append(pid)
                continue
            if not known.ended:
                known.ended = pid in replaced or not exists(pid)
            known.allocs = amount
        new.sort(key=lambda pid: -allocs[pid])
        reads = READS
        for pid in new:
            if not exists(pid):
                known = self._known.setdefault(pid, _Process())
                known.ended, known.allocs = True, allocs[pid]
            elif reads:
                reads -= 1
                self._known[pid] = self._read(pid, allocs[pid])

    def find(self, pid: int) -> tuple[str, bool | None]:
        """Return the command line of a process, harmless to print, and whether it has ended; None: not known (yet)."""
        known = self._known.get(pid)
        return (known.command, known.ended) if known else ("", None)

    def _check(self, allocs: Mapping[int, int]) -> Iterator[int]:
        """Note which processes have ended but still have their PID; yield the PIDs that other processes have now."""
        for _ in range(min(CHECKS, len(self._turns))):
            pid = self._turns.popleft()
            known = self._known[pid]
            if known.ended or pid not in allocs:
                continue
            start = read_start(self._proc, pid)
            if start == known.start:
                self._turns.append(pid)
            elif start:
                yield pid
            else:
                known.ended, known.allocs = True, allocs[pid]

    def _read(self, pid: int, allocs: int) -> _Process:
        start = read_start(self._proc, pid)
        if start:
            self._turns.append(pid)
        return _Process(read_command(self._proc, pid), start, allocs)


def is_own(proc: Path = PROC) -> bool:
    """Return whether a procfs numbers processes as this process does, in its PID namespace."""
    try:
        return os.readlink(proc / "self") == str(os.getpid())
    except OSError:
        return False


def exists(pid: int) -> bool:
    """Return whether there is a process or thread of this number: by kill(2), which takes no memory from a slab."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def read_name(pid: int, proc: Path = PROC) -> str:
    """Return the name of a process, harmless to print; empty where it cannot be read."""
    return printable(_read(proc, pid, "comm", 64).removesuffix(b"\n")) if is_own(proc) else ""


def read_command(proc: Path | None, pid: int) -> str:
    """Return the command line of a process, harmless to print; empty where it has none, as kernel threads."""
    raw = _read(proc, pid, "cmdline", LONGEST + 1).replace(b"\0", b" ")
    if len(raw) <= LONGEST:
        return escaped(raw.rstrip(b" "))
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    whole = decoder.decode(raw[:LONGEST])  # without a character that begins at the end
    return escaped(whole.encode("utf-8", "surrogateescape")) + "..."


def read_start(proc: Path | None, pid: int) -> bytes:
    """Return the start time of a process as the kernel writes it; empty: unknown, or the process has ended."""
    fields = _read(proc, pid, "stat", _MOST_STAT).rpartition(b")")[2].split()  # its name may have spaces and brackets
    if len(fields) <= _START or fields[0] in _ENDED:
        return b""
    return fields[_START]


def _read(proc: Path | None, pid: int, name: str, most: int) -> bytes:
    if proc is None:
        return b""
    try:
        descriptor = os.open(f"{proc}/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(descriptor, most)
        finally:
            os.close(descriptor)
    except OSError:
        return b""
