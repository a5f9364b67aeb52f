"""Gathers the processes of an inspection by command, so that a short-lived one is no row of its own. Pure."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from slabtui.columns.inspections import who
from slabtui.model.containers import write_place
from slabtui.model.holders import join_held, name_place, name_site
from slabtui.model.inspection import Context, InspectionRow

Key = tuple[object, ...]

_HOME = 24  # columns of the name of a place above its stacks; its path is in the line below


@dataclass(frozen=True, slots=True)
class Command:
    """All processes of one command.

    Attributes:
        name: of the command; that of kernel threads that differ in their CPU only has no CPU.
        rows: its processes, most allocations first.
        total: what they allocated; `ended` if all have ended, `cgroup` if it is the same for all.
        ended: how many have ended.
    """

    name: str
    rows: tuple[InspectionRow, ...]
    total: InspectionRow
    ended: int

    @property
    def key(self) -> Key:
        """What distinguishes it from other rows of the list."""
        return "command", self.name


Item = InspectionRow | Command  # a row of the list


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose stacks are shown: one process, or all of a command.

    Attributes:
        command: its name.
        pid: process ID; None: all of the command.
    """

    command: str
    pid: int | None = None

    def __str__(self) -> str:
        return f"{self.command} {self.pid}" if self.pid else self.command

    def owns(self, row: InspectionRow) -> bool:
        """Return whether a row is of this process or command."""
        return row.pid == self.pid if self.pid else name_command(row) == self.command


@dataclass(frozen=True, slots=True)
class Site:
    """The call site whose stacks are shown.

    Attributes:
        function: that called the allocator.
    """

    function: str

    def __str__(self) -> str:
        return self.function

    def owns(self, row: InspectionRow) -> bool:
        """Return whether a stack is one of this call site."""
        return name_site(row) == self.function


@dataclass(frozen=True, slots=True)
class PlacePath:
    """The place whose stacks are shown.

    Attributes:
        path: of its control group, or what stands for it where that is unknown.
    """

    path: str

    def __str__(self) -> str:
        return write_place(self.path, _HOME)

    def owns(self, row: InspectionRow) -> bool:
        """Return whether a row is of a process in this place."""
        return name_place(row) == self.path


Whose = Owner | Site | PlacePath  # whose stacks a page shows


def name_command(row: InspectionRow) -> str:
    """Return the command that a row belongs to; kworker/0:1 and kworker/1:2 are of [kworker]."""
    if row.context is Context.KERNEL_THREAD:
        return f"[{row.comm.partition('/')[0]}]"
    return who(row)


def own(item: Item) -> Owner:
    """Return the owner that a row of the list stands for."""
    return Owner(item.name) if isinstance(item, Command) else Owner(name_command(item), item.pid or None)


def gather(rows: Iterable[InspectionRow]) -> tuple[Command, ...]:
    """Return the commands of these processes, most allocations first."""
    found: dict[str, list[InspectionRow]] = {}
    for row in rows:
        found.setdefault(name_command(row), []).append(row)
    commands = (_sum(name, parts) for name, parts in found.items())
    return tuple(sorted(commands, key=lambda command: -command.total.rank))


def _sum(name: str, rows: Sequence[InspectionRow]) -> Command:
    ended = sum(1 for row in rows if row.ended)
    if len(rows) == 1:
        return Command(name, (rows[0],), rows[0], ended)
    cgroups = {row.cgroup for row in rows}
    held = [row.held for row in rows if row.held is not None]
    total = InspectionRow(
        comm=rows[0].comm,
        ended=ended == len(rows),
        cgroup=cgroups.pop() if len(cgroups) == 1 else "",
        context=rows[0].context,
        total_allocs=sum([row.total_allocs for row in rows]),
        total_bytes=sum([row.total_bytes for row in rows]),
        allocs=sum([row.allocs for row in rows]),
        bytes=sum([row.bytes for row in rows]),
        held=join_held(held) if held else None,
    )
    return Command(name, tuple(sorted(rows, key=lambda row: -row.rank)), total, ended)


def unfold(commands: Iterable[Command], unfolded: Container[str]) -> tuple[Item, ...]:
    """Return the rows of the list: the commands, each with its processes below it if its name is in `unfolded`.

    A command of one process is that process.
    """
    items: list[Item] = []
    for command in commands:
        if len(command.rows) == 1:
            items.append(command.rows[0])
            continue
        items.append(command)
        if command.name in unfolded:
            items += command.rows
    return tuple(items)
