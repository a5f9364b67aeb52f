"""Presses random keys on a real terminal whose size changes, and checks that nothing ends the program."""

import time
from collections import deque
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from slabtui.model.inspection import ON_PAGE
from slabtui.views import keymap
from tests.support.terminal import Terminal

_SEQUENCES = {  # sequences that a terminal sends for keys without a character; console_codes(4), else xterm's
    "esc": "\x1b",
    "enter": "\r",
    "tab": "\t",
    "shift tab": "\x1b[Z",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "shift right": "\x1b[1;2C",
    "shift left": "\x1b[1;2D",
    "f5": "\x1b[15~",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "page up": "\x1b[5~",
    "page down": "\x1b[6~",
}
_OTHERS = ("\x1b[17~", "\x1bx", "\x1b[2~", "\u00e9", "\u540d", "\x00", "\x1b[999;999R")
_NOT_ALONE = ("quit", "quit-anywhere", "export")  # the first ends the program, the second writes a file of any name
_FILTERS = ("dentry", "~^kmalloc-", "~(", "\u540d", "nothing has this name", "")
_PASTED = ("q", "dentry\rq", "e\r", "/x\r", "x" * 5000)  # pressed as keys, some would end the program
_USUAL = (80, 24)  # columns and rows
_DRAWS = 0.02  # seconds
_ALONE = 0.3  # seconds after which Esc is a key, not the start of a sequence


def _sent(key: str) -> str:
    return chr(ord(key[-1]) & 0x1F) if key.startswith("ctrl ") else _SEQUENCES.get(key, key)


_LEFT_OUT = {key for action in keymap.ACTIONS if action.name in _NOT_ALONE for key in action.keys}  # in any window
_KEYS = dict.fromkeys(key for action in keymap.ACTIONS for key in action.keys if key not in _LEFT_OUT)
KEYS = tuple(map(_sent, _KEYS))


@dataclass(slots=True)
class Done:
    """The number of keys pressed, the last ones, and the number of changes of size."""

    keys: int = 0
    sizes: int = 0
    last: deque[str] = field(default_factory=lambda: deque(maxlen=20))


def play(terminal: Terminal, seconds: float, done: Done) -> None:
    """Press keys and change the size for some time; at the end the screen shows the table again.

    Raises:
        AssertionError: the program has ended, or did not come back to its table.
    """
    end = time.monotonic() + seconds
    once = settings(
        max_examples=3,
        stateful_step_count=40,
        phases=(Phase.generate,),  # no shrinking: the state of the machine cannot be reproduced
        suppress_health_check=list(HealthCheck),
        database=None,
        deadline=None,
    )
    while time.monotonic() < end:
        run_state_machine_as_test(lambda: Fingers(terminal, done), settings=once)
        assert terminal.running, f"it ended at {list(done.last)}: {bytes(terminal.output[-500:])!r}"


def resize(terminal: Terminal, times: int, done: Done) -> None:
    """Change the size this number of times, fast."""
    for number in range(times):
        terminal.resize((10 + number * 37 % 190, 3 + number * 11 % 47))
        done.sizes += 1
        terminal.draw_for(_DRAWS)
    terminal.resize(_USUAL)


class Fingers(RuleBasedStateMachine):
    """A user who presses every key at random."""

    def __init__(self, terminal: Terminal, done: Done) -> None:
        super().__init__()
        self._terminal = terminal
        self._done = done

    @rule(keys=st.lists(st.sampled_from((*KEYS, *_OTHERS)), min_size=1, max_size=8))
    def hit(self, keys: list[str]) -> None:
        self._type(*keys)

    @rule(text=st.sampled_from(_FILTERS), end=st.sampled_from(("\r", "\x1b")))
    def filter(self, text: str, end: str) -> None:
        self._type(*"\x1b/", *text, end)

    @rule(tab=st.sampled_from(range(len(ON_PAGE))), after=st.lists(st.sampled_from(KEYS), max_size=5))
    def inspect(self, tab: int, after: list[str]) -> None:
        self._type("\x1b", "\x1b", "g", "\r", str(tab + 1), *after)

    @rule(text=st.sampled_from(_PASTED), prompt=st.sampled_from(("", "\x1b/")))
    def paste(self, text: str, prompt: str) -> None:
        self._type(*prompt, f"\x1b[200~{text}\x1b[201~", "\x1b")

    @rule()
    def write(self) -> None:
        self._type("\x1b", "e", "\r", "\x1b")

    @rule(columns=st.integers(1, 250), lines=st.integers(1, 60))
    def resize(self, columns: int, lines: int) -> None:
        self._terminal.resize((columns, lines))
        self._done.sizes += 1
        self._terminal.draw_for(_DRAWS)

    @rule(seconds=st.floats(0, 0.5))
    def watch(self, seconds: float) -> None:
        self._terminal.draw_for(seconds)

    def teardown(self) -> None:
        """Go back to the table, as a user can."""
        self._terminal.resize(_USUAL)
        self._type("\x1b", "\x1b", "\x1b")
        self._terminal.draw_for(_ALONE)
        self._terminal.wait_for(lambda: "OBJSIZE" in self._terminal.text or not self._terminal.running)

    def _type(self, *keys: str) -> None:
        for key in keys:
            if self._terminal.running:
                self._terminal.type(key)
                self._terminal.draw_for(_DRAWS)
                self._done.keys += 1
                self._done.last.append(key)
