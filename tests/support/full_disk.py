"""Records to a small file system: until the oldest segments are dropped, while it is full, and with room again.

Prints what went wrong at each of the three, and what a replay has.
"""

import json
import sys
from itertools import pairwise
from pathlib import Path

from slabtui.recording import segments
from slabtui.recording.flight import DirectorySink
from slabtui.recording.limits import Limits
from tests.support.flight import day, replayed

ROOM, FULL, AFTER = 300, 300, 10  # intervals


def main(root: Path) -> None:
    directory, other = root / "flight", root / "other"
    given = list(day(40, ROOM + FULL + AFTER))
    sink = DirectorySink(directory, Limits(segment=200))
    trouble, full = [], {""}
    begun: set[str] = set()
    for one in given[:ROOM]:
        sink.write(one)
        begun.update(segments.names(directory))
    trouble.append(sink.trouble)
    dropped = len(begun) - len(segments.names(directory))
    with other.open("wb", buffering=0) as file:
        for one in given[ROOM:-AFTER]:  # what becomes free goes to another file
            _fill(file)
            sink.write(one)
            full.add(sink.trouble)
    trouble.append(max(full))
    other.unlink()
    for one in given[-AFTER:]:
        sink.write(one)
    trouble.append(sink.trouble)
    sink.close()
    found = replayed(directory)
    begin = found[0].time - found[0].elapsed
    gaps = [later.time - earlier.time - later.elapsed for earlier, later in pairwise(found)]
    print(
        json.dumps(
            {
                "trouble": trouble,
                "dropped": dropped,
                "longest": max(one.elapsed for one in found),
                "gaps": [gap for gap in gaps if gap],
                "allocs": sum(one.allocs for one in found),
                "expected": sum(one.allocs for one in given if one.time > begin),
            }
        )
    )


def _fill(file: object) -> None:
    try:
        while True:
            file.write(bytes(512))  # type: ignore[attr-defined]
    except OSError:
        pass


if __name__ == "__main__":
    main(Path(sys.argv[1]))
