"""What a tab of a page lists: its rows in their order, made of an inspection and of what the user chose. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from slabtui.model.holders import By, Joined
from slabtui.model.inspection import Inspection, InspectionKind, InspectionRow, merge_stacks
from slabtui.views import commands
from slabtui.views.commands import Command, Item, Key, Whose
from slabtui.views.windows import PageWindow


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user chose to see of an inspection."""

    owner: Whose | None
    by: By
    unfolded: frozenset[str]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a tab lists.

    Attributes:
        whole: the inspection, of all processes.
        inspection: what the rows of the list are shares of.
        items: the rows of the list, in order.
        choice: what it was made for.
        places: the place of each row by its key.
        parts: of what is held, by the key of a row: the stacks and processes that it joins, what holds most first.
    """

    whole: Inspection
    inspection: Inspection
    items: tuple[Item, ...]
    choice: Choice
    places: dict[Key, int] = field(init=False)
    parts: Mapping[Key, Sequence[InspectionRow]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", {item.key: place for place, item in enumerate(self.items)})


def choose(page: PageWindow) -> Choice:
    """Return what the user chose to see on a page."""
    return Choice(page.owner, page.by, frozenset(page.unfolded))


def list_rows(whole: Inspection, choice: Choice) -> Listing:
    """Return the rows of a tab that shows them as they are: call sites; or stacks, of the owner that is chosen."""
    if whole.kind is not InspectionKind.STACKS:
        return Listing(whole, whole, whole.rows, choice)
    stacks = merge_stacks(narrow(whole, choice.owner).rows)
    return Listing(whole, replace(whole, rows=stacks), stacks, choice)


def list_commands(whole: Inspection, gathered: Sequence[Command], choice: Choice) -> Listing:
    """Return the rows of a tab of processes: commands, those that are unfolded with their processes below them."""
    return Listing(whole, whole, commands.unfold(gathered, choice.unfolded), choice)


def list_held(whole: Inspection, joined: Sequence[Joined], choice: Choice) -> Listing:
    """Return the rows of the tab of what is held: stacks, call sites, or commands as on the tab of processes."""
    rows = tuple(one.row for one in joined)
    items = commands.unfold(commands.gather(rows), choice.unfolded) if choice.by is By.PROCESS else rows
    return Listing(whole, replace(whole, rows=rows), items, choice, {one.row.key: one.parts for one in joined})


def narrow(inspection: Inspection, owner: Whose | None) -> Inspection:
    """Return an inspection with the rows of an owner only, if there is one."""
    if owner is None:
        return inspection
    return replace(inspection, rows=tuple(row for row in inspection.rows if owner.owns(row)))
