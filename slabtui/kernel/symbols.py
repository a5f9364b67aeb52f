"""Names of the kernel's functions, by address; addresses stay where the kernel hides the names.

bcc has the same, but reads the list as root only, and slabtui runs with CAP_SYSLOG alone.
"""

from array import array
from bisect import bisect_right
from pathlib import Path

from slabtui.text import printable

KALLSYMS = Path("/proc/kallsyms")
SETTING = Path("/proc/sys/kernel/kptr_restrict")

_FUNCTIONS = frozenset((b"t", b"T", b"w", b"W"))  # nm(1)
_NAME, _HIDDEN_FROM_ALL = "kernel.kptr_restrict", 2  # the setting, and its value that hides addresses from root too
_NO_NAMES = "no names of functions"
_LONGEST = 1 << 20  # bytes of a function: what lies farther from the symbol before it is no part of that


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
            self._starts, self._names = self._load()
        place = bisect_right(self._starts, address) - 1
        if place < 0 or address - self._starts[place] >= _LONGEST:
            return f"{address:#x}"
        name, _, module = self._names[place].partition(b"\t")
        into = f"+{address - self._starts[place]:#x}" if offset else ""
        return printable(name) + into + (f" {printable(module)}" if module else "")

    def _load(self) -> "tuple[array[int], list[bytes]]":
        """Return the start and the name of every function, in the order of their addresses; none if they are hidden."""
        try:
            found = _functions(self._path.read_bytes())
        except OSError as error:
            self.trouble = f"{_NO_NAMES} ({self._path}: {error.strerror}): run it as root"
            return array("Q"), []
        if not found:
            self.trouble = f"{_NO_NAMES} ({self._path} is empty): boot a kernel built with CONFIG_KALLSYMS=y"
        elif not found[-1][0]:
            self.trouble = f"{_NO_NAMES} {self._why_hidden()}"
            return array("Q"), []
        return array("Q", (start for start, _ in found)), [name for _, name in found]

    def _why_hidden(self) -> str:
        """Return why the kernel lists every address as 0, and the remedy; kallsyms_show_value() in kernel/."""
        try:
            hidden = int(self._setting.read_text()) >= _HIDDEN_FROM_ALL
        except (OSError, ValueError):
            hidden = False
        if hidden:
            return f"({_NAME} is {_HIDDEN_FROM_ALL}): sysctl {_NAME}=1"
        return "(no CAP_SYSLOG): run it as root"


def _functions(listing: bytes) -> list[tuple[int, bytes]]:
    """Return the start and the name of every function, in the order of their addresses."""
    found = []
    for line in listing.splitlines():
        start, _, rest = line.partition(b" ")
        if rest[:1] in _FUNCTIONS:
            found.append((int(start, 16), rest[2:]))
    return sorted(found)
