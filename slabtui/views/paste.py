"""Pasted text: its keys, of which each could mean something, become one key that only a prompt understands."""

from collections.abc import Iterable

Mouse = tuple[str, int, int, int]  # an event of the mouse as urwid has it: its name, button, column and row

_KEY = "paste "  # no key of urwid's begins like this
_BEGIN, _END = "begin paste", "end paste"
_META = "meta "  # what urwid makes of Esc where another key follows at once
_RESIZE = "window resize"  # not a key: urwid adds it when the size of the terminal has changed
_NEWLINES = ("enter", "ctrl j")
_LONGEST = 4096  # characters: PATH_MAX, the longest that any prompt can use
# The end as it arrives in two parts, more than an eighth of a second apart: then urwid takes it for keys.
_BROKEN_ENDS = (("esc", "[", "2", "0", "1", "~"), ("meta [", "2", "0", "1", "~"))


class Pastes:
    """Finds pastes among events. A paste may come in many parts; until its end has come nothing else is a key.

    The terminal may be resized meanwhile: the main loop must see that at once. The mouse does nothing meanwhile.
    """

    def __init__(self) -> None:
        self._keys: list[str] | None = None  # of the paste that has begun, as far as they are kept
        self._last: tuple[str, ...] = ()  # the last keys of it, kept or not

    def join(self, events: Iterable[str | Mouse]) -> list[str | Mouse]:
        """Return the events with one key in the place of each paste that has ended."""
        joined: list[str | Mouse] = []
        for key in events:
            if not isinstance(key, str):
                if self._keys is None:
                    joined.append(key)
                continue
            if key == _RESIZE:
                joined.append(key)
                continue
            if self._keys is None:
                if key.removeprefix(_META) == _BEGIN:
                    self._keys = []
                    joined += ["esc"] * (key != _BEGIN)
                elif key != _END:
                    joined.append(key)
                continue
            self._last = (*self._last, key)[-len(_BROKEN_ENDS[0]) :]
            broken = next((end for end in _BROKEN_ENDS if self._last[-len(end) :] == end), ())
            if key.removeprefix(_META) == _END or broken:
                joined.append(_KEY + _line(self._keys))
                self._keys, self._last = None, ()
            elif len(self._keys) < _LONGEST:
                self._keys.append(key)
        return joined


def pasted(key: str) -> str | None:
    """Return the text that a key stands for; None: it is a key that was pressed."""
    return key.removeprefix(_KEY) if key.startswith(_KEY) else None


def _line(keys: Iterable[str]) -> str:
    """Return the first line of pasted text; what is no character is left out."""
    line: list[str] = []
    for key in keys:
        if key in _NEWLINES:
            break
        if len(key) == 1 and key.isprintable():
            line.append(key)
    return "".join(line)
