"""Names what the programs of an inspection have counted: call sites, stacks and processes become rows of the model."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from slabtui.kernel.procfs.cgroups import Groups
from slabtui.kernel.procfs.processes import Processes
from slabtui.kernel.procfs.symbols import Symbols
from slabtui.model.inspection import Context, InspectionTotals
from slabtui.text import printable

_CONTEXTS = (Context.PROCESS, Context.KERNEL_THREAD, Context.INTERRUPT)  # as numbered in inspect.bpf.c
_CONTEXT_SHIFT, _STACK_SHIFT = 32, 34  # likewise, in the identity of a row
_ANYWHERE = 3  # likewise: the context of a row of no known process
_PID = (1 << _CONTEXT_SHIFT) - 1
_UNNUMBERED = {  # all that have no PID here; the first is longer than the kernel lets the name of a process be
    Context.PROCESS: "other namespaces",
    Context.KERNEL_THREAD: "kernel threads",
}


@dataclass(slots=True)
class Counted:
    """A row as the programs count it: the lower bits of its key, and the members of struct row in inspect.bpf.c.

    Attributes:
        identity: these bits.
        row: what the model has of it, as named last; None: not named yet.
    """

    identity: int
    allocs: int
    size: int
    variance: int
    epoch: int
    call_site: int
    cgroup: int
    comm: bytes
    row: InspectionTotals | None = None

    @property
    def stack(self) -> int:
        """The number of a stack."""
        return self.identity >> _STACK_SHIFT

    @property
    def pid(self) -> int:
        """The number of a process; 0: it has none."""
        return self.identity & _PID

    @property
    def context(self) -> Context | None:
        """The context of a process; None: the row is not of a known one."""
        number = self.identity >> _CONTEXT_SHIFT & _ANYWHERE
        return None if number == _ANYWHERE else _CONTEXTS[number]


class Naming:
    """Makes the rows of one inspection after the other.

    Args:
        symbols: the kernel's functions.
        cgroups: where the unified hierarchy is mounted, None: nowhere.
        nested: whether there are processes without a PID in slabtui's PID namespace; they share one row.
        take: returns the addresses of a stack by its number, the innermost first; OSError where that cannot be read.
    """

    def __init__(
        self, symbols: Symbols, cgroups: Path | None, nested: bool, take: Callable[[int], Iterable[int]]
    ) -> None:
        self._symbols = symbols
        self._groups = Groups(cgroups)
        self._nested = nested
        self._take = take
        self._processes = Processes()
        self._stacks: dict[int, tuple[str, ...]] = {}
        self._size = 0

    def begin(self, size: int) -> None:
        """Forget the stacks and processes of the last inspection.

        Args:
            size: bytes of an object of the inspected cache; 0: they differ, and are counted.
        """
        self._size = size
        self._stacks.clear()
        self._processes = Processes()

    def learn(self, processes: Sequence[Counted], stacks: Sequence[Counted]) -> None:
        """Read what is needed of the processes of these rows, before they are named.

        Args:
            processes: the rows of processes.
            stacks: those of stacks, with their processes.
        """
        self._groups.learn({row.cgroup for rows in (processes, stacks) for row in rows} - {0})
        allocs: dict[int, int] = {}
        for row in stacks:
            allocs[row.identity & _PID] = allocs.get(row.identity & _PID, 0) + row.allocs
        allocs |= {row.identity & _PID: row.allocs for row in processes}  # which is exact
        allocs.pop(0, None)
        self._processes.learn(allocs)

    def name_caller(self, counted: Counted) -> InspectionTotals:
        """Return the row of a call site."""
        if counted.row is None:
            frames = (self._symbols.name(counted.call_site, offset=True),)
            counted.row = InspectionTotals(frames, None, *_NO_PROCESS, *self._amounts(counted))
        return counted.row

    def name_process(self, counted: Counted) -> InspectionTotals:
        """Return the row of a process."""
        if counted.row is None or self._is_outdated(counted):
            counted.row = InspectionTotals((), *self._describe(counted), *self._amounts(counted))
        return counted.row

    def name_stack(self, counted: Counted) -> InspectionTotals:
        """Return the row of a stack of a process; OSError where the stack cannot be read."""
        if counted.row is None or self._is_outdated(counted):
            frames = self._stacks.get(counted.stack)
            if frames is None:
                addresses = trim(self._take(counted.stack), counted.call_site)
                frames = self._stacks[counted.stack] = tuple(map(self._symbols.name, addresses))
            counted.row = InspectionTotals(frames, *self._describe(counted), *self._amounts(counted))
        return counted.row

    def _is_outdated(self, counted: Counted) -> bool:
        """Return whether more is known of the process than in the row."""
        row = counted.row
        if row is None or not row.pid:
            return row is None
        command, ended = self._processes.find(row.pid)
        known = row.ended, row.cmdline, row.cgroup, row.removed
        return known != (ended, command, *self._groups.find(counted.cgroup))

    def _amounts(self, counted: Counted) -> tuple[int, int, float]:
        """Return allocations, bytes and standard error, as InspectionTotals has them."""
        size = counted.allocs * self._size if self._size else counted.size
        return counted.allocs, size, math.sqrt(counted.variance)

    def _describe(self, counted: Counted) -> tuple[int | None, str, str, bool | None, str, bool | None, Context]:
        """Return what InspectionTotals has of a process: from its PID to its context."""
        context, pid = counted.context, counted.pid
        if context is None:
            return None, *_NO_PROCESS
        if context is Context.INTERRUPT:
            return pid, "", "", None, "", None, context
        if self._nested and not pid:
            return pid, _UNNUMBERED[context], "", None, "", None, context
        command, ended = self._processes.find(pid)
        name = printable(counted.comm.partition(b"\0")[0])
        return pid, name, command, ended, *self._groups.find(counted.cgroup), context


_NO_PROCESS = ("", "", None, "", None, Context.PROCESS)  # name, command line, end, control group, its removal, context


def trim(addresses: Iterable[int], call_site: int) -> Sequence[int]:
    """Return the frames of a stack, the innermost first, from the function that allocates on.

    The frames inside of that belong to the tracer: the allocating function is the one before the caller that the
    tracepoint names.
    """
    stack = [address for address in addresses if address]
    place = stack.index(call_site) if call_site in stack else 0
    return stack[max(0, place - 1) :]
