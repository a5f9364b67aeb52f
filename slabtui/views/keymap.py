"""Every action with its keys, its words and where it works: dispatch, footer, help and man page come from it. Pure."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from slabtui.columns import caches
from slabtui.model.inspection import ON_PAGE
from slabtui.text import visible


class KeyContext(enum.StrEnum):
    """What the topmost window is, which decides what a key does."""

    TABLE = "table"
    LEAKS = "leak view"  # the table, as the leak view
    PAGE = "page"
    STACKS = "stacks"  # the page, on its tab of stacks, where it lists some
    PROCESSES = "processes"  # the same of processes
    HELD = "held"  # the page, on its tab of what is held, where it lists stacks, call sites or places
    HOLDERS = "holders"  # the same, where it lists processes
    DIALOG = "dialog"
    PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class Action:
    """Something that the user can do.

    Attributes:
        name: what the application dispatches on.
        keys: the keys that do it, as urwid names them; the first is the one that is shown.
        contexts: where they do it.
        help: what it does, for the help screen and the man page.
        category: its heading there.
        label: one word for the footer; empty: not shown there.
        command: what urwid's lists do for it, as urwid names it; empty: the application does it.
    """

    name: str
    keys: tuple[str, ...]
    contexts: frozenset[KeyContext]
    help: str
    category: str
    label: str = ""
    command: str = ""


_ALLOCATIONS = frozenset({KeyContext.TABLE})
_LEAKS = frozenset({KeyContext.LEAKS})
_TABLE = _ALLOCATIONS | _LEAKS
_STACKS = frozenset({KeyContext.STACKS})
_PROCESSES = frozenset({KeyContext.PROCESSES})
_HELD = frozenset({KeyContext.HELD})
_HOLDERS = frozenset({KeyContext.HOLDERS})
_OPENED, _FOLDED = _STACKS | _HELD, _PROCESSES | _HOLDERS
_PAGE = frozenset({KeyContext.PAGE, *_OPENED, *_FOLDED})
_DIALOG = frozenset({KeyContext.DIALOG})
_PROMPT = frozenset({KeyContext.PROMPT})
_MAIN = _TABLE | _PAGE
_LISTS = _MAIN | _DIALOG
_EVERYWHERE = frozenset(KeyContext)

_PROGRAM, _TIME, _MOVE, _SORT, _SHOW = "Program", "Time", "Move", "Sort", "Show"
_OF_PAGE, _OF_DIALOG, _OF_PROMPT = "Page", "Dialog", "Prompt"

ACTIONS = (
    Action("quit", ("q",), _ALLOCATIONS, "Quit; in other windows q closes the window", _PROGRAM, "Quit"),
    Action("quit-anywhere", ("Q", "f10"), _EVERYWHERE - _PROMPT, "Quit at once", _PROGRAM),
    Action("help", ("?", "h", "f1"), _MAIN, "Show what the screen means, and all keys", _PROGRAM, "Help"),
    Action("clear-filter", ("esc",), _ALLOCATIONS, "Clear the filter", _SHOW),
    Action("leave", ("esc", "q"), _PAGE, "Return from the stacks of a process, else to the table", _OF_PAGE, "Back"),
    Action("leave-leaks", ("esc", "q"), _LEAKS, "Return from the leak view to the table", _SHOW, "Back"),
    Action(
        "filter",
        ("/", "f3", "f4"),
        _TABLE,
        "Filter by name while you type: part of the name, or ~ and a regular expression",
        _SHOW,
        "Filter",
    ),
    Action(
        "pause",
        ("p", " "),
        _MAIN - _FOLDED,
        "Pause the screen, or continue; counting never stops",
        _TIME,
        "Pause",
    ),
    Action(
        "pause-processes",
        ("p",),
        _FOLDED,
        "Pause the screen, or continue; Space lists processes there",
        _TIME,
        "Pause",
    ),
    Action("open-page", ("enter",), _TABLE, "Open the page of the selected cache", _SHOW, "Open"),
    Action(
        "holders",
        ("L",),
        _TABLE,
        "Show what is held of the selected cache from now on, by which code and which process",
        _SHOW,
        "Held",
    ),
    Action(
        "open-row",
        ("enter",),
        _OPENED,
        "Show the selected stack in full, and the processes below it; of a call site or a place its stacks",
        _OF_PAGE,
        "Open",
    ),
    Action(
        "turn-rows",
        ("v",),
        _HELD | _HOLDERS,
        "Show what is held by stack, by call site, by process, or by place; the heading says which",
        _OF_PAGE,
        "Rows",
    ),
    Action(
        "open-process",
        ("enter",),
        _FOLDED,
        "Show the stacks of the selected process; of a command (NAME x 12) first its processes, then the stacks of all",
        _OF_PAGE,
        "Open",
    ),
    Action(
        "fold",
        ("f5", " "),
        _FOLDED,
        "List the processes of the selected command, or hide them",
        _OF_PAGE,
        "Unfold",
    ),
    Action("next-tab", ("tab", "right"), _PAGE, "Next tab: held, stacks, processes, callers, about", _OF_PAGE, "Next"),
    Action("previous-tab", ("shift tab", "left"), _PAGE, "Previous tab", _OF_PAGE),
    Action(
        "text-right",
        (".", "shift right"),
        _PAGE,
        "Scroll stacks and command lines to the right; the first time stacks show in full",
        _OF_PAGE,
    ),
    Action("text-left", (",", "shift left"), _PAGE, "Scroll stacks and command lines back to the left", _OF_PAGE),
    Action(
        "tab-held",
        ("1",),
        _PAGE,
        "What was allocated since the page was opened and is not freed: by which stacks, how fast it grows, its ages",
        _OF_PAGE,
    ),
    Action(
        "tab-stacks",
        ("2",),
        _PAGE,
        "Kernel stacks that allocate; ~: estimated, S.E.: standard error of SHARE, #: like another one in this width",
        _OF_PAGE,
    ),
    Action(
        "tab-processes",
        ("3",),
        _PAGE,
        "Processes that allocate, by command, counted exactly; [ ]: kernel threads, X: ended",
        _OF_PAGE,
    ),
    Action("tab-callers", ("4",), _PAGE, "Call sites that allocate, counted exactly", _OF_PAGE),
    Action("tab-about", ("5",), _PAGE, "What the kernel says about the cache, and charts of its past", _OF_PAGE),
    Action("sort-bytes", ("b",), _ALLOCATIONS, "Sort by bytes", _SORT, "Bytes"),
    Action("sort-allocs", ("a",), _ALLOCATIONS, "Sort by allocations", _SORT, "Allocs"),
    Action(
        "leaks",
        ("l",),
        _TABLE,
        "Show the leak view, or return to the table: the caches that grow since the mark or the start, those that"
        " cannot be reclaimed first, in groups that grow at the same rate",
        _SHOW,
        "Leaks",
    ),
    Action("mark", ("0",), _TABLE, "Set the mark: growth and sums count from now on", _SHOW, "Mark"),
    Action(
        "units",
        ("u",),
        _TABLE,
        "Show numbers per second, per interval, or since the mark or the start; the headings say which",
        _SHOW,
        "Units",
    ),
    Action("digits", ("B",), _MAIN, "Write numbers as 1.23M, as 1,234,567, or as 1234567", _SHOW),
    Action("frees", ("f",), _TABLE, "Count frees and show them in a column, or stop counting them", _SHOW, "Frees"),
    Action("idle", ("z",), _TABLE, "Show caches that were idle in the interval, or hide them", _SHOW, "Idle"),
    Action("sort-name", ("n",), _TABLE, "Sort by name", _SORT, "Name"),
    Action("sort-objsize", ("s",), _ALLOCATIONS, "Sort by object size", _SORT),
    Action("sort-growth", ("d",), _ALLOCATIONS, "Sort by the change of LIVE", _SORT),
    Action("sort-live", ("o",), _TABLE, "Sort by live objects", _SORT),
    Action("sort-mem", ("c",), _TABLE, "Sort by memory held", _SORT),
    Action("sort-next", (">", "f6"), _TABLE, "Sort by the next column to the right", _SORT, "Sort"),
    Action("sort-previous", ("<",), _TABLE, "Sort by the next column to the left", _SORT),
    Action("reverse", ("I", "r"), _TABLE, "Reverse the order", _SORT, "Reverse"),
    Action(
        "follow",
        ("F",),
        _TABLE,
        "Let the selection follow its row, until F or a cursor key; otherwise it stays on its line, and the list does"
        " not scroll by itself",
        _MOVE,
        "Follow",
    ),
    Action("measure", ("m",), _MAIN, "Measure again what counting an event costs; takes a second", _PROGRAM),
    Action(
        "back",
        ("[",),
        _MAIN,
        "Go one interval back in time, and pause; 300 are kept, and a replay goes back to its beginning",
        _TIME,
    ),
    Action(
        "forward",
        ("]",),
        _MAIN,
        "Go one interval forward while paused; in a replay also past the newest one",
        _TIME,
    ),
    Action("back-ten", ("{",), _MAIN, "Go ten intervals back in time, and pause", _TIME),
    Action("forward-ten", ("}",), _MAIN, "Go ten intervals forward while paused", _TIME),
    Action("begin", ("(",), _MAIN, "In a replay: jump to the first moment of the recording", _TIME),
    Action("end", (")",), _MAIN, "In a replay: jump to the last moment", _TIME),
    Action(
        "jump",
        ("t",),
        _MAIN,
        "In a replay: jump to a moment: 02:30, -10m, or 2026-11-26T02:30; marks are dropped",
        _TIME,
    ),
    Action(
        "seek",
        ("w",),
        _MAIN,
        "In a replay: jump to the moment at which the memory of the selected cache grew most, then to the next of five",
        _TIME,
    ),
    Action("seek-all", ("W",), _MAIN, "In a replay: the same of all slab memory", _TIME),
    Action("faster", ("+", "="), _MAIN, "Replay twice as fast", _TIME),
    Action("slower", ("-",), _MAIN, "Replay half as fast", _TIME),
    Action(
        "export",
        ("e",),
        _MAIN,
        "Write what the screen shows to a new .csv or .json file; stacks and what is held also to a .folded one",
        _PROGRAM,
        "Export",
    ),
    Action("redraw", ("ctrl l",), _EVERYWHERE, "Redraw the screen", _PROGRAM),
    Action("up", ("up", "k"), _LISTS, "One row up", _MOVE, command="cursor up"),
    Action(
        "down",
        ("down", "j"),
        _LISTS,
        "One row down; for two seconds no row changes its place",
        _MOVE,
        command="cursor down",
    ),
    Action("page-up", ("page up", "ctrl b"), _LISTS, "One page up", _MOVE, command="cursor page up"),
    Action("page-down", ("page down", "ctrl f"), _LISTS, "One page down", _MOVE, command="cursor page down"),
    Action(
        "top",
        ("home", "g"),
        _LISTS,
        "To the top",
        _MOVE,
        command="cursor max left",
    ),
    Action("bottom", ("end", "G"), _LISTS, "To the bottom", _MOVE, command="cursor max right"),
    Action("close", ("esc", "enter", "q", "?", "h", "f1"), _DIALOG, "Close the dialog", _OF_DIALOG, "Close"),
    Action("accept", ("enter",), _PROMPT, "Accept what is typed: keep the filter, write the file, or jump", _OF_PROMPT),
    Action("cancel", ("esc",), _PROMPT, "Leave the prompt, and restore the filter that was there before", _OF_PROMPT),
    Action(
        "delete-line", ("ctrl u",), _PROMPT, "Delete to the beginning", _OF_PROMPT, command="delete to start of line"
    ),
    Action("delete-rest", ("ctrl k",), _PROMPT, "Delete to the end", _OF_PROMPT, command="delete to end of line"),
    Action("delete-word", ("ctrl w",), _PROMPT, "Delete a word", _OF_PROMPT, command="delete space word left"),
    Action("line-start", ("ctrl a", "home"), _PROMPT, "To the beginning", _OF_PROMPT, command="cursor line start"),
    Action("line-end", ("ctrl e", "end"), _PROMPT, "To the end", _OF_PROMPT, command="cursor line end"),
)

SORT_PREFIX = "sort-"
_SORT_NAMES = {f"{SORT_PREFIX}{column}": column for column in caches.SORTS}
SORTS = {action.name: _SORT_NAMES[action.name] for action in ACTIONS if action.name in _SORT_NAMES}

TAB_PREFIX = "tab-"
TABS = {f"{TAB_PREFIX}{kind}": kind for kind in ON_PAGE}

_BY_KEY = {(context, key): action for action in ACTIONS for context in action.contexts for key in action.keys}

_WAYS_OUT = {
    KeyContext.DIALOG: "Esc closes the dialog",
    KeyContext.PROMPT: "Enter accepts the text, Esc leaves the prompt",
}
_TABS = {
    _OPENED: "stacks, call sites and places",
    _FOLDED: "processes",
    _HELD | _HOLDERS: "tab of what is held",
}
_LONGEST_SHOWN = 20  # characters of a key's name: longer than any

_SHOWN_KEYS = {
    " ": "Space",
    "up": "Up",
    "down": "Down",
    "page up": "PgUp",
    "page down": "PgDn",
    "esc": "Esc",
    "shift tab": "Shift-Tab",
    "shift left": "Shift-Left",
    "shift right": "Shift-Right",
}


def find(context: KeyContext, key: str) -> Action | None:
    """Return what a key does in a context; None: nothing."""
    return _BY_KEY.get((context, key))


def name_context(context: KeyContext) -> str:
    """Return where the keys of a context work, in words."""
    tabs = {KeyContext.STACKS: "tab of stacks", **dict.fromkeys(_HELD | _HOLDERS, "tab of what is held")}
    return tabs.get(context, context)


def why_nothing(context: KeyContext, key: str) -> str:
    """Return why a key does nothing in a context, and what helps."""
    if context in _WAYS_OUT:
        return _WAYS_OUT[context]
    places = {place for action in ACTIONS if key in action.keys for place in action.contexts}
    if context in _PAGE and places == _HELD | _HOLDERS:
        return "it works on the tab of what is held, where that has rows"
    if context in _PAGE and KeyContext.PROCESSES in places:
        return "it works on a stack or a process" if KeyContext.STACKS in places else "it works on the tab of processes"
    if context is KeyContext.LEAKS and KeyContext.TABLE in places:
        return "it works on the table, and l returns there"
    if KeyContext.TABLE in places:
        return "it works on the table"
    return "it works on the page of a cache" if places & _PAGE else "? shows all keys"


def in_context(context: KeyContext) -> tuple[Action, ...]:
    """Return what can be done in a context, in the order of the key map."""
    return tuple(action for action in ACTIONS if context in action.contexts)


def by_category() -> Iterable[tuple[str, list[tuple[Action, str]]]]:
    """Return the headings of the help screen, and below each its actions with their help, in the order of the key map.

    A heading says where its keys work, and so does the help of a key that differs from the first one below it.
    """
    for category in dict.fromkeys(action.category for action in ACTIONS):
        actions = [action for action in ACTIONS if action.category == category]
        usual = _where(actions[0])
        heading = category if category.casefold() == usual else f"{category} ({usual})"
        yield heading, [(one, one.help if _where(one) == usual else f"{one.help} ({_where(one)})") for one in actions]


def _where(action: Action) -> str:
    """Return in words where an action works."""
    if action.contexts == _EVERYWHERE:
        return "everywhere"
    if action.contexts in _TABS:
        return _TABS[action.contexts]
    if action.contexts == _LEAKS:
        return "leak view"
    return ", ".join(place for place in KeyContext if place in action.contexts - _OPENED - _FOLDED - _LEAKS)


def shown(key: str) -> str:
    """Return a key as people write it: `Esc`, `Ctrl-L`, `/`."""
    if key.startswith("ctrl "):
        return f"Ctrl-{key.removeprefix('ctrl ').upper()}"
    return visible(_SHOWN_KEYS.get(key, key.capitalize() if len(key) > 1 else key)[:_LONGEST_SHOWN])
