"""Recordings that no recorder has written: hostile values, damaged bytes, files that unpack to much more."""

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import replace

import zstandard

from slabtui.model.beside import KernelSite, SideCount
from slabtui.model.held import Held, Tracking
from slabtui.model.host import HostGrowth
from slabtui.model.inspection import About, Inspection, InspectionKind, InspectionRow
from slabtui.model.memory import CgroupMemory, HostMemory
from slabtui.recording import codec
from slabtui.recording.bounds import LONGEST_LINE
from tests.support.fakes import caches, key, snapshot
from tests.support.recordings import first_version, version_1

LARGE = 64 << 20  # bytes, of which a compressed file holds some thousand
ENDINGS = (".jsonl", ".gz", ".zst")
_MOST = 12 << 20  # bytes of one hostile value: some lines with it are as long as a line may be, some longer

_FIGURES = {"allocs": 1, "bytes": 64, "total_allocs": 2, "total_bytes": 128}
_CALLER = InspectionRow(frames=("d_alloc+0x2a",), **_FIGURES)
_WHO = {"pid": 7, "comm": "bash", "cmdline": "bash -c :", "ended": False, "cgroup": "/a"}
_STACK = InspectionRow(frames=("d_alloc", "open", "entry"), **_WHO, **_FIGURES)
_PROCESS = InspectionRow(**_WHO, **_FIGURES)
_ABOUT = About(
    aliases=("a",),
    flags=("b",),
    nodes=((0, 1),),
    live=3,
    counts=(SideCount("unused", 2, 1),),
    sites=(KernelSite("slab_debug", 2, 128, ("d_alloc",), "fs/dcache.c:3", "1-9"),),
)
_HELD = Held(3, 192, 1.5, 9.5, 4.25, (1, 2, 0, 0, 0, 0), 0.125, 1.5, 2.5)
_INSPECTIONS = (
    Inspection(key(1), InspectionKind.CALLERS, rows=(_CALLER,)),
    Inspection(key(1), InspectionKind.STACKS, one_in=8, rows=(_STACK,)),
    Inspection(key(1), InspectionKind.PROCESSES, rows=(_PROCESS,)),
    Inspection(key(1), InspectionKind.ABOUT, about=_ABOUT),
    Inspection(
        key(1), InspectionKind.HELD, rows=(InspectionRow(frames=("d_alloc",), **_WHO, held=_HELD),), tracking=Tracking()
    ),
)
_GROWTH = {"growth_objects_s": 1.5, "recent_objects_s": 2.5, "growth_bytes_h": 1e6, "growing": True}
_GROWTH |= {"grows_with": ("z",)}


class Mutations:
    """Makes hostile recordings.

    Args:
        seed: the same one gives the same files.
    """

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        rows = caches(5)
        rows = (replace(rows[0], aliases=("x", "y"), live=3, live_delta=-1, mem=4096, frees=2, **_GROWTH), *rows[1:])
        machine = {
            "memory": HostMemory(8 << 30, 4 << 30, 3, 2, 1),
            "cgroup_memory": CgroupMemory(3, 2, 1, 4),
            "growth": HostGrowth(1.7e9, 2.5, 1.5, True, 9e3),
        }
        given = [(), _INSPECTIONS, *((one,) for one in _INSPECTIONS)]
        lines = [
            codec.dumps(snapshot(*rows, time=1.7e9 + at, inspections=some, **machine), rows)
            for at, some in enumerate(given)
        ]
        older = [json.dumps(make(line)) for line in lines[2:] for make in (version_1, first_version)]
        self._lines = [line.encode() for line in (*lines, *older)]

    def make(self) -> tuple[str, bytes]:
        """Return how the name of a recording ends, and what is in it."""
        chance = self._chance
        ending = chance.choice(ENDINGS)
        how = chance.choices((self._values, self._bytes, self._bomb), (60, 35, 5))[0]
        packed = _packed(ending, how(ending))
        if chance.random() < 0.2:
            packed = self._damaged(packed)
        return ending, packed

    def _values(self, ending: str) -> bytes:
        """Return lines, of which some have hostile values."""
        lines = []
        for line in self._chance.sample(self._lines, 3):
            found = json.loads(line)
            for _ in range(self._chance.randrange(3)):
                self._change(found)
            lines.append(json.dumps(found, ensure_ascii=self._chance.random() < 0.5).encode("utf-8", "surrogatepass"))
        return b"\n".join(lines) + b"\n"

    def _change(self, found: object) -> None:
        """Replace one value, at any depth."""
        while True:
            places = list(found) if isinstance(found, dict) else range(len(found)) if isinstance(found, list) else ()
            if not places:
                return
            place = self._chance.choice(list(places))
            value = found[place]  # type: ignore[index]
            if not isinstance(value, (dict, list)) or not value or self._chance.random() < 0.3:
                found[place] = self._hostile(value)  # type: ignore[index]
                return
            found = value

    def _hostile(self, value: object) -> object:
        chance = self._chance
        size = int(10 ** chance.uniform(0, 6.8))
        makers: tuple[Callable[[], object], ...] = (
            lambda: chance.choice((None, True, -1, 0, 1 << 64, (1 << 64) - 1, 1e308, float("nan"), float("inf"), "")),
            lambda: 10 ** min(size, 4200),
            lambda: "0x" + "f" * min(size, _MOST),
            lambda: "a" * min(size, _MOST),
            lambda: (
                chance.choice(("\u0301", "\u540d", "\u202e", "\x1b[2J", "\ud800", "\U0001f600"))
                * min(size // 8 + 1, 1 << 19)
            ),
            lambda: [value] * min(size, _MOST // (len(str(value)) + 4)),
            lambda: [[]] * min(size, _MOST // 4),
            lambda: ["ab"] * min(size, _MOST // 6),
            lambda: {str(number): number for number in range(min(size, 500_000))},
            lambda: json.loads("[" * 500 + "]" * 500),
        )
        return chance.choice(makers)()

    def _bytes(self, ending: str) -> bytes:
        """Return lines with damaged bytes."""
        return self._damaged(b"\n".join(self._chance.sample(self._lines, 3)) + b"\n")

    def _damaged(self, data: bytes) -> bytes:
        damaged = bytearray(data)
        for _ in range(self._chance.randrange(1, 6)):
            at, to = sorted(self._chance.randrange(len(damaged) + 1) for _ in range(2))
            to = min(to, at + 200)
            change = self._chance.randrange(5)
            if change == 0 and at < len(damaged):
                damaged[at] ^= 1 << self._chance.randrange(8)
            elif change == 1:
                del damaged[at:to]
            elif change == 2:
                damaged[at:at] = damaged[at:to] * self._chance.randrange(1, 50)
            elif change == 3:
                damaged[at:to] = self._chance.randbytes(to - at)
            else:
                del damaged[at:]
        return bytes(damaged)

    def _bomb(self, ending: str) -> bytes:
        """Return what is large: packed, it is a file of some thousand bytes."""
        line = self._chance.choice(self._lines)
        part = self._chance.choice((b"\0", b"\n", b"[", b"[],", b'{"a":', b'"ab",', b"9,", b" ", b'"\\ud83d\\ude00",'))
        large = part * (self._chance.choice((LARGE, LONGEST_LINE, LONGEST_LINE - 100)) // len(part))
        return self._chance.choice((large, line + b"\n" + large, line[:-1] + b',"x":[' + large, large + line))


def _packed(ending: str, data: bytes) -> bytes:
    if ending == ".gz":
        return gzip.compress(data, 1)
    return zstandard.compress(data) if ending == ".zst" else data
