"""Runs in the guest: Debian's older tools and slabtui at the same time, under one load."""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.workload import workload
from tests.tools.kernels import results, tracefs
from tests.tools.kernels.results import SideBySide, Tool

PACKAGES = {"bpfcc-tools": "usr/sbin/slabratetop-bpfcc", "libbpf-tools": "usr/sbin/slabratetop"}

_OPENS = 100_000
_OPTIONS = ("-C", "-r", "1000", "1")  # options of all three: no clearing, the number of rows, an interval of one second
_MORE_THAN_AN_INTERVAL = 1.5  # seconds
_STARTS = 150.0  # seconds until the first table; bcc compiles against all of the kernel's headers
_ENDS = 20.0  # seconds until the tables after the load
_STEP = 0.02
_HEADING = re.compile(r"^CACHE\s+ALLOCS\s+BYTES", re.MULTILINE)
_FILES = re.compile(r"^filp\s+(\d+)\s", re.MULTILINE)


class Watcher:
    """A running tool, whose output goes to a file.

    Args:
        name: what it is called in the result.
        command: the program and its options.
        log: the file for its output.
    """

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        self.name = name
        self._mark = 0
        self._printed = ""
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        begin = time.perf_counter()
        with log.open("wb") as file:
            self._process = subprocess.Popen(["stdbuf", "-oL", *command], env=environment, stdout=file, stderr=file)
        self._reader = log.open(errors="replace")  # once, since opening it is counted too
        self.first_table = time.perf_counter() - begin if self.printed(1, _STARTS) else None

    def printed(self, tables: int, seconds: float) -> bool:
        """Wait until this number of tables began after the mark, and return whether they did."""
        until = time.perf_counter() + seconds
        while len(_HEADING.findall(self._since_mark())) < tables:
            if time.perf_counter() > until or self._process.poll() is not None:
                return False
            time.sleep(_STEP)
        return True

    def mark(self) -> Callable[[], int]:
        """Ignore what was printed so far; return a function that counts the files in later tables."""
        start = self._mark = len(self._text())
        return lambda: sum(map(int, _FILES.findall(self._text()[start:])))

    def trouble(self) -> str:
        """Return why there was no table, in the tool's own words."""
        return complaint(self._text()) or f"no table within {_STARTS:.0f} s"

    def end(self) -> None:
        """End it, and wait until it has."""
        self._process.terminate()
        self._process.wait()
        self._reader.close()

    def _text(self) -> str:
        self._printed += self._reader.read()
        return self._printed

    def _since_mark(self) -> str:
        return self._text()[self._mark :]


def main() -> None:
    """Write the figures to the file named on the command line."""
    results.run_step("oldtools", watch)


def watch(tools: Path) -> SideBySide:
    """Start every tool, slabtui last, so that the others slow its start; then run the load."""
    commands = {
        f"{package} {(tools / package / 'version').read_text().strip()}": [str(tools / package / program)]
        for package, program in PACKAGES.items()
    }
    commands["slabtui"] = [str(Path(sys.executable).with_name("slabratetop"))]
    with tempfile.TemporaryDirectory() as logs, contextlib.ExitStack() as running:
        watchers = [
            running.enter_context(_running(Watcher(name, [*command, *_OPTIONS], Path(logs, str(place)))))
            for place, (name, command) in enumerate(commands.items())
        ]
        started = [watcher for watcher in watchers if watcher.first_table is not None]
        with workload("open", _OPENS) as work, tracefs.counting_opens(work.pid, others=True) as others:
            time.sleep(_MORE_THAN_AN_INTERVAL)  # so the next table has no older events
            counted = {watcher.name: watcher.mark() for watcher in started}
            work.run()
            for watcher in started:
                watcher.mark()
            # The second table from here on began after the load.
            complete = {watcher.name: watcher.printed(3, _ENDS) for watcher in started}
            totals = {name: count() for name, count in counted.items()}
            opened_by_others = others()
        return SideBySide(
            _OPENS,
            opened_by_others,
            tuple(
                Tool(watcher.name, watcher.first_table, totals[watcher.name])
                if complete.get(watcher.name)
                else Tool(watcher.name, watcher.first_table, trouble=watcher.trouble())
                for watcher in watchers
            ),
        )


def complaint(text: str) -> str:
    """Return the first line that looks like an error, otherwise the last one; empty if there is no line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    bad = (line for line in lines if re.search(r"\berror:|\bfailed\b|^unable ", line, re.IGNORECASE))
    return next(bad, lines[-1] if lines else "")


@contextlib.contextmanager
def _running(watcher: Watcher) -> Iterator[Watcher]:
    try:
        yield watcher
    finally:
        watcher.end()


if __name__ == "__main__":
    main()
