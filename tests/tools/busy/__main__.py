"""Records a busy host on which one process leaks: `python -m tests.tools.busy KIND RATE SECONDS DIRECTORY`.

Needs root. The load is a search of the disk, a compiler, short TCP connections and short processes; it ends by itself.
KIND is `none` or a kind of tests.tools.busy.leaks, RATE its objects per second. The name of the new file says both.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen, run

from slabtui.recording.reader import read
from tests.tools.busy import loads, slim
from tests.tools.busy.leaks import CACHES

_WARM = 60  # seconds of load before the recording: as long as a socket is in TIME_WAIT
_SPARE = 60  # seconds that the program may take to begin and to end


@contextmanager
def leaking(kind: str, rate: float, seconds: float) -> Iterator[None]:
    """Let a process leak during this block."""
    if kind == "none":
        yield
        return
    command = (sys.executable, "-m", "tests.tools.busy.leaks", kind, str(rate))
    with Popen(("timeout", f"{seconds:.0f}", *command), stdin=DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=CACHES)
    parser.add_argument("rate", type=float)
    parser.add_argument("seconds", type=int)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--whole", action="store_true", help="keep the whole recording, too")
    options = parser.parse_args()
    path = options.directory / f"busy-{options.kind}-{options.rate:g}.jsonl.zst"
    with tempfile.TemporaryDirectory() as directory:
        whole = path.with_suffix("").with_suffix(".whole.jsonl.zst") if options.whole else Path(directory, "a.zst")
        limit = options.seconds + _WARM + _SPARE
        with loads.running(limit), leaking(options.kind, options.rate, limit):
            command = ["slabtui", "--output", "json", "-r", "1", "--record", str(whole), "1", str(options.seconds)]
            time.sleep(_WARM)
            run((sys.executable, "-m", *command), stdout=DEVNULL, check=True)
        slim.write(path, read(whole))
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
