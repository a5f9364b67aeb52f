"""The page of a cache as part of the view's state: its tabs, lists and selection, and their transitions. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from slabtui.columns import held
from slabtui.columns.inspections import describe
from slabtui.model.holders import By
from slabtui.model.identity import CacheKey
from slabtui.model.inspection import ON_PAGE, Inspection, InspectionKind, InspectionRow
from slabtui.model.snapshot import CacheRow, Snapshot
from slabtui.views import commands
from slabtui.views.commands import Command, Item, Owner, PlacePath, Site, Whose
from slabtui.views.effects import NothingToDoError
from slabtui.views.holdings import Holdings
from slabtui.views.keymap import KeyContext
from slabtui.views.listing import Listing, choose, list_commands, list_held, list_rows, narrow
from slabtui.views.position import Position
from slabtui.views.windows import PageWindow, StackWindow, Window

_LISTED_BY = {Owner: By.PROCESS, Site: By.SITE, PlacePath: By.PLACE}  # the rows from which stacks are opened
STEP = 16  # characters by which the text of the rows is scrolled


@dataclass(slots=True)
class PageState:
    """What pages show. A transition that is not possible raises NothingToDoError.

    Attributes:
        windows: all windows of the screen, the topmost last.
        time: the intervals so far, and the one on the screen.
        tab: the kind of inspection that pages show.
        revision: counts the transitions that change what a page lists.
    """

    windows: list[Window]
    time: Position
    tab: InspectionKind = InspectionKind.STACKS
    revision: int = 0
    _listings: dict[InspectionKind, Listing] = field(init=False, default_factory=dict)
    _commands: tuple[Inspection, tuple[Command, ...]] | None = field(init=False, default=None)
    _holdings: Holdings = field(init=False, default_factory=Holdings)
    _earlier: dict[InspectionKind, tuple[Snapshot, PageWindow, Snapshot | None]] = field(
        init=False, default_factory=dict
    )  # what was found for an interval and a page

    # Transitions.

    def open(self, row: CacheRow) -> None:
        """Open the page of a cache."""
        self.windows.append(PageWindow(row))
        self.revision += 1

    def leave(self) -> None:
        """Return from the stacks of a process, call site or place to these, or from the page to the table."""
        page = self.page
        if page is None:
            return
        if page.owner is not None and self.tab is InspectionKind.HELD:
            self._turn_rows(_LISTED_BY[type(page.owner)])
        elif page.owner is not None:
            page.owner = None
            self._turn_to(InspectionKind.PROCESSES)
        else:
            self.windows.remove(page)
            self._listings.clear()
            self._commands = None
            self._holdings = Holdings()
            self._earlier.clear()
        self.revision += 1

    def show_tab(self, kind: InspectionKind) -> None:
        """Show this kind of inspection, of all processes."""
        if self.page is not None:
            self.page.owner = None
        self._turn_to(kind)

    def turn(self, by: int) -> None:
        """Show the kind of inspection this many tabs further."""
        kinds = list(ON_PAGE)
        self.show_tab(kinds[(kinds.index(self.tab) + by) % len(kinds)])

    def turn_rows(self) -> None:
        """Show what is held by stack, by call site, by process, or by place: the next of these."""
        if self.page is not None:
            ways = list(By)
            self._turn_rows(ways[(ways.index(self.page.by) + 1) % len(ways)])

    def select(self, place: int) -> None:
        """Select a row by its place: the selection follows its row from now on, but not at the top."""
        if self.page is None or (listing := self.listing) is None:
            return
        if place:
            self.page.followed[self._list] = listing.items[place].key
        else:
            self.page.followed.pop(self._list, None)

    def enter(self) -> None:
        """Open what is selected: a stack in full, the processes of a command, the stacks of a process."""
        item = self.selected
        lists = self.lists
        if lists is By.STACK and isinstance(item, InspectionRow):
            self._open_stack(item)
        elif lists is By.SITE and isinstance(item, InspectionRow):
            self._show_stacks_of(Site("".join(item.frames)))
        elif lists is By.PLACE and isinstance(item, InspectionRow):
            self._show_stacks_of(PlacePath("".join(item.frames)))
        elif lists is By.PROCESS and item is not None:
            if isinstance(item, Command) and not self._is_unfolded(item):
                self.fold()
            else:
                self._open_stacks_of(item)
        else:
            raise NothingToDoError("nothing is selected")

    def fold(self) -> None:
        """List the processes of the selected command, or no longer; on one of them its command is selected then."""
        page, item = self.page, self.selected
        if page is None or item is None:
            raise NothingToDoError("no process is selected")
        name = item.name if isinstance(item, Command) else commands.name_command(item)
        if isinstance(item, Command) and name not in page.unfolded:
            page.unfolded.add(name)
        elif name in page.unfolded:
            page.unfolded.discard(name)
            page.followed[self._list] = ("command", name)
        else:
            raise NothingToDoError("it is the only process of its command")
        self.revision += 1

    def shift(self, by: int) -> None:
        """Scroll the text of the rows by this many steps; the first step shows stacks in full."""
        page = self.page
        if page is None:
            return
        shift = page.shift + by
        if shift < 0:
            raise NothingToDoError("this is the left end")
        if shift > page.shift and shift > self._most_shift():
            raise NothingToDoError("this is the right end")
        page.shift = shift
        self.revision += 1

    # What follows.

    @property
    def page(self) -> PageWindow | None:
        """The page that is open, on top or below a dialog or prompt; None: the table is shown."""
        return next((window for window in self.windows if isinstance(window, PageWindow)), None)

    @property
    def context(self) -> KeyContext:
        """What decides which keys do something while the page is on top."""
        if self.listing is None or not self.listing.items:
            return KeyContext.PAGE
        if self.tab is InspectionKind.HELD:
            return KeyContext.HOLDERS if self.lists is By.PROCESS else KeyContext.HELD
        contexts = {InspectionKind.STACKS: KeyContext.STACKS, InspectionKind.PROCESSES: KeyContext.PROCESSES}
        return contexts.get(self.tab, KeyContext.PAGE)

    @property
    def lists(self) -> By | None:
        """What a row that can be opened stands for; None: the rows of the tab cannot be opened."""
        if self.tab is InspectionKind.HELD:
            return self.page.by if self.page is not None else By.STACK
        return {InspectionKind.STACKS: By.STACK, InspectionKind.PROCESSES: By.PROCESS}.get(self.tab)

    @property
    def _list(self) -> tuple[InspectionKind, By | None]:
        """What distinguishes the list on the screen from the others of the page."""
        return self.tab, self.lists

    @property
    def described(self) -> InspectionKind:
        """The kind by which the rows of the tab are described."""
        if self.tab is not InspectionKind.HELD or self.page is None:
            return self.tab
        kinds = {By.STACK: InspectionKind.STACKS, By.SITE: InspectionKind.CALLERS, By.PLACE: InspectionKind.CALLERS}
        return kinds.get(self.page.by, InspectionKind.PROCESSES)

    @property
    def path(self) -> tuple[str, ...]:
        """Where the page is: the name of the cache, and whose stacks are shown."""
        page = self.page
        if page is None:
            return ()
        return (page.row.name,) if page.owner is None else (page.row.name, str(page.owner))

    @property
    def inspection(self) -> Inspection | None:
        """The inspection that the page shows; None: the interval on the screen does not have it."""
        return self._find(self.tab)

    @property
    def listing(self) -> Listing | None:
        """What the tab lists; None: the interval on the screen does not have it."""
        return self.list_tab(self.tab)

    @property
    def exported(self) -> str:
        """What an export of the tab writes, in words: `12 stacks`; it may have several rows of one stack."""
        listing = self.listing
        if self.tab is InspectionKind.ABOUT or listing is None:
            return self.tab.capitalize()
        if self.tab is InspectionKind.HELD:
            narrowed = self.narrow(listing.whole)
            return f"{len(narrowed.rows) if narrowed else 0} rows of what is held"
        return f"{len(listing.inspection.rows)} {self.tab}"

    @property
    def place(self) -> int:
        """Place of the selected row."""
        page, listing = self.page, self.listing
        if page is None or listing is None or self._list not in page.followed:
            return 0
        return listing.places.get(page.followed[self._list], 0)

    @property
    def selected(self) -> Item | None:
        """The selected row; None: there is none."""
        listing = self.listing
        return listing.items[self.place] if listing is not None and listing.items else None

    @property
    def inspected(self) -> CacheRow | None:
        """The row of the inspected cache in the interval on the screen, else as the page was opened with it."""
        page, shown = self.page, self.time.shown
        if page is None:
            return None
        return (shown.row(page.row.cache) if shown is not None else None) or page.row

    def past(self) -> list[tuple[Snapshot, CacheRow | None]]:
        """Return the intervals up to the one on the screen, each with the row of the cache; None: it has none."""
        if self.page is None:
            return []
        history, back = self.time.history, self.time.back
        return [*zip(history.snapshots(back), history.past(self.page.row.cache, back), strict=True)]

    @property
    def scrolled(self) -> int | None:
        """How many characters of the text of the rows are left of the screen; None: stacks show in short."""
        shift = self.page.shift if self.page is not None else 0
        if self.lists is not By.STACK:
            return shift * STEP
        return (shift - 1) * STEP if shift else None

    @property
    def first(self) -> int:
        """The number of the oldest interval of `past()`, counted from the first one of the session."""
        return self.time.history.added - len(self.time.history)

    def prepare(self) -> None:
        """Work out what the tabs list, so that a key need not wait for it."""
        for kind in ON_PAGE:
            self.list_tab(kind)

    def list_tab(self, kind: InspectionKind) -> Listing | None:
        """Return what a tab lists, which is worked out once for each interval."""
        inspection, page = self._find(kind), self.page
        if inspection is None or page is None:
            return None
        choice, known = choose(page), self._listings.get(kind)
        if known is None or known.whole is not inspection or known.choice != choice:
            if kind is InspectionKind.HELD:
                past = self.time.until_shown()
                joined = self._holdings.join(inspection, choice.by, choice.owner, past, self.first)
                known = list_held(inspection, joined, choice)
            elif kind is InspectionKind.PROCESSES:
                known = list_commands(inspection, self._gather(inspection), choice)
            else:
                known = list_rows(inspection, choice)
            self._listings[kind] = known
        return known

    def narrow(self, inspection: Inspection | None) -> Inspection | None:
        """Return an inspection with the rows of the chosen process or command only, where one is chosen."""
        owner = self.page.owner if self.page is not None else None
        return None if inspection is None else narrow(inspection, owner)

    def _find(self, kind: InspectionKind) -> Inspection | None:
        source, page = self.source(kind), self.page
        return None if source is None or page is None else source.inspection(kind, page.row.cache)

    def source(self, kind: InspectionKind) -> Snapshot | None:
        """Return the interval of which a tab shows the inspection; None: there is none.

        A recording may have it in some intervals only: of the others, the page shows the last one before.
        """
        shown, page = self.time.shown, self.page
        if shown is None or page is None:
            return None
        if _inspects(shown, kind, page.row.cache):
            return shown
        if not self.time.replay:
            return None
        known = self._earlier.get(kind)
        if known is None or known[0] is not shown or known[1] is not page:
            before = reversed(self.time.until_shown())
            known = shown, page, next((one for one in before if _inspects(one, kind, page.row.cache)), None)
            self._earlier[kind] = known
        return known[2]

    @property
    def earlier(self) -> Snapshot | None:
        """The interval of the inspection on the screen, if it is not the one on the screen."""
        source = self.source(self.tab)
        return source if source is not self.time.shown else None

    def _gather(self, inspection: Inspection) -> tuple[Command, ...]:
        if self._commands is None or self._commands[0] is not inspection:
            self._commands = inspection, commands.gather(inspection.rows)
        return self._commands[1]

    def _turn_rows(self, by: By) -> None:
        """Let the rows of what is held stand for this, of all processes."""
        assert self.page is not None
        self.page.owner, self.page.by = None, by
        self._turn_to(InspectionKind.HELD)

    def _turn_to(self, kind: InspectionKind) -> None:
        self.tab = kind
        if self.page is not None:
            self.page.shift = 0
        self.revision += 1

    def _is_unfolded(self, command: Command) -> bool:
        return self.page is not None and command.name in self.page.unfolded

    def _open_stack(self, row: InspectionRow) -> None:
        listing, inspection = self.listing, self.narrow(self.inspection)
        assert listing is not None
        assert inspection is not None
        owners = tuple(one for one in inspection.rows if one.frames == row.frames and one.pid is not None)
        self.windows.append(StackWindow(row, owners, held.is_estimate(listing.inspection)))

    def _show_stacks_of(self, owner: Whose) -> None:
        """Show the stacks by which a process, call site or place allocated what it holds."""
        assert self.page is not None
        self.page.owner, self.page.by = owner, By.STACK
        self.page.followed.pop((InspectionKind.HELD, By.STACK), None)
        self._turn_to(InspectionKind.HELD)

    def _open_stacks_of(self, item: Item) -> None:
        if self.tab is InspectionKind.HELD:
            self._show_stacks_of(commands.own(item))
            return
        found = self._find(InspectionKind.STACKS)
        if found is not None and found.rows and all(row.pid is None for row in found.rows):
            raise NothingToDoError("the recording does not say whose stacks it has")
        assert self.page is not None
        self.page.owner = commands.own(item)
        self.page.followed.pop((InspectionKind.STACKS, By.STACK), None)
        self._turn_to(InspectionKind.STACKS)

    def _most_shift(self) -> int:
        """Return how many steps show the end of the longest text."""
        listing = self.listing
        texts: Iterable[str] = ()
        if listing is not None:
            texts = (describe(self.described, item) for item in listing.items if isinstance(item, InspectionRow))
        first = 1 if self.lists is By.STACK else 0
        return max((len(text) - 1) // STEP for text in (*texts, " ")) + first


def _inspects(snapshot: Snapshot, kind: InspectionKind, cache: CacheKey) -> bool:
    """Return whether an interval has an inspection of this kind of this cache."""
    return snapshot.inspection(kind, cache) is not None
