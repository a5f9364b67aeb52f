"""Names of the kernel's functions, by address; the address itself where the kernel hides the names.

bcc has the same, but reads the list as root only, and slabtui runs with CAP_SYSLOG alone.
"""

import threading
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from slabtui.text import printable

KALLSYMS = Path("/proc/kallsyms")
SETTING = Path("/proc/sys/kernel/kptr_restrict")

_FUNCTIONS = frozenset((b"t", b"T", b"w", b"W"))  # nm(1)
_NAME, _HIDDEN_FROM_ALL = "kernel.kptr_restrict", 2  # the setting, and the value that hides addresses from root too
_NO_NAMES = "no names of functions"
_LONGEST = 1 << 20  # bytes of a function: an address farther from the symbol before it belongs to no known function


class Symbols:
    """The kernel's functions. Reading them takes some 0.2 s, so this waits until the first is asked for.

    Args:
        path: the list; proc(5).
        setting: what restricts it; Documentation/admin-guide/sysctl/kernel.rst, kptr_restrict.

    Attributes:
        trouble: why functions are shown as addresses, in words for the user; empty while they are not.
    """

    def __init__(self, path: Path = KALLSYMS, setting: Path = SETTING) -> None:
        self._path = path
        self._setting = setting
        self.trouble = ""
        self._loading = threading.Lock()
        self._functions: _Functions | None = None
        self._known: dict[tuple[int, bool], str] = {}

    def load(self) -> None:
        """Read the list, unless it has been read; called in threads of their own, so that no other waits for it."""
        with self._loading:
            if self._functions is None:
                self._functions = self._load()

    def name(self, address: int, offset: bool = False) -> str:
        """Return the function that an address lies in, its module if it has one, and how far into it if asked for."""
        key = address, offset
        if key not in self._known:
            self._known[key] = self._find(*key)
        return self._known[key]

    def _find(self, address: int, offset: bool) -> str:
        self.load()
        assert self._functions is not None
        starts = self._functions.starts
        place = bisect_right(starts, address) - 1
        if place < 0 or address - starts[place] >= _LONGEST:
            return f"{address:#x}"
        name, _, module = self._functions.name(place).partition(b"\t")
        into = f"+{address - starts[place]:#x}" if offset else ""
        return printable(name) + into + (f" {printable(module)}" if module else "")

    def _load(self) -> "_Functions":
        """Return every function; none if their addresses are hidden."""
        try:
            with self._path.open("rb") as listing:
                found = _read(listing)
        except OSError as error:
            self.trouble = f"{_NO_NAMES} ({self._path}: {error.strerror}): run it as root"
            return _Functions()
        if not found.starts:
            self.trouble = f"{_NO_NAMES} ({self._path} is empty): boot a kernel built with CONFIG_KALLSYMS=y"
        elif not found.starts[-1]:
            self.trouble = f"{_NO_NAMES} {self._why_hidden()}"
            return _Functions()
        return found

    def _why_hidden(self) -> str:
        """Return why the kernel lists every address as 0, and the remedy; kallsyms_show_value() in kernel/."""
        try:
            hidden = int(self._setting.read_text()) >= _HIDDEN_FROM_ALL
        except (OSError, ValueError):
            hidden = False
        if hidden:
            return f"({_NAME} is {_HIDDEN_FROM_ALL}): sysctl {_NAME}=1"
        return "(no CAP_SYSLOG): run it as root"


@dataclass(frozen=True, slots=True)
class _Functions:
    """The functions, in three large objects: 100,000 small ones for their names would take 30 MiB.

    Attributes:
        starts: their addresses, in ascending order.
        places: where the name of each begins in `names`.
        names: each with its module, if it has one, and a line feed.
    """

    starts: "array[int]" = field(default_factory=lambda: array("Q"))
    places: "array[int]" = field(default_factory=lambda: array("I"))
    names: bytearray = field(default_factory=bytearray)

    def name(self, number: int) -> bytes:
        begin = self.places[number]
        return bytes(self.names[begin : self.names.index(b"\n", begin)])


def _read(listing: Iterable[bytes]) -> _Functions:
    """Return the functions among the lines of a list."""
    found = _Functions()
    for line in listing:
        start, _, rest = line.partition(b" ")
        if rest[:1] in _FUNCTIONS:
            found.starts.append(int(start, 16))
            found.places.append(len(found.names))
            found.names.extend(rest[2:].rstrip(b"\n") + b"\n")
    order = sorted(range(len(found.starts)), key=found.starts.__getitem__)  # those of modules are in no order
    starts, places = (array(of.typecode, [of[at] for at in order]) for of in (found.starts, found.places))
    return _Functions(starts, places, found.names)
