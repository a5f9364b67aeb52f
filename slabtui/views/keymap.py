"""Every action with its keys and its words: dispatch, footer and help all read this one table."""

from dataclasses import dataclass

from urwid import CommandMap
from urwid.command_map import Command

from slabtui.columns import caches
from slabtui.model.inspection import Kind


@dataclass(frozen=True, slots=True)
class Action:
    """Something the user can do.

    Attributes:
        name: what the application dispatches on.
        keys: the keys that do it, as urwid names them; the first is the one that is shown.
        label: one word for the footer below the table; empty: not shown there.
        help: what it does, for the help screen.
        category: heading on the help screen.
        command: the command that urwid's own list carries out for it; None: the application does it.
        page_label: one word for the footer below the page of a cache; empty: not shown there.
    """

    name: str
    keys: tuple[str, ...]
    label: str
    help: str
    category: str
    command: Command | None = None
    page_label: str = ""


_SORT, _SHOW, _CACHE, _TIME, _MOVE, _PROGRAM = "Sort", "Show", "One cache", "Time", "Move", "Program"

ACTIONS = (
    Action("quit", ("q", "Q"), "Quit", "Quit", _PROGRAM, page_label="Quit"),
    Action(
        "help",
        ("?", "h"),
        "Help",
        "Show the keys and what the columns mean; any of q, ?, Esc closes",
        _PROGRAM,
        page_label="Help",
    ),
    Action("leave", ("esc",), "", "Leave the page of a cache; else clear the filter", _SHOW, page_label="Back"),
    Action("filter", ("/",), "Filter", "Filter by name as you type: part of it, or ~ and a regular expression", _SHOW),
    Action("pause", ("p", " "), "Pause", "Hold the screen, or go on; counting never stops", _TIME, page_label="Pause"),
    Action(
        "open",
        ("enter",),
        "Look",
        "Look closely at the selected cache; on its page, open the selected stack",
        _CACHE,
        page_label="Open",
    ),
    Action(
        "next-tab",
        ("tab", "right"),
        "",
        "Callers, stacks, processes, about: the next of them",
        _CACHE,
        page_label="Next",
    ),
    Action("previous-tab", ("shift tab", "left"), "", "The one before", _CACHE),
    Action("tab-callers", ("1",), "", "Call sites that allocate, exactly", _CACHE),
    Action(
        "tab-stacks", ("2",), "", "Kernel stacks that led there; ~: estimated, S.E.: standard error of SHARE", _CACHE
    ),
    Action("tab-processes", ("3",), "", "Processes that allocate, exactly; [ ]: kernel threads", _CACHE),
    Action("tab-about", ("4",), "", "What the kernel says of the cache, and charts of its past", _CACHE),
    Action("sort-bytes", ("b",), "Bytes", "Sort by bytes", _SORT),
    Action("sort-allocs", ("a",), "Allocs", "Sort by allocations", _SORT),
    Action("sort-growth", ("l",), "Leaks", "Sort by growth: caches that lose memory come to the top", _SORT),
    Action("frees", ("f",), "Frees", "Count frees too, in a column of their own, or stop that", _SHOW),
    Action(
        "idle", ("z",), "Idle", "Show the caches too in which nothing happened in the interval, or hide them", _SHOW
    ),
    Action("sort-name", ("n",), "Name", "Sort by name", _SORT),
    Action("sort-objsize", ("s",), "", "Sort by object size", _SORT),
    Action("sort-frees", ("F",), "", "Sort by frees", _SORT),
    Action("sort-live", ("o",), "", "Sort by live objects", _SORT),
    Action("sort-mem", ("c",), "", "Sort by memory held", _SORT),
    Action("reverse", ("r",), "Reverse", "Turn the order upside down", _SORT),
    Action("measure", ("m",), "", "Measure anew what an event costs; takes a second", _SHOW),
    Action("back", ("[",), "", "One interval back in time, holding the screen; 300 are kept", _TIME),
    Action(
        "forward", ("]",), "", "One interval forward while the screen is held; in a replay also into what comes", _TIME
    ),
    Action("faster", ("+", "="), "", "Replay twice as fast", _TIME),
    Action("slower", ("-",), "", "Replay half as fast", _TIME),
    Action(
        "export",
        ("e",),
        "Export",
        "Write what the screen shows to a new .csv or .json file; stacks to a .folded one, for flame graph tools",
        _PROGRAM,
        page_label="Export",
    ),
    Action("redraw", ("ctrl l",), "", "Draw the screen anew", _PROGRAM),
    Action("up", ("up", "k"), "", "One row up", _MOVE, Command.UP),
    Action(
        "down", ("down", "j"), "", "One row down; from here on the selection follows the cache", _MOVE, Command.DOWN
    ),
    Action("page-up", ("page up", "ctrl b"), "", "One page up", _MOVE, Command.PAGE_UP),
    Action("page-down", ("page down", "ctrl f"), "", "One page down", _MOVE, Command.PAGE_DOWN),
    Action("top", ("home", "g"), "", "To the top, and stay there whatever comes", _MOVE, Command.MAX_LEFT),
    Action("bottom", ("end", "G"), "", "To the bottom", _MOVE, Command.MAX_RIGHT),
)

SORT_PREFIX = "sort-"
SORTS = {f"{SORT_PREFIX}{column}": column for column in caches.SORTS}

TAB_PREFIX = "tab-"
TABS = {f"{TAB_PREFIX}{kind}": kind for kind in Kind}

BY_KEY = {key: action for action in ACTIONS for key in action.keys}

_SHOWN_KEYS = {
    " ": "Space",
    "up": "Up",
    "down": "Down",
    "page up": "PgUp",
    "page down": "PgDn",
    "esc": "Esc",
    "shift tab": "Shift-Tab",
}


def shown(key: str) -> str:
    """Return a key as people write it: `Esc`, `Ctrl-L`, `/`."""
    if key.startswith("ctrl "):
        return f"Ctrl-{key.removeprefix('ctrl ').upper()}"
    return _SHOWN_KEYS.get(key, key.capitalize() if len(key) > 1 else key)


def list_commands() -> CommandMap:
    """Return the command map for the list: the moves of this table and nothing else."""
    commands = CommandMap()
    commands.clear()
    for key, action in BY_KEY.items():
        if action.command is not None:
            commands[key] = action.command
    return commands
