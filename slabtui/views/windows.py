"""The windows of the screen, the topmost last: the table, the page of a cache, a dialog, a prompt. Pure."""

import enum
from dataclasses import dataclass, field

from slabtui.model.holders import By
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import InspectionKind, InspectionRow
from slabtui.model.snapshot import CacheRow
from slabtui.views.commands import Key, Whose
from slabtui.views.cursor import Cursor


@dataclass(slots=True, eq=False)
class TableWindow:
    """The table of caches, below all others.

    Attributes:
        cursor: the selection, and what is on the screen.
        followed: the cache that the selection stays on; it shows even when idle. None: it stays on its line.
    """

    cursor: Cursor = field(default_factory=Cursor)
    followed: CacheKey | None = None


@dataclass(slots=True, eq=False)
class PageWindow:
    """The page of one cache.

    Attributes:
        row: the cache as it was when the page was opened.
        owner: whose stacks the tabs of stacks and of what is held show; None: those of all processes.
        by: what a row of the tab of what is held stands for.
        followed: by tab and what its rows stand for, the key of the row that the selection stays on; none: the top
            row.
        unfolded: the names of the commands whose processes are listed.
        shift: how far the text of the rows is scrolled to the left, in steps.
    """

    row: CacheRow
    owner: Whose | None = None
    by: By = By.STACK
    followed: dict[tuple[InspectionKind, By | None], Key] = field(default_factory=dict)
    unfolded: set[str] = field(default_factory=set)
    shift: int = 0


@dataclass(slots=True, eq=False)
class HelpWindow:
    """The dialog with what the screen means, and the keys."""


@dataclass(slots=True, eq=False)
class StackWindow:
    """The dialog with one stack in full.

    Attributes:
        row: the stack.
        owners: the same stack of each process that it was seen in, most allocations first; empty where unknown.
        estimated: whether the counts are estimates.
    """

    row: InspectionRow
    owners: tuple[InspectionRow, ...] = ()
    estimated: bool = False


class Purpose(enum.Enum):
    """What a prompt asks for."""

    FILTER = "Filter"
    EXPORT = "Write to"
    MOMENT = "Go to"


@dataclass(slots=True, eq=False)
class PromptWindow:
    """A line of text that the user types.

    Attributes:
        purpose: what it is for.
        text: as typed so far.
        complaints: what is wrong with it, the longest form first; empty: nothing.
        before: the text that it opened with.
    """

    purpose: Purpose
    text: str
    complaints: tuple[str, ...] = ()
    before: str = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.text

    @property
    def complaint(self) -> str:
        """What is wrong with the text, in full; empty: nothing."""
        return self.complaints[0] if self.complaints else ""


Window = TableWindow | PageWindow | HelpWindow | StackWindow | PromptWindow
