"""The windows of the screen, the topmost last: the table, the page of a cache, a dialog, a prompt. Pure."""

import enum
from dataclasses import dataclass, field

from slabtui.model.identity import CacheKey
from slabtui.model.inspection import InspectionRow
from slabtui.model.snapshot import CacheRow
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
        followed: key of the inspection row that the selection stays on; None: the top row.
    """

    row: CacheRow
    followed: tuple[object, ...] | None = None


@dataclass(slots=True, eq=False)
class HelpWindow:
    """The dialog with the keys and the columns."""


@dataclass(slots=True, eq=False)
class StackWindow:
    """The dialog with one stack in full.

    Attributes:
        row: the stack.
    """

    row: InspectionRow


class Purpose(enum.Enum):
    """What a prompt asks for."""

    FILTER = "Filter"
    EXPORT = "Write to"


@dataclass(slots=True, eq=False)
class PromptWindow:
    """A line of text that the user types.

    Attributes:
        purpose: what it is for.
        text: as typed so far.
        complaint: what is wrong with it; empty: nothing.
        before: the text that it opened with.
    """

    purpose: Purpose
    text: str
    complaint: str = ""
    before: str = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.text


Window = TableWindow | PageWindow | HelpWindow | StackWindow | PromptWindow
