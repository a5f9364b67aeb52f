"""The command line of the benchmark: measures everything, prints it, and writes docs/performance.md."""

import argparse
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import urwid

from slabtui.errors import SlabtuiError
from slabtui.kernel import capabilities
from slabtui.kernel.abi import offsets
from slabtui.kernel.probe import Probe
from tests import ROOT
from tests.tools.bench import (
    budget,
    classic,
    events,
    extras,
    footprint,
    held,
    page,
    program,
    scale,
    screen,
    steps,
    tools,
)
from tests.tools.bench.report import Report

PAGE = ROOT / "docs" / "performance.md"
_TITLE = "What slabtui costs"
CPUS = 2  # at most, for the load
LONG = 600.0  # seconds that the live screen runs before its memory is read


def main() -> int:
    """Measure everything, print it, write the page, and return the exit status."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that every `finally` is carried out
    try:
        capabilities.demand()
        capabilities.unlimit_locked_memory()  # as the program does
        _write(options)
    except SlabtuiError as error:
        print(f"bench: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def _write(options: argparse.Namespace) -> None:
    machine, today, since = _machine(), date.today().isoformat(), time.monotonic()
    print(*machine, sep="\n")
    report = Report()
    _measure(report, options)
    print("\nConclusions:", *report.learned, f"({time.monotonic() - since:.0f} s)", sep="\n")
    if options.page:
        options.page.write_text(page.render(report, title=_TITLE, date=today, command=_command(), machine=machine))
        print(f"written: {options.page}")


def _measure(report: Report, options: argparse.Namespace) -> None:
    cpus = sorted(os.sched_getaffinity(0))[:CPUS]
    quick: bool = options.quick
    starts = 3 if quick else 7
    load = options.opens, options.rounds
    for race in (events.ALLOC, events.KMALLOC):
        events.show(report, race, *load, cpus)
    for pair in (extras.CACHE, extras.KMALLOC):
        extras.show(report, pair, *load, cpus)
        held.show(report, pair, *load, cpus)
    budget.show(report, seconds=5 if quick else 40)
    classic.show(report, *load, cpus)
    tools.show(report, *load, starts, cpus)
    footprint.show(report, starts, long=None if quick else LONG)
    program.show(report, seconds=3.0 if quick else 10.0)
    steps.show(report, intervals=3 if quick else 30)
    screen.show_keys(report, times=5 if quick else 50)
    screen.show_consumers(report, seconds=3.0 if quick else 10.0)
    screen.show_ticks(report, ticks=3 if quick else 10)
    scale.show(report, ticks=3 if quick else 10)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.tools.bench",
        description="Print what slabtui costs, and write docs/performance.md, from one run.",
    )
    parser.add_argument("--opens", type=_positive, metavar="N", help="calls of each load process (default: 300000)")
    parser.add_argument("--rounds", type=_positive, metavar="N", help="rounds of each load (default: 3)")
    parser.add_argument("--quick", action="store_true", help="a short run without a page, to check that it works")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the page to FILE")
    options = parser.parse_args()
    if not (options.quick or options.opens or options.rounds):
        options.page = options.page or PAGE
    options.opens = options.opens or (30_000 if options.quick else 300_000)
    options.rounds = options.rounds or (1 if options.quick else 3)
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1")
    return number


def _machine() -> tuple[str, ...]:
    """Return what the figures depend on."""
    return (
        f"Linux {platform.release()} {platform.machine()}",
        f"CPUs: {len(os.sched_getaffinity(0))}, {_processor()}",
        f"Python {platform.python_version()}, urwid {urwid.__version__}, {_bpftrace()}",
        *_probe(),
        f"load average before: {os.getloadavg()[0]:.2f}",
    )


def _probe() -> tuple[str, ...]:
    """Return what depends on bcc and on what the kernel can do."""
    probe = Probe(offsets.read())
    try:
        return f"bcc {probe.bcc}, in a child process", f"caches looked up by {probe.lookup}()"
    finally:
        probe.close()


def _command() -> str:
    """Return the command that started this run."""
    return " ".join(("sudo make bench", *([f'ARGS="{" ".join(sys.argv[1:])}"'] if sys.argv[1:] else [])))


def _bpftrace() -> str:
    if shutil.which("bpftrace") is None:
        return "no bpftrace"
    made = subprocess.run(["bpftrace", "--version"], capture_output=True, text=True, check=False)
    return made.stdout.strip() or "bpftrace of an unknown version"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unnamed")


if __name__ == "__main__":
    sys.exit(main())
