"""Names of the kernel's functions, by address; addresses stay where the kernel hides the names.

bcc has the same, but reads the list as root only, and slabtui runs with CAP_SYSLOG alone.
"""

from array import array
from bisect import bisect_right
from pathlib import Path

from slabtui.text import printable

KALLSYMS = Path("/proc/kallsyms")

_FUNCTIONS = frozenset((b"t", b"T", b"w", b"W"))  # nm(1)
_LONGEST = 1 << 20  # bytes of a function: what lies farther from the symbol before it is no part of that


class Symbols:
    """The kernel's functions. Reading them takes some 0.2 s, so this waits until the first is asked for.

    Args:
        path: the list; proc_kallsyms(5).
    """

    def __init__(self, path: Path = KALLSYMS) -> None:
        self._path = path
        self._starts: array[int] | None = None
        self._names: list[bytes] = []
        self._known: dict[tuple[int, bool], str] = {}

    def name(self, address: int, offset: bool = False) -> str:
        """Return the function that an address lies in, its module if it has one, and how far into it if asked for."""
        key = address, offset
        if key not in self._known:
            self._known[key] = self._find(*key)
        return self._known[key]

    def _find(self, address: int, offset: bool) -> str:
        if self._starts is None:
            self._starts, self._names = _read(self._path)
        place = bisect_right(self._starts, address) - 1
        if place < 0 or address - self._starts[place] >= _LONGEST:
            return f"{address:#x}"
        name, _, module = self._names[place].partition(b"\t")
        into = f"+{address - self._starts[place]:#x}" if offset else ""
        return printable(name) + into + (f" {printable(module)}" if module else "")


def _read(path: Path) -> "tuple[array[int], list[bytes]]":
    """Return the start and the name of every function, in the order of their addresses; none where they are hidden."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return array("Q"), []
    found = []
    for line in lines:
        start, _, rest = line.partition(b" ")
        if rest[:1] in _FUNCTIONS:
            found.append((int(start, 16), rest[2:]))
    found.sort()
    if not found or not found[-1][0]:
        return array("Q"), []
    return array("Q", (start for start, _ in found)), [name for _, name in found]
