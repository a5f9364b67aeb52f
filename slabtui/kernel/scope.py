"""Which processes are counted: the options of the BPF programs that leave the others out."""

import os
import select
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from slabtui.errors import SlabtuiError, Status
from slabtui.kernel.bpf.module import Module
from slabtui.kernel.procfs.cgroups import Group
from slabtui.kernel.procfs.memorystat import MemoryStat
from slabtui.kernel.procfs.processes import read_name
from slabtui.model.memory import CgroupMemory

_PID_NS = Path("/proc/self/ns/pid")
_FIRST_PID_NS = 0xEFFFFFFC  # PROC_PID_INIT_INO, include/linux/proc_ns.h
_MOST_NAMED = 8  # PIDs that the words of a scope list: a line of the screen has room for them


class Scope:
    """All processes, or only some of them and those of one control group and the groups below it.

    A PID may be reused once its process has ended; a pidfd never is.

    Args:
        pids: the processes, all their threads; none: any.
        cgroup: its directory, or its path as in /proc/PID/cgroup; None: any.

    Attributes:
        group: the control group; None: any.
        words: which processes are counted, harmless to print: `pid 8445 python3`, `pids 1, 2`, `cgroup /a/b`; empty:
            all. The name is the one that the process has now.

    Raises:
        SlabtuiError: there is no such process or control group.
    """

    def __init__(self, pids: Sequence[int] = (), cgroup: Path | None = None) -> None:
        self._processes: dict[int, int] = {}
        self.group: Group | None = None
        self._memory: MemoryStat | None = None
        try:
            for pid in dict.fromkeys(pids):
                self._processes[pid] = _open_process(pid)
            if cgroup is not None:
                self.group = Group(cgroup)
                self._memory = MemoryStat(self.group)
        except BaseException:
            self.close()
            raise
        self.words = ", ".join(filter(None, (_name_processes(list(self._processes)), _name_group(self.group))))

    @property
    def everything(self) -> bool:
        """Whether no process is left out."""
        return not self._processes and self.group is None

    @property
    def cgroup(self) -> int | None:
        """The descriptor of the control group; None: any."""
        return self.group.descriptor if self.group else None

    @property
    def notes(self) -> tuple[str, ...]:
        """Which processes have ended, what became of the control group, and why its memory is not known, in words."""
        ended = _readable(self._processes.values())
        processes = (f"process {pid} has ended" for pid, descriptor in self._processes.items() if descriptor in ended)
        trouble = self._memory.trouble if self._memory else ""
        return (*processes, *(self.group.notes if self.group else ()), *filter(None, (trouble,)))

    def read_memory(self) -> CgroupMemory | None:
        """Return the kernel memory of the control group; None: there is no group, or the kernel does not say."""
        return self._memory.read() if self._memory else None

    @property
    def nested(self) -> bool:
        """Whether this process is in a PID namespace other than the first, where not every process has a PID."""
        return _PID_NS.stat().st_ino != _FIRST_PID_NS

    def macros(self) -> list[str]:
        """Return the options for the compiler."""
        macros = ["-DCGROUP"] if self.group else []
        if self._processes:
            macros.append(f"-DPID_IS(pid)=({'||'.join(f'(pid)=={pid}' for pid in self._processes)})")
        if self.nested:
            namespace = _PID_NS.stat()
            macros += [f"-DPID_NS_DEV={namespace.st_dev}", f"-DPID_NS_INO={namespace.st_ino}"]
        return macros

    def follow(self, modules: Iterable[Module]) -> None:
        """Count another control group if it has taken the place of the one that was counted.

        Args:
            modules: all that are loaded.
        """
        if self.group and self.group.follow():
            exists = [self.confine(module) for module in modules]
            if not all(exists):
                self.group.refuse()

    def confine(self, module: Module) -> bool:
        """Let a module count the control group as it is now; return whether it exists."""
        with suppress(SlabtuiError):
            if self.group:
                module.confine(self.group.descriptor)
            return True
        return False

    def close(self) -> None:
        """Close the descriptors of the processes and of the control group."""
        for descriptor in self._processes.values():
            os.close(descriptor)
        self._processes.clear()
        if self.group:
            self.group.close()
            self.group = None


def _name_processes(pids: Sequence[int]) -> str:
    if len(pids) == 1:
        return f"pid {pids[0]} {read_name(pids[0])}".rstrip()
    more = f" and {len(pids) - _MOST_NAMED} more" if len(pids) > _MOST_NAMED else ""
    return f"pids {', '.join(map(str, pids[:_MOST_NAMED]))}{more}" if pids else ""


def _name_group(group: Group | None) -> str:
    return f"cgroup {group.path}" if group else ""


def _readable(descriptors: Iterable[int]) -> set[int]:
    """Return those that can be read; by poll(2), since select(2) takes no descriptor from 1024 on."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll(0)}


def _open_process(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except OSError as error:
        raise SlabtuiError(f"no process {pid}", "see ps -e", Status.USAGE) from error
