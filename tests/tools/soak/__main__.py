"""The command line: runs slabtui under load, checks the results, tests every fault, and writes docs/faults.md."""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from slabtui.errors import SlabtuiError
from slabtui.kernel import capabilities
from slabtui.kernel.abi import offsets
from slabtui.kernel.probe import Probe
from slabtui.model.snapshot import CacheRow
from slabtui.recording.reader import read
from tests import ROOT
from tests.e2e.test_terminal import LEAVE_SCREEN
from tests.support.bpf import gone, program_ids
from tests.support.footprint import resident
from tests.support.terminal import Terminal
from tests.tools.bench import page
from tests.tools.bench.report import Report
from tests.tools.soak import faults, fingers, held, storm, unread
from tests.tools.soak.fingers import Done
from tests.tools.soak.storm import PROCESSES, Storm

PAGE = ROOT / "docs" / "faults.md"
SIZES = 1_000
_SECONDS = 600.0
_UNREAD = 2.0  # times that, 20 minutes: for so long a terminal is not read
_WARM = 0.25  # of that: the history of 300 intervals is full, and every program compiled
_MOST_GROWTH = 8  # MiB
_SLABTUI = [sys.executable, "-m", "slabtui"]
_RECORDING, _INTERVAL = "soak.jsonl.zst", "0.2"
# open(2) allocates from the first exactly once, and from the second again where the kernel repeats the lookup, as while
# something is mounted: do_filp_open() in fs/namei.c.
_PATHS, _FILES = "names_cache", "filp"
_TASKS = "task_struct"


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of one slabtui, by cache, and what it reports as lost."""

    paths: int
    files: int
    tasks: int
    lost: int


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what was checked, the result, and whether it is as expected."""

    name: str
    found: str
    right: bool


def main() -> int:
    """Run everything, write the page, and return the exit status: 1 if a check failed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.tools.soak",
        description="Run slabtui under load, then test every fault; write the page.",
    )
    parser.add_argument(
        "seconds", nargs="?", type=float, help=f"seconds of load (default: {_SECONDS:g}); print the page"
    )
    seconds: float | None = parser.parse_args().seconds
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that every `finally` is carried out
    try:
        capabilities.demand()
        return _soak(seconds or _SECONDS, PAGE if seconds is None else None, _bcc())
    except SlabtuiError as error:
        print(f"soak: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _bcc() -> str:
    """Return the version of bcc with which slabtui runs here."""
    probe = Probe(offsets.read())
    probe.close()
    return probe.bcc


def _soak(seconds: float, target: Path | None, bcc: str) -> int:
    report = Report()
    today = date.today().isoformat()
    cpus = sorted(os.sched_getaffinity(0))
    report.heading("Under load")
    report.text(
        f"For {seconds:.0f} s, each of {len(cpus)} CPUs opened files without a pause, and {PROCESSES:,} short "
        "processes started and ended. One slabtui showed the whole machine and recorded it "
        f"(interval {_INTERVAL} s), on a terminal with random keys and random changes of its size. Another one counted "
        "only the processes that open files (JSON lines, interval 1 s)."
    )
    checks = _under_load(seconds, cpus)
    report.table(("check", "result", "as expected"), [(one.name, one.found, _yes(one.right)) for one in checks])
    report.heading("What is held, opened and closed")
    report.text(
        f"For {seconds:.0f} s, under the same load, the tab of what is held was opened and closed (interval "
        f"{held.INTERVAL} s), of {len(held.CACHES)} caches in turn."
    )
    tab = _opened_and_closed(seconds, cpus)
    report.table(("check", "result", "as expected"), [(one.name, one.found, _yes(one.right)) for one in tab])
    checks += tab
    report.heading("A terminal that is not read")
    report.text(
        f"slabtui ran (interval {unread.INTERVAL} s) on a terminal that was not read for {seconds * _UNREAD:.0f} s, "
        "with the pipe that wakes its screen at its smallest size. Then the terminal was read, and not read again "
        "until slabtui blocked in it. Then SIGTERM was sent."
    )
    alone = _left_unread(seconds * _UNREAD)
    report.table(("check", "result", "as expected"), [(one.name, one.found, _yes(one.right)) for one in alone])
    checks += alone
    report.text(
        "For caches that are created and destroyed with modules, see the column modules in [kernels.md](kernels.md)."
    )
    report.heading("Faults")
    found = faults.run()
    report.table(
        ("fault", "what slabtui does", "tests"), [(one.fault.name, one.fault.answer, one.words) for one in found]
    )
    wrong = [one.name for one in checks if not one.right] + [one.fault.name for one in found if not one.right]
    report.learn(
        f"{len(checks) + len(found) - len(wrong)} of {len(checks) + len(found)} checks and faults are as expected"
        + (f"; not as expected: {'; '.join(wrong)}." if wrong else ".")
    )
    print(*report.learned, sep="\n")
    if target:
        machine = (
            f"Linux {platform.release()} {platform.machine()}",
            f"Python {platform.python_version()}, bcc {bcc}",
        )
        title = "Under load, and with faults"
        target.write_text(page.render(report, title=title, date=today, command="sudo make soak", machine=machine))
        print(f"written: {target}")
    return 1 if wrong else 0


def _under_load(seconds: float, cpus: Sequence[int]) -> list[Check]:
    before = program_ids()
    done = Done()
    with tempfile.TemporaryDirectory() as place, storm.ready(cpus) as load, _watching(load, Path(place)) as of_load:
        command = ["env", "-C", place, *_SLABTUI, "--record", _RECORDING, _INTERVAL]
        with Terminal(command) as terminal:
            had = terminal.settings
            terminal.wait_for(lambda: "allocs/s" in terminal.text)
            with load.raging(seconds):
                fingers.play(terminal, seconds * _WARM, done)
                warm = resident(terminal.pid)
                fingers.play(terminal, seconds * (1 - _WARM), done)
                fingers.resize(terminal, max(0, SIZES - done.sizes), done)
            grown = (resident(terminal.pid) - warm) / 1024
            terminal.type("q")
            status = terminal.wait_for_exit()
            restored = terminal.settings == had and LEAVE_SCREEN in terminal.output
            raised = b"Traceback" in terminal.output
        recorded = _recorded(Path(place, _RECORDING))
        counted, complaints = of_load()
    detached = gone(before)
    return [
        Check(
            "files opened, counted with `-p` for these processes",
            f"{load.opened:,} opened; counted {counted.paths:,} of {_PATHS}, lost {counted.lost:,}",
            counted.paths <= load.opened <= counted.paths + counted.lost,
        ),
        Check(
            "files opened, in the recording of the whole machine",
            f"counted {recorded.files:,}, lost {recorded.lost:,}",
            load.opened <= recorded.files + recorded.lost,
        ),
        Check(
            "short processes, in the same recording",
            f"{load.processes:,} started; counted {recorded.tasks:,} of task_struct",
            load.processes <= recorded.tasks + recorded.lost,
        ),
        Check("keys pressed", f"{done.keys:,}", done.keys > 0),
        Check("sizes of the terminal", f"{done.sizes:,}", done.sizes >= SIZES),
        Check(
            f"resident memory after {seconds * _WARM:.0f} s, and its growth until the end",
            f"{warm / 1024:.0f} MiB, {grown:+.1f} MiB",
            grown < _MOST_GROWTH,
        ),
        Check(
            "exceptions and error messages",
            complaints or ("a traceback" if raised else "none"),
            not (raised or complaints),
        ),
        Check("exit status", str(status), status == 0),
        Check("the terminal at the end", "restored" if restored else "changed", restored),
        Check("BPF programs left in the kernel", "none" if detached else "some", detached),
    ]


def _opened_and_closed(seconds: float, cpus: Sequence[int]) -> list[Check]:
    with storm.ready(cpus) as load, load.raging(seconds):
        found = held.open_and_close(_SLABTUI, seconds)
    return [
        Check("opened and closed", f"{found.times:,} times", found.times > 0),
        Check("it showed how much is held", f"{found.shown:,} times", found.shown == found.times),
        Check(
            "programs, maps or descriptors that are left when it is closed",
            "; ".join(found.left) or "none",
            not found.left,
        ),
        Check(
            f"resident memory after {seconds * held.WARM:.0f} s, and its growth until the end",
            f"{found.warm:.0f} MiB, {found.grown:+.1f} MiB",
            found.grown < _MOST_GROWTH,
        ),
        Check("exit status", str(found.status), found.status == 0),
        Check("BPF programs left in the kernel", "none" if found.detached else "some", found.detached),
    ]


def _left_unread(seconds: float) -> list[Check]:
    found = unread.leave(_SLABTUI, seconds)
    ended = "did not end" if found.status is None else f"status {found.status} after {found.seconds:.1f} s"
    return [
        Check("counting while it was not read", "continued" if found.counted else "blocked", found.counted),
        Check("the screen after it was read again", "continued" if found.went_on else "stopped", found.went_on),
        Check("SIGTERM while it was not read", ended, found.status == 128 + signal.SIGTERM),
        Check("the settings of the terminal", "restored" if found.restored else "changed", found.restored),
        Check("BPF programs left in the kernel", "none" if found.detached else "some", found.detached),
    ]


@contextmanager
def _watching(load: Storm, place: Path) -> Iterator["Watching"]:
    """Run a slabtui that counts the allocations of the load's processes."""
    pids = [word for pid in load.pids for word in ("-p", str(pid))]
    with (place / "load.jsonl").open("w+b") as output, (place / "complaints").open("w+b") as complaints:
        command = [*_SLABTUI, "--output", "json", *pids]
        with subprocess.Popen(command, stdout=output, stderr=complaints) as process:
            try:
                watching = Watching(process, place / "load.jsonl", place / "complaints")
                watching.wait_for_begin()
                yield watching
            finally:
                process.terminate()


class Watching:
    """A slabtui that prints JSON lines into a file. Calling it ends it and returns its counts and errors."""

    def __init__(self, process: "subprocess.Popen[bytes]", output: Path, complaints: Path) -> None:
        self._process = process
        self._output = output
        self._complaints = complaints

    def wait_for_begin(self) -> None:
        """Wait for its first line.

        Raises:
            SlabtuiError: it has ended without one.
        """
        while not self._output.stat().st_size:
            if self._process.poll() is not None:
                raise SlabtuiError(self._complaints.read_text().strip(), "see the tests")
            time.sleep(0.05)

    def __call__(self) -> tuple[Counted, str]:
        """End it as Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait()
        lines = [json.loads(line) for line in self._output.read_text().splitlines()]
        rows = [(row["name"], row["allocs"]) for line in lines for row in line["caches"]]
        return _sum(rows, [line["lost"] for line in lines]), self._complaints.read_text().strip()


def _recorded(path: Path) -> Counted:
    rows: list[CacheRow] = []
    lost = []
    for snapshot in read(path):
        rows += (row for row in snapshot.rows if row.name in (_PATHS, _FILES, _TASKS))
        lost.append(snapshot.lost)
    return _sum([(row.name, row.allocs) for row in rows], lost)


def _sum(rows: Sequence[tuple[str, int]], lost: Sequence[int | None]) -> Counted:
    counts: Counter[str] = Counter()
    for name, allocs in rows:
        counts[name] += allocs
    return Counted(counts[_PATHS], counts[_FILES], counts[_TASKS], sum(one or 0 for one in lost))


def _yes(right: bool) -> str:
    return "yes" if right else "NO"


if __name__ == "__main__":
    sys.exit(main())
